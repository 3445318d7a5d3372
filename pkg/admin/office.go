package admin

import (
	"context"
	"time"

	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/gate"
)

// An Office is what the administration works with. All of it is needed.
type Office struct {
	Book        Book
	Gate        Gate
	Issuer      Issuer
	Attractions []*gate.Attraction // that tickets can be issued for
}

// A Book keeps what is administered. An event that comes with a change is
// written with it or the change is not made; an error other than those named
// means that nobody knows.
type Book interface {
	Tickets
	Visits
	Journal
}

// Tickets are those that were issued or imported here. What is not on record is
// a gate.ErrNoTarget.
type Tickets interface {
	// Issue returns book.ErrDuplicate if a code or id is on record already, and
	// then has issued none of the tickets.
	Issue(ctx context.Context, records []book.Record, by book.AuditEvent) error
	Lookup(ctx context.Context, code gate.Fingerprint) (*book.Record, error)
	Record(ctx context.Context, id string) (*book.Record, error)
	// Records returns book.ErrCursor for a place that is not in the list.
	Records(ctx context.Context, q book.Query) (records []book.Record, next string, err error)
	RevokeRecord(ctx context.Context, id string, at time.Time, by book.AuditEvent) (affected int, err error)
}

// Visits are the admissions on record. What is not there is a gate.ErrNoTarget.
type Visits interface {
	// Admissions returns the newest first, and book.ErrCursor for a place that
	// is not in the list.
	Admissions(ctx context.Context, q book.AdmissionQuery) (admissions []gate.Admission, next string, err error)
	Admission(ctx context.Context, id string) (*gate.Admission, error)
	Devices(ctx context.Context, admission string) ([]book.Device, error)
	TakeBack(ctx context.Context, target gate.Target, at time.Time, by book.AuditEvent) (affected int, err error)
}

// A Journal is the audit.
type Journal interface {
	Append(ctx context.Context, e book.AuditEvent) error
	Audit(ctx context.Context, after int64, limit int) ([]book.AuditEvent, error)
	// VerifyAudit returns book.ErrAudit if something was changed afterwards, and
	// the last event that is as it was written.
	VerifyAudit(ctx context.Context) (last book.AuditEvent, err error)
}

// A Gate says how long the cookies that it hands out live at most. A
// gate.Keeper does.
type Gate interface {
	Exposure() time.Duration
}

// An Issuer knows the codes of the tickets that are issued here.
type Issuer interface {
	// New returns the code of a new ticket.
	New() (gate.Secret, error)
	// Derive returns the code with number n of a request, the same one whenever
	// it is asked. Who knows the request cannot tell the code.
	Derive(request string, n int) (gate.Secret, error)
	// Show returns a code as it is printed.
	Show(code gate.Secret) gate.Secret
	// Fingerprint returns what the book knows a code by, however it is spelled.
	// The error says that it cannot be a code, and not what it was.
	Fingerprint(code gate.Secret) (gate.Fingerprint, error)
}
