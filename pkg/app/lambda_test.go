package app_test

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/app"
	"github.com/handstamp/handstamp/pkg/config"
	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/keyring"
	"github.com/handstamp/handstamp/pkg/ticket/roll"
)

// A thaw is a clock that stands still between requests.
type thaw struct{ at time.Time }

func (c *thaw) now() time.Time { return c.at }

// functionConfig is that of a castle whose keys are in a folder with a manifest.
func functionConfig(t *testing.T, dir string) *config.Config {
	t.Helper()
	cfg := config.Default()
	cfg.Keys = config.KeyRing{Dir: dir, Manifest: "folder", Interval: 10 * time.Second}
	cfg.Sources = []config.Source{{ID: "list", Kind: "roll"}}
	cfg.Attractions = []config.Attraction{{ID: "castle", Timezone: "Europe/Madrid", Sources: []string{"list"}, Packages: []config.Package{{ID: "audio"}}}}
	return cfg
}

const strongTicket = "CASTLE7Q4M2XKD9H3T5WRB4N"

func functionList(t *testing.T) map[string]gate.Verifier {
	t.Helper()
	list, err := roll.Parse("list.csv", []byte("code,attraction,packages,seats\n"+strongTicket+",castle,audio,1\nSHORT1,castle,audio,1\n"), roll.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return map[string]gate.Verifier{"list": list}
}

// manifest writes two keys into a folder, the first active, and returns what
// activates the second.
func manifest(t *testing.T, dir string, at time.Time) (activateSecond func()) {
	t.Helper()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	m := &keyring.Manifest{}
	for _, id := range []string{"KFIRST000001", "KSECOND00001"} {
		key, err := keyring.Generate(keyring.ECDSA)
		check(err)
		pair, err := keyring.Write(dir, "", key)
		check(err)
		e, err := keyring.NewEntry("", "file:"+filepath.Base(pair.PrivateFile), key.Public())
		check(err)
		check(m.Add(e, at))
		check(m.Publish(pair.Name, id, at))
	}
	store := keyring.FileStore(filepath.Join(dir, keyring.ManifestName))
	check(m.Activate("KFIRST000001", keyring.Rules{}, at.Add(2*time.Hour), false))
	check(store.Save(t.Context(), m, 0))
	return func() {
		check(keyring.Change(t.Context(), store, func(m *keyring.Manifest) error {
			return m.Activate("KSECOND00001", keyring.Rules{}, at.Add(24*time.Hour), false)
		}))
	}
}

// keyOf returns the key pair ID of the cookies that show gets.
func keyOf(t *testing.T, h http.Handler) string {
	t.Helper()
	resp := ask(h, "POST", "/v1/tickets/verify", `{"ticket":"`+strongTicket+`"}`)
	for _, c := range resp.Cookies() {
		if c.Name == "CloudFront-Key-Pair-Id" && c.Value != "" {
			return c.Value
		}
	}
	t.Fatalf("verify = %d without a key pair ID", resp.StatusCode)
	return ""
}

// A function that stood still for an hour signs with the right key at once.
func TestFunctionAfterAThaw(t *testing.T) {
	dir := t.TempDir()
	clock := &thaw{at: time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)}
	rotate := manifest(t, dir, clock.at)
	var log bytes.Buffer
	cfg := functionConfig(t, dir)
	cfg.Admission.Devices = 10
	f, err := app.NewFunction(t.Context(), cfg, app.Options{Sources: functionList(t), Now: clock.now, Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rotate()
	if resp := ask(f, "GET", "/healthz", ""); resp.StatusCode != 200 {
		t.Fatalf("healthz = %d", resp.StatusCode)
	}
	if id, _, _ := f.Ring().Active(); id != "KFIRST000001" {
		t.Errorf("within the interval %s signs, want the key that was read at the start", id)
	}
	clock.at = clock.at.Add(time.Hour)
	if got := keyOf(t, f); got != "KSECOND00001" {
		t.Errorf("the first request after an hour is signed by %s, want KSECOND00001", got)
	}
	if err := os.Remove(filepath.Join(dir, keyring.ManifestName)); err != nil {
		t.Fatal(err)
	}
	clock.at = clock.at.Add(time.Minute)
	ask(f, "GET", "/healthz", "")
	if id, _, _ := f.Ring().Active(); id != "KSECOND00001" || !strings.Contains(log.String(), "not looked at again") {
		t.Errorf("without a manifest %s signs and the log is %q, want the known key and an error", id, log.String())
	}
}

func TestFunctionsNeedASharedBook(t *testing.T) {
	dir := t.TempDir()
	manifest(t, dir, time.Now())
	for _, change := range []func(*config.Config){
		func(c *config.Config) { c.Book.Kind = "sqlite" },
		func(c *config.Config) { c.Environment = "production" },
	} {
		cfg := functionConfig(t, dir)
		change(cfg)
		if _, err := app.NewFunction(t.Context(), cfg, app.Options{}); !errors.Is(err, app.ErrFunctionBook) {
			t.Errorf("NewFunction with book.kind %s in %s = %v, want ErrFunctionBook", cfg.Book.Kind, cfg.Environment, err)
		}
		if _, err := app.NewGuard(t.Context(), cfg, app.Options{}); !errors.Is(err, app.ErrFunctionBook) {
			t.Errorf("NewGuard with book.kind %s in %s = %v, want ErrFunctionBook", cfg.Book.Kind, cfg.Environment, err)
		}
	}
}

// A guard recognises a ticket as often as it is shown, and nobody takes its seat.
func TestGuardTakesNoSeat(t *testing.T) {
	cfg := functionConfig(t, t.TempDir())
	g, err := app.NewGuard(t.Context(), cfg, app.Options{Sources: functionList(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	var first string
	for range 3 { // of a ticket with one seat
		v, err := g.Ticket(t.Context(), strongTicket)
		if err != nil || len(v.Entitlements) != 1 || v.Admission != "" || strings.Contains(v.ID, strongTicket) {
			t.Fatalf("Ticket = %+v, %v, want one entitlement and no admission", v, err)
		}
		if first == "" {
			first = v.ID
		}
		if v.ID != first {
			t.Errorf("the same ticket is called %s and %s", first, v.ID)
		}
	}
	var denial *gate.Denial
	if v, err := g.Ticket(t.Context(), "SHORT1"); !errors.As(err, &denial) {
		t.Errorf("Ticket for a code that can be guessed = %+v, %v, want a denial", v, err)
	}
	if v, err := g.Session(t.Context(), gate.NewSession()); !errors.As(err, &denial) || denial.Reason != gate.ReasonNoSession {
		t.Errorf("Session for one that nobody has = %+v, %v, want a denial with no_session", v, err)
	}
}

func TestSessionCookieIsThatOfTheGateway(t *testing.T) {
	for _, tt := range []struct{ public, media, want string }{
		{"http://127.0.0.1:8080", "http://127.0.0.1:8080", "handstamp_admission"},
		{"https://media.example.org", "https://media.example.org", "__Secure-handstamp_admission"},
		{"https://api.example.org", "https://media.example.org", "__Host-handstamp_admission"},
	} {
		dir := t.TempDir()
		manifest(t, dir, time.Now().Add(-3*time.Hour))
		cfg := functionConfig(t, dir)
		cfg.HTTP.PublicURL, cfg.Media.URL = tt.public, tt.media
		if got := app.SessionCookie(cfg); got != tt.want {
			t.Errorf("SessionCookie at %s = %q, want %q", tt.public, got, tt.want)
		}
		f, err := app.NewFunction(t.Context(), cfg, app.Options{Sources: functionList(t)})
		if err != nil {
			t.Fatal(err)
		}
		r, _ := http.NewRequest("POST", tt.public+"/v1/tickets/verify", strings.NewReader(`{"ticket":"`+strongTicket+`"}`))
		r.Header.Set("Content-Type", "application/json")
		found := false
		for _, c := range serve(f, r).Cookies() {
			found = found || c.Name == tt.want
		}
		if !found {
			t.Errorf("the gateway at %s sets no cookie %q", tt.public, tt.want)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
}

func serve(h http.Handler, r *http.Request) *http.Response {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}
