package gate_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/handstamp/handstamp/pkg/gate"
)

func TestCheckSlug(t *testing.T) {
	tests := []struct {
		slug string
		ok   bool
	}{
		{"castle", true},
		{"a", true},
		{"7", true},
		{"tower-2", true},
		{"a--b", true},
		{strings.Repeat("a", 63), true},
		{strings.Repeat("a", 64), false},
		{"", false},
		{"-", false},
		{"-a", false},
		{"a-", false},
		{"A", false},
		{"Castle", false},
		{"*", false},
		{"?", false},
		{"castle*", false},
		{"ca?tle", false},
		{".", false},
		{"..", false},
		{"a.b", false},
		{"a/b", false},
		{`a\b`, false},
		{"a%2fb", false},
		{"a b", false},
		{" a", false},
		{"a\n", false},
		{"a\x00", false},
		{"ä", false},
		{"ａ", false}, // full width
		{"a_b", false},
		{"a;b", false},
		{`a"b`, false},
		{"a&b", false},
		{"a#b", false},
	}
	for _, tt := range tests {
		err := gate.CheckSlug(tt.slug)
		if tt.ok && err != nil || !tt.ok && !errors.Is(err, gate.ErrSlug) {
			t.Errorf("CheckSlug(%q) = %v, want ok %v", tt.slug, err, tt.ok)
		}
	}
}

func TestCheckSlugQuotesLittleOfALongText(t *testing.T) {
	err := gate.CheckSlug(strings.Repeat("A", 1<<20))
	if !errors.Is(err, gate.ErrSlug) || len(err.Error()) > 200 {
		t.Errorf("CheckSlug(1 MiB) = %d bytes of message, want ErrSlug in at most 200", len(err.Error()))
	}
}

// slug is the grammar as the documents write it.
var slug = regexp.MustCompile(`\A[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\z`)

func FuzzCheckSlug(f *testing.F) {
	for _, s := range []string{"castle", "a-", "-a", "..", "a/b", "ä", "", strings.Repeat("a", 64)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if err := gate.CheckSlug(s); (err == nil) != slug.MatchString(s) {
			t.Errorf("CheckSlug(%q) = %v, but the grammar says %v", s, err, slug.MatchString(s))
		}
	})
}

func TestAttractionPackage(t *testing.T) {
	castle := &gate.Attraction{ID: "castle", Prefix: "spain/castle", Packages: []gate.Package{{ID: "audio", Name: "Audio guide"}}}
	if p, ok := castle.Package("audio"); !ok || p.Name != "Audio guide" {
		t.Errorf(`Package("audio") = %+v, %v, want the audio guide`, p, ok)
	}
	if p, ok := castle.Package("premium"); ok || p != (gate.Package{}) {
		t.Errorf(`Package("premium") = %+v, %v, want none`, p, ok)
	}
	if got := castle.PathOf("audio"); got != "spain/castle/audio" {
		t.Errorf(`PathOf("audio") = %q, want "spain/castle/audio"`, got)
	}
	if got := castle.PathOf(""); got != "spain/castle" {
		t.Errorf(`PathOf("") = %q, want "spain/castle"`, got)
	}
}
