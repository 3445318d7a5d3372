package config_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/handstamp/handstamp/pkg/config"
)

// TestAttractionsApart: what belongs to two attractions never mixes.
func TestAttractionsApart(t *testing.T) {
	const line = "config.yaml:5: attractions[1]."
	tests := []struct{ name, a, b, want string }{
		{"sound", "id: a", "id: b", ""},
		{"prefixes that begin alike", "id: a, prefix: t", "id: b, prefix: t2", ""},
		{"same id and so the same prefix", "id: a", "id: a", line + `id: "a" is already the id of attractions[0]`},
		{"same id", "id: a, prefix: p", "id: a, prefix: q", line + `id: "a" is already the id of attractions[0]`},
		{"same prefix", "id: a, prefix: t", "id: b, prefix: t", line + `prefix: "t" is also the prefix of "a", so cookies for one would open the other`},
		{"prefix that is another's id", "id: a", "id: b, prefix: a", line + `prefix: "a" is also the prefix of "a", so cookies for one would open the other`},
		{"nested", "id: a, prefix: t", "id: b, prefix: t/a", line + `prefix: "t/a" and the prefix "t" of "a" lie inside each other, so cookies for "t" would open "t/a"`},
		{"nested the other way", "id: a, prefix: t/a/b", "id: b, prefix: t", line + `prefix: "t" and the prefix "t/a/b" of "a" lie inside each other, so cookies for "t" would open "t/a/b"`},
		{"by case", "id: a, prefix: t", "id: b, prefix: T", line + `prefix: "T" is not slugs joined by /, want each to have lower-case letters, digits and inner hyphens, at most 63, and no / at the ends`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			const format = "sources:\n  - {id: list, file: tickets.csv}\nattractions:\n" +
				"  - {%s, timezone: UTC, sources: [list]}\n  - {%s, timezone: UTC, sources: [list]}\n"
			_, err := load(fmt.Sprintf(format, tt.a, tt.b))
			if tt.want == "" && err == nil {
				return
			}
			wantProblems(t, err, tt.want)
		})
	}
}

func TestSlugs(t *testing.T) {
	tests := map[string]bool{
		"a": true, "0": false, "'0'": true, "castle-2": true, strings.Repeat("a", 63): true,
		strings.Repeat("a", 64): false, "'*'": false, "'?'": false, "..": false, "'.'": false, "a/b": false, `a\b`: false,
		"a%2fb": false, "a b": false, "ä": false, "''": false, "-a": false, "a-": false, "A": false, "a_b": false, `"a\n"`: false,
	}
	for id, want := range tests {
		_, err := load(edit(t, minimal, "id: castle", "id: "+id))
		if (err == nil) != want {
			t.Errorf("attraction id %s: %v, want it accepted: %v", id, err, want)
		}
	}
}

// TestProduction refuses everything that is for trying out, at once.
func TestProduction(t *testing.T) {
	const book = "config.yaml: book.kind: memory forgets every admission when the process ends, want a durable book in production"
	_, err := load(minimal + "environment: production\n")
	wantProblems(t, err, `config.yaml: http.public_url: "http://127.0.0.1:8080" is only this machine, want the name that viewers use in production
config.yaml: media.url: "http://127.0.0.1:8080" is only this machine, want the name that viewers use in production
config.yaml: keys.dir: "keys.example" holds keys that everybody has, want your own in production
config.yaml: keys.active: "KEXAMPLE0001" is the example key, want your own in production
`+book+`
config.yaml: book.pepper: missing, want file:PATH or env:NAME in production`)

	t.Setenv("THE_PEPPER", "0123456789abcdef")
	sound := edit(t, base, "environment: development", "environment: production", `  pepper: ""`, "  pepper: env:THE_PEPPER", "  root: media", `  root: ""`)
	const memory = "config.yaml:23: book.kind: memory forgets every admission when the process ends, want a durable book in production"
	_, err = load(sound)
	wantProblems(t, err, memory)

	tests := []struct {
		name string
		edit []string
		want string
	}{
		{"plain http", []string{"https://api.example.org", "http://api.example.org"}, `config.yaml:3: http.public_url: "http://api.example.org" is plain http, want https in production
` + memory},
		{"page on this machine", []string{"https://app.example.org", "http://localhost:5173"}, `config.yaml:4: http.trusted_origins[0]: "http://localhost:5173" is only this machine, want the name that viewers use in production
` + memory},
		{"example keys in a folder below", []string{"  dir: keys", "  dir: ../Keys.Example/mine"}, `config.yaml:20: keys.dir: "../Keys.Example/mine" holds keys that everybody has, want your own in production
` + memory},
		{"local edge", []string{`  root: ""`, "  root: media"}, memory + `
config.yaml:45: edge.root: the local edge is for development, in production CloudFront serves the media`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := load(edit(t, sound, tt.edit...))
			wantProblems(t, err, tt.want)
		})
	}
}

// TestProductionSeesThroughLinks: a link to the example keys is no disguise.
func TestProductionSeesThroughLinks(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "keys.example"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("keys.example", filepath.Join(dir, "keys")); err != nil {
		t.Fatal(err)
	}
	text := edit(t, base, "environment: development", "environment: production")
	_, err := config.Parse(filepath.Join(dir, "config.yaml"), []byte(text), config.Options{})
	if err == nil || !strings.Contains(err.Error(), "holds keys that everybody has") {
		t.Errorf("Parse() = %v, want keys.dir refused", err)
	}
}

func TestPattern(t *testing.T) {
	tests := []struct {
		match, code string
		want        bool
	}{
		{"[A-Z]{3}", "ABC", true},
		{"[A-Z]{3}", "ABCD", false},
		{"[A-Z]{3}", "ABC\n", false},
		{"A|B", "AX", false},
		{"(?m)^A$", "A\nB", false},
	}
	for _, tt := range tests {
		re, err := config.Source{Match: tt.match}.Pattern()
		if err != nil || re.MatchString(tt.code) != tt.want {
			t.Errorf("Pattern() of %q on %q = %v, %v; want %v", tt.match, tt.code, re, err, tt.want)
		}
	}
	if re, err := (config.Source{}).Pattern(); re != nil || err != nil {
		t.Errorf("Pattern() of nothing = %v, %v; want nil, nil", re, err)
	}
}

// TestValidate is for a Config made in code: it has no lines.
func TestValidate(t *testing.T) {
	cfg := config.Default()
	cfg.Attractions = append(cfg.Attractions, config.Attraction{ID: "zoo", Timezone: "UTC", Sources: []string{"castle-list"}})
	if err := cfg.Validate(); err != nil || cfg.Attractions[1].Prefix != "zoo" || cfg.Attractions[1].Name != "zoo" {
		t.Errorf("Validate() = %v, with the attraction %+v", err, cfg.Attractions[1])
	}
	cfg.Attractions[1].Sources = []string{}
	cfg.Cookies.Lifetime = 0
	cfg.Cookies.Hash = "MD5"
	wantProblems(t, cfg.Validate(), `cookies.lifetime: 0s is out of range, want 30s to 60m
cookies.hash: found "MD5", want "", SHA1 or SHA256
attractions[1].sources: missing (ids of the sources that may confirm its tickets; at least one)`)
	if (&config.Config{}).Validate() == nil {
		t.Error("Validate() of a zero Config = nil")
	}
}

// TestLocation also has a system without a list of zones.
func TestLocation(t *testing.T) {
	t.Setenv("ZONEINFO", "/nonexistent")
	loc, err := config.Default().Attractions[0].Location()
	if err != nil || loc.String() != "Europe/Madrid" {
		t.Errorf("Location() = %v, %v", loc, err)
	}
}
