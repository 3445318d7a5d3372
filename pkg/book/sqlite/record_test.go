package sqlite_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/gate"
)

// record is a ticket for the castle.
func record(code string) book.Record {
	return book.Record{ID: "id " + code, Code: fingerprint(code), Products: []gate.Product{{Attraction: "castle", Package: "audio"}, {Attraction: "castle"}},
		Seats: 4, ValidFrom: noon, ValidUntil: noon.Add(time.Hour), Note: "a note", Batch: "spring", Issued: noon}
}

func TestIssue(t *testing.T) {
	t.Parallel()
	b := fresh(t)
	want := record("1")
	if err := b.Issue(t.Context(), []book.Record{want, record("2")}, book.AuditEvent{}); err != nil {
		t.Fatal(err)
	}
	for _, got := range []func() (*book.Record, error){
		func() (*book.Record, error) { return b.Record(t.Context(), want.ID) },
		func() (*book.Record, error) { return b.Lookup(t.Context(), want.Code) },
	} {
		r, err := got()
		if err != nil || fmt.Sprintf("%+v", *r) != fmt.Sprintf("%+v", want) {
			t.Errorf("got %+v, %v, want %+v", r, err, want)
		}
	}
	other := record("3")
	other.ID = want.ID
	for _, second := range []book.Record{record("1"), other} {
		err := b.Issue(t.Context(), []book.Record{record("new"), second}, book.AuditEvent{})
		if !errors.Is(err, book.ErrDuplicate) || !strings.Contains(err.Error(), `record 2, id "id 1"`) {
			t.Errorf("Issue = %v, want ErrDuplicate for the second, %q", err, "id 1")
		}
		if _, err := b.Lookup(t.Context(), fingerprint("new")); !errors.Is(err, gate.ErrNoTarget) {
			t.Errorf("Lookup = %v, want that nothing was issued", err)
		}
	}
	if _, err := b.Record(t.Context(), "nobody's"); !errors.Is(err, gate.ErrNoTarget) {
		t.Errorf("Record = %v, want ErrNoTarget", err)
	}
}

func TestIssueRefusesNonsense(t *testing.T) {
	t.Parallel()
	b := fresh(t)
	for _, spoil := range []func(*book.Record){
		func(r *book.Record) { r.Code = gate.Fingerprint{} },
		func(r *book.Record) { r.Products = nil },
		func(r *book.Record) { r.Products = []gate.Product{{Package: "audio"}} },
		func(r *book.Record) { r.Seats = -1 },
		func(r *book.Record) { r.ValidUntil = r.ValidFrom },
	} {
		r := record("1")
		spoil(&r)
		if err := b.Issue(t.Context(), []book.Record{r}, book.AuditEvent{}); err == nil {
			t.Errorf("Issue(%+v) succeeded", r)
		}
		if n, _, err := b.Import(t.Context(), "list", slices.Values([]book.Record{r}), book.AuditEvent{}); err == nil || n != 0 || !strings.Contains(err.Error(), "record 1") {
			t.Errorf("Import = %d, %v, want an error for record 1", n, err)
		}
	}
}

func TestIssueMakesIDs(t *testing.T) {
	t.Parallel()
	b := fresh(t)
	r := record("1")
	r.ID, r.Issued = "", time.Time{}
	if err := b.Issue(t.Context(), []book.Record{r}, book.AuditEvent{}); err != nil {
		t.Fatal(err)
	}
	got, err := b.Lookup(t.Context(), r.Code)
	if err != nil || len(got.ID) != 26 || time.Since(got.Issued).Abs() > time.Minute {
		t.Errorf("Lookup = %+v, %v, want an id of 26 characters, issued now", got, err)
	}
}

func TestRevokeRecord(t *testing.T) {
	t.Parallel()
	b := fresh(t)
	r := record("A") // the ticket of entry
	if err := b.Issue(t.Context(), []book.Record{r, record("B")}, book.AuditEvent{}); err != nil {
		t.Fatal(err)
	}
	enter(t, b, entry("1"))
	for i := range 2 {
		if _, err := b.RevokeRecord(t.Context(), r.ID, noon.Add(time.Duration(i)*time.Minute), book.AuditEvent{}); err != nil {
			t.Errorf("RevokeRecord = %v", err)
		}
	}
	if got, err := b.Record(t.Context(), r.ID); err != nil || !got.Revoked.Equal(noon) {
		t.Errorf("Record = %+v, %v, want revoked at noon", got, err)
	}
	finds(t, b, "1", noon, gate.ReasonRevoked)
	if _, err := b.RevokeRecord(t.Context(), "nobody's", noon, book.AuditEvent{}); !errors.Is(err, gate.ErrNoTarget) {
		t.Errorf("RevokeRecord = %v, want ErrNoTarget", err)
	}
	revoke(t, b, gate.Target{Kind: gate.TargetTicket, Ticket: fingerprint("B")}, noon, 0)
	if got, err := b.Record(t.Context(), "id B"); err != nil || got.Revoked.IsZero() {
		t.Errorf("Record = %+v, %v, want it revoked with its ticket", got, err)
	}
}

func TestImportTwice(t *testing.T) {
	t.Parallel()
	b := fresh(t)
	n := heavy(100_000)
	half := func(yield func(book.Record) bool) { // somebody stops it
		i := 0
		for r := range records(1, n) {
			if i++; i > n/2 || !yield(r) {
				return
			}
		}
	}
	begin := time.Now()
	for _, want := range [][2]int{{n / 2, 0}, {n / 2, n / 2}, {0, n}} {
		list := records(1, n)
		if want[1] == 0 {
			list = half
		}
		added, unchanged, err := b.Import(t.Context(), "list", list, book.AuditEvent{})
		if added != want[0] || unchanged != want[1] || err != nil {
			t.Fatalf("Import = %d, %d, %v, want %d, %d", added, unchanged, err, want[0], want[1])
		}
	}
	t.Logf("%d records three times over in %s", n, time.Since(begin))
	if err := b.Check(t.Context()); err != nil {
		t.Errorf("Check = %v", err)
	}
}

func TestRecords(t *testing.T) {
	t.Parallel()
	b := fresh(t)
	var all []book.Record
	for i := range 250 {
		r := record(fmt.Sprint(i))
		r.Batch = []string{"spring", "autumn"}[i%2]
		if i%5 == 0 {
			r.Products = []gate.Product{{Attraction: "zoo"}, {Attraction: "castle"}}
		}
		all = append(all, r)
	}
	if err := b.Issue(t.Context(), all, book.AuditEvent{}); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		query book.Query
		want  int
	}{
		{book.Query{}, 250}, {book.Query{Limit: 7}, 250}, {book.Query{Limit: 250}, 250}, {book.Query{Limit: -1}, 250},
		{book.Query{Batch: "spring", Limit: 10}, 125}, {book.Query{Attraction: "zoo", Limit: 3}, 50},
		{book.Query{Attraction: "zoo", Batch: "autumn"}, 25}, {book.Query{Attraction: "moon"}, 0},
		{book.Query{Batch: `'; DROP TABLE records; --`}, 0},
	} {
		seen := map[string]bool{}
		for pages := 0; ; pages++ {
			page, next, err := b.Records(t.Context(), tt.query)
			if limit := tt.query.Limit; err != nil || limit > 0 && len(page) > limit || limit <= 0 && len(page) > 100 {
				t.Fatalf("Records(%+v) = %d records, %v", tt.query, len(page), err)
			}
			for _, r := range page {
				seen[r.ID] = true
			}
			if tt.query.After = next; next == "" {
				break
			}
		}
		if len(seen) != tt.want {
			t.Errorf("Records(%+v) gave %d records, want %d", tt.query, len(seen), tt.want)
		}
	}
	for _, after := range []string{"-1", "'", "zzzzzzzzzzzzzzzzzzzzz", "1 OR 1=1"} {
		if _, _, err := b.Records(t.Context(), book.Query{After: after}); !errors.Is(err, book.ErrCursor) {
			t.Errorf("Records after %q = %v, want ErrCursor", after, err)
		}
		if _, _, err := b.Admissions(t.Context(), book.AdmissionQuery{After: after}); !errors.Is(err, book.ErrCursor) {
			t.Errorf("Admissions after %q = %v, want ErrCursor", after, err)
		}
	}
}
