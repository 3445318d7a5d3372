package cloudfront

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/fips140"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// A PublicKey is a public key as CloudFront holds it: under an ID, in key groups.
type PublicKey struct {
	id  string
	key crypto.PublicKey
}

// NewPublicKey returns the key that CloudFront knows as keyPairID. It returns
// ErrKeyType for a key that CloudFront would not take.
func NewPublicKey(keyPairID string, key crypto.PublicKey) (*PublicKey, error) {
	if !validKeyPairID(keyPairID) {
		return nil, fmt.Errorf("key pair ID %.80q, want 1 to 64 letters and digits", keyPairID)
	}
	if err := CheckKey(key); err != nil {
		return nil, fmt.Errorf("key %s: %w", keyPairID, err)
	}
	return &PublicKey{id: keyPairID, key: key}, nil
}

// ParsePublicKey reads a public key in the form that CloudFront takes, a PEM
// block "PUBLIC KEY" (SubjectPublicKeyInfo, RFC 5280).
func ParsePublicKey(keyPairID string, text []byte) (*PublicKey, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New(`no PEM block, want "PUBLIC KEY"`)
	}
	if block.Type != "PUBLIC KEY" {
		hint := ""
		if strings.HasSuffix(block.Type, "PRIVATE KEY") {
			hint = ` (make the public half with "openssl pkey -pubout")`
		}
		return nil, fmt.Errorf("PEM block %q, want %q%s", block.Type, "PUBLIC KEY", hint)
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, errors.New("the PEM block holds no public key that this program can read")
	}
	return NewPublicKey(keyPairID, key)
}

// ID returns the key pair ID.
func (k *PublicKey) ID() string { return k.id }

// Kind returns what the key is, "RSA-2048" or "ECDSA P-256".
func (k *PublicKey) Kind() string {
	if _, ok := k.key.(*rsa.PublicKey); ok {
		return "RSA-2048"
	}
	return "ECDSA P-256"
}

// Verify reports whether signature is the key's over text: PKCS #1 v1.5 for
// RSA, ASN.1 DER for ECDSA. In FIPS 140-only mode, where SHA-1 would panic, no
// signature over it verifies.
func (k *PublicKey) Verify(hash Hash, text, signature []byte) bool {
	if hash != SHA256 && (hash != SHA1 || fips140.Enforced()) {
		return false
	}
	digest := hash.sum(text)
	switch key := k.key.(type) {
	case *rsa.PublicKey:
		return rsa.VerifyPKCS1v15(key, hash.crypto(), digest, signature) == nil
	case *ecdsa.PublicKey:
		return ecdsa.VerifyASN1(key, digest, signature)
	}
	return false
}

// A KeyGroup is the public keys that one cache behavior trusts, by key pair ID.
// The zero value trusts nobody.
type KeyGroup struct{ keys map[string]*PublicKey }

// NewKeyGroup returns a group of keys. Of two keys with the same ID the last counts.
func NewKeyGroup(keys ...*PublicKey) KeyGroup {
	g := KeyGroup{keys: make(map[string]*PublicKey, len(keys))}
	for _, k := range keys {
		g.keys[k.id] = k
	}
	return g
}

// Key returns the key with the given ID, or nil.
func (g KeyGroup) Key(id string) *PublicKey { return g.keys[id] }

// Len returns the number of keys in the group.
func (g KeyGroup) Len() int { return len(g.keys) }
