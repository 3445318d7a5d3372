// Package ticket joins the places that sell tickets into one gate.Verifier. The
// shape of a code picks the source that decides about it; each kind of source
// is a package below this one.
package ticket

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/handstamp/handstamp/pkg/gate"
)

// A Source is one configured place that sells tickets.
type Source struct {
	ID       string
	Match    *regexp.Regexp // codes it may know, compared whole and without outer spaces; nil means every code
	Verifier gate.Verifier
}

// A Chooser hands a credential to the source that its code belongs to. It is
// safe for concurrent use.
type Chooser struct {
	sources     []Source
	attractions []*gate.Attraction
}

// NewChooser returns a Chooser over sources in the order in which they are to
// be asked. An attraction accepts tickets from the sources that it lists, and a
// source opens only the attractions that list it. It returns an error for a
// source that is listed but not there.
func NewChooser(sources []Source, attractions []*gate.Attraction) (*Chooser, error) {
	for _, a := range attractions {
		for _, id := range a.Sources {
			if !slices.ContainsFunc(sources, func(s Source) bool { return s.ID == id }) {
				return nil, fmt.Errorf("attraction %q: no ticket source %q", a.ID, id)
			}
		}
	}
	ch := &Chooser{sources: slices.Clone(sources), attractions: attractions}
	for i, s := range ch.sources {
		if s.Match == nil {
			continue
		}
		whole, err := regexp.Compile(`\A(?:` + s.Match.String() + `)\z`) // "A|AB" alone finds A in AB
		if err != nil {
			return nil, fmt.Errorf("ticket source %q: %w", s.ID, err)
		}
		ch.sources[i].Match = whole
	}
	return ch, nil
}

// Verify asks the sources that may know c. Only the answer "unknown" goes on
// to the next; a refusal or a failure is final.
func (ch *Chooser) Verify(ctx context.Context, c gate.Credential) (*gate.Ticket, error) {
	code := strings.TrimSpace(c.Code.Reveal())
	normal, err := Normalise(c.Code)
	if err != nil {
		normal = "" // a source with other rules may still take it
	}
	var unknown error = gate.Deny(gate.ReasonUnknown, errors.New("no source takes codes of this shape"))
	for _, s := range ch.candidates(c.Attraction) {
		if s.Match != nil && !s.Match.MatchString(code) && !s.Match.MatchString(normal.Reveal()) {
			continue
		}
		t, err := s.Verifier.Verify(ctx, c)
		var denial *gate.Denial
		switch {
		case err == nil:
			return ch.sold(s, t), nil
		case errors.As(err, &denial) && denial.Reason == gate.ReasonUnknown:
			unknown = err
		case errors.As(err, &denial):
			return nil, err
		default:
			return nil, fmt.Errorf("verify ticket with %q: %w", s.ID, err)
		}
	}
	return nil, unknown
}

// Recheck implements gate.Rechecker: it asks the source that sold the ticket,
// and no other. A source that has gone from the configuration is an error, no
// denial. So is one that cannot be asked again, with errors.ErrUnsupported: its
// tickets come without a Ref, so that only admissions from before it changed
// lead here.
func (ch *Chooser) Recheck(ctx context.Context, source, ref string) (*gate.Ticket, error) {
	i := slices.IndexFunc(ch.sources, func(s Source) bool { return s.ID == source })
	if i < 0 {
		return nil, fmt.Errorf("ask about a ticket again: no ticket source %q", source)
	}
	s := ch.sources[i]
	again, ok := s.Verifier.(gate.Rechecker)
	if !ok {
		return nil, fmt.Errorf("ask %q about a ticket again: %w", s.ID, errors.ErrUnsupported)
	}
	t, err := again.Recheck(ctx, source, ref)
	var denial *gate.Denial
	switch {
	case err == nil:
		return ch.sold(s, t), nil
	case errors.As(err, &denial):
		return nil, err
	}
	return nil, fmt.Errorf("ask %q about a ticket again: %w", s.ID, err)
}

// sold returns t as the ticket of s: named for it, for attractions that it
// sells for, and with a Ref only if s can be asked again.
func (ch *Chooser) sold(s Source, t *gate.Ticket) *gate.Ticket {
	sold := *t // a source may hand out one ticket to many
	sold.Source = s.ID
	sold.Buys = slices.DeleteFunc(slices.Clone(t.Buys), func(p gate.Product) bool { return !ch.sells(s.ID, p.Attraction) })
	if _, ok := s.Verifier.(gate.Rechecker); !ok {
		sold.Ref = ""
	}
	return &sold
}

// candidates returns the sources of one attraction in its order, or all.
func (ch *Chooser) candidates(attraction string) []Source {
	if attraction == "" {
		return ch.sources
	}
	var found []Source
	for _, a := range ch.attractions {
		if a.ID != attraction {
			continue
		}
		for _, id := range a.Sources {
			i := slices.IndexFunc(ch.sources, func(s Source) bool { return s.ID == id })
			found = append(found, ch.sources[i])
		}
	}
	return found
}

func (ch *Chooser) sells(source, attraction string) bool {
	return slices.ContainsFunc(ch.attractions, func(a *gate.Attraction) bool {
		return a.ID == attraction && slices.Contains(a.Sources, source)
	})
}
