package objects

import (
	"errors"
	"fmt"
	"slices"

	"github.com/handstamp/handstamp/pkg/apikey"
	"github.com/handstamp/handstamp/pkg/gate"
)

// A Token lets a backend or a member of staff in.
type Token struct {
	ID     string      // names the holder: 1 to 64 of a-z, A-Z, 0-9 and ._@-
	Secret gate.Secret // at least 32 random characters
	Roles  []string    // slugs; at least one
}

// ErrToken is returned for a token that may not be used.
var ErrToken = errors.New("API token")

// Tokens knows the holders of API tokens. The zero value knows nobody. It is
// safe for concurrent use.
type Tokens struct {
	hashes  []apikey.Hash
	holders []Holder
}

// NewTokens returns the holders of tokens, or all that is wrong with these,
// wrapping ErrToken.
func NewTokens(tokens []Token) (*Tokens, error) {
	t := &Tokens{}
	var problems []error
	for _, token := range tokens {
		hash := apikey.HashOf(token.Secret)
		if err := token.check(); err != nil {
			problems = append(problems, fmt.Errorf("%w %q: %w", ErrToken, token.ID, err))
		}
		for i, other := range t.holders {
			if other.Token == token.ID || t.hashes[i] == hash {
				problems = append(problems, fmt.Errorf("%w %q: %q has the same id or secret", ErrToken, token.ID, other.Token))
			}
		}
		t.hashes = append(t.hashes, hash)
		t.holders = append(t.holders, Holder{Token: token.ID, Roles: slices.Clone(token.Roles)})
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	return t, nil
}

func (t *Token) check() error {
	if err := apikey.CheckID(t.ID); err != nil {
		return err
	}
	if len(t.Roles) == 0 {
		return errors.New("it has no roles")
	}
	for _, r := range t.Roles {
		if !isRole(r) {
			return fmt.Errorf("role %q, want lower-case letters, digits and inner hyphens, and none of %q", r, []string{Visitor, Owner, Everyone})
		}
	}
	return apikey.CheckSecret(t.Secret)
}

// Find returns the holder whose token was shown; ok reports whether there is
// one. It takes the same time for every token, see apikey.Find.
func (t *Tokens) Find(shown gate.Secret) (h Holder, ok bool) {
	found := apikey.Find(t.hashes, shown)
	if found < 0 {
		return Holder{}, false
	}
	return Holder{Token: t.holders[found].Token, Roles: slices.Clone(t.holders[found].Roles)}, true
}
