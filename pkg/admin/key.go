package admin

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

// A Key lets its holder in.
type Key struct {
	ID          string      // names the holder in the audit: 1 to 64 of a-z, A-Z, 0-9 and ._@-
	Secret      gate.Secret // at least 32 random characters
	Scopes      []Scope     // what it is good for; at least one
	Attractions []string    // ids of those that it is limited to; none means all
}

// A Scope is one thing that a key is good for.
type Scope string

// The scopes of a Key.
const (
	TicketsIssue     Scope = "tickets:issue"
	TicketsRead      Scope = "tickets:read"
	TicketsRevoke    Scope = "tickets:revoke"
	AdmissionsRead   Scope = "admissions:read"
	AdmissionsRevoke Scope = "admissions:revoke"
	AuditRead        Scope = "audit:read" // not for keys that are limited to attractions: the audit has all of them
	Everything       Scope = "*"
)

var scopes = []Scope{TicketsIssue, TicketsRead, TicketsRevoke, AdmissionsRead, AdmissionsRevoke, AuditRead, Everything}

// ErrKey is returned for a key that may not be used.
var ErrKey = errors.New("admin key")

var keyID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$`)

// An actor is the holder of a key, as far as it is remembered.
type actor struct {
	id          string
	hash        [sha256.Size]byte
	scopes      []Scope
	attractions []string
}

func newActors(keys []Key) ([]actor, error) {
	if len(keys) == 0 {
		return nil, fmt.Errorf("%w: there is none", ErrKey)
	}
	var actors []actor
	var problems []error
	for _, k := range keys {
		a := actor{id: k.ID, hash: sha256.Sum256([]byte(k.Secret.Reveal())),
			scopes: slices.Clone(k.Scopes), attractions: slices.Clone(k.Attractions)}
		if err := k.check(); err != nil {
			problems = append(problems, fmt.Errorf("%w %q: %w", ErrKey, k.ID, err))
		}
		for _, other := range actors {
			if other.id == a.id || other.hash == a.hash {
				problems = append(problems, fmt.Errorf("%w %q: %q has the same id or secret", ErrKey, a.id, other.id))
			}
		}
		actors = append(actors, a)
	}
	return actors, errors.Join(problems...)
}

func (k *Key) check() error {
	if !keyID.MatchString(k.ID) {
		return errors.New("its id is not 1 to 64 of a-z, A-Z, 0-9 and ._@-")
	}
	if len(k.Scopes) == 0 {
		return errors.New("it has no scopes")
	}
	for _, s := range k.Scopes {
		if !slices.Contains(scopes, s) {
			return fmt.Errorf("scope %q, want some of %q", s, scopes)
		}
	}
	for _, a := range k.Attractions {
		if err := gate.CheckSlug(a); err != nil {
			return fmt.Errorf("attraction %q: %w", a, err)
		}
	}
	if len(k.Attractions) > 0 && slices.Contains(k.Scopes, AuditRead) {
		return fmt.Errorf("scope %q is not for a key that is limited to attractions", AuditRead)
	}
	return checkSecret(k.Secret.Reveal())
}

const (
	minSecret   = 32 // characters
	minDistinct = 8  // different ones among them; 32 random hexadecimal digits have 14
)

// defaults are words that stand where nobody has chosen a key.
var defaults = []string{"changeme", "password", "passwort", "default", "example", "placeholder", "replace", "secret", "handstamp", "insecure", "qwerty", "letmein"}

// checkSecret refuses what nobody has drawn at random. It cannot know what
// somebody has.
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

// holder returns the actor whose key was shown, or nil. It takes the same time
// for every wrong key and for every right one: the hash is compared with all.
func holder(actors []actor, shown string) *actor {
	hash := sha256.Sum256([]byte(shown))
	found := -1
	for i := range actors {
		found = subtle.ConstantTimeSelect(subtle.ConstantTimeCompare(hash[:], actors[i].hash[:]), i, found)
	}
	if found < 0 {
		return nil
	}
	return &actors[found]
}

// may reports whether the key is good for s.
func (a *actor) may(s Scope) bool {
	return slices.Contains(a.scopes, s) || slices.Contains(a.scopes, Everything)
}

// limited reports whether the key is for some attractions only.
func (a *actor) limited() bool { return len(a.attractions) > 0 }

// sees reports whether the key is for all of some attractions. What belongs to
// none is for keys without limits.
func (a *actor) sees(attractions []string) bool {
	if !a.limited() {
		return true
	}
	foreign := func(id string) bool { return !slices.Contains(a.attractions, id) }
	return len(attractions) > 0 && !slices.ContainsFunc(attractions, foreign)
}
