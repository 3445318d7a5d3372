package cloudfront_test

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/handstamp/handstamp/pkg/cloudfront"
)

// matchCases are a resource, a URL and whether the one covers the other.
var matchCases = []struct {
	resource, url string
	want          bool
}{
	// The Developer Guide's own examples.
	{"https://www.example.com/hello*world", "https://www.example.com/helloworld", true},
	{"https://www.example.com/hello*world", "https://www.example.com/hello-world", true},
	{"https://www.example.com/hello*world", "https://www.example.com/hello?world", false},
	{"https://www.example.com/hello*", "https://www.example.com/hello", true},
	{"https://www.example.com/hello*", "https://www.example.com/hello?a=b", true},
	{`https://www.example.com/hello*\?*`, "https://www.example.com/hello?a=b", true},
	{`https://www.example.com/hello*\?*`, "https://www.example.com/hello", true},
	{"*example.com", "https://example.com/", true},
	{"*example.com", "http://www.example.com/", true},
	{"*://*example.com/", "https://example.com/", true},
	{"*", "https://www.example.com/any/thing?at=all", true},
	{"https://www.example.com/training/*", "https://www.example.com/training/a/b.mp4", true},
	{"https://www.example.com/*game_download.zip*", "https://www.example.com/x/game_download.zip?license=yes", true},
	{`https://www.example.com/images/*\?x=1`, "https://www.example.com/images/a.jpg?x=1", true},

	// Protocol.
	{"https://h.example/*", "http://h.example/a", false},
	{"http://h.example/*", "https://h.example/a", false},
	{"http://h.example/*", "http://h.example/a", true},
	{"*://h.example/*", "http://h.example/a", true},
	{"*://h.example/*", "https://h.example/a", true},
	{"*://h.example/*", "ftp://h.example/a", false},
	{"*://h.example/*", "/zoo?u=://h.example/a", false},
	{"*", "h.example/a", false},
	{"http*://h.example/*", "https://h.example/a", false},
	{"https*://h.example/*", "https://h.example/a", false},
	{"?ttps://h.example/*", "https://h.example/a", false},
	{"**://h.example/*", "https://h.example/a", false},
	{"HTTPS://h.example/*", "https://h.example/a", false},
	{"//h.example/*", "https://h.example/a", false},
	{"h.example/*", "https://h.example/a", false},
	{"/castle/*", "https://h.example/castle/a", false},
	{"castle/*", "https://h.example/castle/a", false},
	{"https:/h.example/*", "https://h.example/a", false},

	// Domain.
	{"https://*.example.com/a", "https://cdn.example.com/a", true},
	{"https://*.example.com/a", "https://a.b.example.com/a", true},
	{"https://*.example.com/a", "https://example.com/a", false},
	{"https://cdn?.example.com/a", "https://cdn1.example.com/a", true},
	{"https://cdn?.example.com/a", "https://cdn.example.com/a", false},
	{"https://*/castle/*", "https://any.example/castle/a", true},
	{"https://*/castle/*", "https://any.example/x/castle/a", false}, // the star does not cross into the path
	{"*/castle/*", "http://any.example/castle/a", true},
	{"https://cdn.example.com*", "https://cdn.example.com/any?x", true},
	{"https://cdn.example.com*", "https://cdn.example.com.evil.example/any", true}, // as documented; never issued
	{"https://cdn.example.com*", "https://cdn.example.co/any", false},
	{"https://*", "https://any.example/x?y", true},
	{"*example.com", "https://example.com/a", false},
	{"*example.com", "https://example.com/?x", false},
	{"*example.com*", "https://example.com/a?x", true},
	{"https://h.example", "https://h.example/", true},
	{"https://h.example", "https://h.example", true},
	{"https://h.example", "https://h.example/a", false},
	{"https://H.Example/*", "https://h.example/a", true},
	{"https://h.example/*", "https://H.EXAMPLE/a", true},
	{"https://h.example/*", "https://h.example:443/a", true},
	{"http://h.example/*", "http://h.example:80/a", true},
	{"https://h.example/*", "https://h.example:80/a", false},
	{"https://h.example/*", "https://h.example:8443/a", false},
	{"https://h.example:8443/*", "https://h.example:8443/a", true},
	{"https://h.example/*", "https://h.example./a", false},
	{"https://h.example./*", "https://h.example./a", false},
	{"https://h.example/*", "https://h.example.evil/a", false},
	{"https://h.example/*", "https://evil.h.example/a", false},
	{"https://h.example/*", "https://user@h.example/a", false},
	{"https://h.example/*", "https:///a", false},
	{"https://*/*", "https:///a", false},

	// Path.
	{"https://h.example/castle/*", "https://h.example/castle/", true},
	{"https://h.example/castle/*", "https://h.example/castle", false},
	{"https://h.example/castle/*", "https://h.example/castle-2/a", false},
	{"https://h.example/castle/*", "https://h.example/Castle/a", false},
	{"https://h.example/castle/*", "https://h.example/%63astle/a", false},
	{"https://h.example/castle/*", "https://h.example//castle/a", false},
	{"https://h.example/castle*", "https://h.example/castle-2/a", true},
	{"https://h.example/stop-?.mp3", "https://h.example/stop-1.mp3", true},
	{"https://h.example/stop-?.mp3", "https://h.example/stop-12.mp3", false},
	{"https://h.example/stop-?.mp3", "https://h.example/stop-.mp3", false},
	{"https://h.example/stop-?", "https://h.example/stop-?", false},
	{"https://h.example/a?b", "https://h.example/a?b", true}, // a bare question mark is any character, also the one that begins a query
	{"https://h.example/a?b", "https://h.example/a?c", false},
	{"https://h.example/a?b*", "https://h.example/a?b=1&c=2", true},
	{"https://h.example/s?op?b=?", "https://h.example/stop?b=7", true},
	{"https://h.example/s?op?b=?", "https://h.example/stop?b=", false},
	{`https://h.example/a?\?b`, "https://h.example/a?b", false}, // where the query is marked, a bare one is in the path
	{"https://h.example/a?b", "https://h.example/a/b", true},
	{"https://h.example/???", "https://h.example/abc", true},
	{"https://h.example/???*", "https://h.example/ab", false},
	{"https://h.example/*?", "https://h.example/", false},
	{"https://h.example/*?", "https://h.example/a", true},
	{"https://h.example/*/b/*", "https://h.example/a/b/c", true},
	{"https://h.example/*/b/*", "https://h.example/b/c", false},
	{"https://h.example/*a*a*", "https://h.example/xaya", true},
	{"https://h.example/*a*a*", "https://h.example/xay", false},
	{"https://h.example/a*a", "https://h.example/a", false},
	{"https://h.example/ab*ba", "https://h.example/aba", false},
	{"https://h.example/**", "https://h.example/a?x", true},
	{"https://h.example/*.mp?", "https://h.example/a.mp3.mp4", true},
	{"https://h.example/*b?d*", "https://h.example/abxbcdx", true},
	{"https://h.example/%7Ea", "https://h.example/~a", false},
	{"https://h.example/", "https://h.example", true},

	// Query.
	{"https://h.example/a", "https://h.example/a?x=1", false},
	{"https://h.example/a", "https://h.example/a?", true},
	{"https://h.example/*.mp3", "https://h.example/a.mp3?x=1", false},
	{"https://h.example/*.mp3", "https://h.example/a.mp3?x.mp3", false},
	{`https://h.example/a\?x=1`, "https://h.example/a?x=1", true},
	{`https://h.example/a\?x=1`, "https://h.example/a?x=2", false},
	{`https://h.example/a\?x=1`, "https://h.example/a", false},
	{`https://h.example/a\?x=*`, "https://h.example/a?x=1&y=2", true},
	{`https://h.example/a\?*`, "https://h.example/a", true},
	{`https://h.example/a\?*`, "https://h.example/ab?x", false},
	{`https://h.example/a\?`, "https://h.example/a", true},
	{`https://h.example/a\?`, "https://h.example/a?x", false},
	{`https://h.example/a\?x?y`, "https://h.example/a?x&y", true},
	{`https://h.example/*\?v=1`, "https://h.example/a?v=1", true},
	{`https://h.example/*\?v=1`, "https://h.example/a?v=1&w", false},
	{`https://h.example/a\?x=1`, "https://h.example/a?Expires=1&x=1&Signature=s&Key-Pair-Id=k", true},
	{"https://h.example/a", "https://h.example/a?Policy=p&Signature=s&Key-Pair-Id=k&Hash-Algorithm=SHA256", true},
	{`https://h.example/a\?*Policy*`, "https://h.example/a?x=1&Policy=p", false},
	{`https://h.example/a\?policy=1`, "https://h.example/a?policy=1", true},
	{"https://h.example/a?x://y", "https://h.example/a", false},
	{"*h.example/*u=http://b*", "https://h.example/a?u=http://b/", false}, // the star ends before the query
	{`*h.example/*\?u=http://b*`, "https://h.example/a?u=http://b/", true},
	{"https://h.example/a", "https://h.example/a#b", true}, // a fragment is never sent
}

func TestCovers(t *testing.T) {
	for _, tt := range matchCases {
		if got := cloudfront.Covers(tt.resource, tt.url); got != tt.want {
			t.Errorf("Covers(%q, %q) = %t, want %t", tt.resource, tt.url, got, tt.want)
		}
		if got := reference(tt.resource, tt.url); got != tt.want {
			t.Errorf("reference(%q, %q) = %t, want %t", tt.resource, tt.url, got, tt.want)
		}
	}
}

var urlSections = regexp.MustCompile(`^(https?)://([^/?#]+)(/[^?#]*)?(?:\?([^#]*))?(?:#.*)?$`)

// reference is the matcher as the guide's rules read, one after the other,
// without a thought for speed.
func reference(resource, url string) bool {
	sections := urlSections.FindStringSubmatch(url)
	if sections == nil || strings.HasSuffix(sections[2], ".") {
		return false
	}
	scheme, host, path := sections[1], strings.ToLower(sections[2]), sections[3]
	host = strings.TrimSuffix(host, map[string]string{"http": ":80", "https": ":443"}[scheme])
	if path == "" {
		path = "/"
	}
	if resource == "*" { // a lone star matches everything
		return true
	}
	wantScheme, rest, ok := strings.Cut(resource, "://")
	if !ok || strings.Contains(wantScheme, "/") { // without a protocol it must begin with a star, and covers any
		wantScheme, rest = "*", resource
		if resource == "" || resource[0] != '*' {
			return false
		}
	}
	wantHost, wantPath := rest, "/"
	if i := regexp.MustCompile(`/|\\\?`).FindStringIndex(rest); i != nil { // the domain ends where path or query begin
		wantHost, wantPath = rest[:i[0]], rest[i[0]:]
	} else if strings.HasSuffix(rest, "*") { // a star at the end of the domain covers path and query
		return (wantScheme == "*" || wantScheme == scheme) && glob(strings.ToLower(wantHost), host)
	}
	wantHost = strings.TrimSuffix(wantHost, map[string]string{"http": ":80", "https": ":443"}[scheme])
	wantPath, wantQuery, hasQuery := strings.Cut(wantPath, `\?`)
	wantPath = cmp.Or(wantPath, "/")
	if !hasQuery && strings.HasSuffix(wantPath, "*") && strings.Contains(rest, "/") { // so does one at the end of the path
		wantQuery = "*"
	}
	if (wantScheme != "*" && wantScheme != scheme) || !glob(strings.ToLower(wantHost), host) {
		return false
	}
	query := ownQuery(sections[4])
	if glob(wantPath, path) && glob(wantQuery, query) {
		return true
	}
	for i := range len(wantPath) { // a bare question mark may be the one that begins the query
		if !hasQuery && query != "" && wantPath[i] == '?' && glob(wantPath[:i], path) && glob(wantPath[i+1:], query) {
			return true
		}
	}
	return false
}

func ownQuery(query string) string {
	names := []string{"Expires", "Policy", "Signature", "Key-Pair-Id", "Hash-Algorithm"}
	pairs := slices.DeleteFunc(strings.Split(query, "&"), func(pair string) bool {
		name, _, _ := strings.Cut(pair, "=")
		return slices.Contains(names, name)
	})
	return strings.Join(pairs, "&")
}

// glob is exponential, and that is all there is to it.
func glob(pattern, s string) bool {
	switch {
	case pattern == "":
		return s == ""
	case strings.HasPrefix(pattern, `\?`):
		return s != "" && s[0] == '?' && glob(pattern[2:], s[1:])
	case pattern[0] == '*':
		return glob(pattern[1:], s) || s != "" && glob(pattern, s[1:])
	}
	return s != "" && (pattern[0] == '?' || pattern[0] == s[0]) && glob(pattern[1:], s[1:])
}

// TestCoversReference holds the matcher to the slow one (PR-2).
func TestCoversReference(t *testing.T) {
	hosts := rapid.SampledFrom([]string{"h", "h.example", "H.b", "h:443", "h:80", "h.", "", "a*", "*", "*b", "?", "h*"})
	schemes := rapid.SampledFrom([]string{"https://", "https://", "https://", "http://", "*://", "http*://", "", "*"})
	piece := rapid.SampledFrom([]string{"a", "b", "ab", "*", "?", `\?`, "/", "a?", "&", "=", "Policy=a", "x=1"})
	pieces := rapid.SliceOfN(piece, 0, 9)
	urlPiece := rapid.SampledFrom([]string{"a", "b", "ab", "/", "?", "&", "=", "Policy=a", "x=1", "abab", "aa"})
	urlPieces := rapid.SliceOfN(urlPiece, 0, 12)
	rapid.Check(t, func(t *rapid.T) {
		for range 100 {
			resource := schemes.Draw(t, "scheme") + hosts.Draw(t, "host") + strings.Join(pieces.Draw(t, "resource"), "")
			url := rapid.SampledFrom([]string{"https://h", "https://h/", "https://h/", "http://h/", "https://h.example/"}).Draw(t, "site") +
				strings.Join(urlPieces.Draw(t, "path"), "")
			if rapid.Bool().Draw(t, "derived") { // random pairs seldom match
				url = strings.NewReplacer(`\?`, "?", "*", strings.Join(urlPieces.Draw(t, "star"), ""), "?", "a").Replace(resource)
			}
			if got, want := cloudfront.Covers(resource, url), reference(resource, url); got != want {
				t.Fatalf("Covers(%q, %q) = %t, want %t", resource, url, got, want)
			}
		}
	})
}

// TestCoversLongPieces is the same for texts between stars that do not fit into
// one machine word.
func TestCoversLongPieces(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		letters := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "a", "b", "?"}), 60, 200)
		first, second := strings.Join(letters.Draw(t, "piece"), ""), strings.Join(letters.Draw(t, "piece"), "")
		plain := strings.NewReplacer("?", rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "mark"))
		path := rapid.StringOfN(rapid.RuneFrom([]rune("ab")), 0, 80, -1)
		url := "https://h/" + path.Draw(t, "before") + plain.Replace(first) + path.Draw(t, "between") + plain.Replace(second)
		if at := rapid.IntRange(0, 2*len(url)).Draw(t, "spoiled"); at > len("https://h/") && at < len(url) {
			url = url[:at] + "c" + url[at+1:]
		}
		resource := "https://h/*" + first + "*" + second + "*"
		if got, want := cloudfront.Covers(resource, url), reference(resource, url); got != want {
			t.Fatalf("Covers(%q, %q) = %t, want %t", resource, url, got, want)
		}
	})
}

func FuzzMatch(f *testing.F) {
	for _, c := range matchCases {
		f.Add(c.resource, c.url)
	}
	f.Fuzz(func(t *testing.T, resource, url string) {
		got := cloudfront.Covers(resource, url)
		if strings.Count(resource, "*") > 4 || len(url) > 60 {
			return // the reference would take years
		}
		for i := range len(resource + url) { // strings.ToLower may map letters beyond ASCII, which no URL has
			if (resource + url)[i] >= 0x80 || (resource + url)[i] == '\n' {
				return
			}
		}
		if want := reference(resource, url); got != want {
			t.Errorf("Covers(%q, %q) = %t, want %t", resource, url, got, want)
		}
	})
}

// pathological are patterns that take a backtracking matcher out of service.
var pathological = map[string]string{
	"stars":                "https://h/" + strings.Repeat("*a", 2000) + "*b*",
	"stars and marks":      "https://h/" + strings.Repeat("*?a", 2000) + "*b*",
	"marks":                "https://h/*" + strings.Repeat("?", 4000) + "b*",
	"stars and only marks": "https://h/" + strings.Repeat("*?", 8000) + "b*",
	"long with marks":      "https://h/*" + strings.Repeat("a?", 2000) + "b*",
	"almost":               "https://h/*" + strings.Repeat("a", 4000) + "b*",
	"almost with a mark":   "https://h/*" + strings.Repeat("a", 4000) + "?b*",
}

// longURL is as long as CloudFront takes them, and fits none of them.
var longURL = "https://h/" + strings.Repeat("a", 8192-len("https://h/"))

// A matcher that looks back would not return from these.
func TestCoversPathological(t *testing.T) {
	for name, resource := range pathological {
		if cloudfront.Covers(resource, longURL) {
			t.Errorf("Covers(%s) = true, want false", name)
		}
		if !cloudfront.Covers(strings.ReplaceAll(resource, "b", ""), longURL) {
			t.Errorf("Covers(%s without its end) = false, want true", name)
		}
	}
}
