package app_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/handstamp/handstamp/pkg/app"
	"github.com/handstamp/handstamp/pkg/config"
	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/guide"
	"github.com/handstamp/handstamp/pkg/keyring"
	"github.com/handstamp/handstamp/pkg/ticket/roll"
)

func TestMain(m *testing.M) {
	var opts []goleak.Option
	if os.Getenv("HANDSTAMP_DYNAMODB") != "" { // the SDK keeps its connections, and nobody can close them
		opts = append(opts, goleak.IgnoreAnyFunction("net/http.(*persistConn).readLoop"), goleak.IgnoreAnyFunction("net/http.(*persistConn).writeLoop"))
	}
	goleak.VerifyTestMain(m, opts...)
}

const site = "http://127.0.0.1:8080"

// newApp builds a gateway for the sample castle, with one ticket.
func newApp(t testing.TB, kind keyring.Type, change func(*config.Config)) *app.App {
	t.Helper()
	key, err := keyring.Generate(kind)
	if err != nil {
		t.Fatal(err)
	}
	ring, err := keyring.New([]keyring.Key{{ID: "KTEST0000001", Public: key.Public(), Private: key}}, "KTEST0000001")
	if err != nil {
		t.Fatal(err)
	}
	list, err := roll.Parse("list.csv", []byte("code,attraction,seats\nCASTLE-TEST-TICKET-0001,castle,1000\n"), roll.Options{})
	if err != nil {
		t.Fatal(err)
	}
	cfg := config.Default()
	cfg.Sources = []config.Source{{ID: "list", Kind: "roll"}}
	cfg.Attractions = []config.Attraction{{ID: "castle", Name: "Castle", Timezone: "Europe/Madrid", Free: []string{"free"},
		Content: "castle/guide.yaml", Sources: []string{"list"}, Packages: []config.Package{{ID: "audio", Name: "Audio guide"}, {ID: "premium", Name: "Premium"}}}}
	if change != nil {
		change(cfg)
	}
	a, err := app.New(t.Context(), cfg, app.Options{Ring: ring, Media: guide.Sample(), Sources: map[string]gate.Verifier{"list": list}})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func ask(h http.Handler, method, path, body string, cookies ...*http.Cookie) *http.Response {
	r := httptest.NewRequest(method, site+path, strings.NewReader(body))
	r.RequestURI, r.Host = path, "127.0.0.1:8080"
	r.Header.Set("Content-Type", "application/json")
	for _, c := range cookies {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

const show = `{"ticket":"castle test ticket 0001"}`

func TestWhatTheFrontDoorServes(t *testing.T) {
	a := newApp(t, keyring.ECDSA, nil)
	for path, want := range map[string]int{
		"/": 200, "/app/app.css": 200, "/healthz": 200, "/explain": 200, "/readyz": 200, "/openapi.yaml": 200, "/v1/attractions": 200,
		"/v1/attractions/castle/content": 200, "/castle/free/welcome.m4a": 200, "/castle/audio/hall.m4a": 403,
		"/castle/guide.yaml": 403, "/castle/": 403, "/zoo/free/welcome.m4a": 404, "/zoo/audio/owls.m4a": 404, "/nothing": 404,
	} {
		if got := ask(a.Handler, "GET", path, ""); got.StatusCode != want {
			t.Errorf("GET %s = %d, want %d", path, got.StatusCode, want)
		}
	}
	resp := ask(a.Handler, "POST", "/v1/tickets/verify", show)
	if resp.StatusCode != 200 {
		t.Fatalf("verify = %d", resp.StatusCode)
	}
	var cookies []*http.Cookie
	for _, c := range resp.Cookies() {
		if c.Path == "/castle/audio/" && c.MaxAge >= 0 {
			cookies = append(cookies, c)
		}
	}
	if got := ask(a.Handler, "GET", "/castle/audio/hall.m4a", "", cookies...); got.StatusCode != 200 {
		t.Errorf("a paid file with its cookies = %d, want 200", got.StatusCode)
	}
	if got := ask(a.Handler, "GET", "/castle/premium/tower.m4a", "", cookies...); got.StatusCode != 403 {
		t.Errorf("a file of another package with these cookies = %d, want 403", got.StatusCode)
	}
	free, paid := a.Content()
	if len(free) == 0 || len(paid["castle"]) == 0 {
		t.Errorf("Content = %q, %q, want both free and paid files", free, paid)
	}
}

func TestDrain(t *testing.T) {
	a := newApp(t, keyring.ECDSA, nil)
	a.Drain()
	if got := ask(a.Handler, "GET", "/readyz", ""); got.StatusCode != 503 {
		t.Errorf("readyz while draining = %d, want 503", got.StatusCode)
	}
	if got := ask(a.Handler, "POST", "/v1/tickets/verify", show); got.StatusCode != 200 {
		t.Errorf("verify while draining = %d, want 200", got.StatusCode)
	}
}

// Serve answers what is open before it returns.
func TestServeDrains(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	entered, finish := make(chan struct{}), make(chan struct{})
	slow := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(entered)
		<-finish
		_, _ = io.WriteString(w, "done")
	})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	drained := &drainer{called: make(chan struct{})}
	go func() { ended <- app.Serve(ctx, l, slow, drained, 10*time.Millisecond, slog.New(slog.DiscardHandler)) }()
	answer := make(chan string, 1)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	go func() {
		resp, err := client.Get("http://" + l.Addr().String())
		if err != nil {
			answer <- err.Error()
			return
		}
		defer resp.Body.Close()
		text, _ := io.ReadAll(resp.Body)
		answer <- string(text)
	}()
	<-entered
	stop()
	<-drained.called
	close(finish)
	if got := <-answer; got != "done" {
		t.Errorf("the open request got %q, want its answer", got)
	}
	if err := <-ended; err != nil {
		t.Errorf("Serve = %v, want nil", err)
	}
	if _, err := net.Dial("tcp", l.Addr().String()); err == nil {
		t.Error("the listener is still open")
	}
}

type drainer struct{ called chan struct{} }

func (d *drainer) Drain() { close(d.called) }

func TestNewRefuses(t *testing.T) {
	for name, change := range map[string]func(*config.Config){
		"no such ticket file":      func(c *config.Config) { c.Sources = append(c.Sources, config.Source{ID: "other", File: "nowhere.csv"}) },
		"no such source":           func(c *config.Config) { c.Attractions[0].Sources = []string{"nowhere"} },
		"no such catalogue":        func(c *config.Config) { c.Attractions[0].Content = "nowhere/guide.yaml" },
		"a domain that is not its": func(c *config.Config) { c.Cookies.Domain = "example.org" },
		"a site with a path":       func(c *config.Config) { c.Media.URL = "https://media.example.org/x" },
		"an origin with a path":    func(c *config.Config) { c.HTTP.TrustedOrigins = []string{"https://app.example.org/"} },
	} {
		key, err := keyring.Generate(keyring.ECDSA)
		if err != nil {
			t.Fatal(err)
		}
		ring, err := keyring.New([]keyring.Key{{ID: "KTEST0000001", Public: key.Public(), Private: key}}, "KTEST0000001")
		if err != nil {
			t.Fatal(err)
		}
		cfg := config.Default()
		change(cfg)
		list := &roll.Roll{}
		_, err = app.New(t.Context(), cfg, app.Options{Ring: ring, Sources: map[string]gate.Verifier{"castle-list": list, "nowhere-else": list}})
		if err == nil || errors.Is(err, context.Canceled) {
			t.Errorf("%s: no error", name)
		}
	}
}
