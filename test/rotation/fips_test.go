package rotation_test

import (
	"crypto/fips140"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/handstamp/handstamp/pkg/cloudfront"
	"github.com/handstamp/handstamp/pkg/keyring"
)

// In FIPS 140 mode, where SHA-1 is not allowed, everything works with SHA-256,
// and an RSA key without it is refused before anything listens.
func TestFIPS(t *testing.T) {
	if fips140.Enforced() {
		t.Skip("this process is in FIPS 140 mode itself: the tests that this one would start run beside it")
	}
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^(TestRevoke|TestSHA1InFIPSMode)$", "-test.v") // #nosec G204 -- ourselves
	child.Env = append(os.Environ(), "GODEBUG=fips140=only")
	out, err := child.CombinedOutput()
	if err != nil || strings.Count(string(out), "--- PASS") != 2 {
		t.Errorf("in FIPS 140 mode: %v, want two tests to pass:\n%s", err, out)
	}
}

func TestSHA1InFIPSMode(t *testing.T) {
	if !fips140.Enforced() {
		t.Skip("FIPS 140 mode is off; TestFIPS runs this test with it on")
	}
	key, err := keyring.Generate(keyring.RSA)
	if err != nil {
		t.Fatal(err)
	}
	const id = "KFIPSFIPS001"
	ring, err := keyring.New([]keyring.Key{{ID: id, Public: key.Public(), Private: key}}, id)
	if err != nil {
		t.Fatal(err)
	}
	at, _ := cloudfront.ParseSite(site)
	for _, h := range []cloudfront.Hash{"", cloudfront.SHA1} {
		_, err := cloudfront.NewStamper(at, ring, cloudfront.StamperOptions{Hash: h})
		if !errors.Is(err, cloudfront.ErrKeyType) || !strings.Contains(err.Error(), "SHA256") {
			t.Errorf("NewStamper with an RSA key and hash %q = %v, want ErrKeyType and what to set", h, err)
		}
	}
	if _, err := cloudfront.NewStamper(at, ring, cloudfront.StamperOptions{Hash: cloudfront.SHA256}); err != nil {
		t.Errorf("NewStamper with SHA256 = %v", err)
	}
}
