package config_test

import (
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/handstamp/handstamp/pkg/config"
)

// TestRedactedRoundTrips loads what was printed from another folder.
func TestRedactedRoundTrips(t *testing.T) {
	t.Setenv("THE_PEPPER", "0123456789abcdef")
	setDeskKey(t)
	awkward := edit(t, base, `  pepper: ""`, "  pepper: env:THE_PEPPER", "    name: Castle", `    name: "no: # \"'\\ é \u2028 ~"`, "    content: guide.yaml", `    content: "1"`)
	oneDay := edit(t, full, "          to: \"2026-09-15\"\n", "")
	for _, text := range []string{base, minimal, full, awkward, oneDay} {
		here := t.TempDir()
		cfg, err := config.Parse(filepath.Join(here, "config.yaml"), []byte(text), config.Options{})
		if err != nil {
			t.Fatal(err)
		}
		printed, err := cfg.Redacted()
		if err != nil {
			t.Fatal(err)
		}
		again, err := config.Parse("/elsewhere/config.yaml", printed, config.Options{})
		cfg.Warnings, again.Warnings = nil, nil // they name lines
		if err != nil || !reflect.DeepEqual(again, cfg) {
			t.Errorf("Parse(Redacted()) = %+v, %v; want %+v\nprinted:\n%s", again, err, cfg, printed)
		}
	}
}

// TestRedactedInline: a secret that was not printed cannot be read back.
func TestRedactedInline(t *testing.T) {
	cfg := mustLoad(t, edit(t, base, `  pepper: ""`, "  pepper: hunter2hunter2hunter2"))
	printed, err := cfg.Redacted()
	if err != nil || strings.Contains(string(printed), "hunter2") {
		t.Errorf("Redacted() = %s, %v", printed, err)
	}
	if _, err := load(string(printed)); err == nil || !strings.Contains(err.Error(), "book.pepper: unknown kind of reference") {
		t.Errorf("Parse(Redacted()) = %v, want book.pepper refused", err)
	}
}

// FuzzLoad: any file is a sound configuration or a list of problems, never a
// panic; a sound one reads back as printed.
func FuzzLoad(f *testing.F) {
	f.Add(base)
	f.Add(minimal)
	f.Add(edit(f, full, "key: env:DESK_KEY", "key: 0123456789abcdef0123456789abcdef", "pepper: env:THE_PEPPER", "pepper: 0123456789abcdef"))
	f.Add("attractions: [{opening: {weekly: [{days: [sun-sat, x-], hours: [24:00-00:00]}], exceptions: [{from: 0000-01-01, to: 9999-12-31}]}}]")
	f.Add("a: &a [*a]\nb: {<<: *a}\n---\n!!binary x")
	f.Add("attractions: [{packages: [{}], free: [[]], sources: {}}]\ncookies: {domain: a.b, lifetime: 1s}")
	f.Add("http: {listen: '[::1%25]:1', public_url: 'http://[::1]:1', trusted_origins: ['http://[::ffff:1.2.3.4%x]']}")
	f.Fuzz(func(t *testing.T, text string) {
		cfg, err := load(text)
		if err != nil {
			if strings.TrimSpace(err.Error()) == "" {
				t.Errorf("Parse(%q) fails without a problem", text)
			}
			return
		}
		printed, err := cfg.Redacted()
		if err != nil {
			t.Fatalf("Redacted() of %q = %v", text, err)
		}
		again, err := config.Parse("/config.yaml", printed, config.Options{})
		if err != nil {
			if strings.Contains(string(printed), "redacted:inline") {
				return
			}
			t.Fatalf("Parse(Redacted()) of %q = %v\nprinted:\n%s", text, err, printed)
		}
		reprinted, err := again.Redacted()
		if err != nil || string(reprinted) != string(printed) {
			t.Errorf("%q is printed as\n%s\nand then as\n%s", text, printed, reprinted)
		}
	})
}
