package rotation_test

import (
	"context"
	"crypto/fips140"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/cloudfront"
	"github.com/handstamp/handstamp/pkg/keyring"
)

// In FIPS 140 mode, where SHA-1 is not allowed, everything works with SHA-256,
// and an RSA key without it is refused before anything listens.
func TestFIPS(t *testing.T) {
	t.Parallel()
	if fips140.Enforced() {
		t.Skip("this process is in FIPS 140 mode itself: the tests that this one would start run beside it")
	}
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=InFIPSMode$", "-test.v") // #nosec G204 -- ourselves
	child.Env = append(os.Environ(), "GODEBUG=fips140=only")
	out, err := child.CombinedOutput()
	if err != nil || strings.Count(string(out), "--- PASS") != 2 {
		t.Errorf("in FIPS 140 mode: %v, want two tests to pass:\n%s", err, out)
	}
}

// needsFIPSMode skips a test that is for FIPS 140 mode.
func needsFIPSMode(t *testing.T) {
	t.Helper()
	if !fips140.Enforced() {
		t.Skip("FIPS 140 mode is off; TestFIPS runs this test with it on")
	}
}

// quick is a pace for one rotation in real time.
var quick = pace{
	rules:    keyring.Rules{Settle: 300 * time.Millisecond, Longest: 2 * time.Second, Switch: 500 * time.Millisecond, Skew: 200 * time.Millisecond},
	lifetime: time.Second, window: time.Second, follow: 50 * time.Millisecond, timeout: 400 * time.Millisecond,
	pause: 30 * time.Millisecond, reserve: 500 * time.Millisecond,
}

func TestRotationInFIPSMode(t *testing.T) {
	needsFIPSMode(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	w := newWorld(t, quick)
	w.open(ctx, t, inFile(keyring.RSA))
	stop := w.crowd(ctx, t, 4)
	w.rotateAll(ctx, t, inFile(keyring.ECDSA))
	stop()
	cancel()
}

func TestSHA1InFIPSMode(t *testing.T) {
	needsFIPSMode(t)
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
