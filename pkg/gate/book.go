package gate

import (
	"context"
	"errors"
	"time"
)

// ErrReadOnly is returned, wrapped, by any write of a Book that certainly
// changed nothing because storage is full, read-only or throttled. Visitors who
// are in can go on then, see Keeper.Renew. After every other error that is no
// Denial nobody knows what was recorded.
var ErrReadOnly = errors.New("the book takes no entries now; nothing was changed")

// A Book records admissions. Every method is atomic, safe for concurrent use,
// and durable before it returns without an error. A refusal is a *Denial; any
// other error means that the book does not know, or ErrReadOnly.
type Book interface {
	// FirstUse returns when the ticket was first used here; zero means never.
	// It is what Admission.FirstUse of its next admission will say.
	FirstUse(ctx context.Context, t Fingerprint) (time.Time, error)
	// Enter opens the ticket's admission, or joins the one that is open, and
	// gives the device a seat in it. A device whose Previous session belongs to
	// this admission keeps its seat, even if the ticket has fewer seats by now,
	// and the new session replaces the old one. It denies with ReasonSeatsTaken
	// or ReasonRevoked, and then nothing has changed. A request that comes again
	// within 24 hours is answered for the device that it let in, for as long as
	// that has its seat; if it has renewed since, Held is not e.Session.
	Enter(ctx context.Context, e Entry) (*Admission, error)
	// Find returns the living admission of a session, or denies with
	// ReasonNoSession or ReasonRevoked. It changes nothing. For RotationGrace
	// after a rotation it answers the session before, too.
	Find(ctx context.Context, s SessionHash, at time.Time) (*Admission, error)
	// Renew notes that a device is there, rotates its session and returns its
	// admission. It denies with ReasonNoSession or ReasonRevoked.
	//
	// A session that Enter gave out is rotated at any time, and one that began
	// by a rotation only r.Grace after it, forwards or backwards: before, it
	// stays as it is. Two rotations are therefore at least r.Grace apart, so
	// that a request which was on its way during one never meets a second one:
	// a third tab of a browser would look like a thief. The session before the
	// current one is answered for r.Grace after the rotation and rotates
	// nothing. A fresh verdict is taken in each of these cases.
	//
	// A session that comes again more than r.Grace after it was itself rotated
	// away, however often the device has renewed since, has been stolen, and
	// its device is revoked. One that is not the session before, but comes
	// sooner, or by a clock that was set back, is denied and nothing else.
	Renew(ctx context.Context, r Renewal) (*Admission, error)
	// Revoke takes something back and returns how many living admissions or
	// devices that ended. It returns ErrNoTarget for what is not on record. A
	// ticket that nobody has shown yet can be revoked.
	Revoke(ctx context.Context, t Target, at time.Time) (affected int, err error)
	// Leave frees the session's seat and forgets the session. A session that
	// nobody knows is no error.
	Leave(ctx context.Context, s SessionHash, at time.Time) error
}
