package keyring

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// ErrKey is returned for a file that holds no key CloudFront would accept.
// Nothing of the file's content is ever in the message.
var ErrKey = errors.New("unusable key")

// ParsePrivate reads a private key from PEM: PKCS #1 and PKCS #8 for RSA, SEC 1
// and PKCS #8 for ECDSA. Text around the block is skipped, a second key is not.
// The key has to sign something that its public half accepts.
func ParsePrivate(text []byte) (crypto.Signer, error) {
	block, rest := pem.Decode(text)
	for block != nil && block.Type == "EC PARAMETERS" { // openssl ecparam writes it in front
		block, rest = pem.Decode(rest)
	}
	if block == nil {
		return nil, fmt.Errorf(`%w: no PEM block, want "PRIVATE KEY", "RSA PRIVATE KEY" or "EC PRIVATE KEY"`, ErrKey)
	}
	if next, _ := pem.Decode(rest); next != nil {
		return nil, fmt.Errorf("%w: a second PEM block %.40q follows the first, want one key a file", ErrKey, next.Type)
	}
	key, err := parseBlock(block)
	if err != nil {
		return nil, err
	}
	if err := check(key.Public()); err != nil {
		return nil, err
	}
	if err := checkWeak(key.Public()); err != nil {
		return nil, err
	}
	if err := selfTest(key); err != nil {
		return nil, err
	}
	return key, nil
}

func parseBlock(block *pem.Block) (crypto.Signer, error) {
	if block.Type == "ENCRYPTED PRIVATE KEY" || strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED") {
		return nil, fmt.Errorf(`%w: the key is encrypted, want it plain in a file of mode 0600 (decrypt with "openssl pkey -in KEY")`, ErrKey)
	}
	var key any
	var err error
	switch block.Type {
	case "PRIVATE KEY":
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case "RSA PRIVATE KEY":
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		key, err = x509.ParseECPrivateKey(block.Bytes)
	case "PUBLIC KEY", "RSA PUBLIC KEY", "CERTIFICATE":
		return nil, fmt.Errorf("%w: this is a %s, want the private key that belongs to it", ErrKey, strings.ToLower(block.Type))
	default:
		return nil, fmt.Errorf(`%w: PEM block %.40q, want "PRIVATE KEY", "RSA PRIVATE KEY" or "EC PRIVATE KEY"`, ErrKey, block.Type)
	}
	if err != nil { // Go's message can quote what it could not read
		return nil, fmt.Errorf("%w: the PEM block %q does not hold one", ErrKey, block.Type)
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("%w: %T cannot sign", ErrKey, key)
	}
	return signer, nil
}

// ParsePublic reads a public key from a PEM block "PUBLIC KEY", the form that
// CloudFront takes.
func ParsePublic(text []byte) (crypto.PublicKey, error) {
	key, err := parsePublic(text)
	if err != nil {
		return nil, err
	}
	return key, checkWeak(key)
}

// parsePublic is ParsePublic without the search for weak keys, for manifests:
// they are read all the time, and of keys whose private half was searched.
func parsePublic(text []byte) (crypto.PublicKey, error) {
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "PUBLIC KEY" {
		return nil, fmt.Errorf(`%w: want a PEM block "PUBLIC KEY"`, ErrKey)
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%w: the PEM block %q does not hold one", ErrKey, block.Type)
	}
	return key, check(key)
}

// check returns ErrKey unless CloudFront takes the key.
func check(public crypto.PublicKey) error {
	switch key := public.(type) {
	case *rsa.PublicKey:
		if bits := key.N.BitLen(); bits != 2048 {
			return fmt.Errorf("%w: RSA with %d bits, CloudFront key groups take 2048", ErrKey, bits)
		}
		if key.E < 65537 {
			return fmt.Errorf("%w: RSA with public exponent %d, want 65537", ErrKey, key.E)
		}
	case *ecdsa.PublicKey:
		if key.Curve != elliptic.P256() {
			return fmt.Errorf("%w: ECDSA on %s, CloudFront takes P-256", ErrKey, key.Curve.Params().Name)
		}
	default:
		return fmt.Errorf("%w: %s, CloudFront takes RSA with 2048 bits and ECDSA on P-256", ErrKey, kind(public))
	}
	return nil
}

func kind(public crypto.PublicKey) string {
	switch key := public.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA-%d", key.N.BitLen())
	case *ecdsa.PublicKey:
		return "ECDSA " + key.Curve.Params().Name
	}
	return strings.TrimPrefix(fmt.Sprintf("%T", public), "*")
}

// PublicPEM returns a public key in the form that CloudFront takes.
func PublicPEM(public crypto.PublicKey) ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), nil
}

// Fingerprint returns the SHA-256 of the key's SubjectPublicKeyInfo in hex, the
// same as "openssl pkey -pubin -outform der | sha256sum".
func Fingerprint(public crypto.PublicKey) (string, error) {
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:]), nil
}
