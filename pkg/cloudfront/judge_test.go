package cloudfront_test

import (
	"crypto"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/cloudfront"
)

// A draft is a good request, to be broken before it is signed and sent.
type draft struct {
	url, resource string
	start, end    time.Time
	network       string
	text          string // instead of the policy made from the above
	key           crypto.Signer
	change        []func(*sent)
	more          []string // further Cookie headers
	at            time.Time
	ip            netip.Addr
}

func newDraft() *draft {
	return &draft{url: inCastle, resource: "https://media.example.org/castle/*", start: noon.Add(-time.Minute), end: end,
		network: "192.0.2.0/24", key: ecKey(), at: noon, ip: netip.MustParseAddr("192.0.2.7")}
}

func (d *draft) sent() sent {
	text := d.text
	if text == "" {
		text = policyText(d.resource, d.end, fmt.Sprintf(`"DateGreaterThan":{"AWS:EpochTime":%d}`, d.start.Unix()),
			fmt.Sprintf(`"IpAddress":{"AWS:SourceIp":"%s"}`, d.network))
	}
	s := sealedWith(ecID, d.key, cloudfront.SHA256, text)
	for _, change := range d.change {
		change(&s)
	}
	return s
}

func (d *draft) request() cloudfront.Request {
	return cloudfront.Request{URL: d.url, Cookies: append([]string{d.sent().cookies()}, d.more...), IP: d.ip}
}

func (d *draft) query(pair string) {
	separator := "?"
	if strings.Contains(d.url, "?") {
		separator = "&"
	}
	d.url += separator + pair
}

// breakages break one rule each, in the order in which the rules are checked.
var breakages = []struct {
	name string
	rule cloudfront.Rule
	code cloudfront.Code
	do   func(*draft)
}{
	{"long URL", cloudfront.RuleSize, cloudfront.TooLarge, func(d *draft) { d.query(strings.Repeat("x", 8192)) }},
	{"odd query", cloudfront.RuleQueryNames, cloudfront.AccessDenied, func(d *draft) { d.query("expires=1") }},
	{"no ID", cloudfront.RuleKeyPairID, cloudfront.MissingKey, func(d *draft) { d.change = append(d.change, func(s *sent) { s.id = "" }) }},
	{"no signature", cloudfront.RuleSignaturePresent, cloudfront.MissingKey, func(d *draft) { d.change = append(d.change, func(s *sent) { s.signature = "" }) }},
	{"two policies", cloudfront.RuleDuplicates, cloudfront.AccessDenied, func(d *draft) { d.more = append(d.more, "CloudFront-Policy=x; CloudFront-Policy=y") }},
	{"unknown ID", cloudfront.RuleKeyGroup, cloudfront.InvalidKey, func(d *draft) { d.change = append(d.change, func(s *sent) { s.id = "KUNKNOWN" }) }},
	{"unknown hash", cloudfront.RuleHash, cloudfront.AccessDenied, func(d *draft) { d.change = append(d.change, func(s *sent) { s.hash = "sha256" }) }},
	{"base64url", cloudfront.RuleSignatureEncoding, cloudfront.MalformedSignature, func(d *draft) { d.change = append(d.change, func(s *sent) { s.signature = "MEUCIQ==" }) }},
	{"no policy", cloudfront.RulePolicyPresent, cloudfront.MalformedPolicy, func(d *draft) { d.change = append(d.change, func(s *sent) { s.policy = "" }) }},
	{"empty policy", cloudfront.RulePolicyText, cloudfront.MalformedPolicy, func(d *draft) { d.text = "{}" }},
	{"other key", cloudfront.RuleSignature, cloudfront.AccessDenied, func(d *draft) { d.key = otherKey() }},
	{"too early", cloudfront.RuleStart, cloudfront.AccessDenied, func(d *draft) { d.start = d.at }},
	{"too late", cloudfront.RuleEnd, cloudfront.AccessDenied, func(d *draft) { d.end = d.at }},
	{"elsewhere", cloudfront.RuleAddress, cloudfront.AccessDenied, func(d *draft) { d.network = "198.51.100.0/24" }},
	{"other prefix", cloudfront.RuleResource, cloudfront.AccessDenied, func(d *draft) { d.resource = "https://media.example.org/zoo/*" }},
}

// TestDecideRules breaks every rule alone, then every pair of them: the first
// in order is the answer.
func TestDecideRules(t *testing.T) {
	decider, group := new(cloudfront.Decider), trusted(t)
	if got := decider.Decide(newDraft().request(), group, noon); got != (cloudfront.Decision{Allowed: true}) {
		t.Fatalf("Decide about the unbroken request = %+v, want it allowed", got)
	}
	for i, first := range breakages {
		for _, second := range breakages[i:] {
			t.Run(first.name+" and "+second.name, func(t *testing.T) {
				d := newDraft()
				second.do(d)
				first.do(d) // where both touch the same, the first wins
				want := cloudfront.Decision{Code: first.code, Rule: first.rule}
				if got := decider.Decide(d.request(), group, d.at); got != want {
					t.Errorf("Decide = %+v, want %+v", got, want)
				}
				if trace := decider.Trace(d.request(), group, d.at); trace.Decision != want {
					t.Errorf("Trace = %+v, want %+v", trace.Decision, want)
				}
			})
		}
	}
}

// TestDecideCodes: further ways to break a rule.
func TestDecideCodes(t *testing.T) {
	set := func(change func(*sent)) func(*draft) {
		return func(d *draft) { d.change = append(d.change, change) }
	}
	with := func(cookie string) func(*draft) { return func(d *draft) { d.more = append(d.more, cookie) } }
	hash := func(value string) func(*draft) {
		return func(d *draft) {
			set(func(s *sent) { s.hash = "" })(d)
			with("CloudFront-Hash-Algorithm=" + value)(d)
		}
	}
	tests := []struct {
		name string
		do   func(*draft)
		code cloudfront.Code
		rule cloudfront.Rule
	}{
		{"no cookies", set(func(s *sent) { *s = sent{} }), cloudfront.MissingKey, cloudfront.RuleKeyPairID},
		{"ID empty", func(d *draft) {
			set(func(s *sent) { s.id = "" })(d)
			with("CloudFront-Key-Pair-Id=")(d)
		}, cloudfront.MissingKey, cloudfront.RuleKeyPairID},
		{"PEM as ID", set(func(s *sent) { s.id = "-----BEGIN PUBLIC KEY-----" }), cloudfront.MissingKey, cloudfront.RuleKeyPairID},
		{"ID in lower case", set(func(s *sent) { s.id = strings.ToLower(s.id) }), cloudfront.InvalidKey, cloudfront.RuleKeyGroup},
		{"ID quoted", set(func(s *sent) { s.id = `"` + s.id + `"` }), cloudfront.MissingKey, cloudfront.RuleKeyPairID},
		{"policy quoted", set(func(s *sent) { s.policy = `"` + s.policy + `"` }), cloudfront.MalformedPolicy, cloudfront.RulePolicyText},
		{"signature quoted", set(func(s *sent) { s.signature = `"` + s.signature + `"` }), cloudfront.MalformedSignature, cloudfront.RuleSignatureEncoding},
		{"ID of the RSA key", set(func(s *sent) { s.id = rsaID }), cloudfront.AccessDenied, cloudfront.RuleSignature},
		{"no hash", set(func(s *sent) { s.hash = "" }), cloudfront.AccessDenied, cloudfront.RuleSignature},
		{"hash SHA1", set(func(s *sent) { s.hash = "SHA1" }), cloudfront.AccessDenied, cloudfront.RuleSignature},
		{"hash empty", hash(""), cloudfront.AccessDenied, cloudfront.RuleHash},
		{"hash sha256", hash("sha256"), cloudfront.AccessDenied, cloudfront.RuleHash},
		{"hash MD5", hash("MD5"), cloudfront.AccessDenied, cloudfront.RuleHash},
		{"hash SHA512", hash("SHA512"), cloudfront.AccessDenied, cloudfront.RuleHash},
		{"two hashes in one", hash("SHA256,SHA1"), cloudfront.AccessDenied, cloudfront.RuleHash},
		{"two hashes", with("CloudFront-Hash-Algorithm=SHA1"), cloudfront.AccessDenied, cloudfront.RuleDuplicates},
		{"two IDs", with("CloudFront-Key-Pair-Id=" + rsaID), cloudfront.AccessDenied, cloudfront.RuleDuplicates},
		{"second ID empty", with("CloudFront-Key-Pair-Id="), cloudfront.AccessDenied, cloudfront.RuleDuplicates},
		{"two signatures", with("CloudFront-Signature=AAAA"), cloudfront.AccessDenied, cloudfront.RuleDuplicates},
		{"Expires beside Policy", with("CloudFront-Expires=1782908100"), cloudfront.MalformedPolicy, cloudfront.RulePolicyPresent},
		{"empty Expires beside Policy", with("CloudFront-Expires="), cloudfront.MalformedPolicy, cloudfront.RulePolicyPresent},
		{"policy in another name", func(d *draft) {
			set(func(s *sent) { s.policy = "" })(d)
			with("cloudfront-policy=" + d.sent().policy)(d)
		}, cloudfront.MalformedPolicy, cloudfront.RulePolicyPresent},
		{"policy in base64url", set(func(s *sent) { s.policy = strings.ReplaceAll(s.policy, "_", "=") }), cloudfront.MalformedPolicy, cloudfront.RulePolicyText},
		{"policy unpadded", set(func(s *sent) { s.policy = strings.TrimRight(s.policy, "_") + "A" }), cloudfront.MalformedPolicy, cloudfront.RulePolicyText},
		{"signature empty", set(func(s *sent) { s.signature = "_" }), cloudfront.MalformedSignature, cloudfront.RuleSignatureEncoding},
		{"signature escaped", set(func(s *sent) { s.signature = strings.ReplaceAll(s.signature, "_", "%5F") + "%" }), cloudfront.MalformedSignature, cloudfront.RuleSignatureEncoding},
		{"signature of 10 KiB", set(func(s *sent) { s.signature = base64URL(make([]byte, 10<<10)) }), cloudfront.AccessDenied, cloudfront.RuleSignature},
		{"r and s joined", set(func(s *sent) { s.signature = base64URL(make([]byte, 64)) }), cloudfront.AccessDenied, cloudfront.RuleSignature},
		{"start after end", func(d *draft) { d.start = d.end.Add(time.Second) }, cloudfront.AccessDenied, cloudfront.RuleStart},
		{"start is end", func(d *draft) { d.start = d.end }, cloudfront.AccessDenied, cloudfront.RuleStart},
		{"start is end, both past", func(d *draft) { d.start, d.at = d.end, d.end.Add(time.Hour) }, cloudfront.AccessDenied, cloudfront.RuleStart},
		{"cookies of 32 KiB", with("x=" + strings.Repeat("x", 32768)), cloudfront.TooLarge, cloudfront.RuleSize},
		{"milliseconds as Expires", func(d *draft) {
			set(func(s *sent) { s.policy, s.expires = "", "1782908100000" })(d)
		}, cloudfront.MalformedPolicy, cloudfront.RulePolicyText},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := newDraft()
			tt.do(d)
			got, want := new(cloudfront.Decider).Decide(d.request(), trusted(t), d.at), cloudfront.Decision{Code: tt.code, Rule: tt.rule}
			if got != want {
				t.Errorf("Decide = %+v, want %+v", got, want)
			}
		})
	}
}

// TestCodes holds the refusals to the lengths that have been seen.
func TestCodes(t *testing.T) {
	for code, size := range map[cloudfront.Code]int{
		cloudfront.MissingKey: 146, cloudfront.InvalidKey: 106, cloudfront.MalformedSignature: 131, cloudfront.MalformedPolicy: 116, cloudfront.AccessDenied: 110,
	} {
		if got := code.Body(); len(got) != size || code.Status() != 403 {
			t.Errorf("%s: status %d, %d bytes %s, want status 403, %d bytes", code, code.Status(), len(got), got, size)
		}
	}
	if want := `<?xml version="1.0" encoding="UTF-8"?><Error><Code>InvalidKey</Code><Message>Unknown Key</Message></Error>`; cloudfront.InvalidKey.Body() != want {
		t.Errorf("InvalidKey.Body() = %s, want %s", cloudfront.InvalidKey.Body(), want)
	}
	if got := cloudfront.TooLarge.Status(); got != 413 {
		t.Errorf("TooLarge.Status() = %d, want 413", got)
	}
}
