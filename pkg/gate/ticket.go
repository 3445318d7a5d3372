package gate

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"time"
)

// A Credential is what a viewer shows. It is never stored; its Fingerprint is.
type Credential struct {
	Code       Secret            // as typed or scanned
	Attraction string            // where the viewer stands; empty means wherever the ticket is good
	Factors    map[string]Secret // what goes with a weak code, such as "surname"
}

// A Ticket is what its source says about a credential.
type Ticket struct {
	Source     string    // id of the source that answered
	Kind       string    // kind of credential within the source, part of the fingerprint
	Normal     Secret    // the one spelling of the code that the source compares
	Buys       []Product // what it opens
	Seats      int       // devices at a time; 0 means what its packages say, see Package.Seats, or else the configured default
	ValidFrom  time.Time // zero means always
	ValidUntil time.Time // zero means for ever
	Terms      Validity  // what else the ticket says of time; ValidFrom and ValidUntil narrow it
	FirstUse   time.Time // when it was first used anywhere; zero means not yet
	Ref        string    // by which the source can be asked about the ticket again, without the code; empty means not
	Proven     bool      // the credential cannot have been guessed, see Denial.Proven
}

// A Product is one thing that a ticket buys.
type Product struct {
	Attraction string // id
	Package    string // id; empty means every package of the attraction
}

// A Verifier checks tickets of one kind with whoever issued them.
// Implementations are safe for concurrent use.
type Verifier interface {
	// Verify returns the ticket behind c. When the issuer answered and refused
	// it, the error is a *Denial; any other error means that nobody knows, and
	// the caller must refuse the viewer without blaming the ticket.
	Verify(ctx context.Context, c Credential) (*Ticket, error)
}

// A Fingerprint stands for a ticket wherever one is recorded. Without the
// pepper nobody can tell which code it belongs to.
type Fingerprint [sha256.Size]byte

// Fingerprint returns HMAC-SHA-256(pepper, source, kind, normal form), each
// part with its length in front, so that no two tickets share one.
func (t *Ticket) Fingerprint(pepper []byte) Fingerprint {
	mac := hmac.New(sha256.New, pepper)
	for _, part := range []string{t.Source, t.Kind, t.Normal.Reveal()} {
		var size [8]byte
		binary.BigEndian.PutUint64(size[:], uint64(len(part)))
		mac.Write(size[:])
		mac.Write([]byte(part))
	}
	return Fingerprint(mac.Sum(nil))
}

// countsFromUse reports whether the ticket's end depends on when it was first used.
func (t *Ticket) countsFromUse() bool { return t.Terms.Days > 0 || t.Terms.Span > 0 }

// usedBy returns the ticket as one that was in use at first, if that is earlier
// than what the source knows. Zero changes nothing.
func (t *Ticket) usedBy(first time.Time) *Ticket {
	used := *t
	used.FirstUse = EarlierUse(t.FirstUse, first)
	return &used
}

// validity returns all that the ticket says of time, with the longest visit
// where it does not say.
func (t *Ticket) validity(longest time.Duration) Validity {
	v := t.Terms
	v.From, v.Until = later(v.From, t.ValidFrom), sooner(v.Until, t.ValidUntil)
	v.Longest = cmp.Or(v.Longest, longest)
	return v
}
