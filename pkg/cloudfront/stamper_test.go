package cloudfront_test

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"io"
	"sync/atomic"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/cloudfront"
	"github.com/handstamp/handstamp/pkg/gate"
)

var _ gate.Stamper = (*cloudfront.Stamper)(nil)

// A ring has one key, or an error.
type ring struct {
	id  string
	key crypto.Signer
	err error
}

func (r ring) Active() (string, crypto.Signer, error) { return r.id, r.key, r.err }

// A slowKey counts its signatures, and makes each wait for the gate if it has one.
type slowKey struct {
	crypto.Signer
	gate  chan struct{} // a signature passes for every value, all once it is closed
	count atomic.Int64
	spoil bool
	err   error
}

func (k *slowKey) Sign(r io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	k.count.Add(1)
	if k.gate != nil {
		<-k.gate
	}
	if k.err != nil {
		return nil, k.err
	}
	if k.spoil {
		digest = bytes.Repeat([]byte{1}, len(digest))
	}
	return k.Signer.Sign(r, digest, opts)
}

func newStamper(t testing.TB, site string, r cloudfront.Ring, opts cloudfront.StamperOptions) *cloudfront.Stamper {
	t.Helper()
	s, err := cloudfront.NewStamper(parseSite(t, site), r, opts)
	if err != nil {
		t.Fatalf("NewStamper(%s): %v", site, err)
	}
	return s
}

// ecStamper signs with key under the ID of the P-256 key.
func ecStamper(t testing.TB, key crypto.Signer, opts cloudfront.StamperOptions) *cloudfront.Stamper {
	t.Helper()
	opts.Now = func() time.Time { return noon }
	return newStamper(t, "https://media.example.org", ring{id: ecID, key: key}, opts)
}

func stampOf(t testing.TB, s *cloudfront.Stamper, g gate.Grant) *gate.Stamp {
	t.Helper()
	stamp, err := s.Stamp(context.Background(), g)
	if err != nil {
		t.Fatalf("Stamp(%+v): %v", g, err)
	}
	return stamp
}

func header(stamp *gate.Stamp) string {
	var fields []cloudfront.Field
	for _, c := range stamp.Cookies {
		fields = append(fields, cloudfront.Field{Name: c.Name, Value: c.Value})
	}
	return cookieHeader(fields)
}

func TestStamp(t *testing.T) {
	for _, opts := range []cloudfront.StamperOptions{{}, {Alone: true}} {
		for _, r := range []ring{{id: rsaID, key: rsaKey()}, {id: ecID, key: ecKey()}} {
			s := newStamper(t, "https://media.example.org", r, opts)
			g := gate.Grant{Attraction: "castle", Package: "audio", Path: "castle/audio", NotBefore: noon.Add(-time.Minute), Expires: end}
			stamp := stampOf(t, s, g)
			if stamp.Grant != g || stamp.Resource != "https://media.example.org/castle/audio/*" || stamp.CookiePath != "/castle/audio/" {
				t.Errorf("Stamp = %+v", stamp)
			}
			for url, want := range map[string]bool{inCastle: true, "https://media.example.org/castle/map.pdf": false, "https://media.example.org/zoo/a": false} {
				if got := decide(t, url, header(stamp)); got.Allowed != want {
					t.Errorf("Decide(%q) with the stamp = %+v, want allowed %t", url, got, want)
				}
			}
		}
	}
}

// TestStampShared: same path, window, start and key, same bytes; otherwise not.
func TestStampShared(t *testing.T) {
	key := &slowKey{Signer: ecKey()}
	s := ecStamper(t, key, cloudfront.StamperOptions{})
	first := header(stampOf(t, s, grant("castle")))
	if again := header(stampOf(t, s, gate.Grant{Attraction: "other", Package: "audio", Path: "castle", Expires: end})); again != first {
		t.Errorf("two stamps of one window differ:\n%s\n%s", first, again)
	}
	if n := key.count.Load(); n != 1 {
		t.Errorf("%d signatures for one window, want 1", n)
	}
	later, started := grant("castle"), grant("castle")
	later.Expires = end.Add(time.Minute)
	started.NotBefore = noon
	seen := map[string]bool{first: true}
	for i, g := range []gate.Grant{later, started, grant("castle/audio"), grant("zoo")} {
		h := header(stampOf(t, s, g))
		if seen[h] || key.count.Load() != int64(i+2) {
			t.Errorf("Stamp(%+v) shares a signature with another grant", g)
		}
		seen[h] = true
	}
}

// A swapRing changes its key.
type swapRing struct{ atomic.Pointer[ring] }

func (r *swapRing) Active() (string, crypto.Signer, error) { return r.Load().Active() }

func TestStampFollowsRing(t *testing.T) {
	r := &swapRing{}
	r.Store(&ring{id: ecID, key: ecKey()})
	s := newStamper(t, "https://media.example.org", r, cloudfront.StamperOptions{})
	first := header(stampOf(t, s, grant("castle")))
	r.Store(&ring{id: "K4NEXT", key: otherKey()})
	second := header(stampOf(t, s, grant("castle")))
	for h, key := range map[string]*cloudfront.PublicKey{first: publicKey(t, ecID, ecKey()), second: publicKey(t, "K4NEXT", otherKey())} {
		request := cloudfront.Request{URL: inCastle, Cookies: []string{h}}
		if got := new(cloudfront.Decider).Decide(request, cloudfront.NewKeyGroup(key), noon); !got.Allowed {
			t.Errorf("Decide with the stamp of key %s = %+v, want it allowed", key.ID(), got)
		}
	}
	r.Store(&ring{err: errNoKey})
	if stamp, err := s.Stamp(context.Background(), grant("castle")); !errors.Is(err, errNoKey) || stamp != nil {
		t.Errorf("Stamp without a key = %v, %v, want %v", stamp, err, errNoKey)
	}
}

var errNoKey = errors.New("no active key")

func TestNewStamperNeedsAKey(t *testing.T) {
	site := parseSite(t, "https://media.example.org")
	if _, err := cloudfront.NewStamper(site, ring{err: errNoKey}, cloudfront.StamperOptions{}); !errors.Is(err, errNoKey) {
		t.Errorf("NewStamper without a key = %v, want %v", err, errNoKey)
	}
	if _, err := cloudfront.NewStamper(site, ring{id: rsaID, key: rsa1024()}, cloudfront.StamperOptions{}); !errors.Is(err, cloudfront.ErrKeyType) {
		t.Errorf("NewStamper with RSA-1024 = %v, want ErrKeyType", err)
	}
	if _, err := cloudfront.NewStamper(site, ring{id: ecID, key: ecKey()}, cloudfront.StamperOptions{Hash: cloudfront.SHA1}); !errors.Is(err, cloudfront.ErrKeyType) {
		t.Errorf("NewStamper with ECDSA and SHA1 = %v, want ErrKeyType", err)
	}
	if _, err := cloudfront.NewStamper(site, ring{id: rsaID, key: rsaKey()}, cloudfront.StamperOptions{Hash: "sha256"}); err == nil {
		t.Errorf("NewStamper with an unknown hash = no error, want one")
	}
}

func TestStampAlone(t *testing.T) {
	key := &slowKey{Signer: ecKey()}
	s := ecStamper(t, key, cloudfront.StamperOptions{Alone: true})
	if first, second := header(stampOf(t, s, grant("castle"))), header(stampOf(t, s, grant("castle"))); first == second {
		t.Errorf("two stamps of one window are the same: %s", first)
	}
	if n := key.count.Load(); n != 2 || s.Kept() != 0 {
		t.Errorf("%d signatures made and %d kept, want 2 and none", n, s.Kept())
	}
}

func TestStampKeeps(t *testing.T) {
	s := ecStamper(t, ecKey(), cloudfront.StamperOptions{Keep: 8})
	first := header(stampOf(t, s, grant("castle")))
	for i := range 50 {
		g := grant("castle")
		g.Expires = end.Add(time.Duration(i+1) * time.Minute)
		stampOf(t, s, g)
		if n := s.Kept(); n > 8 {
			t.Fatalf("%d signatures kept, want at most 8", n)
		}
	}
	if again := header(stampOf(t, s, grant("castle"))); again == first {
		t.Errorf("the signature that ends first was kept, want the later ones kept")
	}
}

func TestStampDropsEnded(t *testing.T) {
	now := noon
	s := newStamper(t, "https://media.example.org", ring{id: ecID, key: ecKey()}, cloudfront.StamperOptions{Now: func() time.Time { return now }})
	for _, path := range []string{"castle", "zoo", "tower"} {
		stampOf(t, s, grant(path))
	}
	now = end
	later := grant("castle")
	later.Expires = end.Add(time.Minute)
	stampOf(t, s, later)
	if n := s.Kept(); n != 1 {
		t.Errorf("%d signatures kept after three ended, want 1", n)
	}
}

// TestStampSelfCheck: what our own check refuses is neither sent nor kept.
func TestStampSelfCheck(t *testing.T) {
	for _, alone := range []bool{false, true} {
		s := ecStamper(t, &slowKey{Signer: ecKey(), spoil: true}, cloudfront.StamperOptions{Alone: alone})
		for range 2 {
			if stamp, err := s.Stamp(context.Background(), grant("castle")); !errors.Is(err, cloudfront.ErrSelfCheck) || stamp != nil {
				t.Errorf("alone %t: Stamp by a broken signer = %v, %v, want ErrSelfCheck", alone, stamp, err)
			}
		}
		if s.Kept() != 0 {
			t.Errorf("alone %t: %d broken signatures kept, want none", alone, s.Kept())
		}
	}
}

// TestStampSamples: shared signatures are checked again now and then, here
// after the key was exchanged under its ID.
func TestStampSamples(t *testing.T) {
	r := &swapRing{}
	r.Store(&ring{id: ecID, key: ecKey()})
	s := newStamper(t, "https://media.example.org", r, cloudfront.StamperOptions{})
	stampOf(t, s, grant("castle"))
	r.Store(&ring{id: ecID, key: otherKey()})
	refused := 0
	for range cloudfront.SampleEvery {
		if _, err := s.Stamp(context.Background(), grant("castle")); errors.Is(err, cloudfront.ErrSelfCheck) {
			refused++
		}
	}
	if refused != 1 {
		t.Errorf("%d of %d shared stamps were found to be wrong, want 1", refused, cloudfront.SampleEvery)
	}
}

func TestStampFails(t *testing.T) {
	broken := errors.New("key service is down")
	key := &slowKey{Signer: ecKey(), err: broken}
	for _, alone := range []bool{false, true} {
		s := ecStamper(t, key, cloudfront.StamperOptions{Alone: alone})
		if stamp, err := s.Stamp(context.Background(), grant("castle")); !errors.Is(err, broken) || stamp != nil {
			t.Errorf("Stamp = %v, %v, want %v", stamp, err, broken)
		}
		for _, expires := range []time.Time{{}, time.Unix(0, 0), time.Unix(1<<31, 0)} {
			g := grant("castle")
			g.Expires = expires
			if stamp, err := s.Stamp(context.Background(), g); !errors.Is(err, cloudfront.ErrTimes) || stamp != nil {
				t.Errorf("Stamp until %s = %v, %v, want ErrTimes", expires, stamp, err)
			}
		}
	}
}
