package config_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/config"
)

// TestBase reads every key of base and thereby every type.
func TestBase(t *testing.T) {
	want := &config.Config{
		Environment: "development",
		HTTP: config.HTTP{
			Listen: "127.0.0.1:8080", PublicURL: "https://api.example.org", Drain: 3 * time.Second,
			TrustedOrigins: []string{"https://app.example.org"}, TrustedProxies: []string{"10.0.0.0/8"},
		},
		Media: config.Media{URL: "https://media.example.org"},
		Cookies: config.Cookies{
			Lifetime: 15 * time.Minute, Window: time.Minute, Sharing: true, Domain: "example.org", SameSite: "lax", Hash: "SHA256",
		},
		Admission: config.Admission{Longest: 24 * time.Hour, Devices: 5, Verdict: 10 * time.Minute, Outage: 2 * time.Hour, Idle: 45 * time.Minute, Swaps: 3},
		Throttle: config.Throttle{
			Enabled: true, Failures: 10, Window: 10 * time.Minute, VenueFactor: 20, Floor: 400 * time.Millisecond, Jitter: 100 * time.Millisecond,
		},
		Keys:     config.KeyRing{Dir: "keys", Active: "K2JCJMDEHXQW5F", Interval: 10 * time.Second, Settle: time.Hour},
		Book:     config.Book{Kind: "memory", File: "handstamp.db", Table: "handstamp"},
		Denylist: config.Denylist{Interval: 5 * time.Second},
		Log:      config.Log{Level: "info", Format: "json"},
		Traces:   config.Traces{Percent: 10},
		Sources:  []config.Source{{ID: "list", Kind: "roll", Match: "[A-Z]+", File: "tickets.csv", Timeout: 3 * time.Second}},
		Attractions: []config.Attraction{{
			ID: "castle", Name: "Castle", Prefix: "spain/castle", Timezone: "Europe/Madrid",
			Packages: []config.Package{{ID: "audio", Name: "Audio"}},
			Free:     []string{"free"}, Sources: []string{"list"}, Content: "guide.yaml",
		}},
		Admin:    config.Admin{Hosts: []string{"localhost", "127.0.0.1", "::1"}},
		Objects:  config.Objects{Lifetime: time.Minute, Window: 30 * time.Second},
		Edge:     config.Edge{Root: "media"},
		Warnings: []string{"config.yaml:23: book.kind: memory forgets every admission and revocation when handstamp stops; sqlite keeps them"},
	}
	if got := mustLoad(t, base); !reflect.DeepEqual(got, want) {
		t.Errorf("Parse() = %+v, want %+v", got, want)
	}
}

// TestMinimal has everything else at its default.
func TestMinimal(t *testing.T) {
	want := config.Default()
	want.Sources = []config.Source{{ID: "list", Kind: "roll", File: "tickets.csv", Timeout: 3 * time.Second}}
	want.Attractions = []config.Attraction{{
		ID: "castle", Name: "castle", Prefix: "castle", Timezone: "Europe/Madrid", Sources: []string{"list"},
	}}
	if got := mustLoad(t, minimal); !reflect.DeepEqual(got, want) {
		t.Errorf("Parse() = %+v, want %+v", got, want)
	}
}

// TestAccepted has what strictness must not refuse.
func TestAccepted(t *testing.T) {
	tests := []struct {
		name string
		edit []string
	}{
		{"switch as YAML 1.1 tools write it", []string{"  sharing: on", "  sharing: true"}},
		{"switch in quotes", []string{"  sharing: on", `  sharing: "off"`}},
		{"switch in capitals", []string{"  sharing: on", "  sharing: Off"}},
		{"carriage returns and a tab after a colon", []string{"  lifetime: 15m\n", "  lifetime:\t15m\r\n"}},
		{"byte order mark", []string{"http:\n  listen", "\ufeffhttp:\n  listen"}},
		{"end marker", []string{"environment: development\n", "environment: development\n...\n# end\n"}},
		{"empty section", []string{"edge:\n  root: media", "edge: {}"}},
		{"empty list", []string{"    free: [free]", "    free: []"}},
		{"every interface, any port", []string{"127.0.0.1:8080", `":0"`}},
		{"IPv6 interface", []string{"127.0.0.1:8080", `"[::1]:8080"`}},
		{"IPv6 network", []string{"[10.0.0.0/8]", `["fd00::/8", "10.0.0.7/32"]`}},
		{"API on its own port", []string{"  public_url: https://api.example.org", "  public_url: https://api.example.org:8443"}},
		{"page on this machine", []string{"[https://app.example.org]\n", "[]\n"}},
		{"page of another site with none", []string{"[https://app.example.org]", "[https://app.example.com]", "  same_site: lax", "  same_site: none"}},
		{"page of another host of the site with strict", []string{"  same_site: lax", "  same_site: strict"}},
		{"own domain below a country's", []string{
			"https://api.example.org", "https://api.example.co.uk", "https://media.example.org", "https://media.example.co.uk",
			"[https://app.example.org]", "[https://app.example.co.uk]", "  domain: example.org", "  domain: example.co.uk",
		}},
		{"host-only cookies", []string{
			"https://api.example.org", "https://media.example.org", "  domain: example.org", `  domain: ""`,
		}},
		{"window of half the lifetime", []string{"  window: 60s", "  window: 7m30s"}},
		{"shortest", []string{"  lifetime: 15m\n  window: 60s", "  lifetime: 30s\n  window: 1s", "  drain: 3s", "  drain: 0s"}},
		{"longest", []string{"  lifetime: 15m\n  window: 60s", "  lifetime: 60m\n  window: 30m", "  longest: 24h", "  longest: 8760h"}},
		{"longest visit of one lifetime", []string{"  longest: 24h", "  longest: 15m"}},
		{"prefix that only begins alike", []string{"attractions:\n", "attractions:\n  - {id: b, prefix: spain/castle-2, timezone: UTC, sources: [list]}\n"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { mustLoad(t, edit(t, base, tt.edit...)) })
	}
}

func TestSwitch(t *testing.T) {
	for text, want := range map[string]config.Switch{"on": true, "off": false, "true": true, `"off"`: false} {
		if got := mustLoad(t, edit(t, base, "  sharing: on", "  sharing: "+text)).Cookies.Sharing; got != want {
			t.Errorf("sharing: %s is %v, want %v", text, got, want)
		}
	}
}

func TestLoadFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "sub", "handstamp.yaml")
	write := func(text string) {
		t.Helper()
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	_, err := config.Load(path, config.Options{})
	wantProblems(t, err, path+": no such file or directory")
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Load of an absent file = %v, want fs.ErrNotExist", err)
	}
	_, err = config.Load(dir, config.Options{})
	wantProblems(t, err, dir+": is a directory")

	write(minimal + "#" + strings.Repeat("x", 1<<20-len(minimal)-1))
	if _, err := config.Load(path, config.Options{}); err != nil {
		t.Errorf("Load of 1 MiB = %v", err)
	}
	write(minimal + "#" + strings.Repeat("x", 1<<20-len(minimal)))
	_, err = config.Load(path, config.Options{})
	wantProblems(t, err, path+": bigger than 1 MiB, which no configuration is")
}

// TestRelativePaths: those of the file begin at its folder, the others here.
func TestRelativePaths(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "pepper"), []byte("0123456789abcdef"), 0o600); err != nil {
		t.Fatal(err)
	}
	text := edit(t, base, `  pepper: ""`, "  pepper: file:pepper", "    content: guide.yaml", "    content: /abs/guide.yaml")
	t.Setenv("HANDSTAMP_EDGE_ROOT", "media")
	opts := config.Options{Overrides: map[string]string{"keys.dir": "keys"}}
	cfg, err := config.Parse(filepath.Join(dir, "config.yaml"), []byte(text), opts)
	if err != nil {
		t.Fatal(err)
	}
	got := []string{cfg.Sources[0].File, cfg.Book.Pepper.String(), cfg.Attractions[0].Content, cfg.Edge.Root, cfg.Keys.Dir}
	want := []string{dir + "/tickets.csv", "file:" + dir + "/pepper", "/abs/guide.yaml", "media", "keys"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("paths = %q, want %q", got, want)
	}
}

// TestErrorIsShort: a file that is something else does not fill the screen.
func TestErrorIsShort(t *testing.T) {
	var text strings.Builder
	for i := range 200 {
		fmt.Fprintf(&text, "colour%d: blue\n", i)
	}
	_, err := load(text.String())
	lines := strings.Split(err.Error(), "\n")
	if got, want := lines[len(lines)-1], "and 152 more problems"; len(lines) != 51 || got != want {
		t.Errorf("Error() has %d lines and ends %q, want 51 and %q", len(lines), got, want)
	}
	_, err = load(strings.Repeat("a: 1\n", 5000))
	var refused *config.Error
	if !errors.As(err, &refused) || len(refused.Problems) > 1010 {
		t.Errorf("Parse() of 5000 wrong lines finds %d problems, want it to stop at about 1000", len(refused.Problems))
	}
}

// TestLongList: checking is not linear, so lists have an end.
func TestLongList(t *testing.T) {
	list := func(n int) string { return strings.Repeat("10.0.0.0/8, ", n) }
	_, err := load(edit(t, base, "[10.0.0.0/8]", "["+list(1001)+"]"))
	wantProblems(t, err, "config.yaml:5: http.trusted_proxies: the list has 1001 items, want at most 1000")
	_, err = load(edit(t, base, "[10.0.0.0/8]", "["+list(1000)+"]"))
	if err == nil || !strings.Contains(err.Error(), "listed twice") {
		t.Errorf("Parse() of 1000 items = %v, want them looked at", err)
	}
}

// TestReload: a Config that was returned stays as it was.
func TestReload(t *testing.T) {
	before := mustLoad(t, base)
	if _, err := load("http: [\n"); err == nil {
		t.Fatal("a broken file was accepted")
	}
	mustLoad(t, edit(t, base, "  devices: 5", "  devices: 6"))
	if want := mustLoad(t, base); !reflect.DeepEqual(before, want) {
		t.Errorf("after reloads the first Config is %+v, want %+v", before, want)
	}
}
