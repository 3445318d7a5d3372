// Package roll verifies tickets against a list that somebody exported: a CSV
// file, or JSON with one ticket a line.
//
// A CSV file begins with a header. Known columns, in any order:
//
//	code          required
//	attraction    required; several separated by ";"
//	packages      separated by ";", each a package id, or attraction/package; empty means every package
//	seats         devices at a time; empty means the configured default
//	valid_from    RFC 3339; empty means always
//	valid_until   RFC 3339, exclusive; empty means for ever
//	note          for people; not read
//	day           2026-07-01: good on this business day only
//	slot_from     RFC 3339: timed entry from then on
//	slot_until    RFC 3339, exclusive: the end of the slot, see gate.Validity
//	days          good for so many business days from first use
//	hours         good for so many hours from first use
//
//	factor        name of what has to be shown with the code: surname
//	factor_hash   tells the right one, see HashFactor; empty means that the code is enough
//	change        of a delta: put (added or changed) or remove
//
// A JSON line has the same names, with lists for attraction and packages, and
// numbers for seats, days and hours. Where a row says nothing of day, slot, days
// and hours, or a 0, Options.Terms hold.
//
// A list may begin with a line that says which one it is, so that changes alone
// can be sent later:
//
//	#full,41            or {"full":41}             the whole list, at sequence number 41
//	#delta,41,45        or {"delta":[41,45]}       what has changed from 41 to 45
//	#full,41,1000       or {"full":41,"rows":1000} the same, with the number of rows that follow
//
// In a delta a code comes once, with its last change. A remove needs no other
// cell.
//
// Load reads a list once. Open reads it again whenever it changes, and OpenURL
// fetches it, so that a ticket that is taken off the list is refused at the next
// renewal.
package roll

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/ticket"
)

// Kind is the kind of credential that a roll verifies.
const Kind = "code"

// Effect says that asking about a ticket does nothing to it.
const Effect = "read"

// A Roll is a list of tickets in memory. It does not change after it is made.
type Roll struct {
	// entries are found by the digest of the normal form, so that the codes
	// themselves do not stay in memory.
	entries map[digest]entry
	secret  []byte
	factors []byte // key

	sequenced bool // sequence is set
	sequence  uint64
}

// An entry is one ticket of a list.
type entry struct {
	ticket gate.Ticket
	factor *factor // that has to be shown with the code; nil means none
}

// A digest stands for a normal form.
type digest [sha256.Size]byte

// Options tunes a Roll and a File. The zero value is ready for use.
type Options struct {
	// Check returns an error for a product that is not configured; nil accepts all.
	Check func(gate.Product) error

	// Secret is the key of Ticket.Ref, 16 bytes or more, the same wherever the
	// book is shared and for as long as it lasts. Without one tickets have no
	// Ref and cannot be asked about again: a plain hash of a short code, which
	// the book would keep, gives the code away to whoever tries them all.
	Secret []byte

	// Terms hold for every ticket of the list that does not say otherwise.
	Terms gate.Validity

	// FactorKey is the key that the seller has hashed factors with, 16 bytes or
	// more; see HashFactor. Without one only salted hashes can be read.
	FactorKey []byte

	// Delta is a file with what has changed since the list of a File was written;
	// the two are read together. It need not be there. Empty means none.
	Delta string

	// Poll is how often a File looks whether it has changed, or a URL asks; 0
	// means DefaultPoll or DefaultURLPoll, below 0 never.
	Poll time.Duration
	Log  *slog.Logger // nil means no log
}

// minSecret is the fewest bytes that Options.Secret may have.
const minSecret = 16

// maxFile is the largest list, in bytes, that is held in memory.
const maxFile = 256 << 20

// Load reads the list in file, CSV or, by the name's ending, JSON Lines
// (.jsonl, .ndjson). Every line that cannot be used is reported, and then
// nothing is loaded: a half-read list would turn good tickets away.
func Load(file string, opts Options) (*Roll, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxFile {
		return nil, fmt.Errorf("%s: %d bytes, at most %d fit into memory", file, info.Size(), maxFile)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return Parse(file, text, opts)
}

// Parse is Load for a text that has been read already; name is for messages
// and picks the format.
func Parse(name string, text []byte, opts Options) (*Roll, error) {
	p, err := newParser(name, opts)
	if err != nil {
		return nil, err
	}
	if err := p.read(text); err != nil {
		return nil, err
	}
	p.roll.sequenced, p.roll.sequence = p.head != head{rows: -1}, p.head.to
	return p.roll, nil
}

// Sequence returns the sequence number of the list, and whether it has one.
func (r *Roll) Sequence() (uint64, bool) { return r.sequence, r.sequenced }

// Len returns the number of tickets.
func (r *Roll) Len() int { return len(r.entries) }

// Verify implements gate.Verifier. Where the list has a factor for a code, the
// two are known together only.
func (r *Roll) Verify(_ context.Context, c gate.Credential) (*gate.Ticket, error) {
	normal, err := ticket.Normalise(c.Code)
	if err != nil {
		return nil, err
	}
	key := r.digest(normal)
	t, err := r.ticket(key)
	if err != nil {
		return nil, err
	}
	t.Normal, t.Proven = normal, ticket.Proven(normal)
	if f := r.entries[key].factor; f != nil {
		if !f.shown(normal, c, r.factors) {
			return nil, gate.Deny(gate.ReasonUnknown, nil) // nothing tells that the code exists
		}
		t.Proven = true
	}
	return t, nil
}

// Recheck implements gate.Rechecker; ref is what Verify gave out for a ticket
// of a list with the same Options.Secret. The ticket has no normal form, as the
// list does not keep it.
func (r *Roll) Recheck(_ context.Context, _, ref string) (*gate.Ticket, error) {
	sum, err := hex.DecodeString(ref)
	if err != nil || len(sum) != sha256.Size || len(r.secret) == 0 {
		return nil, gate.Deny(gate.ReasonUnknown, nil)
	}
	return r.ticket(digest(sum))
}

// ticket returns what the list says.
func (r *Roll) ticket(d digest) (*gate.Ticket, error) {
	e, ok := r.entries[d]
	if !ok {
		return nil, gate.Deny(gate.ReasonUnknown, nil)
	}
	t := e.ticket
	t.Kind, t.Buys = Kind, slices.Clone(t.Buys)
	if len(r.secret) > 0 {
		t.Ref = hex.EncodeToString(d[:])
	}
	return &t, nil
}

// digest returns HMAC-SHA-256(secret, normal form).
func (r *Roll) digest(normal gate.Secret) digest {
	mac := hmac.New(sha256.New, r.secret)
	mac.Write([]byte("ticket list\x00")) // the secret may have other uses
	mac.Write([]byte(normal.Reveal()))
	return digest(mac.Sum(nil))
}

// String keeps codes and the secret out of logs.
func (r *Roll) String() string { return fmt.Sprintf("list of %d tickets", len(r.entries)) }
