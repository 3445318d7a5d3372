package rotation_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/cloudfront"
	"github.com/handstamp/handstamp/pkg/keyring"
)

// A key that somebody else may have is revoked under load: one look at the
// manifest later nobody gets cookies by it, a life of cookies later nobody needs
// them, and once it is out of the key group, who has it can open nothing.
func TestRevoke(t *testing.T) {
	virtually(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		w := newWorld(t, usual)
		w.open(ctx, t, inFile(keyring.RSA))
		other := w.add(ctx, t, inFile(keyring.ECDSA))
		stop := w.crowd(ctx, t, 6)
		time.Sleep(w.rules.Settle)
		stolen, _, _ := w.gateways[0].Active()
		thief := w.steal(ctx, t)

		w.change(ctx, t, func(m *keyring.Manifest) error { return m.Revoke(stolen, time.Now()) })
		time.Sleep(w.follow + time.Millisecond)
		for i := range 20 {
			v := w.newViewer(t, fmt.Sprintf("AFTER%d", i), false)
			wantStatus(t, "show after the revocation", v.show(), http.StatusOK)
			if got := v.signed["/castle/audio/"]; got != other {
				t.Errorf("cookies %v after the revocation are signed with %s, want %s", w.follow, got, other)
			}
		}
		for _, g := range w.gateways {
			if len(g.Keys()) != 1 {
				t.Errorf("a gateway has the keys %v, want the other one only", g.Keys())
			}
		}
		if got := w.opens(thief); got != len(w.network.locations) {
			t.Errorf("the stolen key opens %d locations before it is out of the key group, want all: the test is worth nothing", got)
		}
		time.Sleep(w.rules.Longest)
		if err := w.network.Remove(ctx, stolen); err != nil {
			t.Fatal(err)
		}
		time.Sleep(w.rules.Settle)
		if got := w.opens(thief); got != 0 {
			t.Errorf("the stolen key still opens %d locations, want none", got)
		}
		stop()
		w.report(t, 0)
	})
}

// steal signs for a year with the key that is active now.
func (w *world) steal(ctx context.Context, t *testing.T) (cookies string) {
	t.Helper()
	m, err := w.store.Load(ctx)
	if err != nil {
		t.Fatal(err)
	}
	key, err := w.openers.Open(ctx, m.Active().From)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := cloudfront.NewSigner(m.Active().ID, key, hash())
	if err != nil {
		t.Fatal(err)
	}
	at, _ := cloudfront.ParseSite(site)
	resource, _ := at.Prefix("castle")
	signed, err := signer.Sign(cloudfront.Policy{Resource: resource, DateLessThan: time.Now().AddDate(1, 0, 0)})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range signed.Cookies() {
		cookies += f.Name + "=" + f.Value + "; "
	}
	return cookies
}

// opens returns how many locations let somebody in with these cookies.
func (w *world) opens(cookies string) (n int) {
	for _, l := range w.network.locations {
		r, _ := http.NewRequest("GET", site+"/castle/audio/hall.m4a", nil)
		r.Header.Set("Cookie", cookies)
		if serve(l.now().edge, r).StatusCode == http.StatusOK {
			n++
		}
	}
	return n
}
