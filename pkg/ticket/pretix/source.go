package pretix

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/ticket"
	"github.com/handstamp/handstamp/pkg/ticket/outbound"
	"github.com/handstamp/handstamp/pkg/ticket/sealed"
)

// The kinds of credentials that a Source verifies.
const (
	Kind       = "secret" // looked up or redeemed
	KindSigned = "sig1"   // checked offline
)

// A Source verifies the tickets of some events of an organizer. It implements
// gate.Verifier and gate.Rechecker, and is safe for concurrent use.
type Source struct {
	cfg      Config
	opts     Options
	api      *api
	own      *outbound.Client // to close; nil if it is somebody else's
	office   *office          // for ModeOffline
	stop     context.CancelFunc
	watching sync.WaitGroup
}

// Close ends what the Source does by itself.
func (s *Source) Close() error {
	s.stop()
	s.watching.Wait()
	if s.own != nil {
		s.own.Close()
	}
	return nil
}

// String keeps the token out of logs.
func (s *Source) String() string {
	return fmt.Sprintf("pretix %s of %q, %d events", s.cfg.Mode, s.cfg.Organizer, len(s.cfg.Events))
}

// Effect says whether Verify changes something at pretix: EffectConsume for
// ModeRedeem, else EffectRead. Recheck never does.
func (s *Source) Effect() string {
	if s.cfg.Mode == ModeRedeem {
		return EffectConsume
	}
	return EffectRead
}

// Verify implements gate.Verifier.
func (s *Source) Verify(ctx context.Context, c gate.Credential) (*gate.Ticket, error) {
	code, err := s.Normalise(c.Code)
	if err != nil {
		return nil, err
	}
	if s.cfg.Mode == ModeOffline {
		return s.office.verify(ctx, code)
	}
	f, err := s.lookup(ctx, code)
	if err != nil {
		return nil, err
	}
	if s.cfg.Mode == ModeRedeem {
		if err := s.redeem(ctx, f); err != nil {
			return nil, err
		}
	}
	return f.ticket, nil
}

// Recheck implements gate.Rechecker. ref is what Verify gave out; it hides the
// secret of the ticket. In ModeRedeem nothing is redeemed again. A ticket that
// was known and is not found any more was cancelled by itself, or has a newer
// code: pretix does not say which, and the denial is gate.ReasonCancelled.
func (s *Source) Recheck(ctx context.Context, _, ref string) (*gate.Ticket, error) {
	text, err := sealed.Open(s.opts.Secret, ref)
	if err != nil || len(s.opts.Secret) == 0 {
		return nil, gate.Deny(gate.ReasonUnknown, nil)
	}
	code := gate.Secret(text)
	if s.cfg.Mode == ModeOffline {
		return s.office.verify(ctx, code)
	}
	f, err := s.lookup(ctx, code)
	var denial *gate.Denial
	if errors.As(err, &denial) && denial.Reason == gate.ReasonUnknown {
		return nil, &gate.Denial{Reason: gate.ReasonCancelled, Proven: proven(code), Err: errors.New("was known and is not any more")}
	}
	if err != nil {
		return nil, err
	}
	return f.ticket, nil
}

const (
	minCode = 6 // pretix makes 12 and more, imported ones may be shorter
	maxCode = 512
)

// Normalise returns the one spelling of a code, with which pretix is asked:
// without spaces around and between, and in small letters if it came in capitals
// only, unless the configuration says that secrets may have capitals. It denies
// with gate.ReasonMalformed what cannot be a code.
func (s *Source) Normalise(code gate.Secret) (gate.Secret, error) {
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
	if !s.cfg.MixedCase && text == strings.ToUpper(text) {
		text = strings.ToLower(text)
	}
	return gate.Secret(text), nil
}

func malformed(err error) error { return gate.Deny(gate.ReasonMalformed, err) }

// proven reports whether a code is too long to be guessed.
func proven(code gate.Secret) bool {
	return ticket.Proven(gate.Secret(strings.ToUpper(code.Reveal())))
}

func equal(a, b gate.Secret) bool {
	return subtle.ConstantTimeCompare([]byte(a.Reveal()), []byte(b.Reveal())) == 1
}

func (s *Source) ref(code gate.Secret) string {
	if len(s.opts.Secret) == 0 {
		return ""
	}
	return sealed.Seal(s.opts.Secret, code.Reveal())
}

// on adds what a date of a series says.
func (s *Source) on(terms gate.Validity, d *date, zone *time.Location) gate.Validity {
	if d == nil || s.cfg.Dates == DatesIgnore {
		return terms
	}
	if zone == nil {
		zone = time.UTC
	}
	opens := d.From
	if d.Admission != nil && d.Admission.Before(opens) {
		opens = *d.Admission
	}
	if s.cfg.Dates == DatesSlot && d.To != nil && d.To.After(opens) {
		terms.Slot = gate.Interval{From: opens, Until: *d.To}
		return terms
	}
	terms.Day = gate.DateOf(d.From.In(zone))
	if s.cfg.Dates == DatesSlot && opens.After(terms.From) {
		terms.From = opens
	}
	return terms
}
