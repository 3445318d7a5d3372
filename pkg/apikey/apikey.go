// Package apikey checks and recognises the secrets by which programs get in:
// keys of the administration, API tokens of private files.
package apikey

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/handstamp/handstamp/pkg/gate"
)

var id = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$`)

// CheckID returns an error for what cannot name a key in logs and the audit.
func CheckID(s string) error {
	if !id.MatchString(s) {
		return errors.New("its id is not 1 to 64 of a-z, A-Z, 0-9 and ._@-")
	}
	return nil
}

const (
	minSecret   = 32 // characters
	minDistinct = 8  // different ones among them; 32 random hexadecimal digits have 14
)

// defaults are words that stand where nobody has chosen a secret.
var defaults = []string{"changeme", "password", "passwort", "default", "example", "placeholder", "replace", "secret", "handstamp", "insecure", "qwerty", "letmein"}

// CheckSecret returns an error for what nobody has drawn at random. It cannot
// know what somebody has.
func CheckSecret(secret gate.Secret) error {
	switch s := secret.Reveal(); {
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

// A Hash is what is remembered of a secret: its SHA-256.
type Hash [sha256.Size]byte

// HashOf returns the hash of a secret.
func HashOf(secret gate.Secret) Hash { return sha256.Sum256([]byte(secret.Reveal())) }

// Find returns the place of the secret that was shown among known, or -1. It
// takes the same time for every wrong secret and for every right one: the hash
// is compared with all.
func Find(known []Hash, shown gate.Secret) int {
	hash := HashOf(shown)
	found := -1
	for i := range known {
		found = subtle.ConstantTimeSelect(subtle.ConstantTimeCompare(hash[:], known[i][:]), i, found)
	}
	return found
}
