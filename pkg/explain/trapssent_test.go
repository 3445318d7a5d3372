package explain_test

import (
	"crypto"
	"fmt"
	"strings"
	"time"

	"github.com/handstamp/handstamp/pkg/cloudfront"
	"github.com/handstamp/handstamp/pkg/explain"
)

// The way to CloudFront: what a browser would not send.
var onTheWay = []trap{
	{"T1 host-only cookie of the API host", browsing(inCastle, "https://app.example.org/", setting("https://api.example.org/v1/tickets/verify", "; Path=/castle/; Secure")), missing, proved, "belongs to api.example.org alone", nil, []string{"T3", "T6"}},
	{"T1 Domain of another host", browsing(inCastle, "", setting("https://api.example.org/", "; Domain=api.example.org; Path=/; Secure")), missing, proved, "does not cover media.example.org", nil, nil},
	{"T1 Domain of strangers", browsing(inCastle, "", setting("https://api.example.org/", "; Domain=example.com; Path=/; Secure")), missing, proved, "may not set a cookie for", nil, nil},
	{"T1 public suffix", browsing("https://d111111abcdef8.cloudfront.net/castle/a.m4a", "", setting("https://d222222abcdef8.cloudfront.net/v1/", "; Domain=cloudfront.net; Path=/; Secure")), missing, proved, "public suffix", nil, nil},
	{"T2 page on another site", browsing(inCastle, "https://app.example.com/guide", setting(api, secure)), missing, proved, "on another site", nil, nil},
	{"T2 http page, https content", browsing(inCastle, "http://media.example.org/", setting(api, secure)), missing, proved, "on another site", nil, nil},
	{"T2 None without Secure", browsing(inCastle, "https://app.example.com/", setting(api, "; Path=/castle/; SameSite=None")), missing, proved, "needs Secure", nil, nil},
	{"T2 third-party cookies blocked", recorded(browsing(inCastle, "https://app.example.com/", setting(api, "; Path=/castle/; Secure; SameSite=None"))), missing, likely, "blocks third-party cookies", []string{"T3"}, nil},
	{"T3 without credentials mode", recorded(browsing(inCastle, "https://app.example.org/", setting(api, secure))), missing, proved, "went without them", nil, []string{"T1", "T2"}},
	{"T3 nothing known", func() explain.Input { return explain.Input{URL: inCastle, Keys: trusted(), At: noon} }, missing, likely, "No cookie at all", []string{"T1", "T2", "T6", "T8"}, []string{"T5"}},
	{"T4 preflight", func() explain.Input {
		return explain.Input{URL: inCastle, Method: "options", Keys: trusted(), At: noon}
	}, missing, proved, "preflight", nil, []string{"T1", "T3"}},
	{"T5 Secure cookie, http request", browsing("http://media.example.org/castle/a.m4a", "http://media.example.org/", setting(api, secure)), missing, proved, "is Secure", nil, nil},
	{"T5 Secure cookie set over http", browsing(inCastle, "", setting("http://media.example.org/v1/tickets/verify", secure)), missing, proved, "was set over http", nil, nil},
	{"T5 http request, nothing known", func() explain.Input { return explain.Input{URL: "http://media.example.org/castle/a", Keys: trusted()} }, missing, likely, "over http", []string{"T1", "T3"}, nil},
	{"T6 Path with a star", browsing(inCastle, "", setting(api, "; Path=/castle/*; Secure")), missing, proved, "literally", nil, []string{"T1", "T3"}},
	{"T6 Path of another prefix", browsing(inCastle, "", setting(api, "; Path=/zoo/; Secure")), missing, proved, `Path "/zoo/"`, nil, nil},
	{"T6 no Path", browsing(inCastle, "", setting(api, "; Secure")), missing, proved, `Path "/v1/tickets"`, nil, nil},
	{"T7 one of the cookies", changed(func(s *sent) { s.signature, s.hash = "", "" }), missing, likely, "CloudFront-Signature did not arrive", nil, nil},
	{"T7 no key pair ID, but the key is known", changed(func(s *sent) { s.id = "" }), missing, likely, "made with key " + ecID, nil, nil},
	{"T7 an answer set one of them", func() explain.Input {
		return fresh(inCastle, "", answer(api, good().set(secure)[0]))
	}, missing, proved, "but not CloudFront-Key-Pair-Id", nil, nil},
	{"T7 headers joined by commas", func() explain.Input {
		return fresh(inCastle, "", answer(api, strings.Join(good().set(secure), ", ")))
	}, missing, proved, "joined by commas", nil, nil},
	{"T7 names in another case", func() explain.Input {
		in := request(inCastle, good())
		in.Cookies = []string{strings.ToLower(in.Cookies[0])}
		return in
	}, missing, proved, "case-sensitive", nil, nil},
	{"T8 stripped on the way", func() explain.Input {
		a := answer(api)
		a.Response = explain.Response{Status: 200, Via: "1.1 abc.cloudfront.net (CloudFront)"}
		in := fresh(inCastle, "", a)
		in.Recorded = true
		return in
	}, missing, likely, "set no cookie", nil, nil},
	{"E2 recording without cookies", func() explain.Input {
		return explain.Input{URL: inCastle, Keys: trusted(), Recorded: true, Stripped: true}
	}, missing, likely, "no cookies at all", nil, []string{"T1", "T3"}},
	{"E3 cookie too large", func() explain.Input {
		s := good()
		s.policy = strings.Repeat("A", 4200)
		return fresh(inCastle, "", answer(api, s.set(secure)...))
	}, badText, proved, "browsers keep 4,096", nil, nil},
	{"E3 attribute Expires is over", func() explain.Input {
		a := answer(api, good().set("; Path=/; Secure; Expires=Wed, 01 Jul 2026 11:00:00 GMT")...)
		a.Date = noon.Add(-2 * time.Hour)
		return fresh(inCastle, "", a)
	}, missing, proved, "was over", nil, nil},
}

// The request itself.
var inTheRequest = []trap{
	{"T9 own parameter", asking(inCastle+"?Policy=gold", good), missing, proved, "keeps for itself", nil, []string{"T10", "T3", "T7"}},
	{"T9 own parameter, no cookies", func() explain.Input {
		return explain.Input{URL: inCastle + "?Expires=never", Keys: trusted(), At: noon}
	}, missing, likely, "keeps for itself", nil, nil},
	{"T9 in another case", asking(inCastle+"?policy=gold", good), denied, proved, "another spelling", nil, nil},
	{"T10 link of an old signed URL", func() explain.Input {
		return request(canned(inCastle, noon.Add(-time.Hour)).on(inCastle), good())
	}, denied, proved, "old signed URL", []string{"T29"}, nil},
	{"T28 parameters behind the fragment", func() explain.Input {
		in := request(strings.Replace(canned(inCastle, soon).on(inCastle+"#t=30"), "?", "?", 1), sent{})
		in.Cookies = nil
		return in
	}, missing, proved, "behind #", nil, []string{"T3", "T1"}},
	{"T41 Policy and Expires", changed(func(s *sent) { s.expires = fmt.Sprint(epoch) }), badText, proved, "Without Expires, all is well", nil, nil},
	{"T41 Policy and Expires, neither good", changed(func(s *sent) { s.expires, s.signature = fmt.Sprint(epoch), encode(make([]byte, 70)) }), badText, likely, "both there", nil, nil},
	{"T41 neither Policy nor Expires", changed(func(s *sent) { s.policy = "" }), badText, likely, "only a part of a set", []string{"T7"}, nil},
	{"T42 two sets", func() explain.Input {
		old := sealed(policyText(castle, noon.Add(-time.Hour)))
		return explain.Input{URL: inCastle, Keys: trusted(), At: noon, Cookies: []string{old.cookies()[0] + "; " + good().cookies()[0]}}
	}, denied, proved, "last of each would be good", nil, nil},
	{"T42 two sets by Path", func() explain.Input {
		old := sealed(policyText(castle, noon.Add(-time.Hour)))
		return fresh(inCastle, "", answer(api, old.set("; Path=/; Secure")...), answer(api, good().set("; Path=/castle; Secure")...))
	}, denied, proved, "first of each would be good. One was set with Domain media.example.org and Path /castle", nil, nil},
	{"T48 half of a signed URL", func() explain.Input {
		s := canned(inCastle, soon)
		return explain.Input{URL: inCastle + "?Expires=" + s.expires + "&Signature=" + s.signature, Keys: trusted(), At: noon}
	}, missing, likely, "a part of it was lost", nil, nil},
	{"T48 copied out of HTML", func() explain.Input {
		s := canned(inCastle, soon)
		return explain.Input{URL: strings.ReplaceAll(s.on(inCastle), "&", "&amp;"), Keys: trusted(), At: noon}
	}, denied, proved, "&amp;", nil, nil},
	{"E1 too large", asking(inCastle+"?q="+strings.Repeat("x", 9000), good), cloudfront.TooLarge, proved, "larger", nil, []string{"T20"}},
}

var aboutKeys = []trap{
	{"T11 key group", changed(func(s *sent) { s.id = "1a2b3c4d-0000-1111-2222-333344445555" }), missing, proved, "key group", nil, nil},
	{"T11 root user's key pair", changed(func(s *sent) { s.id = "APKAEXAMPLE123456789" }), invalid, proved, "root user", nil, []string{"T12"}},
	{"T11 ARN", changed(func(s *sent) { s.id = "arn:aws:cloudfront::123456789012:public-key/K2" }), missing, proved, "ARN", nil, nil},
	{"T11 PEM", changed(func(s *sent) { s.id = "-----BEGIN%20PUBLIC%20KEY-----" }), missing, proved, "PEM", nil, nil},
	{"T11 no ID at all", changed(func(s *sent) { s.id = "K2_EXAMPLE" }), missing, proved, "characters that no ID has", nil, nil},
	{"T12 unknown key", changed(func(s *sent) {
		s.id, s.signature = "K9UNKNOWN", encode(sign(lostKey(), crypto.SHA256, policyText(castle, soon)))
	}), invalid, proved, "in none of the key groups", nil, []string{"T13"}},
	{"T12 signed with another of the keys", changed(func(s *sent) { s.id = "K9UNKNOWN" }), invalid, proved, "made with key " + ecID, nil, nil},
	{"T12 no key given", func() explain.Input {
		in := request(inCastle, good())
		in.Keys = nil
		return in
	}, invalid, possible, "No public key was given", nil, nil},
	{"T13 other key of the group", changed(func(s *sent) { s.signature = encode(sign(otherKey(), crypto.SHA256, policyText(castle, soon))) }), denied, proved, "private key of " + otherID, nil, []string{"T17"}},
	{"T13 other key of the group, other hash", changed(func(s *sent) { s.signature = sealedRSA(policyText(castle, soon)).signature }), denied, proved, "private key of " + rsaID, []string{"T36"}, nil},
	{"T13 key that nobody knows", changed(func(s *sent) { s.signature = encode(sign(lostKey(), crypto.SHA256, policyText(castle, soon))) }), denied, likely, "does not fit key", []string{"T17", "T41"}, nil},
}

const (
	s3Denied = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>AccessDenied</Code><Message>Access Denied</Message><RequestId>ABC</RequestId><HostId>xyz=</HostId></Error>`
	s3SigV2  = `<Error><Code>AccessDenied</Code><Message>Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters</Message><RequestId>A</RequestId><HostId>x</HostId></Error>`
	waf      = `<HTML><HEAD><TITLE>ERROR: The request could not be satisfied</TITLE></HEAD><BODY><H1>403 ERROR</H1>Request blocked.</BODY></HTML>`
)

func aged(in func() explain.Input) func() explain.Input {
	return func() explain.Input {
		i := in()
		i.Response.Age = "7"
		return i
	}
}

var aboutAnswers = []trap{
	{"T43 S3's refusal", answered(asking(inCastle, good), 403, "application/xml", s3Denied), "", proved, "S3's", nil, nil},
	{"T43 S3's refusal, nothing sent", answered(func() explain.Input { return explain.Input{URL: inCastle, Keys: trusted()} }, 403, "application/xml", s3Denied), missing, proved, "S3's", nil, []string{"T3", "T1"}},
	{"T44 Signature Version 2", answered(asking(inCastle, good), 403, "application/xml", s3SigV2), "", proved, "trusts no key group", nil, []string{"T43"}},
	{"T47 WAF", answered(asking(inCastle, good), 403, "text/html", waf), "", proved, "HTML page", nil, nil},
	{"T47 API Gateway", answered(asking(inCastle, good), 403, "application/json", `{"message":"Forbidden"}`), "", proved, "API Gateway", nil, nil},
	{"T14 refused against all rules", answered(asking(inCastle, good), 403, "text/xml", denied.Body()), "", likely, "deploying", []string{"T45"}, nil},
	{"T45 refused by a cache", aged(answered(asking(inCastle, good), 403, "text/xml", denied.Body())), "", likely, "from a cache", []string{"T14"}, nil},
	{"T12 key not trusted there", answered(asking(inCastle, good), 403, "text/xml", invalid.Body()), "", likely, "does not know the key", []string{"T14"}, nil},
	{"T3 not sent there", answered(asking(inCastle, good), 403, "text/xml", missing.Body()), "", likely, "nothing was sent", nil, nil},
	{"T16 changed on its way", answered(asking(inCastle, good), 403, "text/xml", badSig.Body()), "", likely, "encoded it anew", nil, nil},
}
