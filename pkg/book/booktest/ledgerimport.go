package booktest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/gate"
)

// The length of a list: more than books write at once, as far as we know.
const listed = 120

func imports(t *testing.T, b Ledger) {
	issue(t, b, record("L1"))
	changed := record("L1")
	changed.ID, changed.Seats = "other", 9
	imported(t, b, "list", func(yield func(book.Record) bool) {
		_ = yield(changed) && yield(record("L2")) && yield(record("L2"))
		records("L", 3, listed)(yield)
	}, listed-1, 2)
	for i := 1; i <= listed; i++ {
		onRecord(t, b, fmt.Sprint("L", i), true)
	}
	r, err := b.Lookup(t.Context(), fingerprint("L1"))
	if err != nil {
		t.Fatal(err)
	}
	sameRecord(t, *r, record("L1")) // it stays as it is
	if r, err := b.Record(t.Context(), "id-L2"); err != nil || r.Batch != "list" || r.Code != fingerprint("L2") {
		t.Errorf("Record = %+v, %v, want it in the batch", r, err)
	}
	if n := len(allRecords(t, b, book.Query{Batch: "list"})); n != listed-1 {
		t.Errorf("%d records in the batch, want %d", n, listed-1)
	}
	imported(t, b, "list", records("L", 1, listed), 0, listed)
}

// hidden makes sure that nobody can see a code in any way.
func hidden(t *testing.T, b Ledger, code string) {
	t.Helper()
	onRecord(t, b, code, false)
	if r, err := b.Record(t.Context(), "id-"+code); r != nil || !errors.Is(err, gate.ErrNoTarget) {
		t.Errorf("Record = %+v, %v, want ErrNoTarget", r, err)
	}
	for _, r := range allRecords(t, b, book.Query{Batch: "list"}) {
		t.Errorf("Records has %+v", r)
	}
}

func importsInTheDark(t *testing.T, b Ledger) {
	i := 0
	imported(t, b, "list", func(yield func(book.Record) bool) {
		for r := range records("L", 1, listed) {
			if i++; i%50 == 0 || i == listed {
				hidden(t, b, "L1")
			}
			if !yield(r) {
				return
			}
		}
	}, listed, 0)
	onRecord(t, b, "L1", true)
}

// importsAgain ends imports in every way that there is.
func importsAgain(t *testing.T, b Ledger) {
	ctx, cancel := context.WithCancel(t.Context())
	broken := record("broken")
	broken.Products = nil
	for name, list := range map[string]func(yield func(book.Record) bool){
		"bad record": func(yield func(book.Record) bool) {
			records("L", 1, listed-1)(yield)
			yield(broken)
		},
		"cancelled": func(yield func(book.Record) bool) {
			records("L", 1, listed/2)(yield)
			cancel()
			records("L", listed/2+1, listed)(yield)
		},
		"panic": func(yield func(book.Record) bool) {
			records("L", 1, listed-1)(yield)
			panic("killed")
		},
	} {
		func() {
			defer func() { _ = recover() }()
			in := t.Context()
			if name == "cancelled" {
				in = ctx
			}
			if n, same, err := b.Import(in, "list", list, by("import")); err == nil {
				t.Errorf("%s: Import = %d, %d, nil, want an error", name, n, same)
			}
		}()
		hidden(t, b, "L1")
	}
	if events, err := b.Audit(t.Context(), 0, 0); err != nil || len(events) > 0 {
		t.Errorf("Audit = %+v, %v, want nothing", events, err)
	}
	n, same, err := b.Import(t.Context(), "list", records("L", 1, listed), by("import"))
	if n+same != listed || err != nil {
		t.Errorf("Import = %d, %d, %v, want %d", n, same, err, listed)
	}
	onRecord(t, b, "L1", true)
	onRecord(t, b, fmt.Sprint("L", listed), true)
	if all := allRecords(t, b, book.Query{Batch: "list"}); len(all) != listed {
		t.Errorf("%d records in the batch, want %d", len(all), listed)
	}
}

// importsLeftovers imports under another name what an import that never ended
// has had before.
func importsLeftovers(t *testing.T, b Ledger) {
	for i, list := range []string{"never ended", "nor this one"} {
		ctx, cancel := context.WithCancel(t.Context())
		_, _, err := b.Import(ctx, list, func(yield func(book.Record) bool) {
			records("L", 1+i*20, listed)(yield)
			cancel()
		}, book.AuditEvent{})
		if err == nil {
			t.Fatal("Import succeeded, although its context had ended")
		}
	}
	n, same, err := b.Import(t.Context(), "list", records("L", 1, listed), by("import"))
	if n+same != listed || err != nil {
		t.Errorf("Import = %d, %d, %v, want %d", n, same, err, listed)
	}
	for i := 1; i <= listed; i++ {
		onRecord(t, b, fmt.Sprint("L", i), true)
	}
	seen := map[string]bool{}
	for _, r := range allRecords(t, b, book.Query{Attraction: "castle"}) {
		if seen[r.ID] {
			t.Errorf("%q is there twice", r.ID)
		}
		seen[r.ID] = true
	}
	if len(seen) != listed {
		t.Errorf("%d records, want %d", len(seen), listed)
	}
}

func importsMore(t *testing.T, b Ledger) {
	imported(t, b, "list", records("L", 1, 10), 10, 0)
	imported(t, b, "list", func(yield func(book.Record) bool) {
		records("L", 1, listed)(yield)
		onRecord(t, b, "L1", true) // it stays all the time
		onRecord(t, b, "L11", false)
	}, listed-10, 10)
	onRecord(t, b, "L11", true)
	if n := len(allRecords(t, b, book.Query{Batch: "list"})); n != listed {
		t.Errorf("%d records in the batch, want %d", n, listed)
	}
}

func importsUnderName(t *testing.T, b Ledger) {
	if _, _, err := b.Import(t.Context(), "", records("L", 1, 3), by("import")); err == nil {
		t.Error("Import without a name succeeded")
	}
	onRecord(t, b, "L1", false)
	imported(t, b, "empty", slices.Values([]book.Record(nil)), 0, 0)
	for _, r := range nonsense() {
		if _, _, err := b.Import(t.Context(), "list", slices.Values([]book.Record{record("good"), r}), book.AuditEvent{}); err == nil {
			t.Errorf("Import(%+v) succeeded", r)
		}
		onRecord(t, b, "good", false)
	}
}

// importBreaksOff: who reads a list and cannot go on ends the context.
func importBreaksOff(t *testing.T, b Ledger) {
	ctx, cancel := context.WithCancel(t.Context())
	n, same, err := b.Import(ctx, "list", func(yield func(book.Record) bool) {
		yield(record("L1"))
		cancel() // the file cannot be read any further
	}, by("import"))
	if err == nil {
		t.Errorf("Import = %d, %d, nil, want an error", n, same)
	}
	hidden(t, b, "L1")
}

func revokesImported(t *testing.T, b Ledger) {
	imported(t, b, "list", records("L", 1, 3), 3, 0)
	if n, err := b.RevokeRecord(t.Context(), "id-L1", noon, book.AuditEvent{}); n != 0 || err != nil {
		t.Errorf("RevokeRecord = %d, %v, want 0", n, err)
	}
	imported(t, b, "list", records("L", 1, 3), 0, 3)
	if r, err := b.Lookup(t.Context(), fingerprint("L1")); err != nil || !r.Revoked.Equal(noon) {
		t.Errorf("Lookup = %+v, %v, want it still revoked", r, err)
	}
	e := entry("1")
	e.Ticket = fingerprint("L1")
	refusesEntry(t, b, e, gate.ReasonRevoked)
}
