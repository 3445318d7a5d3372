package cloudfront_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/handstamp/handstamp/pkg/cloudfront"
)

func TestParseSite(t *testing.T) {
	tests := []struct {
		in, want string // want is empty for ErrUnsafeResource
		secure   bool
	}{
		{"https://media.example.org", "https://media.example.org", true},
		{"https://media.example.org/", "https://media.example.org", true},
		{"https://d111111abcdef8.cloudfront.net", "https://d111111abcdef8.cloudfront.net", true},
		{"http://127.0.0.1:8081", "http://127.0.0.1:8081", false},
		{"http://localhost", "http://localhost", false},
		{"http://media.localhost:8081", "http://media.localhost:8081", false},
		{"http://[::1]:8081", "http://[::1]:8081", false},
		{"https://localhost:8443", "https://localhost:8443", true},
		{"http://localhost:80", "http://localhost", false}, // as browsers send it
		{"https://localhost:443", "https://localhost", true},
		{in: ""},
		{in: "media.example.org"},
		{in: "//media.example.org"},
		{in: "https://"},
		{in: "https:///castle"},
		{in: "https://:443"},
		{in: "https://media.example.org:443"},
		{in: "https://media.example.org:8443"},
		{in: "https://media.example.org:"},
		{in: "http://localhost:"},
		{in: "http://media.example.org"},
		{in: "http://192.168.1.5"},
		{in: "http://localhost.example.org"},
		{in: "http*://media.example.org"},
		{in: "*://media.example.org"},
		{in: "ftp://localhost"},
		{in: "https://*"},
		{in: "https://*.example.org"},
		{in: "https://media?.example.org"},
		{in: "https://Media.example.org"},
		{in: "https://media.example.org."},
		{in: "https://medi\u00e4.example.org"},
		{in: "https://me@media.example.org"},
		{in: "https://me:secret@media.example.org"},
		{in: "https://media.example.org/castle"},
		{in: "https://media.example.org//"},
		{in: "https://media.example.org?"},
		{in: "https://media.example.org?x=1"},
		{in: "https://media.example.org#"},
		{in: "https://media.example.org#x"},
		{in: "https://media.example.org\\castle"},
		{in: "https://media.exam ple.org"},
		{in: "https://media.example.org\n"},
		{in: "https://media%2eexample.org"},
	}
	for _, tt := range tests {
		t.Run(tt.in, func(t *testing.T) {
			got, err := cloudfront.ParseSite(tt.in)
			switch {
			case tt.want == "" && !errors.Is(err, cloudfront.ErrUnsafeResource):
				t.Errorf("ParseSite(%q) = %q, %v, want ErrUnsafeResource", tt.in, got, err)
			case tt.want != "" && (err != nil || got.String() != tt.want || got.Secure() != tt.secure):
				t.Errorf("ParseSite(%q) = %q, secure %t, %v, want %q, secure %t", tt.in, got, got.Secure(), err, tt.want, tt.secure)
			}
		})
	}
}

func TestSiteHost(t *testing.T) {
	for in, want := range map[string]string{
		"https://media.example.org": "media.example.org", "http://127.0.0.1:8081": "127.0.0.1", "http://[::1]:8081": "::1",
	} {
		if got := parseSite(t, in).Host(); got != want {
			t.Errorf("ParseSite(%q).Host() = %q, want %q", in, got, want)
		}
	}
}

func TestSitePrefix(t *testing.T) {
	site := parseSite(t, "https://media.example.org")
	for path, want := range map[string]string{
		"castle":                "https://media.example.org/castle/*",
		"castle/audio":          "https://media.example.org/castle/audio/*",
		"a":                     "https://media.example.org/a/*",
		"t-2/x":                 "https://media.example.org/t-2/x/*",
		strings.Repeat("a", 63): "https://media.example.org/" + strings.Repeat("a", 63) + "/*",
	} {
		if got, err := site.Prefix(path); err != nil || got.String() != want {
			t.Errorf("Prefix(%q) = %q, %v, want %q", path, got, err, want)
		}
	}
}

// What a slug must not have, in the first segment or in a later one.
var badSlugs = []string{
	"", "*", "?", ".", "..", "a*", "a?", `a\b`, `\?`, "a%2fb", "%2e%2e", "a b", " a", "a\t", "a\n", "a\x00", "\u00e4", "-a", "a-", "-", "A", "Castle",
	"a_b", "a.b", "a#b", "a;b", "a&b", "a=b", "a:b", "a@b", `a"b`, "a'b", "a,b", "a+b", "a~b", "\xff", strings.Repeat("a", 64),
}

func TestSitePrefixUnsafe(t *testing.T) {
	site := parseSite(t, "https://media.example.org")
	for _, slug := range badSlugs {
		for _, path := range []string{slug, "castle/" + slug, slug + "/castle", "/" + slug, slug + "/"} {
			if got, err := site.Prefix(path); !errors.Is(err, cloudfront.ErrUnsafeResource) {
				t.Errorf("Prefix(%q) = %q, %v, want ErrUnsafeResource", path, got, err)
			}
		}
	}
	if got, err := (cloudfront.Site{}).Prefix("castle"); !errors.Is(err, cloudfront.ErrUnsafeResource) {
		t.Errorf("Site{}.Prefix(castle) = %q, %v, want ErrUnsafeResource", got, err)
	}
}

// FuzzPrefix: whatever Prefix accepts has one wildcard, at the end, under the site.
func FuzzPrefix(f *testing.F) {
	for _, slug := range badSlugs {
		f.Add(slug)
	}
	f.Add("castle/audio")
	site := parseSite(f, "https://media.example.org")
	f.Fuzz(func(t *testing.T, path string) {
		r, err := site.Prefix(path)
		if err != nil {
			return
		}
		text := r.String()
		if text != "https://media.example.org/"+path+"/*" || strings.ContainsAny(text[:len(text)-1], `*?\"%#;&`) ||
			strings.Contains(text[len("https://"):], "//") || strings.Contains(text, "..") {
			t.Errorf("Prefix(%q) = %q", path, text)
		}
	})
}

// pathOf returns slugs joined to a path of exactly n bytes.
func pathOf(n int) string {
	var slugs []string
	for n > 63 {
		slugs = append(slugs, strings.Repeat("a", min(63, n-2)))
		n -= len(slugs[len(slugs)-1]) + 1
	}
	return strings.Join(append(slugs, strings.Repeat("b", n)), "/")
}

func TestSitePrefixLength(t *testing.T) {
	site := parseSite(t, "https://media.example.org")
	frame := len("https://media.example.org//*")
	if _, err := site.Prefix(pathOf(2968 - frame)); err != nil {
		t.Errorf("Prefix of 2,968 bytes: %v, want none", err)
	}
	if _, err := site.Prefix(pathOf(2969 - frame)); !errors.Is(err, cloudfront.ErrUnsafeResource) {
		t.Errorf("Prefix of 2,969 bytes: %v, want ErrUnsafeResource", err)
	}
}

// What a browser would spell differently is signed in its spelling.
func TestParseResourceWireForm(t *testing.T) {
	for s, want := range map[string]string{
		"https://Media.Example.org/X":              "https://media.example.org/X",
		"https://media.example.org/a?q=it's":       "https://media.example.org/a?q=it%27s",
		"https://media.example.org/it's?q=<b>":     "https://media.example.org/it's?q=%3Cb%3E",
		"https://media.example.org/<a>`{b}^c":      "https://media.example.org/%3Ca%3E%60%7Bb%7D%5Ec",
		"https://media.example.org/a?q={b}`^|":     "https://media.example.org/a?q={b}`^|",
		"https://media.example.org/a+b%20c,d=e~f":  "https://media.example.org/a+b%20c,d=e~f",
		"https://media.example.org/a?b=c+d%20e,=f": "https://media.example.org/a?b=c+d%20e,=f",
	} {
		if got, err := cloudfront.ParseResource(s); err != nil || got.String() != want {
			t.Errorf("ParseResource(%q) = %q, %v, want %q", s, got, err, want)
		}
	}
	for _, s := range []string{"https://media.example.org/a/../b", "https://media.example.org/./a", "https://media.example.org/a/%2e%2E/b", "https://media.example.org/a/.%2e"} {
		if got, err := cloudfront.ParseResource(s); !errors.Is(err, cloudfront.ErrUnsafeResource) {
			t.Errorf("ParseResource(%q) = %q, %v, want ErrUnsafeResource", s, got, err)
		}
	}
}

func TestParseResource(t *testing.T) {
	for _, s := range []string{
		"https://media.example.org/", "https://media.example.org/*", "https://media.example.org/castle/*",
		"https://media.example.org/castle/stop-?.mp3", "https://media.example.org/a.mp3?lang=en&v=2",
		"https://media.example.org/%7Etour/a%20b.mp3", "http://media.example.org/x",
		"http://127.0.0.1:8081/castle/*", "http://[::1]:8081/x", "https://media.example.org/it's(fine)",
		"https://media.example.org/x?u=https://other.example/",
	} {
		if got, err := cloudfront.ParseResource(s); err != nil || got.String() != s {
			t.Errorf("ParseResource(%q) = %q, %v, want it unchanged", s, got, err)
		}
	}
	for _, s := range []string{
		"", "*", "https://*", "https://*/castle/*", "*://media.example.org/*", "http*://media.example.org/*", "https*://h/*",
		"https://media.example.*/x", "https://media?example.org/x", "https://media.example.org*", "https://media.example.org?x=/",
		"https://media.example.org", "media.example.org/x", "/castle/*", "castle/*", "ftp://media.example.org/x", "HTTPS://media.example.org/x",
		"https://me@media.example.org/x", "https://me:pw@media.example.org/x", "https://media.example.org./x", "https:///x", "https://",
		"https://media.example.org:8443/x", "https://media.example.org:443/x", "https://media.example.org:/x", "https://:443/x",
		"https://media.example.org/a b", "https://media.example.org/a\tb", "https://media.example.org/a\nb", "https://media.example.org/\x00",
		"https://media.example.org/\x7f", "https://media.example.org/\u00e4", "https://medi\u00e4.example.org/x", `https://media.example.org/a"b`,
		`https://media.example.org/a\?b`, `https://media.example.org/a\b`, "https://media.example.org/x#f", "https://media.example.org/x#",
		"https://media.example.org#/x", " https://media.example.org/x", "https://media.example.org/" + strings.Repeat("a", 8192),
	} {
		if got, err := cloudfront.ParseResource(s); !errors.Is(err, cloudfront.ErrUnsafeResource) {
			t.Errorf("ParseResource(%.80q) = %.80q, %v, want ErrUnsafeResource", s, got, err)
		}
	}
}

// An error names what was found, but not 8 KiB of it.
func TestUnsafeResourceSays(t *testing.T) {
	_, err := cloudfront.ParseResource("*")
	if want := `unsafe resource: "*": want a URL that begins with https://`; err == nil || err.Error() != want {
		t.Errorf("ParseResource(*) = %v, want %s", err, want)
	}
	_, err = cloudfront.ParseResource("https://media.example.org/" + strings.Repeat("a", 9000) + "#")
	if err == nil || len(err.Error()) > 400 {
		t.Errorf("ParseResource(9,000 bytes) = %d bytes of error, want a short one", len(fmt.Sprint(err)))
	}
}
