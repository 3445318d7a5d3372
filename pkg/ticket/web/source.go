package web

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/ticket/outbound"
)

// Kind is the kind of credential that a Source verifies.
const Kind = "code"

// Options tunes a Source. The zero value is ready for use.
type Options struct {
	// Secret is the key of Ticket.Ref, 16 bytes or more, the same wherever the
	// book is shared and for as long as it lasts. Without one tickets have no
	// Ref and cannot be asked about again.
	Secret []byte

	Zone     *time.Location           // of times without an offset; nil means UTC
	Terms    gate.Validity            // of every ticket, beside what the API says
	Check    func(gate.Product) error // returns an error for a product that is not configured; nil accepts all
	Outbound outbound.Options         // how the API is reached; its Timeout is that of a whole question, with a new token
	Now      func() time.Time         // nil means time.Now
}

// A Source verifies tickets with an API. It implements gate.Verifier and
// gate.Rechecker, and is safe for concurrent use.
type Source struct {
	cfg     Config
	opts    Options
	speller speller
	form    *form
	badge   *badge
	rules   *rules
	body    *shape
	problem *shape
	client  *outbound.Client
}

// New returns the source that cfg describes. The error has everything that is
// wrong with cfg. Close the source when it is no longer needed.
func New(cfg Config, opts Options) (*Source, error) {
	cfg.Effect, cfg.Answer.Format = cmp.Or(cfg.Effect, Read), cmp.Or(cfg.Answer.Format, JSON)
	s := &Source{cfg: cfg, opts: opts}
	if s.opts.Zone == nil {
		s.opts.Zone = time.UTC
	}
	if s.opts.Now == nil {
		s.opts.Now = time.Now
	}
	s.opts.Secret = slices.Clone(opts.Secret)
	s.opts.Outbound.Timeout = cmp.Or(opts.Outbound.Timeout, outbound.DefaultTimeout)
	if err := s.build(); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Source) build() error {
	problems := []error{s.checkEffect(), s.checkAnswer(), s.checkFactors()}
	var err error
	s.speller, err = newSpeller(s.cfg.Code)
	problems = append(problems, err)
	s.form, err = newForm(s.cfg.Request, s.placeholders())
	problems = append(problems, err)
	s.client, err = outbound.New(s.opts.Outbound)
	problems = append(problems, err)
	s.badge, err = newBadge(s.cfg.Auth, s.client)
	problems = append(problems, err, s.checkSends(), s.buildRules())
	return errors.Join(problems...)
}

// Effect returns what asking does to a ticket.
func (s *Source) Effect() Effect { return s.cfg.Effect }

// Close gives back what the source holds when nobody asks.
func (s *Source) Close() { s.client.Close() }

// String keeps secrets out of logs.
func (s *Source) String() string { return "ticket source at " + s.form.target.base.Host }

// Normalise returns the one spelling of a code, with which the API is asked. It
// denies with gate.ReasonMalformed what cannot be a code.
func (s *Source) Normalise(code gate.Secret) (gate.Secret, error) { return s.speller.normal(code) }

// Verify implements gate.Verifier.
func (s *Source) Verify(ctx context.Context, c gate.Credential) (*gate.Ticket, error) {
	return s.verify(ctx, c, nil)
}

func (s *Source) verify(ctx context.Context, c gate.Credential, tr *Trace) (*gate.Ticket, error) {
	q, err := s.question(c)
	if err != nil {
		return nil, err
	}
	tr.ask(s, q)
	t, err := s.answer(ctx, q, tr)
	if err != nil {
		return nil, failure(err)
	}
	t.Ref = s.ref(q)
	return t, nil
}

// question denies what no ticket can be.
func (s *Source) question(c gate.Credential) (*question, error) {
	normal, err := s.speller.normal(c.Code)
	if err != nil {
		return nil, err
	}
	q := &question{normal: normal, factors: map[string]string{}, now: s.opts.Now()}
	if slices.Contains(s.form.places(), "attraction") || s.mentions("attraction") {
		q.attraction = c.Attraction
	}
	for _, f := range s.cfg.Factors {
		text := c.Factors[f.Name].Reveal()
		if err := checkFactor(f.Name, text); err != nil {
			return nil, err
		}
		q.factors[f.Name] = text
	}
	return q, nil
}

// mentions reports whether any expression may read a name.
func (s *Source) mentions(name string) bool {
	d := s.cfg.Decide
	sources := []string{d.Select, d.Echo, d.Valid, d.Seats, d.From, d.Until, d.FirstUse, d.Day, d.SlotFrom, d.SlotUntil}
	for _, r := range slices.Concat(d.Reasons, d.Refusals) {
		sources = append(sources, r.When)
	}
	for _, g := range d.Grants {
		sources = append(sources, g.When)
	}
	return slices.ContainsFunc(sources, func(source string) bool { return strings.Contains(source, name) })
}
