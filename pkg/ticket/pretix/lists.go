package pretix

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
)

// A list holds codes that are not good any more, as hashes, in memory.
type list struct {
	codes map[[sha256.Size]byte]struct{}
	since time.Time // the newest entry when it was last fetched to its end; zero means none
}

func (l *list) has(code gate.Secret) bool {
	_, ok := l.codes[digest(code)]
	return ok
}

func digest(code gate.Secret) [sha256.Size]byte { return sha256.Sum256([]byte(code.Reveal())) }

// A remote list is one of pretix's.
type remote struct {
	path  string
	param string // which asks for what is new
	of    func(*shelf) *list
}

var (
	revokedList = remote{"revokedsecrets", "created_since", func(s *shelf) *list { return &s.revoked }}
	blockedList = remote{"blockedsecrets", "updated_since", func(s *shelf) *list { return &s.blocked }}
)

// An entry is one of either list.
type entry struct {
	Secret  gate.Secret `json:"secret"`
	Created *time.Time  `json:"created"` // revoked
	Updated *time.Time  `json:"updated"` // blocked
	Blocked *bool       `json:"blocked"` // false means no longer
}

func (e entry) at() time.Time {
	if e.Created != nil {
		return *e.Created
	}
	return deref(e.Updated)
}

const (
	overlap  = 5 * time.Minute // entries become visible when their transaction ends, not when they are dated
	maxPages = 20000           // of 50 entries
)

// fetchKeys asks which keys sign the tickets of an event.
func (o *office) fetchKeys(ctx context.Context, e Event) error {
	var got struct {
		Slug  string `json:"slug"`
		Valid *struct {
			Sig1 []string `json:"pretix_sig1"`
		} `json:"valid_keys"`
	}
	if err := o.s.api.get(ctx, "fetch the keys of an event", "/events/"+url.PathEscape(e.Slug)+"/", nil, &got); err != nil {
		return err
	}
	if got.Valid == nil || got.Slug != e.Slug {
		return fmt.Errorf("fetch the keys of %q: pretix answers without them", e.Slug)
	}
	keys := slices.Clone(o.extra)
	for _, text := range got.Valid.Sig1 {
		key, err := wireKey(text)
		if err != nil {
			return fmt.Errorf("fetch the keys of %q: %w", e.Slug, err)
		}
		keys = append(keys, key)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.shelves[e.Slug].keys = keys
	return nil
}

// wireKey reads a key as the API spells it: PEM in base64.
func wireKey(text string) (ed25519.PublicKey, error) {
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, errors.New("a key is not base64")
	}
	return parseKey(raw)
}

// fetchList asks for what is new on a list. Newest entries come first, so that
// one which is added meanwhile moves others back, and none is passed over. A
// list that breaks off is asked for again from the same time on.
func (o *office) fetchList(ctx context.Context, e Event, r remote) error {
	o.mu.Lock()
	before := *r.of(o.shelves[e.Slug])
	o.mu.Unlock()
	query := url.Values{"page_size": {"50"}}
	if !before.since.IsZero() {
		query.Set(r.param, before.since.Add(-overlap).UTC().Format(time.RFC3339))
	}
	newest := before.since
	for number := 1; number <= maxPages; number++ {
		query.Set("page", strconv.Itoa(number))
		got, err := o.fetchPage(ctx, e, r, query)
		if err != nil {
			return err
		}
		o.take(e, r, got.Results)
		for _, entry := range got.Results {
			if entry.at().After(newest) {
				newest = entry.at()
			}
		}
		if got.Next == nil {
			o.finish(e, r, newest)
			return nil
		}
	}
	return fmt.Errorf("fetch %s of %q: more than %d pages", r.path, e.Slug, maxPages)
}

func (o *office) fetchPage(ctx context.Context, e Event, r remote, query url.Values) (got page[entry], err error) {
	what := "fetch " + r.path
	path := "/events/" + url.PathEscape(e.Slug) + "/" + r.path + "/"
	for {
		err = o.s.api.get(ctx, what, path, query, &got)
		var status *StatusError
		if err == nil || !errors.As(err, &status) || status.After <= 0 || status.After > time.Minute {
			break
		}
		select {
		case <-ctx.Done():
			return got, ctx.Err()
		case <-time.After(status.After):
		}
	}
	if err == nil && (got.Count == nil || slices.ContainsFunc(got.Results, func(e entry) bool { return e.Secret == "" || e.at().IsZero() })) {
		err = fmt.Errorf("%s: pretix answers with entries that cannot be read", what)
	}
	return got, err
}

// take puts entries on a list, or off it.
func (o *office) take(e Event, r remote, entries []entry) {
	o.mu.Lock()
	defer o.mu.Unlock()
	l := r.of(o.shelves[e.Slug])
	if l.codes == nil {
		l.codes = map[[sha256.Size]byte]struct{}{}
	}
	for _, entry := range entries {
		if key := digest(entry.Secret); entry.Blocked != nil && !*entry.Blocked {
			delete(l.codes, key)
		} else {
			l.codes[key] = struct{}{}
		}
	}
}

func (o *office) finish(e Event, r remote, newest time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	l := r.of(o.shelves[e.Slug])
	l.since = newest
}
