package cloudfront

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/fips140"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"

	"github.com/aws/aws-sdk-go-v2/feature/cloudfront/sign"
)

// ErrKeyType is returned for a key that CloudFront does not accept: anything
// but RSA-2048 and ECDSA P-256 (API reference, PublicKeyConfig), or ECDSA with
// SHA-1, which AWS's documentation contradicts itself about.
var ErrKeyType = errors.New("key does not fit CloudFront")

// A Signer signs policies with one key and one hash.
type Signer struct {
	id   string
	key  crypto.Signer
	hash Hash
}

// NewSigner returns a signer for the private key whose public half CloudFront
// knows under keyPairID. An empty hash means the one that goes with the key:
// SHA-1 for RSA, as CloudFront assumes, and SHA-256 for P-256 and for keys in
// KMS.
func NewSigner(keyPairID string, key crypto.Signer, hash Hash) (*Signer, error) {
	if !validKeyPairID(keyPairID) {
		return nil, fmt.Errorf("key pair ID %.80q, want 1 to 64 letters and digits", keyPairID)
	}
	if err := CheckKey(key.Public()); err != nil {
		return nil, err
	}
	_, elliptic := key.Public().(*ecdsa.PublicKey)
	modern := elliptic || sha256Only(key)
	if hash == "" {
		hash = SHA1
		if modern {
			hash = SHA256
		}
	}
	if _, err := ParseHash(string(hash)); err != nil {
		return nil, err
	}
	if elliptic && hash == SHA1 {
		return nil, fmt.Errorf("%w: an ECDSA key signs with SHA256 only", ErrKeyType)
	}
	if modern && hash == SHA1 {
		return nil, fmt.Errorf("%w: the service that holds the key signs with SHA256 only", ErrKeyType)
	}
	if hash == SHA1 && fips140.Enforced() {
		return nil, fmt.Errorf("%w: SHA1 is not allowed in FIPS 140 mode, set the hash to SHA256", ErrKeyType)
	}
	return &Signer{id: keyPairID, key: key, hash: hash}, nil
}

// sha256Only reports whether key says of itself that it signs nothing else, as
// one in a service such as KMS, which never saw SHA-1.
func sha256Only(key crypto.Signer) bool {
	k, ok := key.(interface{ SHA256Only() bool })
	return ok && k.SHA256Only()
}

// CheckKey returns ErrKeyType unless CloudFront takes signatures by this
// public key.
func CheckKey(public crypto.PublicKey) error {
	switch key := public.(type) {
	case *rsa.PublicKey:
		if bits := key.N.BitLen(); bits != 2048 {
			return fmt.Errorf("%w: RSA with %d bits, want 2048", ErrKeyType, bits)
		}
	case *ecdsa.PublicKey:
		if key.Curve != elliptic.P256() {
			return fmt.Errorf("%w: ECDSA on %s, want P-256", ErrKeyType, key.Curve.Params().Name)
		}
	default:
		return fmt.Errorf("%w: %T, want RSA-2048 or ECDSA P-256", ErrKeyType, public)
	}
	return nil
}

// KeyPairID returns the ID of the public key at CloudFront.
func (s *Signer) KeyPairID() string { return s.id }

// Hash returns the hash that the signer uses.
func (s *Signer) Hash() Hash { return s.hash }

// Sign signs p as a custom policy. It returns ErrUnsafeResource if the policy
// does not fit into a cookie, which browsers would drop without a word.
func (s *Signer) Sign(p Policy) (*Signed, error) {
	if size := len(CookiePolicy) + encoding.EncodedLen(len(p.Text())); size > maxCookie {
		return nil, fmt.Errorf("%w: its policy makes a cookie of %d bytes, browsers keep %d", ErrUnsafeResource, size, maxCookie)
	}
	return s.sign(p, rand.Reader)
}

func (s *Signer) sign(p Policy, random io.Reader) (*Signed, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	signed := &Signed{KeyPairID: s.id, Hash: s.hash, Policy: p}
	var err error
	if key, ok := s.key.(*rsa.PrivateKey); ok && s.hash == SHA1 {
		signed.text, signed.signature, err = signWithSDK(key, p)
	} else {
		signed.text = p.Text()
		signed.signature, err = s.key.Sign(random, s.hash.sum(signed.text), s.hash.crypto())
	}
	if err != nil {
		return nil, fmt.Errorf("sign with key %s: %w", s.id, err)
	}
	return signed, nil
}

// SignCanned signs p as a canned policy. It returns ErrCanned if p needs more
// than a canned policy can say. The same policy has the same signature from
// every process that has the key, so that browsers find what they have in their
// caches; only a key in a service may answer differently each time.
func (s *Signer) SignCanned(p Policy) (*Signed, error) {
	if !p.Canned() {
		return nil, fmt.Errorf("%w: found %q", ErrCanned, p.Resource)
	}
	signed, err := s.sign(p, s.steady()) // of a policy that is all canned, both forms have the same bytes
	if err != nil {
		return nil, err
	}
	signed.canned = true
	return signed, nil
}

// steady returns what a signature that comes out the same each time draws from:
// an ECDSA key that is here needs nothing (RFC 6979).
func (s *Signer) steady() io.Reader {
	if _, here := s.key.(*ecdsa.PrivateKey); here {
		return nil
	}
	return rand.Reader
}

// signWithSDK has AWS's own signer write and sign the policy. Its text may
// order the conditions differently from ours, so its bytes are the ones to send.
func signWithSDK(key *rsa.PrivateKey, p Policy) (text, signature []byte, err error) {
	condition := sign.Condition{DateLessThan: sign.NewAWSEpochTime(p.DateLessThan)}
	if !p.DateGreaterThan.IsZero() {
		condition.DateGreaterThan = sign.NewAWSEpochTime(p.DateGreaterThan)
	}
	if p.IPAddress.IsValid() {
		condition.IPAddress = &sign.IPAddress{SourceIP: p.IPAddress.Masked().String()}
	}
	policy := sign.Policy{Statements: []sign.Statement{{Resource: p.Resource.text, Condition: condition}}}
	encodedSignature, encodedPolicy, err := policy.Sign(key)
	if err != nil {
		return nil, nil, err
	}
	if text, err = Decode(string(encodedPolicy)); err != nil {
		return nil, nil, err
	}
	signature, err = Decode(string(encodedSignature))
	return text, signature, err
}
