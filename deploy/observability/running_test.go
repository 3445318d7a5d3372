// Package observability_test holds dashboard, alerts and their documentation to
// what a gateway really shows. There is nothing to import.
package observability_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/handstamp/handstamp/pkg/admin"
	"github.com/handstamp/handstamp/pkg/app"
	"github.com/handstamp/handstamp/pkg/config"
	"github.com/handstamp/handstamp/pkg/guide"
	"github.com/handstamp/handstamp/pkg/keyring"
	"github.com/handstamp/handstamp/pkg/telemetry/prom"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	site     = "http://127.0.0.1:8080"
	adminKey = "test-key-of-32-characters-and-a-few-more"
)

// A gateway runs with all its parts, and is seen.
type gateway struct {
	t       *testing.T
	app     *app.App
	metrics *prom.Registry
	cookies []*http.Cookie
}

// newGateway opens a gateway that has every part which keeps numbers.
func newGateway(t *testing.T) *gateway {
	t.Helper()
	for name, value := range map[string]string{"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none",
		"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "/nowhere", "AWS_SHARED_CREDENTIALS_FILE": "/nowhere"} {
		t.Setenv(name, value)
	}
	dir := t.TempDir()
	cfg := config.Default()
	pepper, err := config.ParseSecret("a pepper for tests only")
	must(t, err)
	cfg.Book.Kind, cfg.Book.File, cfg.Book.Pepper = "sqlite", filepath.Join(dir, "book.db"), pepper
	cfg.Throttle.Floor, cfg.Throttle.Jitter = 0, 0
	cfg.Keys.Dir, cfg.Keys.Manifest = dir, "file"
	cfg.Denylist.KeyValueStore = "arn:aws:cloudfront::123456789012:key-value-store/a1b2c3d4-5678-90ab-cdef-EXAMPLE11111"
	cfg.Sources = []config.Source{
		{ID: "desk", Kind: "issued", Match: "[0-9A-Z]{8}(-?[0-9A-Z]+)*"},
		{ID: "office", Kind: "web", Match: "OFFICE.*", Timeout: time.Second, Settings: filepath.Join(dir, "office.yaml")},
		{ID: "list", Kind: "roll", Match: "LIST.*", Settings: filepath.Join(dir, "list.yaml")},
	}
	cfg.Attractions = []config.Attraction{{ID: "castle", Timezone: "Europe/Madrid", Free: []string{"free"},
		Sources: []string{"office", "list", "desk"}, Packages: []config.Package{{ID: "audio"}}}}
	sell(t, dir)
	makeKey(t, dir)
	g := &gateway{t: t, metrics: prom.New("v1.2.3", nil)}
	log := app.NewSink(io.Discard, 0, nil)
	t.Cleanup(func() { _ = log.Close() })
	g.metrics.Attach(log, log.Read)
	g.app, err = app.New(t.Context(), cfg, app.Options{Media: guide.Sample(), Meter: g.metrics,
		AdminKeys: []admin.Key{{ID: "test", Secret: adminKey, Scopes: []admin.Scope{admin.Everything}}}})
	must(t, err)
	t.Cleanup(func() { must(t, g.app.Close()) })
	return g
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// sell opens a box office and a list that is fetched, with their settings.
func sell(t *testing.T, dir string) {
	t.Helper()
	office := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch code, ok := strings.CutPrefix(r.URL.Path, "/tickets/"); {
		case r.URL.Path == "/list.csv":
			fmt.Fprint(w, "code,attraction\nLIST-TICKET-00000001,castle\n")
		case ok && strings.HasPrefix(code, "OFFICE0001"):
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprintf(w, `{"code":%q,"state":"sold"}`, code)
		default:
			http.Error(w, "{}", http.StatusNotFound)
		}
	}))
	t.Cleanup(office.Close)
	for name, text := range map[string]string{
		"office.yaml": `
network: {allow: [127.0.0.0/8]}
request: {url: "` + office.URL + `/tickets/{code}"}
answer: {shape: "{code: string, state: string}"}
decide: {echo: body.code, valid: body.state == "sold", grants: [{attraction: castle, package: audio}]}
`,
		"list.yaml": "url: " + office.URL + "/list.csv\nnetwork: {allow: [127.0.0.0/8]}\n",
	} {
		must(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
}

// makeKey puts a key that signs, and its manifest, into dir.
func makeKey(t *testing.T, dir string) {
	t.Helper()
	at := time.Now().Add(-24 * time.Hour)
	m := &keyring.Manifest{}
	key, err := keyring.Generate(keyring.ECDSA)
	must(t, err)
	pair, err := keyring.Write(dir, "", key)
	must(t, err)
	e, err := keyring.NewEntry("", "file:"+filepath.Base(pair.PrivateFile), key.Public())
	must(t, err)
	must(t, m.Add(e, at))
	must(t, m.Publish(pair.Name, "KTEST0000001", at))
	must(t, m.Activate("KTEST0000001", keyring.Rules{}, at.Add(2*time.Hour), false))
	must(t, keyring.FileStore(filepath.Join(dir, keyring.ManifestName)).Save(t.Context(), m, 0))
}

// ask sends a request as a device does that keeps its cookies.
func (g *gateway) ask(method, path, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, site+path, strings.NewReader(body))
	r.RequestURI = path
	r.Header.Set("Content-Type", "application/json")
	for _, c := range g.cookies {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	g.app.Handler.ServeHTTP(w, r)
	if kept := w.Result().Cookies(); len(kept) > 0 && w.Code == http.StatusOK {
		g.cookies = kept
	}
	return w
}

// staff sends a request to the administration.
func (g *gateway) staff(key, path, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("POST", "http://localhost"+path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+key)
	w := httptest.NewRecorder()
	g.app.Admin.ServeHTTP(w, r)
	return w
}

func (g *gateway) want(w *httptest.ResponseRecorder, status int) {
	g.t.Helper()
	if w.Code != status {
		g.t.Fatalf("an answer of the scripted visit = %d %s, want %d", w.Code, w.Body, status)
	}
}

// visit is some traffic: what every part counts happens once at least.
func (g *gateway) visit() {
	g.t.Helper()
	verify := func(code string) *httptest.ResponseRecorder {
		return g.ask("POST", "/v1/tickets/verify", fmt.Sprintf(`{"ticket":%q,"attraction":"castle"}`, code))
	}
	g.want(verify("OFFICE0001TICKET"), 200)
	g.want(verify("OFFICE0002TICKET"), 403)
	g.want(verify("LIST-TICKET-00000001"), 200)
	g.want(g.ask("GET", "/castle/free/welcome.m4a", ""), 200)
	g.want(g.ask("GET", "/castle/premium/tower.m4a", ""), 403)
	g.want(g.ask("POST", "/v1/urls", `{"paths":["/castle/audio/hall.m4a"]}`), 200)
	w := g.ask("POST", "/v1/admission/renew", "")
	g.want(w, 200)
	var reply struct{ Admission struct{ ID string } }
	must(g.t, json.Unmarshal(w.Body.Bytes(), &reply))
	g.want(g.staff("no key", "/admin/v1/tickets", "{}"), 401)
	g.want(g.staff(adminKey, "/admin/v1/admissions/"+reply.Admission.ID+"/revoke", "{}"), 200)
	g.ask("POST", "/v1/admission/renew", "") // one of its two visits has ended
}

// A family is a metric as it is shown.
type family struct {
	kind   string
	values map[string]map[string]bool // by label
}

var (
	typeLine   = regexp.MustCompile(`^# TYPE (\S+) (\S+)$`)
	sampleLine = regexp.MustCompile(`^([a-z_]+)(?:\{(.*)\})? \S+$`)
	labelPair  = regexp.MustCompile(`([a-z]+)="((?:[^"\\]|\\.)*)"`)
)

// shown returns what a scrape shows, by name.
func (g *gateway) shown() map[string]*family {
	g.t.Helper()
	w := httptest.NewRecorder()
	g.metrics.ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	all := map[string]*family{}
	for line := range strings.Lines(w.Body.String()) {
		line = strings.TrimSpace(line)
		if m := typeLine.FindStringSubmatch(line); m != nil {
			all[m[1]] = &family{kind: m[2], values: map[string]map[string]bool{}}
			continue
		}
		m := sampleLine.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		f := all[base(m[1], all)]
		if f == nil {
			g.t.Fatalf("a sample without a type: %s", line)
		}
		for _, pair := range labelPair.FindAllStringSubmatch(m[2], -1) {
			if f.values[pair[1]] == nil {
				f.values[pair[1]] = map[string]bool{}
			}
			f.values[pair[1]][pair[2]] = true
		}
	}
	return all
}

// base returns the name of the metric that a series belongs to.
func base(series string, all map[string]*family) string {
	for _, suffix := range []string{"_bucket", "_count", "_sum"} {
		if name, ok := strings.CutSuffix(series, suffix); ok && all[name] != nil && all[name].kind != "counter" {
			return name
		}
	}
	return series
}
