package objects

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

const (
	minSecret   = 32 // characters
	minDistinct = 8  // different ones among them; 32 random hexadecimal digits have 14
)

// defaults are words that stand where nobody has chosen a secret.
var defaults = []string{"changeme", "password", "passwort", "default", "example", "placeholder", "replace", "secret", "handstamp", "insecure", "qwerty", "letmein"}

// checkSecret refuses what nobody has drawn at random, by the rules for keys of
// the administration. It cannot know what somebody has.
func checkSecret(s string) error {
	switch {
	case s == "":
		return errors.New("its secret is empty")
	case len(s) < minSecret:
		return fmt.Errorf("its secret has %d characters, want at least %d random ones, such as those of: openssl rand -hex 32", len(s), minSecret)
	case strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }):
		return errors.New("its secret has a space or something that is not ASCII, which no header carries")
	case looksChosen(s):
		return errors.New("its secret is a default or a pattern, want random characters, such as those of: openssl rand -hex 32")
	}
	return nil
}

func looksChosen(s string) bool {
	letters := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' {
			return r
		}
		return -1
	}, strings.ToLower(s))
	if slices.ContainsFunc(defaults, func(word string) bool { return strings.Contains(letters, word) }) {
		return true
	}
	seen, steps := map[byte]bool{}, 0
	for i := range len(s) {
		seen[s[i]] = true
		if i > 0 && s[i]-s[i-1]+1 <= 2 { // the same character, or a neighbour in the alphabet
			steps++
		}
	}
	return len(seen) < minDistinct || steps > len(s)/2 || repeats(s)
}

// repeats reports whether s is one text over and over.
func repeats(s string) bool { return strings.Contains((s + s)[1:2*len(s)-1], s) }
