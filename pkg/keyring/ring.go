package keyring

import (
	"crypto"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Errors of a ring.
var (
	ErrNoKey   = errors.New("no such key")
	ErrKeyPair = errors.New("not a key pair ID")
)

// A Key is one key of a ring.
type Key struct {
	ID      string           // key pair ID, the ID of the public key at CloudFront
	Public  crypto.PublicKey //
	Private crypto.Signer    // nil if only the public half is here
	Example bool             // published in keys.example, so worth nothing
}

// Kind returns what the key is, "RSA-2048" or "ECDSA P-256".
func (k Key) Kind() string { return kind(k.Public) }

// String, GoString, Format and MarshalText keep key material out of prints,
// logs and JSON.
func (k Key) String() string               { return k.ID + " (" + k.Kind() + ")" }
func (k Key) GoString() string             { return k.String() }
func (k Key) Format(f fmt.State, _ rune)   { _, _ = io.WriteString(f, k.String()) }
func (k Key) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// A Ring is a set of keys with one active. It does not change after it is made.
type Ring struct {
	keys   []Key
	active Key
}

// New returns a ring whose key named active signs. It returns ErrNoKey if that
// key is not among keys or cannot sign, and ErrKeyPair if two keys have one ID.
func New(keys []Key, active string) (*Ring, error) {
	keys = slices.SortedStableFunc(slices.Values(keys), byID)
	for i := 1; i < len(keys); i++ {
		if keys[i].ID == keys[i-1].ID {
			return nil, fmt.Errorf("%w: %.40q stands for two keys", ErrKeyPair, keys[i].ID)
		}
	}
	i := slices.IndexFunc(keys, func(k Key) bool { return k.ID == active })
	switch {
	case i < 0:
		return nil, fmt.Errorf("%w: %q is not in the ring, which has %s", ErrNoKey, active, names(keys))
	case keys[i].Private == nil:
		return nil, fmt.Errorf("%w: of %q only the public half is here, it cannot sign", ErrNoKey, active)
	}
	return &Ring{keys: keys, active: keys[i]}, nil
}

func byID(a, b Key) int { return strings.Compare(a.ID, b.ID) }

// String names the keys and shows nothing of them.
func (r *Ring) String() string {
	return "ring of " + names(r.keys) + "; " + r.active.ID + " signs"
}
func (r *Ring) GoString() string { return r.String() }

// Active returns the key that signs now.
func (r *Ring) Active() (keyPairID string, key crypto.Signer, err error) {
	return r.active.ID, r.active.Private, nil
}

// Keys returns all keys of the ring, ordered by ID.
func (r *Ring) Keys() []Key { return slices.Clone(r.keys) }

// CheckID returns ErrKeyPair unless s looks like the ID of a public key at
// CloudFront: 8 to 32 upper-case letters and digits, such as K2JCJMDEHXQW5F.
// AWS documents no grammar; this is what has been seen.
func CheckID(s string) error {
	ok := len(s) >= 8 && len(s) <= 32
	for i := range len(s) {
		ok = ok && (s[i] >= 'A' && s[i] <= 'Z' || s[i] >= '0' && s[i] <= '9')
	}
	if !ok {
		return fmt.Errorf("%w: %.40q, want 8 to 32 of A-Z and 0-9, like K2JCJMDEHXQW5F", ErrKeyPair, s)
	}
	return nil
}

func names(keys []Key) string {
	if len(keys) == 0 {
		return "no keys"
	}
	ids := make([]string, len(keys))
	for i, k := range keys {
		ids[i] = k.ID
	}
	return strings.Join(ids, ", ")
}
