package web

import (
	"crypto/subtle"
	"fmt"
	"regexp"
	"strings"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/ticket"
)

// The longest codes, in bytes: typed ones, and those that only a machine reads.
const (
	maxTyped = 128
	maxExact = 512
)

// A speller knows the normal form of codes.
type speller struct {
	Code
	pattern *regexp.Regexp
}

func newSpeller(c Code) (speller, error) {
	s := speller{Code: c}
	if c.Exact && (c.Lower || c.Hyphens) {
		return s, fmt.Errorf("code: exact codes keep their hyphens and letters as they are")
	}
	if c.Pattern == "" {
		return s, nil
	}
	var err error
	if s.pattern, err = regexp.Compile(`\A(?:` + c.Pattern + `)\z`); err != nil {
		return s, fmt.Errorf("code.pattern: %w", err)
	}
	return s, nil
}

// normal returns the one spelling of a code, or denies it as malformed.
func (s speller) normal(code gate.Secret) (gate.Secret, error) {
	normal, err := s.spell(code)
	if err != nil {
		return "", err
	}
	if s.pattern != nil && !s.pattern.MatchString(normal.Reveal()) {
		return "", malformed("the code has not the form that is configured")
	}
	return normal, nil
}

func (s speller) spell(code gate.Secret) (gate.Secret, error) {
	if !s.Exact && !s.Lower && !s.Hyphens {
		return ticket.Normalise(code)
	}
	text := strings.Trim(code.Reveal(), " \t\r\n")
	if len(text) > maxExact {
		return "", malformed(fmt.Sprintf("%d bytes", len(text)))
	}
	if !s.Exact {
		text = s.fold(text)
	}
	for i := range len(text) {
		if text[i] <= ' ' || text[i] > '~' || !s.Exact && !typed(text[i]) {
			return "", malformed(fmt.Sprintf("byte %d is %#02x", i, text[i]))
		}
	}
	if text == "" || !s.Exact && len(text) > maxTyped {
		return "", malformed(fmt.Sprintf("%d characters, want 1 to %d", len(text), maxTyped))
	}
	return gate.Secret(text), nil
}

func (s speller) fold(text string) string {
	drop := []string{" ", "", "\t", "", "-", ""}
	if s.Hyphens {
		drop = drop[:4]
	}
	text = strings.NewReplacer(drop...).Replace(text)
	if s.Lower {
		return strings.ToLower(text)
	}
	return strings.ToUpper(text)
}

func typed(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._:/+=", c) >= 0
}

// same reports whether what an API calls a code is the normal form.
func (s speller) same(echo string, normal gate.Secret) bool {
	other, err := s.spell(gate.Secret(echo))
	return err == nil && subtle.ConstantTimeCompare([]byte(other.Reveal()), []byte(normal.Reveal())) == 1
}

// proven reports whether nobody can have guessed the code.
func (s speller) proven(normal gate.Secret) bool {
	return !s.Guessable && ticket.Proven(gate.Secret(strings.ToUpper(normal.Reveal())))
}

func malformed(what string) error {
	return gate.Deny(gate.ReasonMalformed, fmt.Errorf("%s", what))
}
