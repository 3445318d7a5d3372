package app_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/app"
	"github.com/handstamp/handstamp/pkg/config"
	"github.com/handstamp/handstamp/pkg/keyring"
)

// A liveSite is a gateway over a configuration file that tests change.
type liveSite struct {
	t    *testing.T
	file string
	*app.Live
	log     *bytes.Buffer // guarded by logging
	logging sync.Mutex
}

func (s *liveSite) Write(p []byte) (int, error) {
	s.logging.Lock()
	defer s.logging.Unlock()
	return s.log.Write(p)
}

func (s *liveSite) logged() string {
	s.logging.Lock()
	defer s.logging.Unlock()
	return s.log.String()
}

const liveConfig = `http: {listen: "127.0.0.1:0"}
cookies: {lifetime: 15m}
throttle: {floor: 0s, jitter: 0s}
keys: {dir: KEYS}
book: {kind: sqlite, file: book.db, pepper: 0123456789abcdef}
sources: [{id: list, kind: roll, file: tickets.csv}]
attractions:
  - {id: castle, name: NAME, timezone: Europe/Madrid, packages: [{id: audio}], sources: [list]}
`

func newLiveSite(t *testing.T, every time.Duration) *liveSite {
	t.Helper()
	dir := t.TempDir()
	s := &liveSite{t: t, file: filepath.Join(dir, "config.yaml"), log: new(bytes.Buffer)}
	if err := os.WriteFile(filepath.Join(dir, "tickets.csv"), []byte("code,attraction,packages,seats,valid_from,valid_until,note\nCASTLE-1234-5678,castle,audio,40,,,\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.write(s.config("Castle"))
	load := func() (*config.Config, error) { return config.Load(s.file, config.Options{}) }
	live, err := app.NewLive(t.Context(), load, app.LiveOptions{
		App: app.Options{Log: slog.New(slog.NewTextHandler(s, nil))}, File: s.file, Every: every,
	})
	if err != nil {
		t.Fatalf("NewLive() = %v", err)
	}
	s.Live = live
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); live.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		<-done
		if err := live.Close(); err != nil {
			t.Errorf("Close() = %v, want nil", err)
		}
	})
	return s
}

func (s *liveSite) config(name string) string {
	keys, err := filepath.Abs("../../keys.example")
	if err != nil {
		s.t.Fatal(err)
	}
	return strings.NewReplacer("NAME", name, "KEYS", keys).Replace(liveConfig)
}

// write replaces the configuration by a rename, as editors do.
func (s *liveSite) write(text string) {
	s.t.Helper()
	if err := os.WriteFile(s.file+".new", []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	if err := os.Rename(s.file+".new", s.file); err != nil {
		s.t.Fatal(err)
	}
}

// name returns what the gateway calls the castle now.
func (s *liveSite) name() string {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://127.0.0.1:8080/v1/attractions", nil))
	_, after, _ := strings.Cut(w.Body.String(), `"name":"`)
	name, _, _ := strings.Cut(after, `"`)
	return name
}

// verify shows the castle's ticket and returns the reply.
func (s *liveSite) verify() *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1:8080/v1/tickets/verify", strings.NewReader(`{"ticket":"CASTLE-1234-5678"}`))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

func TestReloadChanges(t *testing.T) {
	s := newLiveSite(t, time.Hour)
	session := s.verify().Result().Cookies()
	s.write(s.config("Palace"))
	if err := s.Reload(t.Context()); err != nil {
		t.Fatalf("Reload() = %v, want nil", err)
	}
	if got := s.name(); got != "Palace" {
		t.Errorf("after Reload the attraction is called %q, want Palace", got)
	}
	if got := s.Config().Attractions[0].Name; got != "Palace" {
		t.Errorf("after Reload Config() has the attraction %q, want Palace", got)
	}
	r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1:8080/v1/admission/renew", nil)
	for _, c := range session {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	if s.ServeHTTP(w, r); w.Code != http.StatusOK {
		t.Errorf("renewal of a visit from before = %d %s, want 200", w.Code, w.Body)
	}
}

// TestReloadRefuses has everything that must not take a gateway down.
func TestReloadRefuses(t *testing.T) {
	tests := []struct {
		name string
		edit func(config string) string
		want string // in the error
	}{
		{"bad file", func(string) string { return "colour: blue\n" }, "unknown key"},
		{"empty file", func(string) string { return "" }, "sources"},
		{"half a file", func(c string) string { return c[:len(c)/2] }, "config.yaml"},
		{"missing key", func(c string) string {
			return strings.Replace(c, "keys.example}", "keys.example, active: KMISSING0001}", 1)
		}, "KMISSING0001"},
		{"other port", func(c string) string { return strings.Replace(c, "127.0.0.1:0", "127.0.0.1:1", 1) }, "http.listen"},
		{"other log", func(c string) string { return c + "log: {format: json}\n" }, "log.format"},
		{"missing list", func(c string) string { return strings.Replace(c, "tickets.csv", "gone.csv", 1) }, "gone.csv"},
	}
	s := newLiveSite(t, time.Hour)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s.write(tt.edit(s.config("Palace")))
			if err := s.Reload(t.Context()); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Reload() = %v, want an error about %q", err, tt.want)
			}
			if got := s.name(); got != "Castle" {
				t.Errorf("after a refused Reload the attraction is called %q, want Castle as before", got)
			}
			if w := s.verify(); w.Code != http.StatusOK {
				t.Errorf("verify after a refused Reload = %d %s, want 200", w.Code, w.Body)
			}
		})
	}
	s.write(strings.Replace(s.config("Palace"), "127.0.0.1:0", "127.0.0.1:1", 1))
	if err := s.Reload(t.Context()); !errors.Is(err, app.ErrRestart) {
		t.Errorf("Reload() with another port = %v, want ErrRestart", err)
	}
}

// TestReloadKeepsCounts guesses on both sides of a reload.
func TestReloadKeepsCounts(t *testing.T) {
	s := newLiveSite(t, time.Hour)
	guess := func(n int) int {
		r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1:8080/v1/tickets/verify", strings.NewReader(fmt.Sprintf(`{"ticket":"AB%05d"}`, n)))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		return w.Code
	}
	n := 0
	for guess(n) != http.StatusTooManyRequests {
		if n++; n > 50 {
			t.Fatal("the throttle lets everything through")
		}
	}
	s.write(s.config("Palace"))
	if err := s.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := guess(n + 1); got != http.StatusTooManyRequests {
		t.Errorf("a guess after Reload = %d, want 429: the counts go on", got)
	}
}

// TestWatch changes the file in the ways in which files change.
func TestWatch(t *testing.T) {
	s := newLiveSite(t, time.Hour)
	look := s.Watcher()
	before := "Castle"
	await := func(want string) { // it is taken on at the second look that finds it
		t.Helper()
		if look(t.Context()); s.name() != before {
			t.Errorf("after one look the attraction is called %q, want %q: the file may not be whole", s.name(), before)
		}
		if look(t.Context()); s.name() != want {
			t.Fatalf("after two looks the attraction is called %q, want %q; log:\n%s", s.name(), want, s.logged())
		}
		before = want
	}
	s.write(s.config("Renamed"))
	await("Renamed")

	if err := os.WriteFile(s.file, []byte(s.config("Overwritten")), 0o600); err != nil {
		t.Fatal(err)
	}
	await("Overwritten")

	// Kubernetes mounts ..data, a link that is swapped.
	dir := filepath.Dir(s.file)
	for _, version := range []string{"Linked", "Swapped"} {
		if err := os.Mkdir(filepath.Join(dir, version), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, version, "config.yaml"), []byte(s.config(version)), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(os.Symlink(version, filepath.Join(dir, "..new")), os.Rename(filepath.Join(dir, "..new"), filepath.Join(dir, "..data"))); err != nil {
			t.Fatal(err)
		}
		if version == "Linked" {
			if err := errors.Join(os.Symlink("..data/config.yaml", s.file+".link"), os.Rename(s.file+".link", s.file)); err != nil {
				t.Fatal(err)
			}
		}
		await(version)
	}

	s.write("colour: blue\n")
	for range 5 {
		look(t.Context())
	}
	if got := strings.Count(s.logged(), "config_reload_failed"); got != 1 {
		t.Errorf("a bad file was refused %d times in five looks, want once", got)
	}
	if got := s.name(); got != "Swapped" {
		t.Errorf("after a bad file the attraction is called %q, want Swapped", got)
	}
}

// TestWatchTriesAgain has a configuration that is refused for a reason that passes
// without a change to any file that is looked at.
func TestWatchTriesAgain(t *testing.T) {
	s := newLiveSite(t, time.Hour)
	look := s.Watcher()
	pepper := filepath.Join(filepath.Dir(s.file), "new.pepper")
	s.write(strings.Replace(s.config("Palace"), "pepper: 0123456789abcdef", `pepper: "file:new.pepper"`, 1))
	for range 100 {
		look(t.Context())
	}
	if got := strings.Count(s.logged(), "config_reload_failed"); got != 1 || !strings.Contains(s.logged(), "new.pepper") {
		t.Errorf("the same refusal was logged %d times in a hundred looks, want once:\n%s", got, s.logged())
	}
	if err := os.WriteFile(pepper, []byte("fedcba9876543210"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range app.AgainAfter {
		look(t.Context())
	}
	if got := s.name(); got != "Palace" {
		t.Errorf("after the reason has passed the attraction is called %q, want Palace; log:\n%s", got, s.logged())
	}
}

// TestWatchForgetsRefusals puts the old file back, and tries the refused one again.
func TestWatchForgetsRefusals(t *testing.T) {
	s := newLiveSite(t, time.Hour)
	look := s.Watcher()
	for i, text := range []string{"colour: blue\n", s.config("Castle"), "colour: blue\n"} {
		s.write(text)
		look(t.Context())
		look(t.Context())
		if got, want := strings.Count(s.logged(), "config_reload_failed"), 1+i/2; got != want {
			t.Errorf("after step %d %d refusals are logged, want %d:\n%s", i, got, want, s.logged())
		}
	}
}

// TestHangupSaysWhatItDid tells a reload of everything from one of lists.
func TestHangupSaysWhatItDid(t *testing.T) {
	s := newLiveSite(t, time.Hour)
	s.Hangup(t.Context())
	if got := s.logged(); !strings.Contains(got, "event=lists_reloaded") || strings.Contains(got, "config_reloaded") {
		t.Errorf("a hangup without a changed file logged\n%s\nwant lists_reloaded only", got)
	}
	s.write(s.config("Palace"))
	s.Hangup(t.Context())
	if got := s.logged(); strings.Count(got, "event=config_reloaded") != 1 {
		t.Errorf("a hangup with a changed file logged\n%s\nwant config_reloaded", got)
	}
}

// TestReloadReadsKeys changes a folder of keys that has no manifest.
func TestReloadReadsKeys(t *testing.T) {
	s := newLiveSite(t, time.Hour)
	keys := filepath.Join(filepath.Dir(s.file), "keys")
	if err := os.CopyFS(keys, os.DirFS("../../keys.example")); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(keys)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if err := os.Chmod(filepath.Join(keys, entry.Name()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	look := s.Watcher()
	s.write(strings.Replace(s.config("Castle"), s.Config().Keys.Dir, "keys", 1))
	if err := s.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	count := func() int { return len(s.App().Ring().Keys()) }
	before := count()
	if err := os.WriteFile(filepath.Join(keys, "notes.txt"), []byte("not a key"), 0o600); err != nil {
		t.Fatal(err)
	}
	look(t.Context())
	if look(t.Context()); strings.Contains(s.logged(), "config_reloaded") {
		t.Errorf("a file that is no key was taken for one:\n%s", s.logged())
	}
	key, err := keyring.Generate(keyring.ECDSA)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := keyring.Write(keys, "KSECOND00001", key); err != nil {
		t.Fatal(err)
	}
	look(t.Context())
	if look(t.Context()); count() != before+1 {
		t.Errorf("with a new key in the folder the ring has %d, want %d; log:\n%s", count(), before+1, s.logged())
	}
}

// TestRunWatches waits for a look that nobody asks for.
func TestRunWatches(t *testing.T) {
	s := newLiveSite(t, 10*time.Millisecond)
	s.write(s.config("Palace"))
	for end := time.Now().Add(20 * time.Second); s.name() != "Palace"; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited 20 s for the changed file; log:\n%s", s.logged())
		}
	}
}

// TestReloadsUnderLoad reloads a hundred times while visitors come and go over
// real connections.
func TestReloadsUnderLoad(t *testing.T) {
	s := newLiveSite(t, time.Hour)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: s.Live, ReadHeaderTimeout: time.Minute}
	served := make(chan struct{})
	go func() { defer close(served); _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close(); <-served })

	var asked, failed atomic.Int64
	stop := make(chan struct{})
	var crowd sync.WaitGroup
	for range 4 {
		crowd.Go(func() {
			client := &http.Client{Transport: &http.Transport{}, Timeout: 10 * time.Second}
			defer client.CloseIdleConnections()
			for {
				select {
				case <-stop:
					return
				default:
				}
				r, _ := http.NewRequest(http.MethodGet, "http://"+l.Addr().String()+"/v1/attractions", nil)
				r.Host = "127.0.0.1:8080"
				reply, err := client.Do(r)
				if asked.Add(1); err != nil || reply.StatusCode != http.StatusOK {
					failed.Add(1)
				}
				if err == nil {
					_ = reply.Body.Close()
				}
			}
		})
	}
	for i := range 100 {
		s.write(s.config(fmt.Sprintf("Castle %d", i)))
		if err := s.Reload(t.Context()); err != nil {
			t.Errorf("Reload() number %d = %v, want nil", i, err)
		}
	}
	close(stop)
	crowd.Wait()
	if got := s.name(); got != "Castle 99" {
		t.Errorf("after 100 reloads the attraction is called %q, want Castle 99", got)
	}
	if failed.Load() != 0 || asked.Load() < 100 {
		t.Errorf("%d of %d requests failed during 100 reloads, want none of many", failed.Load(), asked.Load())
	}
	t.Logf("%d requests during 100 reloads", asked.Load())
}
