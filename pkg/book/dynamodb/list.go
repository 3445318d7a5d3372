package dynamodb

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/gate"
)

// A listing is a page of a list, from all its partitions.
type listing struct {
	list   string
	after  string // place where the page before ended
	newest bool   // first
	limit  int
}

// page reads the next items of a list and whether there are more.
func (b *Book) page(ctx context.Context, l listing) (all []*item, more bool, err error) {
	q := query{index: true, backward: l.newest, limit: l.limit + 1}
	if l.after != "" {
		q.op, q.sk = ">", l.after
		if l.newest {
			q.op = "<"
		}
	}
	if all, err = b.findAll(ctx, l.list, q); err != nil {
		return nil, false, err
	}
	slices.SortFunc(all, func(a, b *item) int {
		if l.newest {
			a, b = b, a
		}
		return cmp.Compare(a.listSK, b.listSK)
	})
	return all[:min(len(all), l.limit)], len(all) > l.limit, nil
}

// findAll is find in all partitions of a list at once: up to as many items of
// each as q says, in no order.
func (b *Book) findAll(ctx context.Context, list string, q query) (all []*item, err error) {
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	for i := range shards {
		q := q
		q.pk = shardAt(list, i)
		group.Go(func() error {
			found, err := b.find(ctx, q)
			mu.Lock()
			defer mu.Unlock()
			all = append(all, found...)
			return err
		})
	}
	return all, group.Wait()
}

// cursor returns where a page ended, for the caller; it works for the same list only.
func (l listing) cursor(place string) string {
	return base64.RawURLEncoding.EncodeToString(append([]byte(place), l.seal(place)...))
}

// resume reads a cursor.
func (l *listing) resume(after string) error {
	if after == "" {
		return nil
	}
	text, err := base64.RawURLEncoding.Strict().DecodeString(after)
	if at := len(text) - sealSize; err == nil && at > 0 && string(l.seal(string(text[:at]))) == string(text[at:]) {
		l.after = string(text[:at])
		return nil
	}
	return fmt.Errorf("after %q: %w", after, book.ErrCursor)
}

// sealSize is how many bytes of a hash tell a cursor from what is none.
const sealSize = 6

func (l listing) seal(place string) []byte {
	sum := sha256.Sum256([]byte(l.list + "\x00" + place))
	return sum[:sealSize]
}

// pages reads pages of a list until as many of its items are shown as one page
// has, and returns where the next page begins.
func pages[T any](ctx context.Context, b *Book, l listing, after string, show func(context.Context, []*item) (map[string]T, error)) (all []T, next string, err error) {
	if err := l.resume(after); err != nil {
		return nil, "", err
	}
	for {
		found, more, err := b.page(ctx, l)
		if err != nil {
			return nil, "", err
		}
		shown, err := show(ctx, found)
		if err != nil {
			return nil, "", err
		}
		for i, it := range found {
			if one, ok := shown[it.listSK]; ok {
				all = append(all, one)
			}
			if len(all) == l.limit && (more || i < len(found)-1) {
				return all, l.cursor(it.listSK), nil
			}
			l.after = it.listSK
		}
		if !more {
			return all, "", nil
		}
	}
}

// Records returns a page of records, in the order in which they came, and
// where the next page begins; empty means that there is none. An After that
// no list has returned is an ErrCursor. A record that is new may be missing
// for a moment.
func (b *Book) Records(ctx context.Context, q book.Query) (records []book.Record, next string, err error) {
	ctx, cancel := b.limit(ctx)
	defer cancel()
	l := listing{list: listRecords, limit: limited(q.Limit)}
	switch {
	case q.Batch != "":
		l.list = listBatch(q.Batch)
	case q.Attraction != "":
		l.list = listSold(q.Attraction)
	}
	records, next, err = pages(ctx, b, l, q.After, func(ctx context.Context, found []*item) (map[string]book.Record, error) {
		return b.showRecords(ctx, found, q)
	})
	return records, next, b.explain("list", err)
}

// showRecords returns those of listed records that q selects, by place.
func (b *Book) showRecords(ctx context.Context, listed []*item, q book.Query) (map[string]book.Record, error) {
	var keys []key
	for _, it := range listed {
		keys = append(keys, key{it.pk, recordKey("").sk})
	}
	found, err := b.get(ctx, keys...)
	if err != nil {
		return nil, err
	}
	shown := map[string]book.Record{}
	for _, it := range found {
		r, err := b.shownRecord(ctx, it)
		if err != nil {
			if isGone(err) {
				continue
			}
			return nil, err
		}
		var print hash
		if err := print.UnmarshalText([]byte(it.own)); err != nil {
			return nil, err
		}
		if (q.Batch == "" || r.Batch == q.Batch) && (q.Attraction == "" || r.opens(q.Attraction)) {
			shown[r.Order] = *r.book(gate.Fingerprint(print))
		}
	}
	return shown, nil
}
