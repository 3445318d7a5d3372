package cloudfront_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/cloudfront"
)

// decide decides about one URL with one Cookie header at noon, without a cache.
func decide(t testing.TB, url, cookies string) cloudfront.Decision {
	t.Helper()
	return new(cloudfront.Decider).Decide(cloudfront.Request{URL: url, Cookies: []string{cookies}}, trusted(t), noon)
}

// TestDecideTimes: both ends are exclusive, to the second.
func TestDecideTimes(t *testing.T) {
	s := sealed(policyText("https://media.example.org/castle/*", end, fmt.Sprintf(`"DateGreaterThan":{"AWS:EpochTime":%d}`, noon.Unix())))
	canned := sealedCanned(inCastle, end)
	tests := []struct {
		name   string
		at     time.Time
		custom cloudfront.Rule // empty means allowed
		canned cloudfront.Rule
	}{
		{"a second before the start", noon.Add(-time.Second), cloudfront.RuleStart, ""},
		{"the start", noon, cloudfront.RuleStart, ""},
		{"within the second of the start", noon.Add(time.Second - 1), cloudfront.RuleStart, ""},
		{"a second in", noon.Add(time.Second), "", ""},
		{"elsewhere on earth", noon.Add(time.Second).In(time.FixedZone("UTC+9", 9*3600)), "", ""},
		{"just before the end", end.Add(-1), "", ""},
		{"the end", end, cloudfront.RuleEnd, cloudfront.RuleEnd},
		{"within the second of the end", end.Add(time.Second - 1), cloudfront.RuleEnd, cloudfront.RuleEnd},
		{"a second after the end", end.Add(time.Second), cloudfront.RuleEnd, cloudfront.RuleEnd},
		{"years after the end", end.AddDate(20, 0, 0), cloudfront.RuleEnd, cloudfront.RuleEnd},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, d := range []*cloudfront.Decider{new(cloudfront.Decider), cloudfront.NewDecider(cloudfront.Parity{}, 10)} {
				for range 2 {
					if got := d.Decide(cloudfront.Request{URL: inCastle, Cookies: []string{s.cookies()}}, trusted(t), tt.at); got.Rule != tt.custom {
						t.Errorf("Decide(custom) at %s = %+v, want rule %q", tt.at, got, tt.custom)
					}
					if got := d.Decide(cloudfront.Request{URL: inCastle, Cookies: []string{canned.cookies()}}, trusted(t), tt.at); got.Rule != tt.canned {
						t.Errorf("Decide(canned) at %s = %+v, want rule %q", tt.at, got, tt.canned)
					}
				}
			}
		})
	}
}

func TestDecideAddress(t *testing.T) {
	tests := []struct {
		network, ip string
		want        bool
	}{
		{"192.0.2.0/24", "192.0.2.0", true},
		{"192.0.2.0/24", "192.0.2.255", true},
		{"192.0.2.0/24", "192.0.3.0", false},
		{"192.0.2.77/24", "192.0.2.1", true},
		{"192.0.2.1/32", "192.0.2.1", true},
		{"192.0.2.1/32", "192.0.2.2", false},
		{"192.0.2.0/24", "::ffff:192.0.2.7", true},
		{"192.0.2.0/24", "::ffff:192.0.3.7", false},
		{"192.0.2.0/24", "2001:db8::1", false},
		{"192.0.2.0/24", "::192.0.2.7", false},
		{"0.0.0.0/0", "203.0.113.9", true},
		{"0.0.0.0/0", "2001:db8::1", false},
		{"0.0.0.0/0", "", false},
		{"192.0.2.0/24", "", false},
	}
	for _, tt := range tests {
		t.Run(tt.ip+" in "+tt.network, func(t *testing.T) {
			d := newDraft()
			d.network, d.ip = tt.network, netip.Addr{}
			if tt.ip != "" {
				d.ip = netip.MustParseAddr(tt.ip)
			}
			got := new(cloudfront.Decider).Decide(d.request(), trusted(t), d.at)
			if want := (cloudfront.Decision{Code: cloudfront.AccessDenied, Rule: cloudfront.RuleAddress}); got.Allowed != tt.want || !tt.want && got != want {
				t.Errorf("Decide = %+v, want allowed %t", got, tt.want)
			}
		})
	}
}

// TestDecideParity switches each point on and off.
func TestDecideParity(t *testing.T) {
	everything := strings.Replace(policyText("", end), `"Resource":"",`, "", 1)
	sha1 := sealedWith(ecID, ecKey(), cloudfront.SHA1, policyText("https://media.example.org/castle/*", end))
	started := sealed(policyText("https://media.example.org/castle/*", end, fmt.Sprintf(`"DateGreaterThan":{"AWS:EpochTime":%d}`, noon.Unix())))
	tests := []struct {
		name   string
		parity cloudfront.Parity
		sent   sent
		url    string
		at     time.Time
		off    cloudfront.Rule
		on     cloudfront.Rule // empty means allowed
	}{
		{"ECDSA with SHA1", cloudfront.Parity{AllowECDSASHA1: true}, sha1, inCastle, noon, cloudfront.RuleSignature, ""},
		{"no resource", cloudfront.Parity{AllowMissingResource: true}, sealed(everything), "http://any.example/thing?x#y", noon, cloudfront.RulePolicyText, ""},
		{"no resource, ended", cloudfront.Parity{AllowMissingResource: true}, sealed(everything), inCastle, end, cloudfront.RulePolicyText, cloudfront.RuleEnd},
		{"the end", cloudfront.Parity{AllowExpiryInstant: true}, castle(), inCastle, end, cloudfront.RuleEnd, ""},
		{"after the end", cloudfront.Parity{AllowExpiryInstant: true}, castle(), inCastle, end.Add(time.Second), cloudfront.RuleEnd, cloudfront.RuleEnd},
		{"skew at the end", cloudfront.Parity{Skew: 5 * time.Second}, castle(), inCastle, end.Add(4 * time.Second), cloudfront.RuleEnd, ""},
		{"beyond the skew", cloudfront.Parity{Skew: 5 * time.Second}, castle(), inCastle, end.Add(5 * time.Second), cloudfront.RuleEnd, cloudfront.RuleEnd},
		{"skew and the end", cloudfront.Parity{Skew: 5 * time.Second, AllowExpiryInstant: true}, castle(), inCastle, end.Add(5 * time.Second), cloudfront.RuleEnd, ""},
		{"skew at the start", cloudfront.Parity{Skew: 5 * time.Second}, started, inCastle, noon.Add(-4 * time.Second), cloudfront.RuleStart, ""},
		{"before the skew", cloudfront.Parity{Skew: 5 * time.Second}, started, inCastle, noon.Add(-5 * time.Second), cloudfront.RuleStart, cloudfront.RuleStart},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			request := cloudfront.Request{URL: tt.url, Cookies: []string{tt.sent.cookies()}}
			if got := new(cloudfront.Decider).Decide(request, trusted(t), tt.at); got.Rule != tt.off {
				t.Errorf("switched off: Decide = %+v, want rule %q", got, tt.off)
			}
			if got := cloudfront.NewDecider(tt.parity, 10).Decide(request, trusted(t), tt.at); got.Rule != tt.on || got.Allowed != (tt.on == "") {
				t.Errorf("switched on: Decide = %+v, want rule %q", got, tt.on)
			}
		})
	}
}

// TestDecideKeyGroups: a key counts only in the group of this behavior, under
// its own ID.
func TestDecideKeyGroups(t *testing.T) {
	request := cloudfront.Request{URL: inCastle, Cookies: []string{castle().cookies()}}
	tests := []struct {
		name  string
		group cloudfront.KeyGroup
		want  cloudfront.Rule
	}{
		{"its own", trusted(t), ""},
		{"nobody", cloudfront.KeyGroup{}, cloudfront.RuleKeyGroup},
		{"another behavior's", cloudfront.NewKeyGroup(publicKey(t, rsaID, rsaKey())), cloudfront.RuleKeyGroup},
		{"under another ID", cloudfront.NewKeyGroup(publicKey(t, "K2", ecKey())), cloudfront.RuleKeyGroup},
		{"another key under the ID", cloudfront.NewKeyGroup(publicKey(t, ecID, otherKey()), publicKey(t, "K2", ecKey())), cloudfront.RuleSignature},
		{"RSA key under the ID", cloudfront.NewKeyGroup(publicKey(t, ecID, rsaKey())), cloudfront.RuleSignature},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := new(cloudfront.Decider).Decide(request, tt.group, noon); got.Rule != tt.want {
				t.Errorf("Decide = %+v, want rule %q", got, tt.want)
			}
		})
	}
}

// TestDecideCanned: a canned policy opens the one URL that it was made for.
func TestDecideCanned(t *testing.T) {
	url := "https://media.example.org/castle/map.pdf?lang=en&v=2"
	s := sealedCanned(url, end)
	star := sealedCanned("https://media.example.org/castle/*", end)
	edit := func(s sent, expires string) sent { s.expires = expires; return s }
	tests := []struct {
		name string
		url  string
		sent sent
		want cloudfront.Rule
	}{
		{"the URL", url, s, ""},
		{"query in another order", "https://media.example.org/castle/map.pdf?v=2&lang=en", s, cloudfront.RuleSignature},
		{"without query", "https://media.example.org/castle/map.pdf", s, cloudfront.RuleSignature},
		{"with more query", url + "&x", s, cloudfront.RuleSignature},
		{"escaped", "https://media.example.org/castle/%6Dap.pdf?lang=en&v=2", s, cloudfront.RuleSignature},
		{"http", "http://media.example.org/castle/map.pdf?lang=en&v=2", s, cloudfront.RuleSignature},
		{"other host", "https://other.example.org/castle/map.pdf?lang=en&v=2", s, cloudfront.RuleSignature},
		{"fragment", url + "#x", s, ""},
		{"wildcard", inCastle, star, cloudfront.RuleSignature},
		{"later", url, edit(s, fmt.Sprint(end.Unix()+1)), cloudfront.RuleSignature},
		{"zero before", url, edit(s, "0"+s.expires), cloudfront.RulePolicyText},
		{"plus", url, edit(s, "+"+s.expires), cloudfront.RulePolicyText},
		{"fraction", url, edit(s, s.expires+".0"), cloudfront.RulePolicyText},
		{"space", url, edit(s, s.expires+" 1"), cloudfront.RulePolicyText},
		{"zero", url, edit(s, "0"), cloudfront.RulePolicyText},
		{"negative", url, edit(s, "-1"), cloudfront.RulePolicyText},
		{"beyond 32 bits", url, edit(s, "2147483648"), cloudfront.RulePolicyText},
		{"beyond 64 bits", url, edit(s, "18446744073709551617"), cloudfront.RulePolicyText},
		{"JSON", url, edit(s, s.expires+`}},"x":{"y":{"z":1`), cloudfront.RulePolicyText},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := decide(t, tt.url, tt.sent.cookies()); got.Rule != tt.want {
				t.Errorf("Decide(%q) with cookies = %+v, want rule %q", tt.url, got, tt.want)
			}
			if strings.Contains(tt.url, "#") || strings.Contains(tt.sent.expires, `"`) {
				return
			}
			if got := decide(t, tt.sent.on(tt.url), ""); got.Rule != tt.want {
				t.Errorf("Decide(%q) = %+v, want rule %q", tt.sent.on(tt.url), got, tt.want)
			}
		})
	}
}
