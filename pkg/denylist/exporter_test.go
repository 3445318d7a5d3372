package denylist_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/denylist"
	"github.com/handstamp/handstamp/pkg/gate"
)

const castleKey = "handstamp:p:castle"

func TestExport(t *testing.T) {
	const session = gate.Session("abc")
	const sessionKey = "handstamp:s:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" // SHA-256 of "abc", FIPS 180-2
	late := noon.Add(10 * time.Minute)
	tests := []struct {
		name     string
		revoked  []book.Revocation
		sessions bool
		before   []string
		after    []string
	}{
		{name: "nothing"},
		{name: "an attraction", revoked: []book.Revocation{castle(noon)},
			after: []string{castleKey, unix(noon.Add(16 * time.Minute))}},
		{name: "a nested prefix", revoked: []book.Revocation{{At: noon, Kind: gate.TargetAttraction, Attraction: "zoo"}},
			after: []string{"handstamp:p:spain/zoo", unix(noon.Add(16 * time.Minute))}},
		{name: "the clocks may differ", revoked: []book.Revocation{castle(noon.Add(-3 * time.Second))},
			after: []string{castleKey, unix(noon.Add(15 * time.Minute))}},
		{name: "by two seconds", revoked: []book.Revocation{castle(noon.Add(-time.Second))},
			after: []string{castleKey, unix(noon.Add(16 * time.Minute))}},
		{name: "the later of two", revoked: []book.Revocation{castle(late), castle(noon)},
			after: []string{castleKey, unix(late.Add(16 * time.Minute))}},
		{name: "later than on record", revoked: []book.Revocation{castle(late)}, before: []string{castleKey, unix(noon.Add(16 * time.Minute))},
			after: []string{castleKey, unix(late.Add(16 * time.Minute))}},
		{name: "earlier than on record", revoked: []book.Revocation{castle(noon)}, before: []string{castleKey, unix(late.Add(16 * time.Minute))},
			after: []string{castleKey, unix(late.Add(16 * time.Minute))}},
		{name: "on record, but not listed any more", before: []string{castleKey, unix(late.Add(time.Minute))},
			after: []string{castleKey, unix(late.Add(time.Minute))}},
		{name: "over", before: []string{castleKey, unix(late.Add(-3 * time.Second))}},
		{name: "over by less than clocks may differ", before: []string{castleKey, unix(late.Add(-time.Second))},
			after: []string{castleKey, unix(late.Add(-time.Second))}},
		{name: "over, revoked again", revoked: []book.Revocation{castle(late)}, before: []string{castleKey, unix(noon)},
			after: []string{castleKey, unix(late.Add(16 * time.Minute))}},
		{name: "makes no sense", before: []string{castleKey, "soon"}},
		{name: "makes no sense, is wanted", revoked: []book.Revocation{castle(noon)}, before: []string{castleKey, "soon"},
			after: []string{castleKey, unix(noon.Add(16 * time.Minute))}},
		{name: "somebody else's", before: []string{"p:castle", "1", "theme", "dark", "handstamp", "1"},
			after: []string{"p:castle", "1", "theme", "dark", "handstamp", "1"}},
		{name: "a session, not wanted", revoked: []book.Revocation{device(noon, session)}},
		{name: "a session", revoked: []book.Revocation{device(noon, session)}, sessions: true,
			after: []string{sessionKey, unix(noon.Add(16 * time.Minute))}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			store := newShelf(tt.before...)
			opts := denylist.Options{Sessions: tt.sessions, Now: func() time.Time { return late }}
			e := denylist.NewExporter(&register{revoked: tt.revoked}, rules, store, opts)
			export(t, e)
			store.has(t, tt.after...)
			version := store.version
			export(t, e)
			if store.version != version {
				t.Errorf("a second Export() wrote again, want nothing to do")
			}
		})
	}
}

// What has no key in the list is counted, so that somebody can hear of it.
func TestLeft(t *testing.T) {
	var revoked []book.Revocation
	for _, id := range []string{"castle", "gone", "cellar"} {
		revoked = append(revoked, book.Revocation{At: noon, Kind: gate.TargetAttraction, Attraction: id})
	}
	store := newShelf()
	e := denylist.NewExporter(&register{revoked: revoked}, rules, store, denylist.Options{Now: func() time.Time { return noon }})
	export(t, e)
	store.has(t, castleKey, unix(noon.Add(16*time.Minute)))
	want := denylist.Stats{Put: 1, Entries: 1, Left: 2, Exported: noon.Local()}
	if got := e.Snapshot(); got != want {
		t.Errorf("Snapshot() = %+v, want %+v", got, want)
	}
}

// Every cookie that was signed up to the revocation, by a clock that is 2 s
// behind, expires at the stored time or before, and none that is signed a window
// later.
func TestUntil(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lifetime := time.Duration(rapid.IntRange(60, 86400).Draw(t, "lifetime")) * time.Second
		window := time.Duration(rapid.IntRange(1, 600).Draw(t, "window")) * time.Second
		at := noon.Add(time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "at")))
		store := newShelf()
		opts := denylist.Options{Exposure: lifetime + window, Window: window, Now: func() time.Time { return at }}
		if err := denylist.NewExporter(&register{revoked: []book.Revocation{castle(at)}}, rules, store, opts).Export(context.Background()); err != nil {
			t.Fatalf("Export() = %v, want nil", err)
		}
		// As gate does it, by steps: the first multiple of the window that is not before.
		expiry := func(signed time.Time) string {
			e := time.Unix(signed.Add(lifetime).Unix()/int64(window/time.Second)*int64(window/time.Second), 0)
			for e.Before(signed.Add(lifetime)) {
				e = e.Add(window)
			}
			return unix(e)
		}
		until := store.values[castleKey]
		before := at.Add(-time.Duration(rapid.Int64Range(0, int64(lifetime)).Draw(t, "before")))
		last := at.Add(2 * time.Second)
		if expiry(last) > until || expiry(before) > until {
			t.Fatalf("cookies from %v and %v expire at %s and %s, want at most %s", last, before, expiry(last), expiry(before), until)
		}
		if after := last.Add(window); expiry(after) <= until {
			t.Fatalf("a cookie from %v, revoked at %v, expires at %s, want later than %s", after, at, expiry(after), until)
		}
	})
}

// A source is asked for all of which cookies can be alive, and a quiet list
// costs no call to the store.
func TestQuiet(t *testing.T) {
	now := noon
	source, store := &register{revoked: []book.Revocation{castle(noon)}}, newShelf()
	e := denylist.NewExporter(source, rules, store, denylist.Options{Now: func() time.Time { return now }})
	for range 10 {
		export(t, e)
		now = now.Add(5 * time.Second)
	}
	store.calls(t, 1, 1)
	if want := noon.Add(-16*time.Minute - 4*time.Second); !source.asked[0].Equal(want) {
		t.Errorf("asked for revocations since %v, want %v", source.asked[0], want)
	}
	store.meddle(denylist.Edit{Key: castleKey})
	now = noon.Add(14*time.Minute + 59*time.Second)
	export(t, e)
	store.has(t)
	now = noon.Add(15 * time.Minute)
	export(t, e)
	store.calls(t, 2, 2)
	store.has(t, castleKey, unix(noon.Add(16*time.Minute)))
	now = noon.Add(16*time.Minute + 3*time.Second)
	export(t, e)
	store.calls(t, 2, 3)
	store.has(t)
}

// Attractions are written before sessions, and what closes before what cleans up.
func TestBatches(t *testing.T) {
	source, store := &register{}, newShelf("handstamp:p:over", "1")
	for i := range 120 {
		source.revoked = append(source.revoked, device(noon, gate.Session(fmt.Sprint(i))))
	}
	source.revoked = append(source.revoked, castle(noon))
	e := denylist.NewExporter(source, rules, store, denylist.Options{Sessions: true, Now: func() time.Time { return noon }})
	export(t, e)
	var sizes []int
	for _, w := range store.writes {
		sizes = append(sizes, len(w))
	}
	if !slices.Equal(sizes, []int{50, 50, 22}) {
		t.Errorf("batches of %v edits, want 50, 50 and 22", sizes)
	}
	if first := store.writes[0][0]; first.Key != castleKey {
		t.Errorf("first edit is %v, want that of %s", first, castleKey)
	}
	if last := store.writes[2][21]; last != (denylist.Edit{Key: "handstamp:p:over"}) {
		t.Errorf("last edit is %v, want the deletion", last)
	}
}

// An export that stops between two batches goes on where it was, and one whose
// answer got lost does not write again.
func TestInterrupted(t *testing.T) {
	source, store := &register{}, newShelf()
	for i := range 120 {
		source.revoked = append(source.revoked, device(noon, gate.Session(fmt.Sprint(i))))
	}
	store.full = 1
	e := denylist.NewExporter(source, rules, store, denylist.Options{Sessions: true, Now: func() time.Time { return noon }})
	if err := e.Export(t.Context()); !errors.Is(err, errAway) {
		t.Fatalf("Export() = %v, want %v", err, errAway)
	}
	store.full, store.lost = 0, errAway
	if err := e.Export(t.Context()); !errors.Is(err, errAway) {
		t.Fatalf("Export() = %v, want %v", err, errAway)
	}
	store.lost = nil
	export(t, e)
	store.calls(t, 3, 3)
	if got := store.len(); got != 120 {
		t.Errorf("the store has %d entries, want 120", got)
	}
}

func TestConflict(t *testing.T) {
	now := noon
	source, store := &register{}, newShelf()
	e := denylist.NewExporter(source, rules, store, denylist.Options{Now: func() time.Time { return now }})
	export(t, e)
	source.revoked = []book.Revocation{castle(noon)}
	store.meddle(denylist.Edit{Key: "theme", Value: "dark"})
	export(t, e)
	store.calls(t, 2, 1)
	store.has(t, "theme", "dark", castleKey, unix(noon.Add(16*time.Minute)))
	if got := e.Snapshot().Conflicts; got != 1 {
		t.Errorf("Snapshot().Conflicts = %d, want 1", got)
	}
}

// A changing is a store that somebody else changes whenever it was read.
type changing struct{ *shelf }

func (c changing) Read(ctx context.Context) (map[string]string, string, error) {
	defer c.meddle()
	return c.shelf.Read(ctx)
}

func TestConflictForEver(t *testing.T) {
	store := changing{newShelf()}
	e := denylist.NewExporter(&register{revoked: []book.Revocation{castle(noon)}}, rules, store, denylist.Options{Now: func() time.Time { return noon }})
	if err := e.Export(t.Context()); !errors.Is(err, denylist.ErrChanged) {
		t.Errorf("Export() = %v, want %v", err, denylist.ErrChanged)
	}
	store.calls(t, 4, 0)
}

// Gateways that share a book write one list, whoever comes first.
func TestManyExporters(t *testing.T) {
	source, store := &register{revoked: []book.Revocation{castle(noon)}}, newShelf()
	for i := range 200 {
		source.revoked = append(source.revoked, device(noon, gate.Session(fmt.Sprint(i))))
	}
	opts := denylist.Options{Sessions: true, Now: func() time.Time { return noon }}
	var group sync.WaitGroup
	for range 4 {
		e := denylist.NewExporter(source, rules, store, opts)
		group.Go(func() {
			for range 10 { // may lose more often than one export tries
				if e.Export(context.Background()) == nil {
					return
				}
			}
			t.Errorf("Export() failed 10 times, want the list written")
		})
	}
	group.Wait()
	if got := store.len(); got != 201 {
		t.Errorf("the store has %d entries, want 201", got)
	}
	for key, value := range maps.All(store.values) {
		if value != unix(noon.Add(16*time.Minute)) || !strings.HasPrefix(key, "handstamp:") {
			t.Errorf("the store has %s = %s, want %s", key, value, unix(noon.Add(16*time.Minute)))
		}
	}
}

func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		source, store := &register{}, newShelf()
		e := denylist.NewExporter(source, rules, store, denylist.Options{Now: time.Now})
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			e.Run(ctx)
		}()
		synctest.Wait()
		source.set(castle(time.Now()))
		want := time.Now().Add(16 * time.Minute) // synctest begins at midnight
		time.Sleep(5*time.Second + 1)
		store.has(t, castleKey, unix(want))
		time.Sleep(16 * time.Minute)
		store.has(t)
		cancel()
		<-ended
	})
}

// A store that is away is asked less and less often, and written when it is
// back; then the pace is the old one again.
func TestRunBacksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		source, store := &register{}, newShelf()
		store.err = errAway
		e := denylist.NewExporter(source, rules, store, denylist.Options{})
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			e.Run(ctx)
		}()
		// At 0, 5, 15, 35, 75, 135, 195 ... seconds.
		time.Sleep(200 * time.Second)
		if got := e.Snapshot(); got.Failed != 7 || !got.Exported.IsZero() {
			t.Errorf("Snapshot() = %+v after 200 s without a store, want 7 failures and no export", got)
		}
		source.set(castle(time.Now()))
		store.fail(nil)
		time.Sleep(61 * time.Second)
		if got := store.len(); got != 1 {
			t.Errorf("the store has %d entries a minute after it came back, want 1", got)
		}
		asked := source.count()
		time.Sleep(time.Minute)
		if got := source.count() - asked; got != 12 {
			t.Errorf("the source was asked %d times in a minute, want 12", got)
		}
		cancel()
		<-ended
	})
}

// Without an answer from the book nothing is written, and nothing deleted.
func TestSourceAway(t *testing.T) {
	store := newShelf(castleKey, "1")
	e := denylist.NewExporter(&register{err: errAway}, rules, store, denylist.Options{Now: func() time.Time { return noon }})
	if err := e.Export(t.Context()); !errors.Is(err, errAway) {
		t.Errorf("Export() = %v, want %v", err, errAway)
	}
	store.calls(t, 0, 0)
}
