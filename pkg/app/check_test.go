package app_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/app"
	"github.com/handstamp/handstamp/pkg/config"
	"github.com/handstamp/handstamp/pkg/probe"
)

// A house is a gateway with a local edge, as a configuration file describes it,
// and what stands before it.
type house struct {
	url    string
	file   string
	before func(http.Handler) http.Handler
	server *httptest.Server
}

func newHouse(t *testing.T) *house {
	t.Helper()
	keys, err := filepath.Abs("../../keys.example")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	h := &house{file: filepath.Join(dir, "config.yaml"), server: httptest.NewUnstartedServer(nil)}
	h.url = "http://" + h.server.Listener.Addr().String()
	t.Cleanup(h.server.Close)
	for name, text := range map[string]string{
		"config.yaml": `http: {public_url: "` + h.url + `"}
media: {url: "` + h.url + `"}
keys: {dir: "` + keys + `"}
book: {kind: sqlite, file: book.db, pepper: "env:CHECK_PEPPER"}
edge: {root: media}
sources: [{id: list, kind: roll, file: tickets.csv}]
attractions:
  - {id: castle, timezone: Europe/Madrid, packages: [{id: audio}], free: [free], sources: [list], content: guide.yaml}
  - {id: zoo, timezone: Europe/Madrid, packages: [{id: audio}], sources: [list]}
`,
		"tickets.csv": "code,attraction\nCASTLE-1,castle\n",
		"guide.yaml": `title: Castle
packages: [{id: audio, name: Audio}]
items:
  - {id: hall, title: Hall, kind: audio, package: audio, file: audio/hall.m4a, duration: 3s}
  - {id: room, title: Room, kind: audio, package: audio, file: audio/Room 1+2 ü.m4a, duration: 3s}
  - {id: map, title: Map, kind: map, file: free/map.svg}
`,
		"media/castle/audio/hall.m4a":       "not really music",
		"media/castle/audio/Room 1+2 ü.m4a": "nor this",
		"media/castle/free/map.svg":         "<svg/>",
	} {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("CHECK_PEPPER", "0123456789abcdef0123456789abcdef")
	return h
}

func (h *house) load(t *testing.T) *config.Config {
	t.Helper()
	cfg, err := config.Load(h.file, config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// open lets the gateway answer.
func (h *house) open(t *testing.T) {
	t.Helper()
	a, err := app.New(t.Context(), h.load(t), app.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	h.server.Config.Handler = a.Handler
	if h.before != nil {
		h.server.Config.Handler = h.before(a.Handler)
	}
	h.server.Start()
}

// result returns how the checks with an id ended, the worst of them.
func result(r *app.CheckReport, id string) (worst probe.Result, found string) {
	for _, c := range r.Checks {
		if c.ID == id && (worst == "" || c.Result == probe.Failed) {
			worst, found = c.Result, c.Found
		}
	}
	return worst, found
}

// What is wrong is found, and what is right passes.
func TestCheck(t *testing.T) {
	header := func(name, value string) func(http.Handler) http.Handler {
		return func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set(name, value)
				next.ServeHTTP(w, r)
			})
		}
	}
	tests := []struct {
		name   string
		before func(http.Handler) http.Handler
		change func(*testing.T, string) // in the folder of the configuration
		want   map[string]probe.Result
	}{
		{"sound", nil, nil, map[string]probe.Result{"start": probe.Passed, "key": probe.Passed, "book": probe.Passed, "book_write": probe.Passed,
			"source": probe.Passed, "content": probe.Passed, "edge": probe.Passed, "api": probe.Passed, "media": probe.Passed, "clock": probe.Passed,
			"shut": probe.Passed, "opens": probe.Passed, "hash": probe.Passed, "free": probe.Passed, "elsewhere": probe.Passed}},
		{"clock a little off", header("Date", time.Now().Add(-20*time.Second).UTC().Format(http.TimeFormat)), nil, map[string]probe.Result{"clock": probe.Warned}},
		{"clock off", header("Date", time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat)), nil, map[string]probe.Result{"clock": probe.Failed}},
		{"API in a cache", header("Age", "17"), nil, map[string]probe.Result{"api": probe.Failed}},
		{"paid content is open", func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.HasPrefix(r.URL.Path, "/castle/audio/") {
					_, _ = w.Write([]byte("m"))
					return
				}
				next.ServeHTTP(w, r)
			})
		}, nil, map[string]probe.Result{"shut": probe.Failed}},
		{"cookies are lost", func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				r.Header.Del("Cookie")
				next.ServeHTTP(w, r)
			})
		}, nil, map[string]probe.Result{"shut": probe.Passed, "opens": probe.Failed}},
		{"a file is missing", nil, func(t *testing.T, dir string) {
			if err := os.Remove(filepath.Join(dir, "media/castle/free/map.svg")); err != nil {
				t.Fatal(err)
			}
		}, map[string]probe.Result{"edge": probe.Failed}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := newHouse(t)
			if tt.change != nil {
				tt.change(t, filepath.Dir(h.file))
			}
			h.before = tt.before
			h.open(t)
			report, err := app.Check(t.Context(), h.load(t), app.CheckOptions{})
			if err != nil {
				t.Fatalf("Check = %v", err)
			}
			for id, want := range tt.want {
				if got, found := result(report, id); got != want {
					t.Errorf("check %q %s (%s), want %s", id, got, found, want)
				}
				if want == probe.Failed && report.OK {
					t.Errorf("Check is OK although %q failed", id)
				}
			}
			if tt.name == "sound" && !report.OK {
				t.Errorf("Check = %+v, want all well", report.Checks)
			}
		})
	}
}

// Where nothing answers yet, a configuration for development is sound; offline
// nobody is asked at all.
func TestCheckBeforeTheStart(t *testing.T) {
	h := newHouse(t)
	h.server.Listener.Close()
	report, err := app.Check(t.Context(), h.load(t), app.CheckOptions{})
	if got, _ := result(report, "media"); err != nil || !report.OK || got != probe.Warned {
		t.Errorf("Check = %v, OK %v, media %s; want a warning", err, report.OK, got)
	}
	refuse := &http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		t.Error("somebody is asked offline")
		return nil, errors.New("no")
	}}}
	report, err = app.Check(t.Context(), h.load(t), app.CheckOptions{Offline: true, Client: refuse})
	if got, _ := result(report, "media"); err != nil || !report.OK || got != probe.Skipped {
		t.Errorf("Check offline = %v, OK %v, media %s; want it skipped", err, report.OK, got)
	}
}

// A check makes no book, and does not fail because there is none yet.
func TestCheckMakesNoBook(t *testing.T) {
	h := newHouse(t)
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	report, err := app.Check(t.Context(), h.load(t), app.CheckOptions{Offline: true})
	if got, found := result(report, "book"); err != nil || !report.OK || got != probe.Skipped || !strings.Contains(found, "not there yet") {
		t.Errorf("Check = %v, OK %v, book %s (%s); want it skipped", err, report.OK, got, found)
	}
	if got, found := result(report, "book_write"); got != probe.Passed {
		t.Errorf("book_write %s (%s), want it passed", got, found)
	}
	for _, pattern := range []string{filepath.Join(filepath.Dir(h.file), "*book*"), filepath.Join(temp, "*")} {
		if left, err := filepath.Glob(pattern); err != nil || len(left) > 0 {
			t.Errorf("Check has left %q behind (%v)", left, err)
		}
	}
	if _, _, err := app.OpenExisting(t.Context(), h.load(t)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("OpenExisting() = %v, want os.ErrNotExist", err)
	}
}

// The folder of the socket is looked at: serve does not make it.
func TestCheckSocket(t *testing.T) {
	h := newHouse(t)
	dir := filepath.Dir(h.file)
	for _, tt := range []struct {
		folder string
		want   probe.Result
	}{
		{dir, probe.Passed},
		{filepath.Join(dir, "nowhere"), probe.Failed},
		{filepath.Join(dir, "tickets.csv"), probe.Failed},
		{"/run/handstamp-that-nobody-has-made", probe.Warned},
	} {
		text, err := os.ReadFile(h.file)
		if err != nil {
			t.Fatal(err)
		}
		t.Setenv("CHECK_KEY", "a-key-for-the-desk-with-32-characters-and-more")
		more := strings.Replace(string(text), "sources: [{", "sources: [{id: own, kind: issued}, {", 1) +
			"admin: {listen: \"unix:" + tt.folder + "/x.sock\", keys: [{id: desk, key: \"env:CHECK_KEY\", scopes: [\"*\"]}]}\n"
		cfg, err := config.Parse(h.file, []byte(more), config.Options{})
		if err != nil {
			t.Fatal(err)
		}
		report, err := app.Check(t.Context(), cfg, app.CheckOptions{Offline: true})
		if got, found := result(report, "admin"); err != nil || got != tt.want {
			t.Errorf("Check with a socket in %s = %v, admin %s (%s), want %s", tt.folder, err, got, found, tt.want)
		}
	}
}

// A book that cannot be written is found; so is a gateway that cannot start.
func TestCheckBook(t *testing.T) {
	h := newHouse(t)
	cfg := h.load(t)
	cfg.Keys.Dir = filepath.Join(filepath.Dir(h.file), "nowhere")
	if report, err := app.Check(t.Context(), cfg, app.CheckOptions{Offline: true}); err == nil || report.OK || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Check without keys = %v, OK %v; want os.ErrNotExist", err, report.OK)
	}
	if os.Geteuid() == 0 {
		t.Skip("root may write everything")
	}
	if err := os.Chmod(filepath.Dir(h.file), 0o500); err != nil {
		t.Fatal(err)
	}
	if report, err := app.Check(t.Context(), h.load(t), app.CheckOptions{Offline: true}); err == nil && report.OK {
		t.Errorf("Check of a folder that cannot be written = %v, OK %v; want a failure", err, report.OK)
	}
}
