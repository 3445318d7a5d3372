package rotation_test

import (
	"context"
	"crypto/fips140"
	"testing"
	"testing/synctest"
	"time"

	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/handstamp/handstamp/pkg/keyring"
)

// usual is the pace of a real gateway: the defaults, with rules as tight as they
// may be.
var usual = pace{
	rules:    keyring.Rules{Settle: time.Hour, Longest: 16 * time.Minute, Switch: time.Minute, Skew: time.Second},
	lifetime: 15 * time.Minute, window: time.Minute, follow: 30 * time.Second, timeout: 30 * time.Second,
	pause: 30 * time.Second, reserve: time.Second,
}

// virtually runs a test on virtual time.
func virtually(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	if fips140.Enforced() {
		t.Skip("in FIPS 140 mode random numbers are seeded with a clock that runs; TestRotationInFIPSMode runs in real time")
	}
	synctest.Test(t, test)
}

// TestRotation walks from RSA to ECDSA to KMS and back to RSA, with another hash
// and another cookie at every step.
func TestRotation(t *testing.T) {
	t.Parallel() // TestFIPS waits most of its time
	virtually(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		w := newWorld(t, usual)
		w.open(ctx, t, inFile(keyring.RSA))
		stop := w.crowd(ctx, t, 6)
		w.rotateAll(ctx, t, inFile(keyring.ECDSA), inKMS(kmstypes.KeySpecRsa2048), inFile(keyring.RSA))
		stop()
	})
}

// rotateAll walks whole rotations one after the other, under the load that there
// is, and reports.
func (w *world) rotateAll(ctx context.Context, t *testing.T, next ...keyMaker) {
	t.Helper()
	for i, newKey := range next {
		before, _, _ := w.gateways[0].Active()
		time.Sleep(w.rules.Longest) // an ordinary day
		if err := w.rotate(ctx, newKey); err != nil {
			t.Fatalf("rotation %d: %v", i+1, err)
		}
		for _, g := range w.gateways {
			if now, _, err := g.Active(); err != nil || now == before {
				t.Errorf("after rotation %d %s signs, %v, want another than %s", i+1, now, err, before)
			}
		}
		time.Sleep(w.rules.Settle)
		if len(w.network.strangers(before)) != len(w.network.locations) {
			t.Errorf("after rotation %d %s is still trusted", i+1, before)
		}
	}
	w.report(t, len(next))
	if n := w.tally.unavailable.Load(); n != 0 {
		t.Errorf("%d answers 503, want none", n)
	}
}
