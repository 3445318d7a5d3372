package keyring_test

import (
	"bytes"
	"crypto"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/handstamp/handstamp/pkg/keyring"
)

func pkcs8DER(key crypto.Signer) []byte { return must(x509.MarshalPKCS8PrivateKey(key)) }

func TestGenerate(t *testing.T) {
	if k := rsaKey(); k.N.BitLen() != 2048 || k.E != 65537 {
		t.Errorf("Generate(RSA) = %d bits, exponent %d, want 2048 and 65537", k.N.BitLen(), k.E)
	}
	if k := ecKey(); k.Curve != elliptic.P256() {
		t.Errorf("Generate(ECDSA) is on %s, want P-256", k.Curve.Params().Name)
	}
	again := must(keyring.Generate(keyring.ECDSA))
	if ecKey().Equal(again) {
		t.Error("Generate gave one key twice")
	}
	k, err := keyring.Generate("dsa")
	if want := `unusable key: type "dsa", want "rsa" or "ecdsa"`; k != nil || !errors.Is(err, keyring.ErrKey) || err.Error() != want {
		t.Errorf("Generate = %v, %v, want %s", k, err, want)
	}
}

func TestWrite(t *testing.T) {
	for _, signer := range []crypto.Signer{rsaKey(), ecKey()} {
		dir := filepath.Join(t.TempDir(), "new", "keys")
		pair, err := keyring.Write(dir, "K2JCJMDEHXQW5F", signer)
		if err != nil {
			t.Fatalf("Write = %v", err)
		}
		fingerprint := must(keyring.Fingerprint(signer.Public()))
		want := keyring.Pair{Name: "K2JCJMDEHXQW5F", Fingerprint: fingerprint,
			PrivateFile: filepath.Join(dir, "K2JCJMDEHXQW5F.pem"), PublicFile: filepath.Join(dir, "K2JCJMDEHXQW5F.pub.pem")}
		if *pair != want {
			t.Errorf("Write = %+v, want %+v", *pair, want)
		}
		if b, rest := pem.Decode(must(os.ReadFile(pair.PrivateFile))); b == nil || b.Type != "PRIVATE KEY" || len(rest) > 0 {
			t.Error("the private file is not one block PRIVATE KEY")
		}
		if got := must(os.ReadFile(pair.PublicFile)); !bytes.Equal(got, public(signer)) {
			t.Errorf("the public file holds %s", got)
		}
		ring, err := keyring.Load(dir, "K2JCJMDEHXQW5F", keyring.Options{})
		if err != nil || len(ring.Keys()) != 1 {
			t.Errorf("Load = %v, %v, want the ring of what was written", ring, err)
		}
	}
}

// A key has no ID until CloudFront has given it one, and is not loaded before.
func TestWriteUnpublished(t *testing.T) {
	dir := t.TempDir()
	pair, err := keyring.Write(dir, "", ecKey())
	if err != nil || pair.Name != "unpublished-"+pair.Fingerprint[:12] {
		t.Fatalf("Write = %+v, %v, want a name from the fingerprint", pair, err)
	}
	if _, err := keyring.Load(dir, "K2JCJMDEHXQW5F", keyring.Options{}); !errors.Is(err, keyring.ErrNoKey) || !strings.Contains(err.Error(), "no keys") {
		t.Errorf("Load = %v, want that there are no keys", err)
	}
}

func TestWriteNeverOverwrites(t *testing.T) {
	other := must(keyring.Generate(keyring.ECDSA))
	for _, taken := range []string{"K2JCJMDEHXQW5F.pem", "K2JCJMDEHXQW5F.pub.pem"} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, taken), []byte("precious"), 0o600); err != nil {
			t.Fatal(err)
		}
		pair, err := keyring.Write(dir, "K2JCJMDEHXQW5F", other)
		if pair != nil || !errors.Is(err, fs.ErrExist) {
			t.Errorf("Write beside %s = %v, %v, want fs.ErrExist", taken, pair, err)
		}
		noKeyBytes(t, err.Error(), pkcs8(other))
		if got := must(os.ReadFile(filepath.Join(dir, taken))); string(got) != "precious" {
			t.Errorf("Write changed %s", taken)
		}
		if entries := must(os.ReadDir(dir)); len(entries) != 1 {
			t.Errorf("Write left %v behind, want %s only", entries, taken)
		}
	}
}

func TestWriteRefuses(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, dir, id string
		key           crypto.Signer
		want          error // nil means any
	}{
		{"ID with a path", filepath.Join(dir, "keys"), "../K2JCJMDEHXQW5F", ecKey(), keyring.ErrKeyPair},
		{"lower-case ID", filepath.Join(dir, "keys"), "k2jcjmdehxqw5f", ecKey(), keyring.ErrKeyPair},
		{"P-384", filepath.Join(dir, "keys"), "K2JCJMDEHXQW5F", ecOf(elliptic.P384()), keyring.ErrKey},
		{"Ed25519", filepath.Join(dir, "keys"), "K2JCJMDEHXQW5F", ed25519Key(), keyring.ErrKey},
		{"key that stays where it is", filepath.Join(dir, "keys"), "K2JCJMDEHXQW5F", remote{rsaKey().Public()}, nil},
		{"file for a folder", file, "K2JCJMDEHXQW5F", ecKey(), nil},
	}
	for _, tt := range tests {
		pair, err := keyring.Write(tt.dir, tt.id, tt.key)
		if pair != nil || err == nil || tt.want != nil && !errors.Is(err, tt.want) {
			t.Errorf("%s: Write = %v, %v, want %v", tt.name, pair, err, tt.want)
		}
	}
	if entries := must(os.ReadDir(dir)); len(entries) != 1 {
		t.Errorf("Write left %v behind, want nothing", entries)
	}
}

// remote is a key whose private half cannot be had, as in a key service.
type remote struct{ public crypto.PublicKey }

func (r remote) Public() crypto.PublicKey { return r.public }
func (remote) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return nil, rsa.ErrDecryption
}
