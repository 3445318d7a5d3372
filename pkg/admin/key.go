package admin

import (
	"errors"
	"fmt"
	"slices"

	"github.com/handstamp/handstamp/pkg/apikey"
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

// An actor is the holder of a key, as far as it is remembered.
type actor struct {
	id          string
	hash        apikey.Hash
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
		a := actor{id: k.ID, hash: apikey.HashOf(k.Secret),
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
	if err := apikey.CheckID(k.ID); err != nil {
		return err
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
	return apikey.CheckSecret(k.Secret)
}

// holder returns the actor whose key was shown, or nil. It takes the same time
// for every key, see apikey.Find.
func holder(actors []actor, shown gate.Secret) *actor {
	hashes := make([]apikey.Hash, len(actors))
	for i := range actors {
		hashes[i] = actors[i].hash
	}
	if i := apikey.Find(hashes, shown); i >= 0 {
		return &actors[i]
	}
	return nil
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
