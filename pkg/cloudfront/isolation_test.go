package cloudfront_test

import (
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/handstamp/handstamp/pkg/cloudfront"
	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/urlpath"
)

// A spelling draws slugs and paths that somebody might try.
type spelling struct{ *rand.Rand }

func (s spelling) pick(from ...string) string { return from[s.IntN(len(from))] }

func (s spelling) slug() string {
	for {
		slug := s.pick("a", "castle", "zoo", "tower", "t", "x9") + s.pick("", "", "-2", "s", "-", "a", "2") + s.pick("", "", "", "zoo", "a")
		if gate.CheckSlug(slug) == nil {
			return slug
		}
	}
}

// path returns a path that mixes two slugs in any way.
func (s spelling) path(a, b string) string {
	var path strings.Builder
	path.WriteString(s.pick("", "/"+a+"/", "/"+a+"/", "/"+b+"/", "/"+a, "/"+a+b))
	for range s.IntN(4) {
		path.WriteString(s.pick("/", "/", "/", "", "//", "%2f", "%5c", `\`, ";"))
		path.WriteString(s.pick(a, b, b, "..", ".", "%2e%2e", "*", "?", "x.mp3", strings.ToUpper(a), "%"+"61", a[:1], b+a, "%00", "%", "\u00e4", ""))
	}
	return path.String()
}

func (s spelling) query(a, b string) string {
	return s.pick("", "", "", "?", "?x=1", "?/"+a+"/", "?x=https://media.example.org/"+a+"/", "#/"+a+"/", "?Policy=1", "?x;Policy=1", "?"+b)
}

// TestIsolation: the resource of one attraction covers no other one, by any
// spelling that the canonicaliser lets through, and always covers its own
// (C-04, PR-1). It tries 100,000 of them with FULL_TESTS set.
func TestIsolation(t *testing.T) {
	t.Parallel()
	tries := 15_000
	if os.Getenv("FULL_TESTS") != "" {
		tries = 100_000
	}
	s := spelling{rand.New(rand.NewPCG(1, 2))}
	site := parseSite(t, "https://media.example.org")
	covered := 0
	for range tries {
		a, b := s.slug(), s.slug()
		if a == b {
			continue
		}
		resource, err := site.Prefix(a)
		if err != nil {
			t.Fatal(err)
		}
		own := "https://media.example.org/" + a + "/" + s.path(a, b) + s.query(a, b)
		if !cloudfront.Covers(resource.String(), own) {
			t.Fatalf("Covers(%q, %q) = false, want true", resource, own)
		}
		foreign := "https://media.example.org/" + b + s.path(b, a) + s.query(b, a)
		if strings.HasPrefix(foreign, "https://media.example.org/"+a+"/") {
			continue // b with an "a" behind it, say
		}
		if cloudfront.Covers(resource.String(), foreign) {
			t.Fatalf("Covers(%q, %q) = true, want false", resource, foreign)
		}
		path := s.path(a, b)
		canonical, err := urlpath.Canonical(path)
		if err != nil || !cloudfront.Covers(resource.String(), "https://media.example.org"+path+s.query(a, b)) {
			continue
		}
		covered++
		if !strings.HasPrefix(canonical, "/"+a+"/") {
			t.Fatalf("Covers(%q, %q) = true, but that is %q", resource, path, canonical)
		}
	}
	if covered < tries/100 {
		t.Errorf("only %d random paths were covered at all, the test has become blind", covered)
	}
}

// TestIsolationDecide is the same with real signatures and the whole decision.
func TestIsolationDecide(t *testing.T) {
	s := spelling{rand.New(rand.NewPCG(3, 4))}
	site := parseSite(t, "https://media.example.org")
	decider, group := cloudfront.NewDecider(cloudfront.Parity{}, 1000), trusted(t)
	signer := newSigner(t, ecID, ecKey(), "")
	for range 100 {
		a, b := s.slug(), s.slug()
		resource, err := site.Prefix(a)
		if err != nil || a == b {
			continue
		}
		signed, err := signer.Sign(cloudfront.Policy{Resource: resource, DateLessThan: end})
		if err != nil {
			t.Fatal(err)
		}
		cookies := []string{cookieHeader(signed.Cookies())}
		for range 20 {
			path := s.path(a, b)
			canonical, err := urlpath.Canonical(path)
			got := decider.Decide(cloudfront.Request{URL: "https://media.example.org" + path, Cookies: cookies}, group, noon)
			if err == nil && got.Allowed != strings.HasPrefix(canonical, "/"+a+"/") {
				t.Fatalf("Decide(%q) with the stamp of %s = %+v", path, a, got)
			}
		}
	}
}
