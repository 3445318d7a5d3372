package app_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/app"
	"github.com/handstamp/handstamp/pkg/config"
	"github.com/handstamp/handstamp/pkg/guide"
	"github.com/handstamp/handstamp/pkg/keyring"
)

// withSource builds a gateway whose only source is configured by a settings file.
func withSource(t *testing.T, kind, settings string, files map[string]string) (*app.App, error) {
	t.Helper()
	dir := t.TempDir()
	if files == nil {
		files = map[string]string{}
	}
	files["settings.yaml"] = settings
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	key, err := keyring.Generate(keyring.ECDSA)
	if err != nil {
		t.Fatal(err)
	}
	ring, err := keyring.New([]keyring.Key{{ID: "KTEST0000001", Public: key.Public(), Private: key}}, "KTEST0000001")
	if err != nil {
		t.Fatal(err)
	}
	cfg := config.Default()
	cfg.Throttle.Floor, cfg.Throttle.Jitter = 0, 0
	cfg.Sources = []config.Source{{ID: "office", Kind: kind, Settings: filepath.Join(dir, "settings.yaml"), Timeout: time.Second}}
	cfg.Attractions = []config.Attraction{{ID: "castle", Name: "Castle", Timezone: "Europe/Madrid", Free: []string{"free"},
		Content: "castle/guide.yaml", Sources: []string{"office"}, Packages: []config.Package{{ID: "audio"}, {ID: "premium"}}}}
	a, err := app.New(t.Context(), cfg, app.Options{Ring: ring, Media: guide.Sample()})
	if err == nil {
		t.Cleanup(func() { _ = a.Close() })
	}
	return a, err
}

// A box office with a JSON API, asked by configuration alone.
func TestWebSourceFromSettings(t *testing.T) {
	var asked []string
	office := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Path+" "+r.Header.Get("Authorization"))
		w.Header().Set("Content-Type", "application/json")
		code := strings.TrimPrefix(r.URL.Path, "/tickets/")
		if code == "GOOD4711" {
			_ = json.NewEncoder(w).Encode(map[string]any{"code": code, "state": "sold", "kind": "audio"})
			return
		}
		http.Error(w, "{}", http.StatusNotFound)
	}))
	t.Cleanup(office.Close)
	a, err := withSource(t, "web", `
network: {allow: [127.0.0.0/8]}
request:
  url: `+office.URL+`/tickets/{code}
auth:
  bearer: file:token
answer:
  shape: "{code: string, state: string, kind?: string}"
decide:
  echo: body.code
  valid: body.state == "sold"
  grants:
    - {when: body.kind == "audio", attraction: castle, package: audio}
`, map[string]string{"token": "secret-token"})
	if err != nil {
		t.Fatal(err)
	}
	if got := ask(a.Handler, "POST", "/v1/tickets/verify", `{"ticket":"good 4711"}`); got.StatusCode != 200 {
		t.Errorf("verify of a good ticket = %d, want 200; asked %q", got.StatusCode, asked)
	}
	if got := ask(a.Handler, "POST", "/v1/tickets/verify", `{"ticket":"bad 4711"}`); got.StatusCode != 403 {
		t.Errorf("verify of an unknown ticket = %d, want 403; asked %q", got.StatusCode, asked)
	}
	office.Close()
	if got := ask(a.Handler, "POST", "/v1/tickets/verify", `{"ticket":"other 4711"}`); got.StatusCode != 503 {
		t.Errorf("verify while nobody answers = %d, want 503", got.StatusCode)
	}
	if len(asked) < 2 || asked[0] != "/tickets/GOOD4711 Bearer secret-token" {
		t.Errorf("asked %q, want the code in its normal form and the token of the file", asked)
	}
}

func TestSettingsAreStrict(t *testing.T) {
	const keys = "{issuer: shop, audience: castle, keys: [{file: key.pem}]}"
	tests := []struct{ name, kind, settings, want string }{
		{"unknown key", "jwt", "issuer: shop\ncolour: red\n", "colour"},
		{"number for a duration", "jwt", "issuer: shop\nleeway: 15\n", "no duration with its unit"},
		{"not YAML", "jwt", "issuer: [", "settings.yaml"},
		{"two documents", "jwt", "issuer: a\n---\nissuer: b\n", "second document"},
		{"missing file", "jwt", keys, "key.pem"},
		{"missing secret", "web", "auth: {bearer: file:nowhere}", "nowhere"},
		{"unknown preset", "web", "preset: nobody", "nobody"},
		{"unknown product", "octo", "url: https://api.example.com/octo\ntoken: x\nproducts: [{id: a, buys: [moon/audio]}]", "moon"},
		{"needs a book", "totp", "master: 0123456789abcdef0123456789abcdef", "book"},
		{"pretix without a token", "pretix", "url: https://pretix.example.org\norganizer: castle\n", "oken"},
	}
	for _, tt := range tests {
		_, err := withSource(t, tt.kind, tt.settings, nil)
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), `source "office"`) {
			t.Errorf("%s: New = %v, want an error about %q of source \"office\"", tt.name, err, tt.want)
		}
	}
}
