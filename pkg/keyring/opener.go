package keyring

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// An Opener fetches the private key that an Entry's From names.
type Opener interface {
	// Open returns the key that ref names, what follows the colon in
	// Entry.From. It returns an error that wraps ErrKey for what is no key that
	// CloudFront takes; any other error may go away.
	Open(ctx context.Context, ref string) (crypto.Signer, error)
}

// Openers are the places where private keys can be, by the word before the
// colon in Entry.From.
type Openers map[string]Opener

// Open fetches the private key that from names, such as "file:K2JC.pem".
func (o Openers) Open(ctx context.Context, from string) (crypto.Signer, error) {
	kind, ref, ok := strings.Cut(from, ":")
	opener := o[kind]
	if !ok || opener == nil {
		return nil, fmt.Errorf("%w: from %.60q: want one of file:, env:, secretsmanager:, ssm: or kms:, as the configuration allows", ErrKey, from)
	}
	return opener.Open(ctx, ref)
}

// Files opens keys in a folder; a name that is no absolute path is one in it.
type Files struct {
	Dir     string
	Options Options
}

// Open implements Opener.
func (f Files) Open(_ context.Context, name string) (crypto.Signer, error) {
	if name == "" {
		return nil, fmt.Errorf("%w: file: names no file", ErrKey)
	}
	if !filepath.IsAbs(name) {
		name = filepath.Join(f.Dir, name)
	}
	return LoadPrivate(name, f.Options)
}

// Env opens keys in environment variables, as PEM.
type Env struct {
	Options Options
	Lookup  func(name string) (value string, ok bool) // nil means os.LookupEnv
}

// Open implements Opener.
func (e Env) Open(_ context.Context, name string) (crypto.Signer, error) {
	lookup := e.Lookup
	if lookup == nil {
		lookup = os.LookupEnv
	}
	text, ok := lookup(name)
	if !ok || text == "" {
		return nil, fmt.Errorf("%w: environment variable %.60q is not set", ErrNoKey, name)
	}
	key, err := ParsePrivate([]byte(text))
	if err != nil {
		return nil, fmt.Errorf("environment variable %.60q: %w", name, err)
	}
	if isExample(key.Public()) && !e.Options.InsecureAllowExample {
		return nil, fmt.Errorf("environment variable %.60q: %w: %w", name, ErrKey, errExample)
	}
	return key, nil
}

var errExample = errors.New("this is the example key that everybody has, it signs in development only")

// Build makes the ring that m describes. Only the key that signs, and the one
// that is to sign next, are fetched, or taken from known; of the others the
// public half is enough. A key that is not to be had is an error for the one
// that signs, and for the next one it is told to warn.
func (m *Manifest) Build(ctx context.Context, o Openers, known []Key, warn func(error)) (*Ring, error) {
	active := m.Active()
	if active == nil {
		return nil, fmt.Errorf(`%w: no key of the manifest is active (hint: "handstamp keys activate")`, ErrNoKey)
	}
	var keys []Key
	for i := range m.Keys {
		e := &m.Keys[i]
		if e.ID == "" || !e.State.trusted() {
			continue
		}
		key, err := e.fetch(ctx, o, known)
		switch {
		case err != nil && e == active:
			return nil, fmt.Errorf("key %s: %w", e.ID, err)
		case err != nil:
			warn(fmt.Errorf("key %s: %w", e.ID, err))
		}
		keys = append(keys, key)
	}
	return New(keys, active.ID)
}

// fetch returns the key of e, its private half too unless it signs no more.
// With an error, the public half is still good.
func (e *Entry) fetch(ctx context.Context, o Openers, known []Key) (Key, error) {
	public, err := parsePublic([]byte(e.Public))
	if err != nil {
		return Key{}, err
	}
	key := Key{ID: e.ID, Public: public, Example: isExample(public)}
	if e.State == StateRetiring {
		return key, nil
	}
	for _, k := range known {
		if k.Private != nil && e.is(k.Public) {
			key.Private = k.Private
			return key, nil
		}
	}
	private, err := o.Open(ctx, e.From)
	if err != nil {
		return key, err
	}
	if !e.is(private.Public()) {
		return key, fmt.Errorf("%w: %.80s has another key than the one that was published as %s", ErrKey, e.From, e.ID)
	}
	key.Private = private
	return key, nil
}

func (e *Entry) is(public crypto.PublicKey) bool {
	print, err := Fingerprint(public)
	return err == nil && print == e.Fingerprint
}
