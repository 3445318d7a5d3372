package keyring

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
)

// A Type is a kind of key that CloudFront takes.
type Type string

// The types of keys.
const (
	RSA   Type = "rsa"   // RSA-2048
	ECDSA Type = "ecdsa" // ECDSA on P-256, always with SHA-256
)

// Generate makes a new private key.
func Generate(t Type) (crypto.Signer, error) {
	switch t {
	case RSA:
		return rsa.GenerateKey(rand.Reader, 2048)
	case ECDSA:
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	return nil, fmt.Errorf("%w: type %q, want %q or %q", ErrKey, t, RSA, ECDSA)
}

// A Pair is where Write put the halves of a key.
type Pair struct {
	Name        string // the files' name without suffix
	PrivateFile string
	PublicFile  string
	Fingerprint string // of the public key, see Fingerprint
}

// Write stores key in dir: the private half in a file of mode 0600, the public
// half beside it. The name is keyPairID or, while CloudFront has not given one,
// "unpublished-" and the start of the fingerprint. Existing files are kept and
// make it fail. It returns ErrKey for a key that CloudFront would not take.
func Write(dir, keyPairID string, key crypto.Signer) (*Pair, error) {
	if err := check(key.Public()); err != nil {
		return nil, err
	}
	fingerprint, err := Fingerprint(key.Public())
	if err != nil {
		return nil, err
	}
	name := "unpublished-" + fingerprint[:12]
	if keyPairID != "" {
		if err := CheckID(keyPairID); err != nil {
			return nil, err
		}
		name = keyPairID
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	public, err := PublicPEM(key.Public())
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	pair := &Pair{Name: name, Fingerprint: fingerprint,
		PrivateFile: filepath.Join(dir, name+privateSuffix), PublicFile: filepath.Join(dir, name+publicSuffix)}
	private := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	if err := create(pair.PrivateFile, private, 0o600); err != nil {
		return nil, err
	}
	if err := create(pair.PublicFile, public, 0o644); err != nil {
		_ = os.Remove(pair.PrivateFile) // no half of a pair is left behind
		return nil, err
	}
	return pair, nil
}

// create writes a file that is not there yet, durably.
func create(path string, text []byte, mode os.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.Write(text); err != nil {
		return err
	}
	return f.Sync()
}
