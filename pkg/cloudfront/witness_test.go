//go:build witness

package cloudfront_test

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/handstamp/handstamp/pkg/cloudfront"
)

func writeKey(t *testing.T, dir string, key crypto.Signer) (private, public string) {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	private, public = filepath.Join(dir, "private.pem"), filepath.Join(dir, "public.pem")
	for name, text := range map[string][]byte{
		private: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), public: publicPEM(t, key.Public()),
	} {
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return private, public
}

// TestOpenSSLRecipe: the recipe of the Developer Guide gives the same cookies (C-16).
func TestOpenSSLRecipe(t *testing.T) {
	dir := t.TempDir()
	private, _ := writeKey(t, dir, rsaKey())
	for form, policy := range somePolicies(t) {
		signed, err := newSigner(t, rsaID, rsaKey(), cloudfront.SHA1).Sign(policy)
		if err != nil {
			t.Fatal(err)
		}
		for i, recipe := range []string{
			`tr -d "\n" | openssl base64 -A | tr -- '+=/' '-_~'`,
			`tr -d "\n" | openssl sha1 -sign ` + private + ` | openssl base64 -A | tr -- '+=/' '-_~'`,
		} {
			cmd := exec.Command("sh", "-c", recipe)
			cmd.Stdin = strings.NewReader(string(signed.Text()) + "\n") // as the guide has it in a file
			want, err := cmd.Output()
			if err != nil {
				t.Fatalf("%s: %v", recipe, err)
			}
			if got := signed.Cookies()[i]; got.Value != string(want) {
				t.Errorf("%s: %s = %s, openssl says %s", form, got.Name, got.Value, want)
			}
		}
	}
}

// TestOpenSSLVerifies what we sign with every kind of key (C-14).
func TestOpenSSLVerifies(t *testing.T) {
	for name, s := range map[string]*cloudfront.Signer{
		"RSA SHA1": newSigner(t, rsaID, rsaKey(), cloudfront.SHA1), "RSA SHA256": newSigner(t, rsaID, rsaKey(), cloudfront.SHA256), "P-256": newSigner(t, ecID, ecKey(), ""),
	} {
		var key crypto.Signer = rsaKey()
		if s.KeyPairID() == ecID {
			key = ecKey()
		}
		dir := t.TempDir()
		_, public := writeKey(t, dir, key)
		for form, policy := range somePolicies(t) {
			signed, err := s.Sign(policy)
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(dir, "signature")
			if err := os.WriteFile(file, signed.Signature(), 0o600); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command("openssl", "dgst", "-"+strings.ToLower(string(s.Hash())), "-verify", public, "-signature", file)
			cmd.Stdin = strings.NewReader(string(signed.Text()))
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%s, %s: openssl dgst -verify: %v\n%s", name, form, err, out)
			}
		}
	}
}
