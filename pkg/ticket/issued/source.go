package issued

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/ticket"
)

// Records is the part of a book that a Source asks. Both methods return
// gate.ErrNoTarget for what is not on record.
type Records interface {
	Lookup(ctx context.Context, code gate.Fingerprint) (*book.Record, error)
	Record(ctx context.Context, id string) (*book.Record, error)
}

// Options tunes a Source. The zero value is ready for use.
type Options struct {
	// Terms hold for every ticket, beside the times of its record.
	Terms gate.Validity
}

// A Source verifies tickets that are on record. It implements gate.Verifier
// and gate.Rechecker, and is safe for concurrent use.
type Source struct {
	id      string
	pepper  []byte
	records Records
	opts    Options
}

// NewSource returns the source that is configured as id and finds its tickets
// in records. The pepper is that of gate.Options and of Fingerprint.
func NewSource(id string, pepper []byte, records Records, opts Options) *Source {
	return &Source{id: id, pepper: slices.Clone(pepper), records: records, opts: opts}
}

// Verify implements gate.Verifier. An issued code cannot be guessed; of an
// imported one ticket.Proven says it. A book that fails is no denial.
func (s *Source) Verify(ctx context.Context, c gate.Credential) (*gate.Ticket, error) {
	kind, normal, err := Normalise(c.Code)
	if err != nil {
		return nil, err
	}
	t := gate.Ticket{Source: s.id, Kind: kind, Normal: normal, Proven: kind == Kind || ticket.Proven(normal)}
	r, err := s.records.Lookup(ctx, t.Fingerprint(s.pepper))
	return s.ticket(t, r, err)
}

// Recheck implements gate.Rechecker; ref is the id of a record. The ticket has
// neither kind nor normal form, as the record has neither.
func (s *Source) Recheck(ctx context.Context, _, ref string) (*gate.Ticket, error) {
	r, err := s.records.Record(ctx, ref)
	return s.ticket(gate.Ticket{Source: s.id}, r, err)
}

// ticket adds to t what the book says of it.
func (s *Source) ticket(t gate.Ticket, r *book.Record, err error) (*gate.Ticket, error) {
	var denial *gate.Denial
	switch {
	case errors.Is(err, gate.ErrNoTarget):
		return nil, gate.Deny(gate.ReasonUnknown, nil)
	case errors.As(err, &denial): // the book is asked for facts, not for a verdict
		return nil, fmt.Errorf("look up a ticket: %v", err)
	case err != nil:
		return nil, fmt.Errorf("look up a ticket: %w", err)
	case !r.Revoked.IsZero():
		return nil, &gate.Denial{Reason: gate.ReasonRevoked, Proven: t.Proven, Err: fmt.Errorf("record %s", r.ID)}
	}
	t.Ref, t.Seats, t.Terms = r.ID, r.Seats, terms(s.opts.Terms, r.Terms)
	t.ValidFrom, t.ValidUntil = r.ValidFrom, r.ValidUntil
	t.Buys = slices.Clone(r.Products)
	return &t, nil
}

// terms returns what holds for all tickets, with what one ticket says of its own.
func terms(all, own gate.Validity) gate.Validity {
	if own == (gate.Validity{}) {
		return all
	}
	if !own.Day.IsZero() {
		all.Day = own.Day
	}
	if own.Slot != (gate.Interval{}) {
		all.Slot = own.Slot
	}
	all.SlotOnly, all.OneDay = all.SlotOnly || own.SlotOnly, all.OneDay || own.OneDay
	all.Days, all.Span = cmp.Or(own.Days, all.Days), cmp.Or(own.Span, all.Span)
	all.EarlyAccess, all.Longest = cmp.Or(own.EarlyAccess, all.EarlyAccess), cmp.Or(own.Longest, all.Longest)
	return all
}
