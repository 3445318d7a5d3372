package explain_test

import (
	"encoding/json"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/handstamp/handstamp/pkg/cloudfront"
	"github.com/handstamp/handstamp/pkg/explain"
)

// leaks returns where a report shows one of the secrets, or nothing.
func leaks(r *explain.Report, secrets ...string) string {
	asJSON, err := json.Marshal(r)
	if err != nil {
		return "no JSON: " + err.Error()
	}
	for _, secret := range secrets {
		for _, text := range []string{string(asJSON), describe(r)} {
			if len(secret) >= 16 && strings.Contains(text, secret) {
				return text
			}
		}
	}
	return ""
}

// No trap makes a report show a signature or a whole cookie.
func TestTrapsKeepSecrets(t *testing.T) {
	for _, tt := range traps {
		in := tt.in()
		var secrets []string
		headers := in.Cookies
		for _, a := range in.Earlier {
			headers = append(headers, a.SetCookie...)
		}
		for _, header := range headers {
			for pair := range strings.SplitSeq(header, "; ") {
				if name, value, _ := strings.Cut(pair, "="); name == cloudfront.CookieSignature || name == cloudfront.CookiePolicy && !strings.HasPrefix(value, "{") {
					secrets = append(secrets, value)
				}
			}
		}
		if u, err := url.Parse(in.URL); err == nil {
			secrets = append(secrets, u.Query().Get("Signature"), u.Query().Get("amp;Signature"), u.Query().Get("Policy"))
		}
		if text := leaks(explain.Explain(in), secrets...); text != "" {
			t.Errorf("%s: the report shows a secret:\n%s", tt.name, text)
		}
	}
}

// A signature in the wrong place stays out of the report as well.
func TestMisplacedSecrets(t *testing.T) {
	s := good()
	tests := map[string]explain.Input{
		"as the ID":             request(inCastle, sent{policy: s.policy, signature: s.signature, id: s.signature}),
		"as the hash":           request(inCastle, sent{policy: s.policy, signature: s.signature, id: s.id, hash: s.signature}),
		"as the expiry":         request(inCastle, sent{expires: s.signature, signature: s.signature, id: s.id}),
		"in lower case":         {URL: inCastle + "?signature=" + s.signature, Keys: trusted(), At: noon},
		"in the fragment":       {URL: inCastle + "#Signature=" + s.signature + "&Key-Pair-Id=x", Keys: trusted(), At: noon},
		"in the path":           request("https://media.example.org/castle/"+s.signature, s),
		"in the Resource":       request(inCastle, sealed(policyText(inCastle+"?Signature="+s.signature, soon))),
		"of S3":                 request(inCastle+"?X-Amz-Signature="+s.signature, s),
		"as a cookie in small":  {URL: inCastle, Cookies: []string{strings.ToLower("CloudFront-Signature") + "=" + s.signature}, Keys: trusted(), At: noon},
		"in what was set":       fresh(inCastle, "", answer(api, s.set("; Path=/zoo/")...)),
		"in the page's address": {URL: inCastle, Page: "https://app.example.com/?Signature=" + s.signature, Keys: trusted(), At: noon, Earlier: []explain.Answer{answer(api, s.set(secure)...)}},
	}
	for name, in := range tests {
		if text := leaks(explain.Explain(in), s.signature, s.policy); text != "" {
			t.Errorf("%s: the report shows it:\n%s", name, text)
		}
	}
}

func FuzzExplain(f *testing.F) {
	s := good()
	f.Add(inCastle, s.cookies()[0], s.set(secure)[0], app, "192.0.2.7", denied.Body())
	f.Add(s.on(inCastle), "", "", "", "", "")
	f.Add("http://[::1]:80/a?b#c", "CloudFront-Signature=\"x\"; CloudFront-Policy=%7B", "CloudFront-Policy=x; Domain=.com; Path=/*", "::", "::1", s3Denied)
	for _, tt := range traps {
		if in := tt.in(); len(in.Cookies) > 0 {
			f.Add(in.URL, in.Cookies[0], "", in.Page, "", in.Response.Body)
		}
	}
	f.Fuzz(func(t *testing.T, address, cookie, set, page, ip, body string) {
		in := explain.Input{URL: address, Cookies: []string{cookie}, Page: page, Keys: trusted(), At: noon,
			Earlier: []explain.Answer{{URL: page, SetCookie: []string{set}}}, Response: explain.Response{Status: 403, Body: body}}
		in.IP, _ = netip.ParseAddr(ip)
		r := explain.Explain(in)
		checkReport(t, r)
		var secrets []string
		for pair := range strings.SplitSeq(cookie, ";") {
			if name, value, _ := strings.Cut(strings.Trim(pair, " \t"), "="); name == cloudfront.CookieSignature {
				secrets = append(secrets, value)
			}
		}
		if text := leaks(r, secrets...); text != "" {
			t.Errorf("the report shows a signature:\n%s", text)
		}
	})
}

func FuzzReadHAR(f *testing.F) {
	f.Add([]byte(archive(entry("GET", inCastle, 403, []header{{"Cookie", good().cookies()[0]}}, []header{{"Set-Cookie", "a=b\nc=d"}}, denied.Body()))))
	f.Add([]byte(`{"log":{"entries":[{"request":{"url":"x"},"response":{"content":{"encoding":"base64","text":"!"}}}]}}`))
	f.Fuzz(func(t *testing.T, text []byte) { readAnd(t, explain.ReadHAR, text) })
}

func FuzzReadCurl(f *testing.F) {
	f.Add([]byte(transcript("443", "/castle/a.m4a", good().cookies()[0], denied.Body(), "HTTP/2 403 ", dated1203)))
	f.Add([]byte("> GET / HTTP/1.1\n> Host: a\n< HTTP/1.1 abc\n<\n< x\n<y"))
	f.Fuzz(func(t *testing.T, text []byte) { readAnd(t, explain.ReadCurl, text) })
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(inCastle + "\nCookie: a=b\nHTTP/1.1 403\n\n<x>"))
	f.Add([]byte("curl $'\\n' 'https://a/' -H \"a: \\\"b\" -b x=y \\"))
	f.Add([]byte("https://a/\nCloudFront-Policy\tx\ta\t/\n.a\tTRUE\t/\tTRUE\t0\tn\tv"))
	f.Fuzz(func(t *testing.T, text []byte) { readAnd(t, explain.Read, text) })
}

// readAnd explains what was found in text.
func readAnd(t *testing.T, read func([]byte) ([]explain.Input, error), text []byte) {
	found, err := read(text)
	if (err == nil) != (len(found) > 0) {
		t.Fatalf("read = %d requests, %v", len(found), err)
	}
	for _, in := range explain.Refused(found)[:min(len(found), 3, len(explain.Refused(found)))] {
		in.Keys = trusted()
		checkReport(t, explain.Explain(in))
	}
}
