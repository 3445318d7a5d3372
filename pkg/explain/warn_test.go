package explain_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/explain"
)

// earlier is a request after an answer that set the good cookies.
func earlier(change func(*explain.Answer)) func() explain.Input {
	return func() explain.Input {
		a := answer(api, good().set(secure)...)
		a.Status, a.CacheControl = 200, "no-store"
		change(&a)
		return fresh(inCastle, "", a)
	}
}

func opened(in func() explain.Input, change func(*explain.Response)) func() explain.Input {
	return func() explain.Input {
		i := in()
		i.Response = explain.Response{Status: 200, Type: "audio/mp4"}
		change(&i.Response)
		return i
	}
}

func nothing() explain.Input { return explain.Input{URL: inCastle, Keys: trusted(), At: noon} }

// A risk is something that must be warned of.
type risk struct {
	name    string // begins with the id of the warning
	in      func() explain.Input
	allowed bool
}

var risks = []risk{
	{"S1 prefix without a slash", forResource("https://media.example.org/cas*", inCastle), true},
	{"S2 wildcard inside", forResource("https://media.example.org/*/audio/*", inCastle), true},
	{"S3 star", forResource("*", inCastle), true},
	{"S3 any host", forResource("https://*/castle/*", inCastle), true},
	{"S4 any scheme", forResource("*://media.example.org/castle/*", inCastle), true},
	{"S5 hosts of a domain", forResource("https://*.example.org/castle/*", inCastle), true},
	{"S6 dot segments", forResource(castle, "https://media.example.org/castle/../zoo/lion.m4a"), true},
	{"S6 encoded slash", forResource(castle, "https://media.example.org/castle/a%2Fb.m4a"), true},
	{"S7 open without cookies", opened(nothing, func(*explain.Response) {}), false},
	{"S7 S3 was asked", answered(nothing, 403, "application/xml", s3Denied), false},
	{"S8 parent domain", earlier(func(a *explain.Answer) { a.SetCookie = good().set("; Domain=example.org; Path=/castle/; Secure") }), true},
	{"S9 not no-store", earlier(func(a *explain.Answer) { a.CacheControl = "max-age=60" }), true},
	{"S9 from a cache", earlier(func(a *explain.Answer) { a.XCache = "Hit from cloudfront" }), true},
	{"S11 long-lived URL", func() explain.Input {
		return explain.Input{URL: canned(inCastle, noon.Add(240*time.Hour)).on(inCastle), Keys: trusted(), At: noon}
	}, true},
	{"S12 long-lived cookies", asking(inCastle, over(policyText(castle, noon.Add(30*time.Hour)))), true},
	{"S13 bucket answers by itself", opened(nothing, func(r *explain.Response) { r.Server = "AmazonS3" }), false},
	{"S14 private key as ID", changed(func(s *sent) { s.id = "-----BEGIN PRIVATE KEY-----" }), false},
	{"S18 page in place of a refusal", opened(nothing, func(r *explain.Response) { r.Type = "text/html" }), false},
	{"T2 page on another site", browsing(inCastle, "https://app.example.com/", setting(api, "; Path=/castle/; Secure; SameSite=None")), true},
	{"T29 milliseconds", func() explain.Input { return request(inCastle, sealed(inMillis(policyText(castle, soon)))) }, true},
	{"T30 clock ahead, no matter", func() explain.Input {
		in := request(inCastle, good())
		in.Response = explain.Response{Status: 200, Date: noon.Add(-2 * time.Minute)}
		return in
	}, true},
}

func TestWarnings(t *testing.T) {
	for _, tt := range risks {
		t.Run(tt.name, func(t *testing.T) {
			r := explain.Explain(tt.in())
			id, _, _ := strings.Cut(tt.name, " ")
			if r.Allowed != tt.allowed || !slices.Contains(ids(r.Warnings), id) {
				t.Errorf("Explain: allowed %v, warnings %v, want %v with %s\n%s", r.Allowed, ids(r.Warnings), tt.allowed, id, describe(r))
			}
			checkReport(t, r)
		})
	}
}

// A request of which nothing is wrong is warned of by nobody.
func TestNothingToSay(t *testing.T) {
	at := explain.Response{Status: 200, Date: noon.Add(30 * time.Second), Type: "audio/mp4"}
	quiet := map[string]func() explain.Input{
		"cookies":            asking(inCastle, good),
		"cookies with query": asking(inCastle+"?v=2", good),
		"jar":                earlier(func(*explain.Answer) {}),
		"signed URL": func() explain.Input {
			return explain.Input{URL: canned(inCastle, soon).on(inCastle), Keys: trusted(), At: noon}
		},
		"answered": func() explain.Input { in := request(inCastle, good()); in.Response = at; return in },
		"address":  from("192.0.2.9", "192.0.2.0/24"),
		"deletions": func() explain.Input {
			s := good()
			return fresh(inCastle, "https://media.example.org/", answer(api, append(s.set(secure), "CloudFront-Expires=; Path=/castle/; Max-Age=0")...))
		},
		"other attraction's cookies": func() explain.Input {
			zoo := sealedRSA(policyText("https://media.example.org/zoo/*", soon))
			return fresh(inCastle, "", answer(api, zoo.set("; Path=/zoo/; Secure")...), answer(api, good().set(secure)...))
		},
	}
	for name, in := range quiet {
		r := explain.Explain(in())
		if !r.Allowed || len(r.Causes)+len(r.Warnings) > 0 || r.Code != "" {
			t.Errorf("%s: Explain has something to say:\n%s", name, describe(r))
		}
	}
}

// T25: AWS contradicts itself about a bare "?", so it is named, as a cause or as
// a warning.
func TestT25BareQuestionMark(t *testing.T) {
	for _, resource := range []string{inCastle + "?v=2", inCastle + "?*"} {
		r := explain.Explain(forResource(resource, inCastle+"?v=2")())
		if all := append(ids(r.Causes), ids(r.Warnings)...); !slices.Contains(all, "T25") {
			t.Errorf("Resource %q: causes and warnings %v, want T25 among them", resource, all)
		}
		if escaped := explain.Explain(forResource(strings.Replace(resource, "?", `\\?`, 1), inCastle+"?v=2")()); !escaped.Allowed || slices.Contains(ids(escaped.Warnings), "T25") {
			t.Errorf("Resource %q, escaped: allowed %v, warnings %v, want it allowed without T25", resource, escaped.Allowed, ids(escaped.Warnings))
		}
	}
}

func TestReport(t *testing.T) {
	in := from("192.0.2.9", "192.0.2.0/24")()
	in.IP = netip.MustParseAddr("::ffff:192.0.2.9")
	r := explain.Explain(in)
	p := r.Policy
	if !r.Allowed || p == nil || p.Form != "custom" || p.In != "cookies" || p.Resource != castle || p.IPAddress != "192.0.2.0/24" || !p.Expires.Equal(soon) || p.NotBefore != nil || p.KeyPairID != ecID || p.Hash != "SHA256" || !strings.HasPrefix(p.Text, `{"Statement"`) {
		t.Errorf("Explain = %+v with policy %+v", r, p)
	}
	r = explain.Explain(explain.Input{URL: canned(inCastle, soon).on(inCastle + "?v=2"), Method: "get", At: noon})
	if p = r.Policy; p.Form != "canned" || p.In != "url" || r.URL != inCastle+"?v=2" || r.Method != "GET" || !r.At.Equal(noon) {
		t.Errorf("Explain of a signed URL = %+v with policy %+v", r, p)
	}
	if r := explain.Explain(explain.Input{URL: "::", At: time.Unix(1<<50, 0)}); r.Allowed || r.Policy != nil || r.At.Year() != 9999 {
		t.Errorf("Explain of nothing = %+v", r)
	}
	if r := explain.Explain(explain.Input{URL: inCastle}); time.Since(r.At) > time.Minute {
		t.Errorf("without a time, the request was judged at %v", r.At)
	}
}
