package dynamodb

import (
	"cmp"
	"context"
	"slices"

	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/gate"
)

// maxPK is how many bytes DynamoDB takes as the key of a partition.
const maxPK = 2_048

// FilesOf implements book.Files.
func (b *Book) FilesOf(ctx context.Context, owner, area, after string, limit int) ([]book.File, error) {
	of := func(ctx context.Context, q query) ([]*item, error) {
		if q.pk = ownerFiles(owner); area != "" {
			q.pk = ownerAreaFiles(owner, area)
		}
		if len(q.pk) > maxPK {
			return nil, nil // nobody is called that
		}
		return b.find(ctx, q)
	}
	return b.listFiles(ctx, of, after, limit, func(f *book.File) bool {
		return f.Owner == owner && (area == "" || f.Area == area)
	})
}

// FilesIn implements book.Files.
func (b *Book) FilesIn(ctx context.Context, area, after string, limit int) ([]book.File, error) {
	in := func(ctx context.Context, q query) ([]*item, error) {
		if gate.CheckSlug(area) != nil {
			return nil, nil
		}
		return b.findAll(ctx, areaFiles(area), q)
	}
	return b.listFiles(ctx, in, after, limit, func(f *book.File) bool { return f.Area == area })
}

// listFiles returns the first files after a key that a list has and that are
// selected, by key. A file that is removed meanwhile makes room for the next.
func (b *Book) listFiles(ctx context.Context, find func(context.Context, query) ([]*item, error), after string, limit int, selects func(*book.File) bool) (all []book.File, err error) {
	if err := book.CheckFileList(after, limit); err != nil {
		return nil, b.explain("list files", err)
	}
	ctx, cancel := b.limit(ctx)
	defer cancel()
	for more := true; more && len(all) < limit; {
		var page []book.File
		page, after, more, err = b.filePage(ctx, find, after, limit-len(all))
		if err != nil {
			return nil, b.explain("list files", err)
		}
		all = append(all, slices.DeleteFunc(page, func(f book.File) bool { return !selects(&f) })...)
	}
	return all, nil
}

// filePage reads at most limit files of a list, and returns which key was
// looked for last and whether there may be more behind it.
func (b *Book) filePage(ctx context.Context, find func(context.Context, query) ([]*item, error), after string, limit int) (page []book.File, last string, more bool, err error) {
	q := query{limit: limit}
	if after != "" {
		q.op, q.sk = ">", after
	}
	listed, err := find(ctx, q)
	if err != nil || len(listed) == 0 {
		return nil, after, false, err
	}
	more = len(listed) >= limit // of each partition
	slices.SortFunc(listed, func(a, b *item) int { return cmp.Compare(a.sk, b.sk) })
	var keys []string
	for _, it := range listed[:min(len(listed), limit)] {
		keys = append(keys, it.sk)
	}
	if page, err = b.filesAt(ctx, keys); err != nil {
		return nil, after, false, err
	}
	slices.SortFunc(page, func(f, g book.File) int { return cmp.Compare(f.Key, g.Key) })
	return page, keys[len(keys)-1], more, nil
}
