package urlpath_test

import (
	"errors"
	"net/url"
	"path"
	"strings"
	"testing"

	"github.com/handstamp/handstamp/pkg/urlpath"
)

var spellings = []struct {
	raw, want string // want is empty where the path is ambiguous
}{
	{"/", "/"},
	{"/castle", "/castle"},
	{"/castle/", "/castle/"},
	{"/castle/audio/01.m4a", "/castle/audio/01.m4a"},
	{"/Castle/x", "/Castle/x"},
	{"/castle/...", "/castle/..."},
	{"/castle/..x", "/castle/..x"},
	{"/castle/.well-known", "/castle/.well-known"},
	{"/castle/x.", "/castle/x."},
	{"/castle/x%20", "/castle/x "},
	{"/castle/con", "/castle/con"},
	{"/castle/~", "/castle/~"},
	{"/castle/%7e", "/castle/~"},
	{"/c%61stle/x", "/castle/x"},
	{"/castle/x%23y", "/castle/x#y"},
	{"/castle/x%3fy", "/castle/x?y"},
	{"/castle/a%20b", "/castle/a b"},
	{"/castle/a+b", "/castle/a+b"},
	{"/castle/a%2bb", "/castle/a+b"},
	{"/castle/100%25", "/castle/100%"},
	{"/castle/100%25zz", "/castle/100%zz"},
	{"/castle/%25", "/castle/%"},
	{"/castle/caf%C3%A9", "/castle/café"},
	{"/castle/caf%c3%a9", "/castle/café"},
	{"/castle/café", "/castle/café"},
	{"/castle/cafe%CC%81", "/castle/cafe\u0301"},
	{"/castle/%E2%88%95x", "/castle/\u2215x"}, // a division slash separates nothing
	{"/castle/a:b@c=d,e&f$g!h*i(j)k'l", "/castle/a:b@c=d,e&f$g!h*i(j)k'l"},
	{"/castle/$DATA::x", "/castle/$DATA::x"},

	{"", ""},
	{"*", ""},
	{"castle/x", ""},
	{"http://host/castle/x", ""},
	{"%2fcastle/x", ""},
	{"/.", ""},
	{"/..", ""},
	{"/./x", ""},
	{"/../x", ""},
	{"/castle/.", ""},
	{"/castle/..", ""},
	{"/castle/./x", ""},
	{"/castle/../x", ""},
	{"/castle/../", ""},
	{"/castle/%2e%2e/x", ""},
	{"/castle/%2E%2E/x", ""},
	{"/castle/.%2e/x", ""},
	{"/castle/%2e./x", ""},
	{"/castle/%2e/x", ""},
	{"/castle/%2e%2e", ""},
	{"/castle/01%2em4a", ""},
	{"/castle/..%2fx", ""},
	{"/castle/%2e%2e%2fx", ""},
	{"/castle%2fx", ""},
	{"/castle%2Fx", ""},
	{"/castle/%252e%252e/x", ""},
	{"/castle%252fx", ""},
	{"/castle/%25252e/x", ""},
	{"/castle/%25%32%65/x", ""},
	{"/castle/%2525", ""},
	{"/castle/..;/x", ""},
	{"/castle;v=1/x", ""},
	{"/castle/x;", ""},
	{"/castle/..%3b/x", ""},
	{"/castle/..%3B/x", ""},
	{`/castle\x`, ""},
	{`/castle/..\x`, ""},
	{`\castle\x`, ""},
	{"/castle/%5cx", ""},
	{"/castle/%5C..%5Cx", ""},
	{"//", ""},
	{"//castle/x", ""},
	{"/castle//x", ""},
	{"/castle/x//", ""},
	{"///", ""},
	{"/castle/%00", ""},
	{"/castle/x%00.m4a", ""},
	{"/castle/x\x00", ""},
	{"/castle/a%0ab", ""},
	{"/castle/a%0d%0ab", ""},
	{"/castle/a%09b", ""},
	{"/castle/a%1fb", ""},
	{"/castle/a%7fb", ""},
	{"/castle/a\tb", ""},
	{"/castle/a\nb", ""},
	{"/castle/a\x7fb", ""},
	{"/castle/a b", ""},
	{"/castle/x#y", ""},
	{"/castle/x?y", ""},
	{"/castle/%", ""},
	{"/castle/%4", ""},
	{"/castle/%zz", ""},
	{"/castle/%4g", ""},
	{"/castle/%g4", ""},
	{"/castle/% 41", ""},
	{"/castle/%u002e", ""},
	{"/castle/%ff", ""},
	{"/castle/\xff", ""},
	{"/castle/%c0%ae%c0%ae/x", ""}, // dots in an overlong form
	{"/castle/%c0%afx", ""},
	{"/castle/%c3", ""},
	{"/castle/%ed%a0%80", ""}, // half of a surrogate pair
}

func TestCanonical(t *testing.T) {
	for _, tt := range spellings {
		got, err := urlpath.Canonical(tt.raw)
		if tt.want == "" {
			if !errors.Is(err, urlpath.ErrAmbiguous) {
				t.Errorf("Canonical(%q) = %q, %v, want ErrAmbiguous", tt.raw, got, err)
			}
			continue
		}
		if err != nil || got != tt.want {
			t.Errorf("Canonical(%q) = %q, %v, want %q", tt.raw, got, err, tt.want)
		}
	}
}

func TestCanonicalSaysWhatItFound(t *testing.T) {
	for raw, want := range map[string]string{
		"/castle/%2e%2e/x":        `ambiguous path: found "%2e", want no such escape in a path`,
		"/castle/../x":            `ambiguous path: found "/../", want no empty, . or .. segment`,
		"castle":                  `ambiguous path: found "castle", want a path that begins with /`,
		"/castle/%252e":           `ambiguous path: found "%2e", want no escape left after decoding`,
		"/castle/%4":              `ambiguous path: found "%4", want % and two hexadecimal digits`,
		"/castle/a\nb":            `ambiguous path: found "\n", want it escaped or left out`,
		"/castle/\xff":            `ambiguous path: found "/castle/\xff", want UTF-8 after decoding`,
		strings.Repeat("x", 2000): `ambiguous path: found "` + strings.Repeat("x", 80) + `", want a path that begins with /`,
	} {
		if _, err := urlpath.Canonical(raw); err == nil || err.Error() != want {
			t.Errorf("Canonical(%.100q) = %v, want %s", raw, err, want)
		}
	}
}

// Every byte, plain and escaped: what passes passes because it is harmless.
func TestCanonicalEveryByte(t *testing.T) {
	for c := range 256 {
		for _, raw := range []string{"/a" + string([]byte{byte(c)}) + "b", "/a" + percent(byte(c)) + "b"} {
			got, err := urlpath.Canonical(raw)
			if err == nil {
				holds(t, raw, got)
			}
			plain := len(raw) == 4
			allowed := c > ' ' && c < 0x7f && !strings.ContainsRune(`\;`, rune(c)) || !plain && c == ' '
			switch {
			case plain && (c == '#' || c == '?' || c == '%'):
				allowed = false
			case !plain && (c == '/' || c == '.'):
				allowed = false
			}
			if (err == nil) != allowed {
				t.Errorf("Canonical(%q) = %q, %v, want allowed %v", raw, got, err, allowed)
			}
		}
	}
}

func TestCanonicalDoesNotAllocate(t *testing.T) {
	raw := "/castle/audio/" + strings.Repeat("tour/", 20) + "01.m4a"
	if n := testing.AllocsPerRun(100, func() {
		if _, err := urlpath.Canonical(raw); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("Canonical of a plain path allocates %v times, want 0", n)
	}
}

func percent(c byte) string {
	const hex = "0123456789abcdef"
	return "%" + string(hex[c>>4]) + string(hex[c&15])
}

// holds checks what every canonical path promises.
func holds(t *testing.T, raw, got string) {
	t.Helper()
	switch {
	case !strings.HasPrefix(got, "/"), strings.ContainsAny(got, "\\;\x00\n\r"):
		t.Errorf("Canonical(%q) = %q", raw, got)
	case path.Clean(got) != got && path.Clean(got)+"/" != got:
		t.Errorf("Canonical(%q) = %q, which path.Clean makes %q", raw, got, path.Clean(got))
	}
	if plain, err := url.PathUnescape(raw); err != nil || plain != got {
		t.Errorf("Canonical(%q) = %q, but net/url decodes it to %q, %v", raw, got, plain, err)
	}
	again, err := urlpath.Canonical((&url.URL{Path: got}).EscapedPath())
	if err != nil || again != got {
		t.Errorf("Canonical(%q) = %q, escaped and read again %q, %v", raw, got, again, err)
	}
	if twice, err := url.PathUnescape(got); err == nil && twice != got {
		t.Errorf("Canonical(%q) = %q, which decodes again to %q", raw, got, twice)
	}
}

func FuzzCanonical(f *testing.F) {
	for _, tt := range spellings {
		f.Add(tt.raw)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		got, err := urlpath.Canonical(raw)
		if err == nil {
			holds(t, raw, got)
		} else if !errors.Is(err, urlpath.ErrAmbiguous) || got != "" {
			t.Errorf("Canonical(%q) = %q, %v, want ErrAmbiguous and nothing", raw, got, err)
		}
	})
}

func BenchmarkCanonical(b *testing.B) {
	for _, raw := range []string{"/castle/audio/01.m4a", "/castle/caf%C3%A9/01.m4a"} {
		b.Run(raw, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = urlpath.Canonical(raw)
			}
		})
	}
}
