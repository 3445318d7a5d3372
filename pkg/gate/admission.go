package gate

import (
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"
)

// A State is where an admission is in its life.
type State string

// The states of an admission. Revoked is final.
const (
	StateActive  State = "active"
	StateEnded   State = "ended"
	StateRevoked State = "revoked"
)

// An Admission is one party's visit: the record that a ticket was accepted.
type Admission struct {
	ID           string        // 128 random bits, base32; may be shown
	Ticket       Fingerprint   // whose visit it is
	State        State         //
	Begins       time.Time     // when it was opened
	Ends         time.Time     // exclusive; never later than the last entitlement
	FirstUse     time.Time     // set once, never moved
	Seats        int           // devices at a time
	Taken        int           // devices now
	Entitlements []Entitlement // what the visit may open
	Device       string        // the device that asked: 128 random bits, base32; may be shown
	Source       string        // id of the source that sold the ticket
	Ref          string        // by which the source can be asked again, see Ticket.Ref; empty means that it cannot
	VerdictAt    time.Time     // when the source last said yes
	Revision     int64         // grows with every change

	// Held is the hash of the session that the device shows from now on, as of
	// Enter, Find and Renew. It is not that of the session shown if that was
	// rotated away, and not that of Renewal.Next if nothing was rotated.
	Held SessionHash
}

// A Session is the secret that a device keeps for the length of a visit. It
// renews cookies without showing the ticket again. Books see its hash only.
type Session Secret

// NewSession returns a session of at least 128 random bits.
func NewSession() Session { return Session(rand.Text()) }

// Reveal returns the text for the viewer's cookie.
func (s Session) Reveal() string { return string(s) }

// String, GoString, Format, LogValue and MarshalText redact, like those of Secret.
func (s Session) String() string               { return redacted }
func (s Session) GoString() string             { return redacted }
func (s Session) Format(f fmt.State, _ rune)   { _, _ = io.WriteString(f, redacted) }
func (s Session) LogValue() slog.Value         { return slog.StringValue(redacted) }
func (s Session) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// Hash returns what a Book may record of the session.
func (s Session) Hash() SessionHash { return sha256.Sum256([]byte(s)) }

// A SessionHash is the SHA-256 of a session.
type SessionHash [sha256.Size]byte

// An Entry asks a Book to let a device in with a ticket.
type Entry struct {
	Ticket       Fingerprint
	At           time.Time     // now
	Ends         time.Time     // end of the visit if one is opened
	FirstUse     time.Time     // what the source says; zero means this is it
	Seats        int           // at least 1
	Entitlements []Entitlement // of a visit that goes on, they replace those for the same packages; others stay
	Session      SessionHash   // what the device will show from now on
	Previous     SessionHash   // what it showed with this request; zero means nothing
	Source       string        // id of the source that sold the ticket
	Ref          string        // see Ticket.Ref
	Idle         time.Duration // a device that has not renewed for so long may lose its seat to another; 0 means never
	Swaps        int           // how many seats of the ticket may change hands like that in 24 hours
	Request      Idempotency   // zero means none
}

// An Idempotency recognises a request that is sent again after a lost answer.
// Its key belongs to the ticket: the same key with another ticket is another
// request.
type Idempotency struct {
	Key  [sha256.Size]byte // hash of the key that the caller chose; zero means none
	Body [sha256.Size]byte // hash of what was asked for with the ticket
}

// ErrOtherRequest is returned when an idempotency key comes again with the same
// ticket and asks for something else.
var ErrOtherRequest = errors.New("the idempotency key was used for another request")

// A Renewal asks a Book to let a device go on.
type Renewal struct {
	Session SessionHash   // what the device shows
	Next    SessionHash   // what it will show from now on, if its session is rotated
	At      time.Time     // now
	Grace   time.Duration // how long the session before the current one still counts, and the current one is not rotated again

	// Fresh is what the source said when it was asked again; nil means that it
	// was not.
	Fresh *Verdict
}

// A Verdict is a source's answer to a ticket that it knew already.
type Verdict struct {
	At           time.Time
	Entitlements []Entitlement
}

// A Target is what a revocation takes back.
type Target struct {
	Kind   TargetKind
	ID     string      // of the admission, device or attraction
	Ticket Fingerprint // for TargetTicket
}

// A TargetKind says what a Target is.
type TargetKind string

// The kinds of targets. Revoking a ticket ends all its admissions for good;
// revoking an attraction ends what was admitted to it up to now.
const (
	TargetTicket     TargetKind = "ticket"
	TargetAdmission  TargetKind = "admission"
	TargetDevice     TargetKind = "device"
	TargetAttraction TargetKind = "attraction"
)

// ErrNoTarget is returned for a revocation of something that is not on record.
var ErrNoTarget = errors.New("nothing like that is on record")
