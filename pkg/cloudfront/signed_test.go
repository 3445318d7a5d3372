package cloudfront_test

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/cloudfront"
)

// TestSignedNames: the right cookies and parameters, in the documented order.
func TestSignedNames(t *testing.T) {
	url := parseResource(t, inCastle)
	custom := cloudfront.Policy{Resource: prefix(t, "castle"), DateLessThan: end}
	canned := cloudfront.Policy{Resource: url, DateLessThan: end}
	tests := []struct {
		name   string
		signer *cloudfront.Signer
		canned bool
		want   string
	}{
		{"custom SHA1", newSigner(t, rsaID, rsaKey(), cloudfront.SHA1), false, "Policy Signature Key-Pair-Id"},
		{"custom SHA256", newSigner(t, ecID, ecKey(), ""), false, "Policy Signature Key-Pair-Id Hash-Algorithm"},
		{"canned SHA1", newSigner(t, rsaID, rsaKey(), cloudfront.SHA1), true, "Expires Signature Key-Pair-Id"},
		{"canned SHA256", newSigner(t, rsaID, rsaKey(), cloudfront.SHA256), true, "Expires Signature Key-Pair-Id Hash-Algorithm"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			signed, err := tt.signer.Sign(custom)
			if tt.canned {
				signed, err = tt.signer.SignCanned(canned)
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := cookieNames(signed.Cookies()); got != tt.want {
				t.Errorf("Cookies() = %s, want %s", got, tt.want)
			}
			signedURL, err := signed.URL(inCastle)
			if got := parameterNames(signedURL); err != nil || got != tt.want {
				t.Errorf("URL(%q) = %s, %v, want %s", inCastle, got, err, tt.want)
			}
			for _, request := range []cloudfront.Request{
				{URL: signedURL}, {URL: inCastle, Cookies: []string{cookieHeader(signed.Cookies())}},
			} {
				if got := new(cloudfront.Decider).Decide(request, trusted(t), noon); !got.Allowed {
					t.Errorf("Decide(%+v) = %+v, want it allowed", request, got)
				}
			}
		})
	}
}

func cookieNames(fields []cloudfront.Field) string {
	var names []string
	for _, f := range fields {
		name, ok := strings.CutPrefix(f.Name, "CloudFront-")
		if !ok || !slices.Contains(cloudfront.CookieNames[:], f.Name) {
			name = "not CloudFront's: " + f.Name
		}
		names = append(names, name)
	}
	return strings.Join(names, " ")
}

func parameterNames(url string) string {
	_, query, _ := strings.Cut(url, "?")
	var names []string
	for pair := range strings.SplitSeq(query, "&") {
		name, _, _ := strings.Cut(pair, "=")
		names = append(names, name)
	}
	return strings.Join(names, " ")
}

// TestSignedURL signs URLs and asks for them.
func TestSignedURL(t *testing.T) {
	s := newSigner(t, ecID, ecKey(), "")
	const site = "https://media.example.org"
	tests := []struct{ name, resource, url string }{
		{"plain", "/castle/*", "/castle/a.mp3"},
		{"the prefix itself", "/castle/*", "/castle/"},
		{"own query", "/castle/*", "/castle/a.mp3?lang=en&v=2"},
		{"like a reserved name", "/castle/*", "/castle/a.mp3?MyPolicy=1&Policy2=x&aExpires"},
		{"escapes", "/castle/*", "/castle/%C3%A4%20b.mp3"},
		{"star inside", "/castle/*/a.mp3", "/castle/en/a.mp3"},
		{"exact", "/castle/a.mp3", "/castle/a.mp3"},
		{"question mark", "/castle/stop-?.mp3", "/castle/stop-1.mp3"},
		{"root", "/", "/"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			signed, err := s.Sign(cloudfront.Policy{Resource: parseResource(t, site+tt.resource), DateLessThan: end})
			if err != nil {
				t.Fatal(err)
			}
			got, err := signed.URL(site + tt.url)
			if err != nil || !strings.HasPrefix(got, site+tt.url) {
				t.Fatalf("URL(%q) = %q, %v", site+tt.url, got, err)
			}
			if d := new(cloudfront.Decider).Decide(cloudfront.Request{URL: got}, trusted(t), noon); !d.Allowed {
				t.Errorf("Decide(%q) = %+v, want it allowed", got, d)
			}
		})
	}
}

func TestSignedURLCanned(t *testing.T) {
	s := newSigner(t, ecID, ecKey(), "")
	for _, url := range []string{
		inCastle, "https://media.example.org/castle/map.pdf?lang=en&v=2", "https://media.example.org/castle/?",
		"https://media.example.org/it%27s?x=%27&&y", "http://media.example.org/a?b", "https://media.example.org/a?b=??",
	} {
		signed, err := s.SignCanned(cloudfront.Policy{Resource: parseResource(t, url), DateLessThan: end})
		if err != nil {
			t.Fatal(err)
		}
		got, err := signed.URL(url)
		if strings.HasSuffix(url, "?") {
			if err == nil {
				t.Errorf("URL(%q) = %q, want an error about the empty query", url, got)
			}
			continue
		}
		if err != nil {
			t.Errorf("URL(%q): %v", url, err)
		}
		if d := new(cloudfront.Decider).Decide(cloudfront.Request{URL: got}, trusted(t), noon); !d.Allowed {
			t.Errorf("Decide(%q) = %+v, want it allowed", got, d)
		}
		if got, err := signed.URL(url + "x"); !errors.Is(err, cloudfront.ErrCanned) {
			t.Errorf("URL(%q) with the signature for %q = %q, %v, want ErrCanned", url+"x", url, got, err)
		}
	}
}

func TestSignedURLRefuses(t *testing.T) {
	signed, err := newSigner(t, ecID, ecKey(), "").Sign(cloudfront.Policy{Resource: prefix(t, "castle"), DateLessThan: end})
	if err != nil {
		t.Fatal(err)
	}
	for _, url := range []string{
		"", "castle/a", "https://media.example.org/zoo/a", "https://media.example.org/castle", "https://media.example.org/castle-2/a",
		"http://media.example.org/castle/a", "https://other.example.org/castle/a", "https://media.example.org/castle/a#x", "https://media.example.org/castle/a?",
		"https://media.example.org/castle/a?Expires=1", "https://media.example.org/castle/a?x=1&Policy=1", "https://media.example.org/castle/a?Signature",
		"https://media.example.org/castle/a?Key-Pair-Id=", "https://media.example.org/castle/a?Hash-Algorithm=SHA1",
		"https://media.example.org/castle/a?policy=1", "https://media.example.org/castle/a?%50olicy=1", "https://media.example.org/castle/a?x;Policy=1",
		"https://media.example.org/castle/a b", "https://media.example.org/castle/\u00e4", "https://media.example.org/castle/a\n",
		"https://media.example.org/castle/" + strings.Repeat("a", 8000),
	} {
		if got, err := signed.URL(url); err == nil {
			t.Errorf("URL(%.80q) = %.80q, want an error", url, got)
		}
	}
}

// Conditions besides the end travel along.
func TestSignedURLConditions(t *testing.T) {
	policy := cloudfront.Policy{Resource: prefix(t, "castle"), DateLessThan: end, DateGreaterThan: noon, IPAddress: netip.MustParsePrefix("192.0.2.0/24")}
	signed, err := newSigner(t, rsaID, rsaKey(), cloudfront.SHA1).Sign(policy)
	if err != nil {
		t.Fatal(err)
	}
	url, err := signed.URL(inCastle)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		ip   string
		at   time.Time
		want cloudfront.Rule
	}{
		{"192.0.2.9", noon.Add(time.Second), ""},
		{"192.0.2.9", noon, cloudfront.RuleStart},
		{"192.0.3.9", noon.Add(time.Second), cloudfront.RuleAddress},
		{"192.0.2.9", end, cloudfront.RuleEnd},
	}
	for _, tt := range tests {
		got := new(cloudfront.Decider).Decide(cloudfront.Request{URL: url, IP: netip.MustParseAddr(tt.ip)}, trusted(t), tt.at)
		if got.Rule != tt.want {
			t.Errorf("Decide from %s at %s = %+v, want rule %q", tt.ip, tt.at, got, tt.want)
		}
	}
}
