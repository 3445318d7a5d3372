package cloudfront_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/handstamp/handstamp/pkg/cloudfront"
)

// TestTraceIsDecide: a trace goes on after a failure, says the same as the
// decision, and its first failed step is the answer.
func TestTraceIsDecide(t *testing.T) {
	group := trusted(t)
	noise := rapid.SampledFrom([]string{
		"", "CloudFront-Policy=x", "CloudFront-Expires=1782908100", "CloudFront-Signature=", "CloudFront-Key-Pair-Id=" + rsaID, "CloudFront-Hash-Algorithm=SHA1",
		"a=b; ;; =; CloudFront-", "CloudFront-Policy", "\x00\xff",
	})
	queries := rapid.SampledFrom([]string{
		"", "x=1", "Expires=1", "Policy=", "Signature=AAAA", "Key-Pair-Id=" + ecID, "Hash-Algorithm=SHA256", "Expires=1782908100", "%zz", "x;Policy=1", "&&", "#",
	})
	rapid.Check(t, func(t *rapid.T) {
		d := newDraft()
		for _, b := range rapid.SliceOfN(rapid.SampledFrom(breakages), 0, 4).Draw(t, "breakages") {
			b.do(d)
		}
		d.more = append(d.more, rapid.SliceOfN(noise, 0, 2).Draw(t, "cookies")...)
		for _, q := range rapid.SliceOfN(queries, 0, 5).Draw(t, "query") {
			d.query(q)
		}
		decider := &cloudfront.Decider{Parity: cloudfront.Parity{
			AllowMissingResource: rapid.Bool().Draw(t, "missing"), AllowECDSASHA1: rapid.Bool().Draw(t, "sha1"),
			AllowExpiryInstant: rapid.Bool().Draw(t, "instant"), Skew: time.Duration(rapid.IntRange(0, 2).Draw(t, "skew")) * time.Second,
		}}
		checkTrace(t, decider, d.request(), group, d.at)
	})
}

func checkTrace(t rapid.TB, decider *cloudfront.Decider, r cloudfront.Request, group cloudfront.KeyGroup, at time.Time) {
	t.Helper()
	want, trace := decider.Decide(r, group, at), decider.Trace(r, group, at)
	if trace.Decision != want {
		t.Fatalf("Trace(%+v) = %+v, want %+v as Decide says", r, trace.Decision, want)
	}
	first := slices.IndexFunc(trace.Steps, func(s cloudfront.Step) bool { return !s.Passed })
	switch {
	case len(trace.Steps) != len(breakages):
		t.Fatalf("Trace has %d steps, want %d", len(trace.Steps), len(breakages))
	case first < 0 != want.Allowed:
		t.Fatalf("Trace(%+v) fails at step %d, but Decide says %+v", r, first, want)
	case first >= 0 && (trace.Steps[first].Rule != want.Rule || trace.Steps[first].Code != want.Code):
		t.Fatalf("Trace(%+v) fails at %+v, but Decide says %+v", r, trace.Steps[first], want)
	}
	for _, s := range trace.Steps {
		if s.Passed == (s.Code != "" || s.Skipped) || s.Found == "" || s.Looked == "" || s.Basis == "" {
			t.Fatalf("step %+v contradicts itself or says nothing", s)
		}
	}
}

// TestTraceGoesOn: everything wrong with a request shows at once.
func TestTraceGoesOn(t *testing.T) {
	d := newDraft()
	for _, b := range breakages[10:] {
		b.do(d)
	}
	var got []cloudfront.Rule
	for _, s := range new(cloudfront.Decider).Trace(d.request(), trusted(t), d.at).Steps {
		if s.Code != "" {
			got = append(got, s.Rule)
		}
	}
	want := []cloudfront.Rule{cloudfront.RuleSignature, cloudfront.RuleStart, cloudfront.RuleEnd, cloudfront.RuleAddress, cloudfront.RuleResource}
	if !slices.Equal(got, want) {
		t.Errorf("failed rules = %v, want %v", got, want)
	}
}

// TestTraceSkips: what is not there is neither right nor wrong.
func TestTraceSkips(t *testing.T) {
	var got []cloudfront.Rule
	for _, s := range new(cloudfront.Decider).Trace(cloudfront.Request{URL: inCastle}, trusted(t), noon).Steps {
		if s.Skipped {
			got = append(got, s.Rule)
		}
	}
	want := []cloudfront.Rule{cloudfront.RuleSignatureEncoding, cloudfront.RulePolicyText, cloudfront.RuleSignature,
		cloudfront.RuleStart, cloudfront.RuleEnd, cloudfront.RuleAddress, cloudfront.RuleResource}
	if !slices.Equal(got, want) {
		t.Errorf("skipped without cookies = %v, want %v", got, want)
	}
}

// A trace is shown to people: it has no signature and no whole cookie.
func TestTraceKeepsSecrets(t *testing.T) {
	d := newDraft()
	s := d.sent()
	for _, step := range new(cloudfront.Decider).Trace(cloudfront.Request{URL: d.url, Cookies: []string{s.cookies()}, IP: d.ip}, trusted(t), d.at).Steps {
		if strings.Contains(step.Found, s.signature) || strings.Contains(step.Found, s.policy) {
			t.Errorf("step %s shows a credential: %s", step.Rule, step.Found)
		}
	}
	url := s.on(d.url)
	for _, step := range new(cloudfront.Decider).Trace(cloudfront.Request{URL: url, IP: d.ip}, trusted(t), d.at).Steps {
		if strings.Contains(step.Found, s.signature) || strings.Contains(step.Found, s.policy) {
			t.Errorf("step %s of a signed URL shows a credential: %s", step.Rule, step.Found)
		}
	}
}

func TestFacts(t *testing.T) {
	d := newDraft()
	got := new(cloudfront.Decider).Trace(d.request(), trusted(t), d.at).Facts
	if got.KeyPairID != ecID || got.Key.ID() != ecID || got.Hash != cloudfront.SHA256 || got.HashSent != "SHA256" || !got.HasHash || got.Canned || got.SignedURL ||
		!got.HasPolicy || got.HasExpires || !got.HasAnything || got.Resource != d.resource || !got.End.Equal(d.end) || !got.NotBefore.Equal(d.start) ||
		got.Network.String() != d.network || got.URL != d.url || len(got.Raw) == 0 || base64URL(got.Text) != got.Policy {
		t.Errorf("Facts = %+v", got)
	}
	canned := sealedCanned(inCastle+"?x=1", end)
	got = new(cloudfront.Decider).Trace(cloudfront.Request{URL: canned.on(inCastle + "?x=1")}, trusted(t), noon).Facts
	if !got.SignedURL || !got.Canned || got.Expires != canned.expires || got.Signature != canned.signature || got.URL != inCastle+"?x=1" ||
		got.Resource != inCastle+"?x=1" || !got.NotBefore.IsZero() || got.Network.IsValid() {
		t.Errorf("Facts of a canned URL = %+v", got)
	}
	if got = new(cloudfront.Decider).Trace(cloudfront.Request{URL: inCastle}, trusted(t), noon).Facts; got.HasAnything || !got.End.IsZero() {
		t.Errorf("Facts of nothing = %+v", got)
	}
}

// FuzzDecide: no URL and no cookie makes the decision panic, be allowed without
// a signature, or differ from its trace.
func FuzzDecide(f *testing.F) {
	good := castle()
	f.Add(inCastle, good.cookies())
	f.Add(good.on(inCastle), "")
	f.Add(inCastle+"?Policy", "CloudFront-Policy=x; CloudFront-Policy")
	f.Add("://?#&=;%", "=;=;\x00")
	f.Add(inCastle+"?x;Policy=1&%50olicy=2&expires=3&%zz", good.cookies()+"; "+good.cookies())
	group := trusted(f)
	f.Fuzz(func(t *testing.T, url, cookie string) {
		r := cloudfront.Request{URL: url, Cookies: []string{cookie}}
		for _, parity := range []cloudfront.Parity{{}, {AllowECDSASHA1: true, AllowMissingResource: true, AllowExpiryInstant: true}} {
			checkTrace(t, &cloudfront.Decider{Parity: parity}, r, group, noon)
		}
		if got := new(cloudfront.Decider).Decide(r, group, noon); got.Allowed && !strings.Contains(url+cookie, good.signature) {
			t.Errorf("Decide(%q, %q) = %+v without a signature", url, cookie, got)
		}
	})
}
