package booktest

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/gate"
)

func issues(t *testing.T, b Ledger) {
	want := record("1")
	want.Terms = gate.Validity{Day: gate.Date{Year: 2026, Month: 7, Day: 1}, Slot: gate.Interval{From: noon, Until: noon.Add(time.Hour)},
		SlotOnly: true, Days: 3, Span: 72 * time.Hour, OneDay: true, EarlyAccess: time.Minute, Longest: time.Hour}
	issue(t, b, want, record("2"))
	for name, got := range map[string]func() (*book.Record, error){
		"Record": func() (*book.Record, error) { return b.Record(t.Context(), want.ID) },
		"Lookup": func() (*book.Record, error) { return b.Lookup(t.Context(), want.Code) },
	} {
		r, err := got()
		if err != nil {
			t.Fatalf("%s = %v", name, err)
		}
		sameRecord(t, *r, want)
	}
	if r, err := b.Record(t.Context(), "nobody's"); r != nil || !errors.Is(err, gate.ErrNoTarget) {
		t.Errorf("Record = %+v, %v, want ErrNoTarget", r, err)
	}
	onRecord(t, b, "3", false)
}

func sameRecord(t *testing.T, got, want book.Record) {
	t.Helper()
	times := got.ValidFrom.Equal(want.ValidFrom) && got.ValidUntil.Equal(want.ValidUntil) && got.Issued.Equal(want.Issued) && got.Revoked.Equal(want.Revoked)
	if fmt.Sprint(got.Products) != fmt.Sprint(want.Products) || !times || got.ID != want.ID || got.Code != want.Code ||
		got.Terms != want.Terms || got.Seats != want.Seats || got.Note != want.Note || got.Batch != want.Batch {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func issuesAllOrNone(t *testing.T, b Ledger) {
	issue(t, b, record("1"))
	sameID, twice := record("3"), record("new")
	sameID.ID, twice.ID = record("1").ID, "another"
	for _, second := range []book.Record{record("1"), sameID, twice} {
		err := b.Issue(t.Context(), []book.Record{record("new"), second}, by("issue"))
		if !errors.Is(err, book.ErrDuplicate) || !strings.Contains(err.Error(), second.ID) {
			t.Errorf("Issue = %v, want ErrDuplicate with the id %q", err, second.ID)
		}
		onRecord(t, b, "new", false)
	}
	if r, err := b.Record(t.Context(), record("1").ID); err != nil || r.Code != fingerprint("1") {
		t.Errorf("Record = %+v, %v, want the first", r, err)
	}
	if n := len(allRecords(t, b, book.Query{})); n != 1 {
		t.Errorf("%d records, want 1", n)
	}
}

// nonsense are records that no book takes.
func nonsense() (all []book.Record) {
	for _, spoil := range []func(*book.Record){
		func(r *book.Record) { r.Code = gate.Fingerprint{} },
		func(r *book.Record) { r.Products = nil },
		func(r *book.Record) { r.Products = []gate.Product{{Package: "audio"}} },
		func(r *book.Record) { r.Seats = -1 },
		func(r *book.Record) { r.ValidUntil = r.ValidFrom },
	} {
		r := record("nonsense")
		spoil(&r)
		all = append(all, r)
	}
	return all
}

func issuesNoNonsense(t *testing.T, b Ledger) {
	for _, r := range nonsense() {
		if err := b.Issue(t.Context(), []book.Record{record("good"), r}, book.AuditEvent{}); err == nil {
			t.Errorf("Issue(%+v) succeeded", r)
		}
		onRecord(t, b, "good", false)
	}
}

func issuesIDs(t *testing.T, b Ledger) {
	first, second := record("1"), record("2")
	first.ID, second.ID, first.Issued = "", "", time.Time{}
	first.ValidFrom, first.ValidUntil, first.Seats = time.Time{}, time.Time{}, 0
	issue(t, b, first, second)
	got, err := b.Lookup(t.Context(), first.Code)
	if err != nil || got.ID == "" || time.Since(got.Issued).Abs() > time.Hour || !got.ValidFrom.IsZero() || !got.ValidUntil.IsZero() || !got.Revoked.IsZero() {
		t.Fatalf("Lookup = %+v, %v, want an id, issued now, and no other time", got, err)
	}
	if other, err := b.Lookup(t.Context(), second.Code); err != nil || other.ID == got.ID {
		t.Errorf("Lookup = %+v, %v, want another id than %q", other, err, got.ID)
	}
}

func issuesMany(t *testing.T, b Ledger) {
	errs := make([]error, 16)
	together(len(errs), func(i int) { // the same four tickets, each by four
		errs[i] = b.Issue(t.Context(), []book.Record{record(fmt.Sprint(i / 4)), record(fmt.Sprint("more ", i))}, by("issue"))
	})
	good := 0
	for _, err := range errs {
		switch {
		case err == nil:
			good++
		case !errors.Is(err, book.ErrDuplicate):
			t.Errorf("Issue = %v, want ErrDuplicate", err)
		}
	}
	if n := len(allRecords(t, b, book.Query{})); good != 4 || n != 8 {
		t.Errorf("%d calls succeeded and %d records are there, want 4 and 8", good, n)
	}
	if last, err := b.VerifyAudit(t.Context()); err != nil || last.Seq != 4 {
		t.Errorf("VerifyAudit = %+v, %v, want an event for each that succeeded", last, err)
	}
}

func revokesRecords(t *testing.T, b Ledger) {
	issue(t, b, record("A"), record("B")) // A is the ticket of entry
	enter(t, b, entry("1"))
	for i, want := range []int{1, 0} {
		n, err := b.RevokeRecord(t.Context(), "id-A", noon.Add(time.Duration(i)*time.Minute), by("revoke"))
		if n != want || err != nil {
			t.Errorf("RevokeRecord = %d, %v, want %d", n, err, want)
		}
	}
	if r, err := b.Record(t.Context(), "id-A"); err != nil || !r.Revoked.Equal(noon) {
		t.Errorf("Record = %+v, %v, want it revoked at noon", r, err)
	}
	isOut(t, b, "1", later, gate.ReasonRevoked)
	refusesEntry(t, b, entry("2"), gate.ReasonRevoked)
	if n, err := b.RevokeRecord(t.Context(), "nobody's", noon, by("revoke")); n != 0 || !errors.Is(err, gate.ErrNoTarget) {
		t.Errorf("RevokeRecord = %d, %v, want ErrNoTarget", n, err)
	}
	revoke(t, b, ticketOf("B"), later, 0) // the other way round
	if r, err := b.Lookup(t.Context(), fingerprint("B")); err != nil || !r.Revoked.Equal(later) {
		t.Errorf("Lookup = %+v, %v, want it revoked with its ticket", r, err)
	}
}
