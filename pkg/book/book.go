// Package book has the words of the administration's side of an admission
// book: tickets that were issued or imported here, lists for staff, and the
// audit; and Files, the index of private files. The visitors' side is gate.Book;
// the engines in the folders below implement them, and booktest holds them to
// it.
package book

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
)

// A Record is a ticket that was issued or imported here.
type Record struct {
	ID         string           // may be shown; empty means that the book makes one
	Code       gate.Fingerprint // as in gate.Entry.Ticket; the code itself is not kept
	Products   []gate.Product   // at least one
	Seats      int              // devices at a time; 0 means the configured default
	ValidFrom  time.Time        // zero means always
	ValidUntil time.Time        // exclusive; zero means for ever
	Terms      gate.Validity    // what else the ticket says of time; its From and Until are not kept
	Note       string           // for people
	Batch      string           // for finding it together with others
	Issued     time.Time        // zero means now
	Revoked    time.Time        // zero means not
}

// Check returns an error for a record that could let nobody in, or let somebody
// in by mistake.
func (r *Record) Check() error {
	switch {
	case r.Code == gate.Fingerprint{}:
		return errors.New("no code")
	case len(r.Products) == 0:
		return errors.New("it buys nothing")
	case r.Seats < 0:
		return fmt.Errorf("%d seats", r.Seats)
	case !r.ValidUntil.IsZero() && !r.ValidUntil.After(r.ValidFrom):
		return fmt.Errorf("valid until %s, and from %s", r.ValidUntil.Format(time.RFC3339), r.ValidFrom.Format(time.RFC3339))
	}
	for _, p := range r.Products {
		if p.Attraction == "" {
			return errors.New("a product without an attraction")
		}
	}
	return nil
}

// A Query selects records. The zero value selects all.
type Query struct {
	Attraction string // that they open; empty means any
	Batch      string // that they belong to; empty means any
	After      string // where the page before ended; empty means the beginning
	Limit      int    // 0 or less means 100; at most 1,000
}

// An AdmissionQuery selects admissions. The zero value selects all.
type AdmissionQuery struct {
	Ticket     gate.Fingerprint // whose they are; zero means any
	Attraction string           // that they ever opened; empty means any
	After      string           // where the page before ended; empty means the beginning
	Limit      int              // 0 or less means 100; at most 1,000
}

// A Device is one that was let in with an admission.
type Device struct {
	ID        string
	State     string // seated, left, evicted or revoked
	FirstSeen time.Time
	LastSeen  time.Time // when it last entered or renewed
	Ended     time.Time // when it lost its seat; zero means not
}

// An AuditEvent is something that somebody did, or that the book did itself
// when it met a stolen session.
type AuditEvent struct {
	Seq     int64     // counts from 1 without a gap; set by the book
	At      time.Time // zero means now
	Actor   string    // who
	Action  string    // did what, such as "ticket.revoke"
	Target  string    // to what
	Request string    // id of the request
	Before  string    // hash of what it was; empty means that it was not
	After   string    // hash of what it is now; empty means that it is gone
	Detail  string    // for people; no secrets
	Hash    [32]byte  // of this event and all before it; set by the book
}

// A Revocation is something that was revoked and may still be in somebody's
// hands: a session, with the cookies that it was given, or all that was handed
// out for an attraction. Neither says what it was good for until when.
type Revocation struct {
	At         time.Time
	Kind       gate.TargetKind  // TargetDevice or TargetAttraction
	Attraction string           // id, for TargetAttraction
	Session    gate.SessionHash // for TargetDevice
}

// MaxRevocations is how many are listed at most, the newest of them.
const MaxRevocations = 10_000

// Chain returns the hash of e and, through last, of all events before it:
// SHA-256 over last, the number, the time in microseconds, and each text with
// its length in front.
func (e *AuditEvent) Chain(last [32]byte) [32]byte {
	text := binary.BigEndian.AppendUint64(last[:], uint64(e.Seq))
	text = binary.BigEndian.AppendUint64(text, uint64(e.At.UnixMicro()))
	for _, part := range []string{e.Actor, e.Action, e.Target, e.Request, e.Before, e.After, e.Detail} {
		text = binary.BigEndian.AppendUint64(text, uint64(len(part)))
		text = append(text, part...)
	}
	return sha256.Sum256(text)
}

var (
	// ErrDuplicate is returned for a record whose code or id is taken by another.
	ErrDuplicate = errors.New("is on record already")
	// ErrCursor is returned for an After that no list has returned.
	ErrCursor = errors.New("not a place in this list")
	// ErrAudit is returned when the audit is not what was written.
	ErrAudit = errors.New("the audit was tampered with")
)
