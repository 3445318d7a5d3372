package booktest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/gate"
)

func listsRecords(t *testing.T, b Ledger) {
	var all []book.Record
	for i := range 250 {
		r := record(fmt.Sprint(i))
		r.Batch = []string{"spring", "autumn"}[i%2]
		if i%5 == 0 {
			r.Products = []gate.Product{{Attraction: "zoo"}, {Attraction: "castle"}}
		}
		all = append(all, r)
	}
	issue(t, b, all...)
	for _, tt := range []struct {
		query book.Query
		want  int
	}{
		{book.Query{}, 250}, {book.Query{Limit: 7}, 250}, {book.Query{Limit: 250}, 250}, {book.Query{Limit: -1}, 250},
		{book.Query{Limit: 1 << 30}, 250}, {book.Query{Batch: "spring", Limit: 10}, 125}, {book.Query{Attraction: "zoo", Limit: 3}, 50},
		{book.Query{Attraction: "zoo", Batch: "autumn"}, 25}, {book.Query{Attraction: "moon"}, 0}, {book.Query{Attraction: "zo"}, 0},
		{book.Query{Batch: `'; DROP TABLE records; --`}, 0}, {book.Query{Batch: "spring "}, 0},
	} {
		if page, _, err := b.Records(t.Context(), tt.query); err != nil || len(page) > pageLimit(tt.query.Limit) {
			t.Errorf("Records(%+v) = %d records, %v", tt.query, len(page), err)
		}
		seen := map[string]bool{}
		for _, r := range allRecords(t, b, tt.query) {
			if seen[r.ID] {
				t.Errorf("Records(%+v) gives %q twice", tt.query, r.ID)
			}
			seen[r.ID] = true
		}
		if len(seen) != tt.want {
			t.Errorf("Records(%+v) gives %d records, want %d", tt.query, len(seen), tt.want)
		}
	}
}

// pageLimit is how long a page may be, see book.Query.
func pageLimit(asked int) int {
	if asked <= 0 {
		return 100
	}
	return min(asked, 1000)
}

func listsAdmissions(t *testing.T, b Ledger) {
	a := enter(t, b, entry("1"))
	enter(t, b, entry("2"))
	e := entry("3")
	e.Ticket, e.Entitlements[0].Attraction, e.At = fingerprint("B"), "zoo", later
	zoo := enter(t, b, e)
	for _, tt := range []struct {
		query book.AdmissionQuery
		want  []string
	}{
		{book.AdmissionQuery{}, []string{zoo.ID, a.ID}}, {book.AdmissionQuery{Limit: 1}, []string{zoo.ID, a.ID}},
		{book.AdmissionQuery{Ticket: fingerprint("A")}, []string{a.ID}}, {book.AdmissionQuery{Attraction: "zoo"}, []string{zoo.ID}},
		{book.AdmissionQuery{Attraction: "zoo", Ticket: fingerprint("A")}, nil}, {book.AdmissionQuery{Attraction: "moon"}, nil},
	} {
		q := tt.query
		var got []string
		for more := true; more; more = q.After != "" {
			page, next, err := b.Admissions(t.Context(), q)
			if err != nil || len(page) > pageLimit(q.Limit) || len(got) > 2 {
				t.Fatalf("Admissions(%+v) = %d admissions, %v", q, len(page), err)
			}
			for _, a := range page {
				got = append(got, a.ID)
			}
			q.After = next
		}
		if slices.Sort(got); !slices.Equal(got, slices.Sorted(slices.Values(tt.want))) {
			t.Errorf("Admissions(%+v) = %q, want %q", tt.query, got, tt.want)
		}
	}
	got, err := b.Admission(t.Context(), a.ID)
	if err != nil {
		t.Fatal(err)
	}
	same(t, got, find(t, b, "1", noon))
	revoke(t, b, ticketOf("A"), later, 1)
	if got, err := b.Admission(t.Context(), a.ID); err != nil || got.State != gate.StateRevoked {
		t.Errorf("Admission = %+v, %v, want it revoked", got, err)
	}
	if _, err := b.Admission(t.Context(), "nobody's"); !errors.Is(err, gate.ErrNoTarget) {
		t.Errorf("Admission = %v, want ErrNoTarget", err)
	}
}

func listsDevices(t *testing.T, b Ledger) {
	a := enter(t, b, entry("1"))
	enter(t, b, entry("2"))
	third := enter(t, b, entry("3"))
	if err := b.Leave(t.Context(), session("2"), later); err != nil {
		t.Fatal(err)
	}
	revoke(t, b, gate.Target{Kind: gate.TargetDevice, ID: third.Device}, later, 1)
	devices, err := b.Devices(t.Context(), a.ID)
	if err != nil || len(devices) != 3 || devices[0].ID != a.Device || devices[2].ID != third.Device {
		t.Fatalf("Devices = %+v, %v, want three, the oldest first", devices, err)
	}
	for i, want := range []string{"seated", "left", "revoked"} {
		d := devices[i]
		if d.State != want || !d.FirstSeen.Equal(noon) || d.Ended.IsZero() != (i == 0) || i > 0 && !d.Ended.Equal(later) {
			t.Errorf("device %d is %+v, want it %s", i, d, want)
		}
	}
	if _, err := b.Devices(t.Context(), "nobody's"); !errors.Is(err, gate.ErrNoTarget) {
		t.Errorf("Devices = %v, want ErrNoTarget", err)
	}
}

func refusesCursors(t *testing.T, b Ledger) {
	issue(t, b, record("1"))
	enter(t, b, entry("1"))
	for _, after := range []string{"-1", "'", "1 OR 1=1", "\x00", strings.Repeat("z", 300)} {
		if page, _, err := b.Records(t.Context(), book.Query{After: after}); len(page) > 0 || !errors.Is(err, book.ErrCursor) {
			t.Errorf("Records after %q = %+v, %v, want ErrCursor", after, page, err)
		}
		if page, _, err := b.Admissions(t.Context(), book.AdmissionQuery{After: after}); len(page) > 0 || !errors.Is(err, book.ErrCursor) {
			t.Errorf("Admissions after %q = %+v, %v, want ErrCursor", after, page, err)
		}
	}
}

// cursorStays: what was there when a list was begun is in it once, whatever
// comes in meanwhile.
func cursorStays(t *testing.T, b Ledger) {
	for i := range 20 {
		issue(t, b, record(fmt.Sprint(i)))
	}
	q := book.Query{Limit: 6, Attraction: "castle"}
	seen := map[string]int{}
	for pages := 0; pages == 0 || q.After != ""; pages++ {
		page, next, err := b.Records(t.Context(), q)
		if err != nil || pages > 20 {
			t.Fatalf("page %d: Records = %v", pages, err)
		}
		for _, r := range page {
			seen[r.ID]++
		}
		q.After = next
		if pages == 1 {
			if _, err := b.RevokeRecord(t.Context(), page[0].ID, noon, book.AuditEvent{}); err != nil {
				t.Fatal(err)
			}
			imported(t, b, "meanwhile", records("M", 1, 5), 5, 0)
		}
	}
	for i := range 20 {
		if n := seen[record(fmt.Sprint(i)).ID]; n != 1 {
			t.Errorf("record %d was listed %d times, want once", i, n)
		}
	}
}
