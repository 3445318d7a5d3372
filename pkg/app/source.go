package app

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/handstamp/handstamp/pkg/config"
	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/ticket"
	"github.com/handstamp/handstamp/pkg/ticket/issued"
	"github.com/handstamp/handstamp/pkg/ticket/roll"
)

// sources builds every configured ticket source, and reports all that cannot
// be built.
func (a *App) sources() ([]ticket.Source, error) {
	var sources []ticket.Source
	var problems []error
	for _, s := range a.cfg.Sources {
		pattern, err := s.Pattern()
		if err != nil {
			return nil, err
		}
		verifier := a.opts.Sources[s.ID]
		if verifier == nil {
			if verifier, err = a.source(s); err != nil {
				problems = append(problems, fmt.Errorf("source %q: %w", s.ID, err))
				continue
			}
		}
		sources = append(sources, ticket.Source{ID: s.ID, Match: pattern, Verifier: verifier})
	}
	return sources, errors.Join(problems...)
}

// source builds one ticket source.
func (a *App) source(s config.Source) (gate.Verifier, error) {
	switch s.Kind {
	case "issued":
		book, ok := a.book.(issued.Records)
		if !ok {
			return nil, fmt.Errorf("kind issued needs a book that keeps tickets, book.kind %q does not", a.cfg.Book.Kind)
		}
		return issued.NewSource(s.ID, a.pepper, book, issued.Options{Terms: s.Terms.Validity()}), nil
	case "roll":
		list, err := roll.Open(s.File, roll.Options{
			Check: a.checkProduct, Secret: a.secret("list " + s.ID), Terms: s.Terms.Validity(), Log: a.opts.Log,
		})
		if err != nil {
			return nil, err
		}
		a.closers = append(a.closers, list.Close)
		a.opts.Log.Info("ticket list read", "source", s.ID, "tickets", list.Len())
		return list, nil
	}
	return nil, fmt.Errorf("kind %q is not known", s.Kind)
}

// A shape is what the codes of a source look like.
type shape struct {
	source    string // id
	match     *regexp.Regexp
	normalise func(gate.Secret) (gate.Secret, error)
}

func (a *App) shapes() ([]shape, error) {
	var all []shape
	for _, s := range a.cfg.Sources {
		pattern, err := s.Pattern()
		if err != nil {
			return nil, err
		}
		normalise := ticket.Normalise
		if s.Kind == "issued" {
			normalise = func(code gate.Secret) (gate.Secret, error) {
				_, normal, err := issued.Normalise(code)
				return normal, err
			}
		}
		all = append(all, shape{s.ID, pattern, normalise})
	}
	return all, nil
}

// canonical returns what tells the throttle which codes are one, which source a
// code looks like and whether nobody can guess it. See httpapi.Options.
func (a *App) canonical() (func(string) (string, string, bool), error) {
	shapes, err := a.shapes()
	return func(code string) (canonical, kind string, strong bool) {
		for _, s := range shapes {
			if s.match != nil && !s.match.MatchString(strings.TrimSpace(code)) {
				continue
			}
			if normal, err := s.normalise(gate.Secret(code)); err == nil {
				return normal.Reveal(), s.source, ticket.Proven(normal)
			}
		}
		return "", "", false
	}, err
}
