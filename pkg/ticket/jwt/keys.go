package jwt

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/go-jose/go-jose/v4"
)

// The algorithms of signatures (RFC 7518, RFC 8037), one for each kind of key.
const (
	algEdDSA = "EdDSA"
	algES256 = "ES256"
	algRS256 = "RS256"
)

const (
	minRSA  = 2048 // bits
	maxRSA  = 8192 // bits; more would only cost time
	minExp  = 65537
	maxKeys = 32       // in a set
	maxSet  = 64 << 10 // bytes
)

// ErrKey is returned, wrapped, for what is no key or too weak a one. Nothing of
// it is ever in the message.
var ErrKey = errors.New("unusable key")

// A keySet holds the public keys of an issuer.
type keySet interface {
	// find returns the keys that a token with this header may be signed with.
	// None means that the issuer has no such key; an error that nobody knows.
	find(ctx context.Context, kid, alg string) ([]*key, error)
	// trusts reports whether the key with this thumbprint counts, as far as is
	// known without asking anybody.
	trusts(print string) bool
	probe(ctx context.Context) error
	close()
}

func openKeys(cfg Config, opts Options) (keySet, error) {
	if cfg.KeySet != "" {
		return newRemote(cfg, opts)
	}
	return loadKeys(cfg.Keys)
}

// A key is one public key, with the one algorithm that it is for.
type key struct {
	id     string // kid; empty means none
	print  string // RFC 7638 thumbprint, SHA-256
	alg    string
	public crypto.PublicKey
}

// newKey returns ErrKey for a key that is weak or of another kind.
func newKey(id string, public crypto.PublicKey) (*key, error) {
	alg, err := algorithm(public)
	if err != nil {
		return nil, err
	}
	print, err := (&jose.JSONWebKey{Key: public}).Thumbprint(crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("%w: it has no thumbprint", ErrKey)
	}
	return &key{id: id, print: base64.RawURLEncoding.EncodeToString(print), alg: alg, public: public}, nil
}

// algorithm returns the one that a key is for.
func algorithm(public crypto.PublicKey) (string, error) {
	switch k := public.(type) {
	case ed25519.PublicKey:
		return algEdDSA, nil
	case *ecdsa.PublicKey:
		if k.Curve != elliptic.P256() {
			return "", fmt.Errorf("%w: curve %s, want P-256", ErrKey, k.Params().Name)
		}
		return algES256, nil
	case *rsa.PublicKey:
		if n := k.N.BitLen(); n < minRSA || n > maxRSA {
			return "", fmt.Errorf("%w: RSA with %d bits, want %d to %d", ErrKey, n, minRSA, maxRSA)
		}
		if k.E < minExp {
			return "", fmt.Errorf("%w: RSA with exponent %d, want %d or more", ErrKey, k.E, minExp)
		}
		return algRS256, nil
	}
	return "", fmt.Errorf("%w: %T, want Ed25519, ECDSA on P-256, or RSA", ErrKey, public)
}

// is reports whether a token with this header may be signed with k.
func (k *key) is(kid, alg string) bool {
	return k.alg == alg && (kid == "" || k.id == kid || k.print == kid)
}

// fixed is a keySet that does not change.
type fixed []*key

func loadKeys(files []KeyFile) (fixed, error) {
	var keys fixed
	for _, f := range files {
		found, err := loadKeyFile(f)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.File, err)
		}
		keys = append(keys, found...)
	}
	if len(keys) > maxKeys {
		return nil, fmt.Errorf("%w: %d keys, want at most %d", ErrKey, len(keys), maxKeys)
	}
	return keys, nil
}

func loadKeyFile(f KeyFile) ([]*key, error) {
	file, err := os.Open(f.File)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxSet+1))
	switch {
	case err != nil:
		return nil, err
	case len(text) > maxSet:
		return nil, fmt.Errorf("%w: more than %d bytes", ErrKey, maxSet)
	case !bytes.HasPrefix(bytes.TrimSpace(text), []byte("{")):
		k, err := parsePEM(f.ID, text)
		return []*key{k}, err
	case f.ID != "":
		return nil, fmt.Errorf("%w: a key set names its keys itself, want no id beside it", ErrKey)
	}
	keys, left, err := parseSet(text)
	if slices.ContainsFunc(left, func(err error) bool { return errors.Is(err, errPrivate) }) {
		return nil, fmt.Errorf("%w: %w", ErrKey, errPrivate)
	}
	return keys, err
}

func (f fixed) find(_ context.Context, kid, alg string) (found []*key, _ error) {
	for _, k := range f {
		if k.is(kid, alg) {
			found = append(found, k)
		}
	}
	return found, nil
}

func (f fixed) trusts(print string) bool {
	return slices.ContainsFunc(f, func(k *key) bool { return k.print == print })
}

func (fixed) probe(context.Context) error { return nil }
func (fixed) close()                      {}

// parsePEM reads the one public key of a PEM file.
func parsePEM(id string, text []byte) (*key, error) {
	block, rest := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf(`%w: neither a PEM block "PUBLIC KEY" nor a JWK set`, ErrKey)
	}
	if next, _ := pem.Decode(rest); next != nil {
		return nil, fmt.Errorf("%w: a second PEM block %.40q follows the first, want one key a file", ErrKey, next.Type)
	}
	if block.Type != "PUBLIC KEY" {
		return nil, fmt.Errorf(`%w: PEM block %.40q, want "PUBLIC KEY" (openssl pkey -pubout, or openssl x509 -pubkey)`, ErrKey, block.Type)
	}
	public, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%w: the PEM block does not hold one", ErrKey)
	}
	return newKey(id, public)
}

var errPrivate = errors.New("it is a private key, which belongs to the issuer alone")

// parseSet reads a JWK set (RFC 7517, section 5). Keys that are not for us are
// left out, and left says why; if all are, that is an error.
func parseSet(text []byte) (keys []*key, left []error, err error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(text, &set); err != nil {
		return nil, nil, fmt.Errorf("%w: not a JWK set", ErrKey)
	}
	if n := len(set.Keys); n == 0 || n > maxKeys {
		return nil, nil, fmt.Errorf(`%w: %d entries in "keys", want 1 to %d`, ErrKey, n, maxKeys)
	}
	for i, raw := range set.Keys {
		k, err := parseJWK(raw)
		if err != nil {
			left = append(left, fmt.Errorf("key %d: %w", i+1, err))
			continue
		}
		keys = append(keys, k)
	}
	if len(keys) == 0 {
		return nil, left, fmt.Errorf("no key of the set can be used: %w", errors.Join(left...))
	}
	return keys, left, nil
}

func parseJWK(raw []byte) (*key, error) {
	var k jose.JSONWebKey
	if err := k.UnmarshalJSON(raw); err != nil { // the message can quote the key
		return nil, fmt.Errorf("%w: not a JWK that we can read", ErrKey)
	}
	if _, secret := k.Key.([]byte); !secret && !k.IsPublic() {
		return nil, errPrivate
	}
	if k.Use != "" && k.Use != "sig" {
		return nil, fmt.Errorf(`%w: use %.40q, want "sig"`, ErrKey, k.Use)
	}
	if len(k.KeyID) > maxName {
		return nil, fmt.Errorf("%w: kid of %d bytes, want at most %d", ErrKey, len(k.KeyID), maxName)
	}
	found, err := newKey(k.KeyID, k.Key)
	if err != nil {
		return nil, err
	}
	if k.Algorithm != "" && k.Algorithm != found.alg {
		return nil, fmt.Errorf("%w: alg %.40q, want %s", ErrKey, k.Algorithm, found.alg)
	}
	return found, nil
}
