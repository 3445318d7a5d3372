package cloudfront_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/cloudfront"
)

// A pool is credentials of every sort, and URLs to try them on.
type pool struct {
	sent []sent
	urls []string
}

func newPool() pool {
	castleText := policyText("https://media.example.org/castle/*", end)
	p := pool{urls: []string{inCastle, inCastle + "?x=1", "https://media.example.org/castle/*", "https://media.example.org/zoo/a"}}
	p.sent = []sent{
		castle(),
		sealed(policyText("https://media.example.org/zoo/*", end.Add(-time.Minute))),
		sealed(policyText("https://media.example.org/castle/*", end, fmt.Sprintf(`"DateGreaterThan":{"AWS:EpochTime":%d}`, noon.Add(time.Minute).Unix()))),
		sealedWith(rsaID, rsaKey(), cloudfront.SHA1, castleText),
		sealedWith(rsaID, rsaKey(), cloudfront.SHA256, castleText),
		sealedWith(ecID, ecKey(), cloudfront.SHA1, castleText),
		sealedWith(ecID, otherKey(), cloudfront.SHA256, castleText),
		sealedCanned(inCastle, end), sealedCanned(p.urls[1], end), sealedCanned(p.urls[2], end),
		sealed("{}"),
	}
	for _, s := range p.sent[:5] { // the parts of one with those of another
		mixed := s
		mixed.policy = p.sent[1].policy
		p.sent = append(p.sent, mixed)
		mixed = s
		mixed.policy, mixed.expires = "", fmt.Sprint(end.Unix())
		p.sent = append(p.sent, mixed)
		mixed = s
		mixed.hash = map[string]string{"": "SHA256", "SHA256": ""}[s.hash]
		p.sent = append(p.sent, mixed)
	}
	return p
}

// TestCacheIsInvisible: over any sequence of requests, groups and times, the
// verdict with a cache is the one without (E-68).
func TestCacheIsInvisible(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	p := newPool()
	groups := []cloudfront.KeyGroup{
		trusted(t), trusted(t), cloudfront.NewKeyGroup(publicKey(t, ecID, otherKey()), publicKey(t, rsaID, rsaKey())), {},
	}
	for _, parity := range []cloudfront.Parity{{}, {AllowExpiryInstant: true, Skew: 2 * time.Second, AllowECDSASHA1: true}} {
		plain, cached := &cloudfront.Decider{Parity: parity}, cloudfront.NewDecider(parity, 64)
		allowed := 0
		for range 1500 {
			s := p.sent[r.IntN(len(p.sent))]
			request := cloudfront.Request{URL: p.urls[r.IntN(len(p.urls))], Cookies: []string{s.cookies()}}
			if r.IntN(3) == 0 {
				request = cloudfront.Request{URL: s.on(request.URL)}
			}
			group := groups[r.IntN(len(groups))]
			at := noon.Add(time.Duration(r.IntN(1000)) * time.Second)
			if r.IntN(4) == 0 {
				at = end.Add(time.Duration(r.IntN(7)-3) * time.Second)
			}
			want, got := plain.Decide(request, group, at), cached.Decide(request, group, at)
			if got != want {
				t.Fatalf("with a cache Decide(%+v) at %s = %+v, want %+v", request, at, got, want)
			}
			if got.Allowed {
				allowed++
			}
		}
		if allowed < 100 {
			t.Errorf("only %d requests were allowed, the test has become blind", allowed)
		}
	}
}

// TestCacheHoldsGoodOnes: refusals are not remembered, and neither is what has ended.
func TestCacheHoldsGoodOnes(t *testing.T) {
	d, group := cloudfront.NewDecider(cloudfront.Parity{AllowExpiryInstant: true, Skew: time.Minute}, 100), trusted(t)
	bad := sealedWith(ecID, otherKey(), cloudfront.SHA256, policyText("https://media.example.org/castle/*", end))
	for range 3 {
		d.Decide(cloudfront.Request{URL: inCastle, Cookies: []string{bad.cookies()}}, group, noon)
		d.Decide(cloudfront.Request{URL: inCastle, Cookies: []string{castle().cookies()}}, group, end)
		d.Decide(cloudfront.Request{URL: inCastle, Cookies: []string{castle().cookies()}}, group, end.Add(time.Second))
	}
	if n := d.Remembered(); n != 0 {
		t.Errorf("%d signatures remembered, want none", n)
	}
	for range 3 {
		d.Decide(cloudfront.Request{URL: inCastle, Cookies: []string{castle().cookies()}}, group, noon)
		d.Decide(cloudfront.Request{URL: castle().on(inCastle)}, group, noon)
	}
	if n := d.Remembered(); n != 1 {
		t.Errorf("%d signatures remembered, want 1", n)
	}
}

// TestCacheSparesVerifying counts allocations, as a clock would be no test:
// what is remembered is neither read nor verified again.
func TestCacheSparesVerifying(t *testing.T) {
	d, group := cloudfront.NewDecider(cloudfront.Parity{}, 100), trusted(t)
	request := cloudfront.Request{URL: inCastle, Cookies: []string{castle().cookies()}}
	d.Decide(request, group, noon)
	warm := testing.AllocsPerRun(100, func() { d.Decide(request, group, noon) })
	if cold := testing.AllocsPerRun(10, func() { new(cloudfront.Decider).Decide(request, group, noon) }); warm > 5 || cold < 2*warm {
		t.Errorf("a remembered signature costs %.0f allocations, a new one %.0f, want at most 5 and far more", warm, cold)
	}
}

// TestCacheKeys: equal IDs with different keys, and canned and custom policies
// of equal bytes, do not share.
func TestCacheKeys(t *testing.T) {
	d := cloudfront.NewDecider(cloudfront.Parity{}, 100)
	ours, theirs := cloudfront.NewKeyGroup(publicKey(t, ecID, ecKey())), cloudfront.NewKeyGroup(publicKey(t, ecID, otherKey()))
	allowed := func(s sent, url string, group cloudfront.KeyGroup) bool {
		return d.Decide(cloudfront.Request{URL: url, Cookies: []string{s.cookies()}}, group, noon).Allowed
	}
	if !allowed(castle(), inCastle, ours) || allowed(castle(), inCastle, theirs) {
		t.Errorf("a signature of our key opens their group")
	}
	canned := sealedCanned(inCastle, end)
	if !allowed(canned, inCastle, ours) {
		t.Fatalf("a canned policy does not open its URL")
	}
	raw := sent{id: ecID, hash: "SHA256", signature: canned.signature, policy: policyText(inCastle, end)}
	if allowed(raw, "https://media.example.org/zoo/a", ours) || allowed(raw, inCastle, ours) {
		t.Errorf("the remembered canned policy opens as a custom one")
	}
	custom := canned
	custom.policy, custom.expires = base64URL([]byte(policyText(inCastle, end))), ""
	if !allowed(custom, inCastle, ours) || allowed(custom, "https://media.example.org/zoo/a", ours) {
		t.Errorf("the same bytes as a custom policy do not open exactly their URL")
	}
	if n := d.Remembered(); n != 3 {
		t.Errorf("%d signatures remembered, want 3: custom prefix, canned, custom URL", n)
	}
	asCanned := castle()
	asCanned.policy, asCanned.expires = "", fmt.Sprint(end.Unix())
	if allowed(asCanned, inCastle, ours) {
		t.Errorf("the remembered custom policy opens as a canned one")
	}
}

// TestCacheEnds: a remembered signature does not outlive its policy, even when
// the clock goes back and forth.
func TestCacheEnds(t *testing.T) {
	d, group := cloudfront.NewDecider(cloudfront.Parity{}, 100), trusted(t)
	request := cloudfront.Request{URL: inCastle, Cookies: []string{castle().cookies()}}
	for _, step := range []struct {
		at   time.Time
		want bool
	}{{noon, true}, {end.Add(-1), true}, {end, false}, {end.Add(time.Hour), false}, {noon, true}, {end, false}} {
		if got := d.Decide(request, group, step.at); got.Allowed != step.want {
			t.Errorf("Decide at %s = %+v, want allowed %t", step.at, got, step.want)
		}
	}
}

// TestCacheIsBounded: no matter how many, and ended ones make room first.
func TestCacheIsBounded(t *testing.T) {
	d, group := cloudfront.NewDecider(cloudfront.Parity{}, 64), trusted(t)
	for i := 0; i < 300 || d.Remembered() < 64; i++ {
		s := sealed(policyText("https://media.example.org/castle/*", end.Add(time.Duration(i)*time.Second)))
		if got := d.Decide(cloudfront.Request{URL: inCastle, Cookies: []string{s.cookies()}}, group, noon); !got.Allowed {
			t.Fatalf("Decide = %+v, want it allowed", got)
		}
		if n := d.Remembered(); n > 64 {
			t.Fatalf("%d signatures remembered, want at most 64", n)
		}
	}
	late := end.AddDate(0, 0, 1)
	s := sealed(policyText("https://media.example.org/castle/*", late.Add(time.Hour)))
	d.Decide(cloudfront.Request{URL: inCastle, Cookies: []string{s.cookies()}}, group, late)
	if n := d.Remembered(); n >= 64 {
		t.Errorf("%d signatures remembered after the others ended, want those beside it dropped", n)
	}
	if small := cloudfront.NewDecider(cloudfront.Parity{}, 0); !small.Decide(cloudfront.Request{URL: inCastle, Cookies: []string{castle().cookies()}}, group, noon).Allowed {
		t.Errorf("a cache of size 0 refuses")
	}
}

// TestCacheConcurrently runs the cache under the race detector.
func TestCacheConcurrently(t *testing.T) {
	d, group := cloudfront.NewDecider(cloudfront.Parity{}, 32), trusted(t)
	p := newPool()
	plain := map[string]bool{}
	for _, s := range p.sent {
		plain[s.cookies()] = decide(t, inCastle, s.cookies()).Allowed
	}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for n := range 50 {
				cookies := p.sent[(n*7+i)%len(p.sent)].cookies()
				if got := d.Decide(cloudfront.Request{URL: inCastle, Cookies: []string{cookies}}, group, noon); got.Allowed != plain[cookies] {
					t.Errorf("Decide = %+v, want allowed %t", got, plain[cookies])
				}
			}
		})
	}
	wg.Wait()
}
