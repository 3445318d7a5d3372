package app

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/handstamp/handstamp/pkg/config"
	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/ticket"
	"github.com/handstamp/handstamp/pkg/ticket/issued"
	"github.com/handstamp/handstamp/pkg/ticket/jwt"
	"github.com/handstamp/handstamp/pkg/ticket/roll"
	"github.com/handstamp/handstamp/pkg/ticket/totp"
)

// sources builds every configured ticket source, and reports all that cannot
// be built.
func (a *App) sources(ctx context.Context) ([]ticket.Source, error) {
	var sources []ticket.Source
	var problems []error
	for _, s := range a.cfg.Sources {
		match, err := pattern(s)
		if err != nil {
			return nil, err
		}
		verifier := a.opts.Sources[s.ID]
		if verifier == nil {
			if verifier, err = a.source(ctx, s); err != nil {
				problems = append(problems, fmt.Errorf("source %q: %w", s.ID, err))
				continue
			}
		}
		if a.bare[s.ID] == nil {
			a.bare[s.ID] = verifier
		}
		sources = append(sources, ticket.Source{ID: s.ID, Match: match, Verifier: a.shown(s.ID, aside(s.ID, verifier))})
	}
	return sources, errors.Join(problems...)
}

// source builds one ticket source.
func (a *App) source(ctx context.Context, s config.Source) (gate.Verifier, error) {
	switch s.Kind {
	case "web":
		return a.webSource(s)
	case "pretix":
		return a.pretixSource(s)
	case "octo":
		return a.octoSource(s)
	case "jwt":
		return a.jwtSource(s)
	case "totp":
		return a.totpSource(s)
	case "issued":
		book, ok := a.book.(issued.Records)
		if !ok {
			return nil, fmt.Errorf("kind issued needs a book that keeps tickets, book.kind %q does not", a.cfg.Book.Kind)
		}
		return issued.NewSource(s.ID, a.pepper, book, issued.Options{Terms: s.Terms.Validity()}), nil
	case "roll":
		if s.Settings != "" {
			return a.listByURL(ctx, s)
		}
		list, err := roll.Open(s.File, a.listOptions(s))
		if err != nil {
			return nil, err
		}
		a.closers = append(a.closers, list.Close)
		a.opts.Log.Info("ticket list read", "source", s.ID, "tickets", list.Len())
		return list, nil
	}
	return nil, fmt.Errorf("kind %q is not known", s.Kind)
}

// pattern returns what the codes of a source look like; nil means like anything.
func pattern(s config.Source) (*regexp.Regexp, error) {
	switch {
	case s.Match != "":
	case s.Kind == "jwt":
		s.Match = jwt.Match
	case s.Kind == "totp":
		s.Match = totp.Match
	}
	return s.Pattern()
}

// A shape is what the codes of a source look like.
type shape struct {
	source    string // id
	match     *regexp.Regexp
	canonical func(gate.Secret) (canonical gate.Secret, strong bool, err error)
}

func (a *App) shapes() ([]shape, error) {
	var all []shape
	for _, s := range a.cfg.Sources {
		match, err := pattern(s)
		if err != nil {
			return nil, err
		}
		all = append(all, shape{s.ID, match, spelling(s.Kind)})
	}
	return all, nil
}

// spelling returns what makes one of all spellings of a code, for the throttle.
// Sources make a finer one, with which they ask.
func spelling(kind string) func(gate.Secret) (gate.Secret, bool, error) {
	switch kind {
	case "jwt": // signed: nobody guesses one
		return func(code gate.Secret) (gate.Secret, bool, error) { return code, true, checkLength(code, maxToken) }
	case "totp": // the guesses are at the password
		return func(code gate.Secret) (gate.Secret, bool, error) {
			pass, _, _ := strings.Cut(strings.ToUpper(code.Reveal()), ".")
			return gate.Secret(pass), false, checkLength(code, maxToken)
		}
	case "issued":
		return func(code gate.Secret) (gate.Secret, bool, error) {
			_, normal, err := issued.Normalise(code)
			return normal, ticket.Proven(normal), err
		}
	case "roll":
		return func(code gate.Secret) (gate.Secret, bool, error) {
			normal, err := ticket.Normalise(code)
			return normal, ticket.Proven(normal), err
		}
	}
	return func(code gate.Secret) (gate.Secret, bool, error) {
		folded := gate.Secret(strings.ToUpper(strings.NewReplacer(" ", "", "-", "").Replace(code.Reveal())))
		return folded, ticket.Proven(folded), checkLength(folded, maxRemote)
	}
}

// The longest codes, in bytes.
const (
	maxToken  = 4096
	maxRemote = 512 // pretix's signed codes are the longest
)

func checkLength(code gate.Secret, most int) error {
	for _, c := range []byte(code.Reveal()) {
		if c < ' ' || c > '~' {
			return gate.Deny(gate.ReasonMalformed, nil)
		}
	}
	if n := len(code.Reveal()); n == 0 || n > most {
		return gate.Deny(gate.ReasonMalformed, nil)
	}
	return nil
}

// canonical returns what tells the throttle which codes are one, which source a
// code looks like and whether nobody can guess it. See httpapi.Options.
func (a *App) canonical() (func(string) (string, string, bool), error) {
	shapes, err := a.shapes()
	return func(code string) (canonical, kind string, strong bool) {
		code = strings.TrimSpace(code)
		for _, s := range shapes {
			normal, strong, err := s.canonical(gate.Secret(code))
			if err != nil || s.match != nil && !s.match.MatchString(code) && !s.match.MatchString(normal.Reveal()) {
				continue
			}
			return normal.Reveal(), s.source, strong
		}
		return "", "", false
	}, err
}
