package octo

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/ticket/outbound"
	"github.com/handstamp/handstamp/pkg/ticket/sealed"
)

// Kind is the kind of credential that a Source verifies. Its normal form is the
// UUID of the booking, by whichever reference that was found.
const Kind = "booking"

// A Source verifies bookings of one API key. It implements gate.Verifier and
// gate.Rechecker, and is safe for concurrent use.
type Source struct {
	cfg    Config
	opts   Options
	client *outbound.Client
	own    *outbound.Client // to close; nil if it is somebody else's
}

// Close ends what the Source keeps open.
func (s *Source) Close() error {
	if s.own != nil {
		s.own.Close()
	}
	return nil
}

// Effect says that asking changes nothing at the reservation system.
func (s *Source) Effect() string { return Effect }

// String keeps the API key out of logs.
func (s *Source) String() string { return fmt.Sprintf("octo, %d products", len(s.cfg.Products)) }

// Verify implements gate.Verifier. Without a factor a reference is refused as
// unknown, and nobody is asked; with a wrong one it is, too, so that nobody
// learns which references exist.
func (s *Source) Verify(ctx context.Context, c gate.Credential) (*gate.Ticket, error) {
	code, err := s.normalise(c.Code)
	if err != nil {
		return nil, err
	}
	factors := shown(s.cfg.Factors, c.Factors)
	free := s.cfg.UUIDs && random(code)
	if len(factors) == 0 && !free {
		return nil, gate.Deny(gate.ReasonUnknown, errors.New("a reference without a factor"))
	}
	bookings, err := s.find(ctx, code)
	if err != nil {
		return nil, err
	}
	var mine []booking
	for _, b := range bookings {
		if b.proves(factors) || free && len(factors) == 0 {
			mine = append(mine, b)
		}
	}
	if len(mine) == 0 {
		return nil, gate.Deny(gate.ReasonUnknown, fmt.Errorf("%d bookings, none with these factors", len(bookings)))
	}
	return s.one(mine)
}

// Recheck implements gate.Rechecker. ref is what Verify gave out; it hides the
// UUID of the booking. No factor is needed again.
func (s *Source) Recheck(ctx context.Context, _, ref string) (*gate.Ticket, error) {
	uuid, err := sealed.Open(s.opts.Secret, ref)
	if err != nil || len(s.opts.Secret) == 0 {
		return nil, gate.Deny(gate.ReasonUnknown, nil)
	}
	b, err := s.byUUID(ctx, uuid)
	if errors.Is(err, errNoBooking) {
		return nil, &gate.Denial{Reason: gate.ReasonCancelled, Proven: true, Err: errors.New("was known and is not any more")}
	}
	if err != nil {
		return nil, err
	}
	return s.ticket(b)
}

// Probe asks whether the API key is accepted.
func (s *Source) Probe(ctx context.Context) error {
	_, err := s.byReference(ctx, s.cfg.References[0], "HANDSTAMP-PROBE")
	return err
}

// find returns the bookings that a code may mean.
func (s *Source) find(ctx context.Context, code string) ([]booking, error) {
	if uuidShape.MatchString(code) {
		b, err := s.byUUID(ctx, code)
		if err == nil {
			return []booking{*b}, nil
		}
		if !errors.Is(err, errNoBooking) {
			return nil, err
		}
	}
	for _, field := range s.cfg.References {
		found, err := s.byReference(ctx, field, code)
		if err != nil || len(found) > 0 {
			return found, err
		}
	}
	return nil, gate.Deny(gate.ReasonUnknown, nil)
}

// one returns the ticket of the one good booking among those that share a
// reference. Of several good ones nobody can say which is meant.
func (s *Source) one(bookings []booking) (*gate.Ticket, error) {
	var ticket *gate.Ticket
	var refusal error
	for i := range bookings {
		t, err := s.ticket(&bookings[i])
		var denial *gate.Denial
		switch {
		case errors.As(err, &denial):
			refusal = errors.Join(refusal, err)
		case err != nil:
			return nil, err
		case ticket != nil:
			return nil, &gate.Denial{Reason: gate.ReasonSeeStaff, Proven: true, Err: errors.New("several good bookings share a reference")}
		default:
			ticket = t
		}
	}
	if ticket == nil {
		return nil, first(refusal)
	}
	return ticket, nil
}

// first returns the first denial that was joined.
func first(err error) error {
	var denial *gate.Denial
	errors.As(err, &denial)
	return denial
}

// ticket makes a ticket of a booking that is the viewer's, or a denial.
func (s *Source) ticket(b *booking) (*gate.Ticket, error) {
	deny := func(reason gate.Reason, why string) error {
		return &gate.Denial{Reason: reason, Proven: true, Err: errors.New(why)}
	}
	reason, err := standing(b.Status)
	if err != nil {
		return nil, err
	}
	if reason != "" {
		return nil, deny(reason, "a booking that is "+b.Status)
	}
	if b.TestMode && !s.cfg.TestMode {
		return nil, deny(gate.ReasonNotPaid, "a test booking")
	}
	units, err := b.live()
	if err != nil {
		return nil, err
	}
	if len(units) == 0 {
		return nil, deny(gate.ReasonCancelled, "a booking without a good unit")
	}
	buys, seats := s.bought(b, units)
	if len(buys) == 0 {
		return nil, deny(gate.ReasonNotIncluded, "no product that is configured")
	}
	t := &gate.Ticket{Kind: Kind, Normal: gate.Secret(strings.ToLower(b.UUID)), Proven: true, Ref: s.ref(b), Buys: buys, Seats: seats, Terms: s.opts.Terms}
	if t.FirstUse, err = b.firstUse(); err != nil {
		return nil, err
	}
	if err := s.date(b, t); err != nil {
		return nil, err
	}
	return t, nil
}

// bought returns what the units buy, and the devices for all of them.
func (s *Source) bought(b *booking, units []unit) (buys []gate.Product, seats int) {
	for _, u := range units {
		most := 0
		for _, p := range s.cfg.Products {
			if p.ID != b.ProductID || p.Option != "" && p.Option != b.OptionID || p.Unit != "" && p.Unit != u.UnitID && p.Unit != u.Unit.Type {
				continue
			}
			most = max(most, p.Seats)
			for _, buy := range p.Buys {
				if !slices.Contains(buys, buy) {
					buys = append(buys, buy)
				}
			}
		}
		seats += most
	}
	return buys, seats
}

// date adds when the booking is for.
func (s *Source) date(b *booking, t *gate.Ticket) error {
	if s.cfg.Dates == DatesIgnore {
		return nil
	}
	if b.Availability == nil {
		at, err := b.confirmed()
		t.ValidUntil = at.Add(s.cfg.Open)
		return err
	}
	start, err := local(b.Availability.Start, s.opts.Zone)
	if err != nil {
		return err
	}
	if s.cfg.Dates == DatesDay || b.Availability.AllDay {
		t.Terms.Day = gate.DateOf(start)
		return nil
	}
	end, err := local(b.Availability.End, s.opts.Zone)
	if err != nil {
		return err
	}
	if !end.After(start) {
		end = start.Add(time.Minute)
	}
	t.Terms.Slot = gate.Interval{From: start, Until: end}
	return nil
}

func (s *Source) ref(b *booking) string {
	if len(s.opts.Secret) == 0 {
		return ""
	}
	return sealed.Seal(s.opts.Secret, strings.ToLower(b.UUID))
}

// Normalise returns the one spelling of a code, with which the reservation
// system is asked. It denies with gate.ReasonMalformed what cannot be a code.
func (s *Source) Normalise(code gate.Secret) (gate.Secret, error) {
	text, err := s.normalise(code)
	return gate.Secret(text), err
}

const (
	minCode = 4
	maxCode = 128
)

var uuidShape = regexp.MustCompile(`\A[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\z`)

// random reports whether code is a version 4 UUID: 122 random bits (RFC 9562).
func random(code string) bool {
	return uuidShape.MatchString(code) && code[14] == '4' && strings.IndexByte("89ab", code[19]) >= 0
}

// normalise returns a code as it is asked for: without spaces, a UUID in small
// letters, a reference in capitals unless they may be mixed.
func (s *Source) normalise(code gate.Secret) (string, error) {
	text := code.Reveal()
	if len(text) > 2*maxCode {
		return "", malformed(fmt.Errorf("%d bytes", len(text)))
	}
	text = strings.Join(strings.Fields(text), "")
	if n := len(text); n < minCode || n > maxCode {
		return "", malformed(fmt.Errorf("%d characters, want %d to %d", n, minCode, maxCode))
	}
	for i := range len(text) {
		if c := text[i]; c <= ' ' || c > '~' {
			return "", malformed(fmt.Errorf("byte %d is %#02x", i, c))
		}
	}
	if low := strings.ToLower(text); uuidShape.MatchString(low) {
		return low, nil
	}
	if !s.cfg.MixedCase {
		text = strings.ToUpper(text)
	}
	return text, nil
}

func malformed(err error) error { return gate.Deny(gate.ReasonMalformed, err) }
