package app_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/handstamp/handstamp/pkg/app"
	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/book/sqlite"
	"github.com/handstamp/handstamp/pkg/book/sqlite/sqlitetest"
	"github.com/handstamp/handstamp/pkg/config"
	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/keyring"
	"github.com/handstamp/handstamp/pkg/ticket/jwt"
	"github.com/handstamp/handstamp/pkg/ticket/totp"
	"github.com/handstamp/handstamp/pkg/ticket/web"
)

const sourcesDir = "../../docs/sources"

// A sourcePage is what the last section of a page of docs/sources configures.
type sourcePage struct {
	name   string
	config string             // the part of config.yaml
	files  map[string]string  // the other blocks, by the file that the text before them names
	dir    string             // where all of it was written to
	shop   ed25519.PrivateKey // of the public key that a page about signed tickets names
}

var (
	docBlock = regexp.MustCompile("(?ms)^```(yaml|csv)\n(.*?)^```$")
	docFile  = regexp.MustCompile("`([a-z0-9./-]+\\.(?:yaml|csv))`")
	docRef   = regexp.MustCompile(`\bfile:([a-z0-9./-]+)`)
)

// finished reads the section "The finished configuration" of a page. It must be
// the last one, and show every settings file and list that its sources name.
func finished(t *testing.T, name string) *sourcePage {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(sourcesDir, name))
	if err != nil {
		t.Fatal(err)
	}
	_, section, ok := strings.Cut(string(text), "\n## The finished configuration\n")
	if !ok || strings.Contains(section, "\n## ") {
		t.Fatalf("%s does not end in a section \"The finished configuration\"", name)
	}
	p := &sourcePage{name: name, files: map[string]string{}}
	from := 0
	for i, m := range docBlock.FindAllStringSubmatchIndex(section, -1) {
		before, block := section[from:m[0]], section[m[4]:m[5]]
		from = m[1]
		named := docFile.FindAllStringSubmatch(before, -1)
		switch {
		case len(named) == 0:
			t.Fatalf("%s: block %d: the text before it names no file in `backticks`", name, i+1)
		case i == 0 && named[len(named)-1][1] != "config.yaml":
			t.Fatalf("%s: the first block is for %s, want config.yaml", name, named[len(named)-1][1])
		case i == 0:
			p.config = block
		default:
			p.files[named[len(named)-1][1]] = block
		}
	}
	p.complete(t)
	return p
}

// complete fails the test for a file that the configuration names and the page
// does not show, and for one that it shows in vain.
func (p *sourcePage) complete(t *testing.T) {
	t.Helper()
	var c struct {
		Sources []struct{ Kind, Settings, File string }
		Book    any
	}
	if err := yaml.Unmarshal([]byte(p.config), &c); err != nil || len(c.Sources) == 0 {
		t.Fatalf("%s: %d sources in the first block, error %v, want a part of config.yaml", p.name, len(c.Sources), err)
	}
	shown := len(p.files)
	for _, s := range c.Sources {
		if (s.Kind == "issued" || s.Kind == "totp") && c.Book == nil {
			t.Errorf("%s: kind %s needs a book, and the page configures none", p.name, s.Kind)
		}
		for _, file := range []string{s.Settings, s.File} {
			if file == "" {
				continue
			}
			if _, ok := p.files[file]; !ok {
				t.Fatalf("%s: the configuration names %s, and no block shows it", p.name, file)
			}
			shown--
		}
	}
	if shown != 0 {
		t.Errorf("%s: %d blocks are for files that no source names", p.name, shown)
	}
}

const docsBase = `environment: production
http: {public_url: "https://api.example.org", trusted_proxies: [10.0.0.0/8]}
media: {url: "https://media.example.org"}
cookies: {domain: example.org}
keys: {dir: keys, active: KDOCS0000001}
`

const docsBook = "book: {kind: sqlite, file: handstamp.db, pepper: file:pepper}\n"

// write puts the page's files into a folder, with the secrets and keys that
// they refer to, and returns the configuration.
func (p *sourcePage) write(t *testing.T) *config.Config {
	t.Helper()
	p.dir = t.TempDir()
	text := docsBase + p.config
	if !strings.Contains("\n"+p.config, "\nbook:") {
		text += docsBook
	}
	p.put(t, "config.yaml", text)
	for name, block := range p.files {
		p.put(t, name, block)
		text += block
		if strings.HasSuffix(name, ".yaml") {
			p.keys(t, block)
		}
	}
	for _, m := range docRef.FindAllStringSubmatch(text, -1) {
		p.put(t, m[1], rand.Text()+rand.Text()+"\n")
	}
	cfg, err := config.Load(filepath.Join(p.dir, "config.yaml"), config.Options{})
	if err != nil {
		t.Fatalf("%s: Load = %v", p.name, err)
	}
	for _, w := range cfg.Warnings {
		t.Errorf("%s: Load warns: %s", p.name, w)
	}
	return cfg
}

// keys writes what a settings file of kind jwt names.
func (p *sourcePage) keys(t *testing.T, settings string) {
	t.Helper()
	var in struct {
		Keys       []struct{ File string }
		DeniedFile string `yaml:"denied_file"`
	}
	_ = yaml.Unmarshal([]byte(settings), &in) // keys of another kind of source are no files
	for _, key := range in.Keys {
		_, private, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		p.shop = private
		public, err := p.minter(t, "any", "any").Public()
		if err != nil {
			t.Fatal(err)
		}
		p.put(t, key.File, string(public))
	}
	if in.DeniedFile != "" {
		p.put(t, in.DeniedFile, "# taken back\n")
	}
}

func (p *sourcePage) put(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join(p.dir, name)
	if !filepath.IsLocal(name) {
		t.Fatalf("%s: %s is not a path below the folder of config.yaml", p.name, name)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// read returns a file without its line's end.
func (p *sourcePage) read(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(p.dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return bytes.TrimSuffix(text, []byte("\n"))
}

// build makes the gateway as it runs in production, with the book that
// "handstamp book init" makes.
func (p *sourcePage) build(t *testing.T, cfg *config.Config) *app.App {
	t.Helper()
	cfg.Throttle.Floor, cfg.Throttle.Jitter = 0, 0
	sqlitetest.Put(t, cfg.Book.File)
	b, err := sqlite.Open(t.Context(), cfg.Book.File, sqlite.Options{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	key, err := keyring.Generate(keyring.ECDSA)
	if err != nil {
		t.Fatal(err)
	}
	ring, err := keyring.New([]keyring.Key{{ID: "KDOCS0000001", Public: key.Public(), Private: key}}, "KDOCS0000001")
	if err != nil {
		t.Fatal(err)
	}
	a, err := app.New(t.Context(), cfg, app.Options{Ring: ring})
	if err != nil {
		t.Fatalf("%s: New = %v", p.name, err)
	}
	t.Cleanup(func() { _ = a.Close() })
	return a
}

// offline fails the test when something looks up the address of a server.
func offline(t *testing.T) {
	usual := net.DefaultResolver
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		t.Error("the network was asked for, want none")
		return nil, errors.New("no network")
	}}
	t.Cleanup(func() { net.DefaultResolver = usual })
}

func sourcePages(t *testing.T) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(sourcesDir, "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, path := range paths {
		if name := filepath.Base(path); name != "README.md" {
			names = append(names, name)
		}
	}
	return names
}

// Every page about a ticket source ends in a configuration that works as it
// stands, in production. Where nobody else has to be asked, a ticket gets in.
func TestSourcePages(t *testing.T) {
	offline(t)
	for _, name := range sourcePages(t) {
		t.Run(name, func(t *testing.T) {
			p := finished(t, name)
			cfg := p.write(t)
			a := p.build(t, cfg)
			for _, s := range cfg.Sources {
				for _, code := range p.codes(t, cfg, s) {
					if got := enter(t, a, code); got != http.StatusOK {
						t.Errorf("a ticket of source %q = %d, want 200", s.ID, got)
					}
				}
			}
		})
	}
}

// enter shows a code and returns the status of the answer.
func enter(t *testing.T, a *app.App, code string) int {
	t.Helper()
	body, err := json.Marshal(map[string]string{"ticket": code})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, "https://api.example.org/v1/tickets/verify", bytes.NewReader(body))
	r.RequestURI = "/v1/tickets/verify"
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	a.Handler.ServeHTTP(w, r)
	return w.Code
}

// codes returns tickets that are good at a source that asks nobody.
func (p *sourcePage) codes(t *testing.T, cfg *config.Config, s config.Source) []string {
	t.Helper()
	switch s.Kind {
	case "roll":
		var codes []string
		for _, line := range strings.Split(string(p.read(t, filepath.Base(s.File))), "\n")[1:] {
			code, _, _ := strings.Cut(line, ",")
			codes = append(codes, strings.ToLower(strings.ReplaceAll(code, "-", " "))) // as people type it
		}
		return codes
	case "jwt":
		return []string{p.token(t, s)}
	case "issued":
		return []string{p.issue(t, cfg)}
	case "totp":
		return []string{p.pass(t, cfg, s)}
	}
	return nil
}

func (p *sourcePage) token(t *testing.T, s config.Source) string {
	t.Helper()
	var in struct{ Issuer, Audience, Type string }
	if err := yaml.Unmarshal(p.read(t, filepath.Base(s.Settings)), &in); err != nil {
		t.Fatal(err)
	}
	m := p.minter(t, in.Issuer, in.Audience)
	m.Type = in.Type
	minted, err := m.Mint(jwt.Order{Products: []gate.Product{{Attraction: "castle", Package: "audio"}}, ValidUntil: time.Now().Add(time.Hour).Truncate(time.Second)})
	if err != nil {
		t.Fatal(err)
	}
	return minted.Token.Reveal()
}

func (p *sourcePage) minter(t *testing.T, issuer, audience string) *jwt.Minter {
	t.Helper()
	m, err := jwt.NewMinter(p.shop, issuer, audience, nil)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func (p *sourcePage) issue(t *testing.T, cfg *config.Config) string {
	t.Helper()
	issuer, err := app.OpenIssuer(cfg)
	if err != nil {
		t.Fatal(err)
	}
	code, err := issuer.New()
	if err != nil {
		t.Fatal(err)
	}
	print, err := issuer.Fingerprint(code)
	if err != nil {
		t.Fatal(err)
	}
	p.record(t, cfg, print)
	return issuer.Show(code).Reveal()
}

func (p *sourcePage) pass(t *testing.T, cfg *config.Config, s config.Source) string {
	t.Helper()
	const pass = "ANNUAL7F3K"
	print, err := totp.Fingerprint(p.read(t, "pepper"), s.ID, pass)
	if err != nil {
		t.Fatal(err)
	}
	p.record(t, cfg, print)
	secret := totp.Derive(p.read(t, "totp.key"), totp.SHA1, pass)
	return pass + "." + totp.Password(secret, totp.SHA1, totp.DefaultDigits, totp.StepOf(time.Now()))
}

// record puts a ticket for the castle into the book.
func (p *sourcePage) record(t *testing.T, cfg *config.Config, code gate.Fingerprint) {
	t.Helper()
	ledger, closer, err := app.OpenLedger(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = closer.Close() }()
	r := book.Record{Code: code, Products: []gate.Product{{Attraction: "castle", Package: "audio"}}}
	if _, _, err := ledger.Import(t.Context(), "docs", slices.Values([]book.Record{r}), book.AuditEvent{Actor: "docs"}); err != nil {
		t.Fatal(err)
	}
}

// The table of docs/sources/README.md has every page, with the kind that the
// page configures, and every preset has a page.
func TestSourcePagesAreListed(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(sourcesDir, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile("(?m)^\\| \\[[^]]+\\]\\(([a-z]+\\.md)\\)[^|]*\\| `([a-z]+)`[^|]*\\| (?:read|consume)[^|]*\\| [^|]+ \\|$")
	kinds := map[string]string{}
	for _, m := range row.FindAllStringSubmatch(string(text), -1) {
		kinds[m[1]] = m[2]
	}
	pages := sourcePages(t)
	for _, name := range pages {
		var c struct{ Sources []struct{ Kind string } }
		if err := yaml.Unmarshal([]byte(finished(t, name).config), &c); err != nil {
			t.Fatal(err)
		}
		if got, want := kinds[name], c.Sources[0].Kind; got != want {
			t.Errorf("README.md has the kind %q for %s, want %q", got, name, want)
		}
	}
	if len(kinds) != len(pages) {
		t.Errorf("README.md lists %d pages, want %d", len(kinds), len(pages))
	}
	for _, preset := range web.Presets() {
		if !slices.Contains(pages, preset+".md") {
			t.Errorf("the preset %q has no page", preset)
		}
	}
}
