package booktest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/gate"
)

// A Ledger is a book with the administration's side. An event that comes with a
// change is written in the same transaction; the zero event means that none is
// wanted.
type Ledger interface {
	gate.Book
	// Issue puts all records into the book, or none. Its error is a
	// book.ErrDuplicate if a code or an id is taken.
	Issue(ctx context.Context, records []book.Record, by book.AuditEvent) error
	// Import puts a list into the book. None of it can be seen until it has
	// ended without an error. It can be done again, whatever happened to it.
	Import(ctx context.Context, batch string, records iter.Seq[book.Record], by book.AuditEvent) (added, unchanged int, err error)
	// RevokeRecord revokes a record and its ticket, for ever.
	RevokeRecord(ctx context.Context, id string, at time.Time, by book.AuditEvent) (affected int, err error)
	// TakeBack is Revoke with an event.
	TakeBack(ctx context.Context, target gate.Target, at time.Time, by book.AuditEvent) (affected int, err error)
	// Revocations is what was revoked at since or later, the newest first.
	Revocations(ctx context.Context, since time.Time) ([]book.Revocation, error)

	Lookup(ctx context.Context, code gate.Fingerprint) (*book.Record, error)
	Record(ctx context.Context, id string) (*book.Record, error)
	Records(ctx context.Context, q book.Query) (records []book.Record, next string, err error)
	Admissions(ctx context.Context, q book.AdmissionQuery) (admissions []gate.Admission, next string, err error)
	Admission(ctx context.Context, id string) (*gate.Admission, error)
	Devices(ctx context.Context, admission string) ([]book.Device, error)

	Append(ctx context.Context, e book.AuditEvent) error
	Audit(ctx context.Context, after int64, limit int) ([]book.AuditEvent, error)
	VerifyAudit(ctx context.Context) (last book.AuditEvent, err error)
}

// An AuditBreaker is a Ledger whose audit cannot be written once BreakAudit was
// called. Only such a one can show that its audit fails closed.
type AuditBreaker interface {
	BreakAudit(t *testing.T)
}

// RunLedger tests the administration's side of the books that open returns, a
// new and empty one at each call. Run tests the visitors' side.
func RunLedger(t *testing.T, open func(t *testing.T) Ledger) {
	t.Helper()
	tests := []struct {
		name string
		test func(*testing.T, Ledger)
	}{
		{"issues", issues},
		{"issues all or none", issuesAllOrNone},
		{"issues no nonsense", issuesNoNonsense},
		{"issues ids and times", issuesIDs},
		{"issues many at once", issuesMany},
		{"imports", imports},
		{"imports in the dark", importsInTheDark},
		{"imports again after it was interrupted", importsAgain},
		{"imports what another import has left", importsLeftovers},
		{"imports more into a batch", importsMore},
		{"imports under a name", importsUnderName},
		{"a list that breaks off", importBreaksOff},

		{"revokes records", revokesRecords},
		{"revokes a record of a list", revokesImported},
		{"lists records", listsRecords},
		{"lists admissions", listsAdmissions},
		{"lists devices", listsDevices},
		{"refuses forged cursors", refusesCursors},
		{"a cursor stays good", cursorStays},

		{"audits", audits},
		{"audits every change", auditsChanges},
		{"audits nothing that failed", auditsNoFailure},
		{"audit fails closed", auditFailsClosed},

		{"lists revoked sessions", revokedSessions},
		{"lists no session twice", revokedOnce},
		{"lists no session that was over", revokedTooLate},
		{"lists revoked sessions that left", revokedAndLeft},
		{"lists stolen sessions", revokedForTheft},
		{"lists revoked attractions", revokedAttractions},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { tt.test(t, open(t)) })
	}
}

// record is a ticket for the castle: for an hour, for four, and the one that
// entry shows if code is "A".
func record(code string) book.Record {
	return book.Record{ID: "id-" + code, Code: fingerprint(code), Seats: 4, ValidFrom: noon, ValidUntil: noon.Add(time.Hour),
		Products: []gate.Product{{Attraction: "castle", Package: "audio"}, {Attraction: "castle"}},
		Note:     "a note", Batch: "spring", Issued: noon}
}

// records are those of the codes from first to last, with a prefix.
func records(prefix string, first, last int) iter.Seq[book.Record] {
	return func(yield func(book.Record) bool) {
		for i := first; i <= last && yield(record(fmt.Sprint(prefix, i))); i++ {
		}
	}
}

// by is an event of Anna's.
func by(action string) book.AuditEvent {
	sum := sha256.Sum256([]byte(action))
	return book.AuditEvent{At: later, Actor: "anna", Action: action, Target: "it", Request: "r-1", Before: "b", After: fmt.Sprintf("%x", sum[:4]), Detail: "ä \x00 '"}
}

func issue(t *testing.T, b Ledger, records ...book.Record) {
	t.Helper()
	if err := b.Issue(t.Context(), records, book.AuditEvent{}); err != nil {
		t.Fatalf("Issue = %v", err)
	}
}

// imported makes sure of what Import says.
func imported(t *testing.T, b Ledger, batch string, list iter.Seq[book.Record], added, unchanged int) {
	t.Helper()
	n, same, err := b.Import(t.Context(), batch, list, book.AuditEvent{})
	if n != added || same != unchanged || err != nil {
		t.Fatalf("Import(%q) = %d, %d, %v, want %d, %d", batch, n, same, err, added, unchanged)
	}
}

// onRecord makes sure that a code is on record, or is not.
func onRecord(t *testing.T, b Ledger, code string, want bool) {
	t.Helper()
	r, err := b.Lookup(t.Context(), fingerprint(code))
	switch {
	case want && (err != nil || r.Code != fingerprint(code)):
		t.Errorf("Lookup(%q) = %+v, %v, want its record", code, r, err)
	case !want && (r != nil || !errors.Is(err, gate.ErrNoTarget)):
		t.Errorf("Lookup(%q) = %+v, %v, want ErrNoTarget", code, r, err)
	}
}

// allRecords reads a list to its end.
func allRecords(t *testing.T, b Ledger, q book.Query) (all []book.Record) {
	t.Helper()
	for pages := 0; ; pages++ {
		page, next, err := b.Records(t.Context(), q)
		if err != nil || pages > 10_000 {
			t.Fatalf("page %d: Records(%+v) = %v", pages, q, err)
		}
		if all = append(all, page...); next == "" {
			return all
		}
		q.After = next
	}
}
