package sqlite_test

import (
	"database/sql"
	"errors"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/book/sqlite"
	"github.com/handstamp/handstamp/pkg/gate"
)

// rows is how many there are in a table.
func rows(t *testing.T, b *sqlite.Book, table string) (n int) {
	t.Helper()
	if err := b.Reader().QueryRow("SELECT count(*) FROM " + table).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// abandon begins an import of n records that never ends.
func abandon(t *testing.T, b *sqlite.Book, n int) {
	t.Helper()
	b.SortAtATime(100)
	defer func() { _ = recover() }()
	_, _, _ = b.Import(t.Context(), "list", func(yield func(book.Record) bool) {
		records(1, n)(yield)
		panic("killed")
	}, book.AuditEvent{})
}

// An import that was interrupted has not lost what it had, and what it has
// counts as on record when it goes on.
func TestImportGoesOn(t *testing.T) {
	t.Parallel()
	b := fresh(t)
	abandon(t, b, 100)
	if n := rows(t, b, "records"); n != 100 {
		t.Fatalf("%d records wait, want 100", n)
	}
	if _, err := b.Lookup(t.Context(), fingerprint("1 0")); !errors.Is(err, gate.ErrNoTarget) {
		t.Errorf("Lookup = %v, want ErrNoTarget", err)
	}
	added, unchanged, err := b.Import(t.Context(), "list", records(1, 150), book.AuditEvent{})
	if added != 50 || unchanged != 100 || err != nil {
		t.Errorf("Import = %d, %d, %v, want 50, 100", added, unchanged, err)
	}
	if n := rows(t, b, "records"); n != 150 {
		t.Errorf("%d records, want 150", n)
	}
}

// An import does not wait for the disk, but all others do again after it,
// however it has ended.
func TestImportLeavesSyncsOn(t *testing.T) {
	t.Parallel()
	b := fresh(t)
	same := record("same id")
	for _, list := range [][]book.Record{{record("1")}, {record("2"), {ID: "id 1", Code: same.Code, Products: same.Products}}, {record("1")}} {
		_, _, _ = b.Import(t.Context(), "list", slices.Values(list), book.AuditEvent{})
		err := b.Alone(t.Context(), func(conn *sql.Conn) error {
			var level int
			if err := conn.QueryRowContext(t.Context(), "PRAGMA synchronous").Scan(&level); err != nil || level != 2 {
				t.Errorf("after an import of %d records synchronous is %d, %v, want 2", len(list), level, err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := b.Lookup(t.Context(), fingerprint("2")); !errors.Is(err, gate.ErrNoTarget) {
		t.Errorf("Lookup = %v: the import with an id that is taken has ended well", err)
	}
}

// Two who import the same batch at once cannot publish each other's half.
func TestImportIsOvertaken(t *testing.T) {
	t.Parallel()
	b := fresh(t)
	b.SortAtATime(20)
	_, _, err := b.Import(t.Context(), "list", func(yield func(book.Record) bool) {
		records(1, 50)(yield)
		if _, _, err := b.Import(t.Context(), "list", records(2, 50), book.AuditEvent{}); err != nil {
			t.Errorf("the second Import = %v", err)
		}
		records(3, 50)(yield)
	}, book.AuditEvent{Actor: "anna"})
	if !errors.Is(err, sqlite.ErrOvertaken) {
		t.Errorf("the first Import = %v, want that it was overtaken", err)
	}
	if n := rows(t, b, "audit"); n != 0 {
		t.Errorf("%d events, want none", n)
	}
}

// What waits in another import is taken over whole, less its revocation.
func TestImportTakesOver(t *testing.T) {
	t.Parallel()
	b := fresh(t)
	abandon(t, b, 100)
	revoke(t, b, gate.Target{Kind: gate.TargetTicket, Ticket: fingerprint("1 7")}, noon, 0)
	if _, _, err := b.Import(t.Context(), "other", records(1, 40), book.AuditEvent{}); err != nil {
		t.Fatal(err)
	}
	r := record("1 50")
	r.Products = []gate.Product{{Attraction: "zoo"}}
	if err := b.Issue(t.Context(), []book.Record{r}, book.AuditEvent{}); err != nil {
		t.Errorf("Issue = %v: nobody could see the one that waits", err)
	}
	if r, err := b.Lookup(t.Context(), fingerprint("1 7")); err != nil || !r.Revoked.Equal(noon) || r.Batch != "other" {
		t.Errorf("Lookup = %+v, %v, want it revoked still", r, err)
	}
	if n, places := rows(t, b, "records"), rows(t, b, "record_places"); n != 100 || places != 100 {
		t.Errorf("%d records in %d places, want 100", n, places)
	}
	if page, _, err := b.Records(t.Context(), book.Query{}); err != nil || len(page) != 41 {
		t.Errorf("Records = %d, %v, want 41", len(page), err)
	}
}

func TestPruneImports(t *testing.T) {
	t.Parallel()
	b := open(t, filepath.Join(t.TempDir(), "book.db"))
	abandon(t, b, 500)
	if err := b.Issue(t.Context(), []book.Record{record("A")}, book.AuditEvent{}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := b.Import(t.Context(), "done", records(2, 10), book.AuditEvent{}); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		after time.Duration
		want  int
	}{{6 * day, 511}, {8 * day, 11}} {
		if _, err := b.Prune(t.Context(), time.Now().Add(step.after)); err != nil {
			t.Errorf("Prune = %v", err)
		}
		if n, places := rows(t, b, "records"), rows(t, b, "record_places"); n != step.want || places != step.want {
			t.Errorf("after %s: %d records in %d places, want %d", step.after, n, places, step.want)
		}
	}
	if n := rows(t, b, "imports"); n != 1 {
		t.Errorf("%d imports, want the one that is done", n)
	}
}
