package cloudfront_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/handstamp/handstamp/pkg/cloudfront"
	"github.com/handstamp/handstamp/pkg/gate"
)

// lines returns Set-Cookie values, with the values of the signed cookies left out.
func lines(cookies []*http.Cookie) []string {
	var out []string
	for _, c := range cookies {
		line := c.String()
		if c.Value != "" {
			line = strings.Replace(line, c.Value, "VALUE", 1)
		}
		out = append(out, line)
	}
	return out
}

// TestSetCookie holds the attributes and the deletions to the letter (C-08, C-12).
func TestSetCookie(t *testing.T) {
	tests := []struct {
		name, site  string
		ring        ring
		opts        cloudfront.StamperOptions
		set, delete []string
	}{
		{"SHA1", "https://media.example.org", ring{id: rsaID, key: rsaKey()}, cloudfront.StamperOptions{},
			[]string{
				"CloudFront-Policy=VALUE; Path=/castle/audio/; HttpOnly; Secure; SameSite=Lax",
				"CloudFront-Signature=VALUE; Path=/castle/audio/; HttpOnly; Secure; SameSite=Lax",
				"CloudFront-Key-Pair-Id=VALUE; Path=/castle/audio/; HttpOnly; Secure; SameSite=Lax",
			}, []string{
				"CloudFront-Expires=; Path=/castle/audio/; Max-Age=0; HttpOnly; Secure; SameSite=Lax",
				"CloudFront-Hash-Algorithm=; Path=/castle/audio/; Max-Age=0; HttpOnly; Secure; SameSite=Lax",
			}},
		{"SHA256 with a domain", "https://media.example.org", ring{id: ecID, key: ecKey()},
			cloudfront.StamperOptions{Cookies: cloudfront.Attributes{Domain: "example.org", SameSite: http.SameSiteStrictMode}},
			[]string{
				"CloudFront-Policy=VALUE; Path=/castle/audio/; Domain=example.org; HttpOnly; Secure; SameSite=Strict",
				"CloudFront-Signature=VALUE; Path=/castle/audio/; Domain=example.org; HttpOnly; Secure; SameSite=Strict",
				"CloudFront-Key-Pair-Id=VALUE; Path=/castle/audio/; Domain=example.org; HttpOnly; Secure; SameSite=Strict",
				"CloudFront-Hash-Algorithm=VALUE; Path=/castle/audio/; Domain=example.org; HttpOnly; Secure; SameSite=Strict",
			}, []string{
				"CloudFront-Expires=; Path=/castle/audio/; Domain=example.org; Max-Age=0; HttpOnly; Secure; SameSite=Strict",
			}},
		{"across sites", "https://media.example.org", ring{id: rsaID, key: rsaKey()},
			cloudfront.StamperOptions{Hash: cloudfront.SHA256, Cookies: cloudfront.Attributes{SameSite: http.SameSiteNoneMode}},
			[]string{
				"CloudFront-Policy=VALUE; Path=/castle/audio/; HttpOnly; Secure; SameSite=None",
				"CloudFront-Signature=VALUE; Path=/castle/audio/; HttpOnly; Secure; SameSite=None",
				"CloudFront-Key-Pair-Id=VALUE; Path=/castle/audio/; HttpOnly; Secure; SameSite=None",
				"CloudFront-Hash-Algorithm=VALUE; Path=/castle/audio/; HttpOnly; Secure; SameSite=None",
			}, []string{
				"CloudFront-Expires=; Path=/castle/audio/; Max-Age=0; HttpOnly; Secure; SameSite=None",
			}},
		{"this machine", "http://127.0.0.1:8081", ring{id: rsaID, key: rsaKey()}, cloudfront.StamperOptions{},
			[]string{
				"CloudFront-Policy=VALUE; Path=/castle/audio/; HttpOnly; SameSite=Lax",
				"CloudFront-Signature=VALUE; Path=/castle/audio/; HttpOnly; SameSite=Lax",
				"CloudFront-Key-Pair-Id=VALUE; Path=/castle/audio/; HttpOnly; SameSite=Lax",
			}, []string{
				"CloudFront-Expires=; Path=/castle/audio/; Max-Age=0; HttpOnly; SameSite=Lax",
				"CloudFront-Hash-Algorithm=; Path=/castle/audio/; Max-Age=0; HttpOnly; SameSite=Lax",
			}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newStamper(t, tt.site, tt.ring, tt.opts)
			stamp, err := s.Stamp(context.Background(), grant("castle/audio"))
			if err != nil {
				t.Fatal(err)
			}
			if got := lines(stamp.Cookies); !slices.Equal(got, tt.set) {
				t.Errorf("Cookies =\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tt.set, "\n"))
			}
			if got := lines(stamp.Stale); !slices.Equal(got, tt.delete) {
				t.Errorf("Stale =\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tt.delete, "\n"))
			}
		})
	}
}

func TestClear(t *testing.T) {
	s := newStamper(t, "https://media.example.org", ring{id: rsaID, key: rsaKey()}, cloudfront.StamperOptions{Cookies: cloudfront.Attributes{Domain: "example.org"}})
	var want []string
	for _, name := range []string{"Policy", "Expires", "Signature", "Key-Pair-Id", "Hash-Algorithm"} {
		want = append(want, "CloudFront-"+name+"=; Path=/castle/; Domain=example.org; Max-Age=0; HttpOnly; Secure; SameSite=Lax")
	}
	if got := lines(s.Clear("castle")); !slices.Equal(got, want) {
		t.Errorf("Clear(castle) =\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, path := range []string{"", "/castle", "castle; Domain=evil.example", "castle\r\nX: y", "../castle"} {
		if got := s.Clear(path); got != nil {
			t.Errorf("Clear(%q) = %q, want nothing", path, lines(got))
		}
	}
}

func TestCookieScope(t *testing.T) {
	tests := []struct {
		name, site string
		attributes cloudfront.Attributes
		want       error
	}{
		{"host only", "https://media.example.org", cloudfront.Attributes{}, nil},
		{"the host", "https://media.example.org", cloudfront.Attributes{Domain: "media.example.org"}, nil},
		{"the parent", "https://media.example.org", cloudfront.Attributes{Domain: "example.org"}, nil},
		{"none over https", "https://media.example.org", cloudfront.Attributes{SameSite: http.SameSiteNoneMode}, nil},
		{"localhost", "http://localhost:8081", cloudfront.Attributes{Domain: "localhost"}, nil},
		{"a sibling", "https://media.example.org", cloudfront.Attributes{Domain: "api.example.org"}, cloudfront.ErrCookieScope},
		{"a child", "https://media.example.org", cloudfront.Attributes{Domain: "x.media.example.org"}, cloudfront.ErrCookieScope},
		{"part of a label", "https://media.example.org", cloudfront.Attributes{Domain: "ample.org"}, cloudfront.ErrCookieScope},
		{"leading dot", "https://media.example.org", cloudfront.Attributes{Domain: ".example.org"}, cloudfront.ErrCookieScope},
		{"capitals", "https://media.example.org", cloudfront.Attributes{Domain: "Example.org"}, cloudfront.ErrCookieScope},
		{"top level", "https://media.example.org", cloudfront.Attributes{Domain: "org"}, cloudfront.ErrCookieScope},
		{"elsewhere", "https://media.example.org", cloudfront.Attributes{Domain: "example.com"}, cloudfront.ErrCookieScope},
		{"none over http", "http://127.0.0.1:8081", cloudfront.Attributes{SameSite: http.SameSiteNoneMode}, cloudfront.ErrCookieScope},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := cloudfront.NewStamper(parseSite(t, tt.site), ring{id: rsaID, key: rsaKey()}, cloudfront.StamperOptions{Cookies: tt.attributes})
			if !errors.Is(err, tt.want) {
				t.Errorf("NewStamper(%s, %+v) = %v, want %v", tt.site, tt.attributes, err, tt.want)
			}
		})
	}
}

// TestCookiePath: a browser ignores a Path of more than 1,024 bytes, and the
// cookies would go further than they should (C-09).
func TestCookiePath(t *testing.T) {
	s := newStamper(t, "https://media.example.org", ring{id: ecID, key: ecKey()}, cloudfront.StamperOptions{})
	longest := pathOf(1022)
	stamp, err := s.Stamp(context.Background(), grant(longest))
	if err != nil || len(stamp.CookiePath) != 1024 {
		t.Errorf("Stamp of the longest path = %v, want none", err)
	}
	if stamp, err := s.Stamp(context.Background(), grant(pathOf(1023))); !errors.Is(err, cloudfront.ErrCookieScope) {
		t.Errorf("Stamp of a path that is too long = %v, %v, want ErrCookieScope", stamp, err)
	}
	for _, slug := range badSlugs {
		for _, path := range []string{slug, "castle/" + slug} {
			if stamp, err := s.Stamp(context.Background(), grant(path)); !errors.Is(err, cloudfront.ErrUnsafeResource) || stamp != nil {
				t.Errorf("Stamp of %q = %v, %v, want ErrUnsafeResource", path, stamp, err)
			}
		}
	}
}

// TestCookieSizes: the worst case still fits into a browser and a request (C-13).
func TestCookieSizes(t *testing.T) {
	host := strings.Repeat("a", 63) + "." + strings.Repeat("b", 63) + "." + strings.Repeat("c", 63) + ".example.org"
	s := newStamper(t, "https://"+host, ring{id: strings.Repeat("K", 64), key: rsaKey()}, cloudfront.StamperOptions{Hash: cloudfront.SHA256})
	g := grant(pathOf(1022))
	g.NotBefore = noon
	stamp, err := s.Stamp(context.Background(), g)
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	for _, c := range stamp.Cookies {
		size := len(c.Name) + len(c.Value)
		total += size + len("=; ")
		if size > 4096 {
			t.Errorf("%s has %d bytes, want at most 4,096", c.Name, size)
		}
	}
	if total+8192 > 20480 {
		t.Errorf("cookies have %d bytes, with the longest URL more than 20,480", total)
	}
}

func grant(path string) gate.Grant { return gate.Grant{Attraction: "castle", Path: path, Expires: end} }
