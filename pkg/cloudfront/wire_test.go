package cloudfront_test

import (
	"strings"
	"testing"

	"github.com/handstamp/handstamp/pkg/cloudfront"
)

// TestDecideSize: 8,192 bytes of URL and 32,768 in all are still taken.
func TestDecideSize(t *testing.T) {
	good := castle().cookies()
	pad := func(n int) string { return inCastle + strings.Repeat("a", n-len(inCastle)) }
	tests := []struct {
		name    string
		url     string
		cookies []string
		want    cloudfront.Rule
	}{
		{"longest URL", pad(8192), []string{good}, ""},
		{"URL too long", pad(8193), []string{good}, cloudfront.RuleSize},
		{"most cookies", pad(8192), []string{good, "x=" + strings.Repeat("x", 32768-8192-len(good)-2)}, ""},
		{"a byte more", pad(8192), []string{good, "x=" + strings.Repeat("x", 32768-8192-len(good)-1)}, cloudfront.RuleSize},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := new(cloudfront.Decider).Decide(cloudfront.Request{URL: tt.url, Cookies: tt.cookies}, trusted(t), noon)
			if got.Rule != tt.want {
				t.Errorf("Decide = %+v, want rule %q", got, tt.want)
			}
		})
	}
}

// TestSignedURLBeatsCookies: any of CloudFront's parameters, and cookies do not
// count; anything that only looks like one is refused (E-30 to E-33).
func TestSignedURLBeatsCookies(t *testing.T) {
	good, url := castle(), castle().on(inCastle)
	ended := sealed(policyText("https://media.example.org/castle/*", noon))
	tests := []struct {
		name, url, cookies string
		want               cloudfront.Rule // empty means allowed
	}{
		{"cookies", inCastle, good.cookies(), ""},
		{"URL", url, "", ""},
		{"URL and bad cookies", url, ended.cookies(), ""},
		{"URL and clashing cookies", url, good.cookies() + "; CloudFront-Policy=x", ""},
		{"bad URL and cookies", ended.on(inCastle), good.cookies(), cloudfront.RuleEnd},
		{"parameters in another order", inCastle + "?Key-Pair-Id=" + good.id + "&Hash-Algorithm=SHA256&Signature=" + good.signature + "&Policy=" + good.policy, "", ""},
		{"own parameters behind", url + "&x=1", "", ""},
		{"an & at the end", url + "&", "", ""},
		{"Expires", inCastle + "?Expires=1", good.cookies(), cloudfront.RuleKeyPairID},
		{"Expires without a value", inCastle + "?Expires", good.cookies(), cloudfront.RuleKeyPairID},
		{"Policy", inCastle + "?Policy=", good.cookies(), cloudfront.RuleKeyPairID},
		{"Signature", inCastle + "?x=1&Signature=y", good.cookies(), cloudfront.RuleKeyPairID},
		{"Key-Pair-Id", inCastle + "?Key-Pair-Id=" + ecID, good.cookies(), cloudfront.RuleSignaturePresent},
		{"Hash-Algorithm", inCastle + "?Hash-Algorithm=SHA256", good.cookies(), cloudfront.RuleKeyPairID},
		{"half in the URL, half in cookies", inCastle + "?Key-Pair-Id=" + ecID + "&Policy=" + good.policy, good.cookies(), cloudfront.RuleSignaturePresent},
		{"Policy twice", url + "&Policy=x", "", cloudfront.RuleQueryNames},
		{"Policy twice the same", url + "&Policy=" + good.policy, "", cloudfront.RuleQueryNames},
		{"Key-Pair-Id twice", url + "&Key-Pair-Id=" + ecID, "", cloudfront.RuleQueryNames},
		{"policy", inCastle + "?policy=1", good.cookies(), cloudfront.RuleQueryNames},
		{"EXPIRES beside a signed URL", url + "&EXPIRES=1", "", cloudfront.RuleQueryNames},
		{"key-pair-id", inCastle + "?a=b&key-pair-id", good.cookies(), cloudfront.RuleQueryNames},
		{"%50olicy", inCastle + "?%50olicy=1", good.cookies(), cloudfront.RuleQueryNames},
		{"%53%69gnature", inCastle + "?%53%69gnature", good.cookies(), cloudfront.RuleQueryNames},
		{"Key%2DPair%2DId", inCastle + "?Key%2DPair%2DId=x", good.cookies(), cloudfront.RuleQueryNames},
		{"Key%2dpair%2did", inCastle + "?Key%2dpair%2did=x", good.cookies(), cloudfront.RuleQueryNames},
		{"semicolon before", inCastle + "?x;Policy=1", good.cookies(), cloudfront.RuleQueryNames},
		{"semicolon behind", inCastle + "?Policy;x=1", good.cookies(), cloudfront.RuleQueryNames},
		{"semicolon in a value", inCastle + "?x=1;Expires=1", good.cookies(), cloudfront.RuleQueryNames},
		{"semicolon and escape", inCastle + "?x=1;%45xpires=1", good.cookies(), cloudfront.RuleQueryNames},
		{"own parameters", inCastle + "?x=1&y=Policy&Policy2=3&aPolicy=4&x;y=1&%zz&%&=&==", good.cookies(), ""},
		{"a name within a value", inCastle + "?x=Expires%3D1", good.cookies(), ""},
		{"in the fragment", inCastle + "#?Policy=1", good.cookies(), ""},
		{"in the path", "https://media.example.org/castle/Policy=1&Expires=2", good.cookies(), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := decide(t, tt.url, tt.cookies); got.Rule != tt.want || got.Allowed != (tt.want == "") {
				t.Errorf("Decide(%q) = %+v, want rule %q", tt.url, got, tt.want)
			}
		})
	}
}

// TestDecideCookies: names are exact, what is between them is not ours, and the
// same twice is the same.
func TestDecideCookies(t *testing.T) {
	good := castle()
	tests := []struct {
		name    string
		cookies []string
		want    cloudfront.Rule
	}{
		{"one header", []string{good.cookies()}, ""},
		{"a header each", strings.Split(good.cookies(), "; "), ""},
		{"without spaces", []string{strings.ReplaceAll(good.cookies(), "; ", ";")}, ""},
		{"tabs and more", []string{";;\t" + strings.ReplaceAll(good.cookies(), "; ", ";\t ") + "\t; ;x"}, ""},
		{"among others", []string{"a=b; " + good.cookies() + "; CloudFront-Other=1; CloudFront-policy=x; xCloudFront-Policy=x"}, ""},
		{"twice the same", []string{good.cookies(), good.cookies()}, ""},
		{"without a value", []string{good.cookies() + "; CloudFront-Policy"}, ""},
		{"names in lower case", []string{strings.ToLower(good.cookies())}, cloudfront.RuleKeyPairID},
		{"space before =", []string{strings.ReplaceAll(good.cookies(), "=", " =")}, cloudfront.RuleKeyPairID},
		{"other white space", []string{"\u00a0" + strings.ReplaceAll(good.cookies(), "; ", ";\u00a0")}, cloudfront.RuleKeyPairID},
		{"commas between", []string{strings.ReplaceAll(good.cookies(), "; ", ", ")}, cloudfront.RuleKeyPairID},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := new(cloudfront.Decider).Decide(cloudfront.Request{URL: inCastle, Cookies: tt.cookies}, trusted(t), noon)
			if got.Rule != tt.want {
				t.Errorf("Decide with %q = %+v, want rule %q", tt.cookies, got, tt.want)
			}
		})
	}
}

// TestDecideSite: scheme and host are the policy's, whatever their spelling (E-24).
func TestDecideSite(t *testing.T) {
	for url, want := range map[string]cloudfront.Rule{
		"https://media.example.org/castle/a": "", "https://MEDIA.example.org/castle/a": "", "https://media.example.org:443/castle/a": "",
		"http://media.example.org/castle/a":      cloudfront.RuleResource,
		"https://media.example.org:8443/castle/": cloudfront.RuleResource, "https://media.example.org./castle/a": cloudfront.RuleResource,
		"https://m\u00e9dia.example.org/castle/": cloudfront.RuleResource, "https://d111111abcdef8.cloudfront.net/castle/a": cloudfront.RuleResource,
		"//media.example.org/castle/a": cloudfront.RuleResource, "/castle/a": cloudfront.RuleResource, "": cloudfront.RuleResource,
	} {
		if got := decide(t, url, castle().cookies()); got.Rule != want {
			t.Errorf("Decide(%q) = %+v, want rule %q", url, got, want)
		}
	}
}
