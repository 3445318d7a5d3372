package roll_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/ticket/outbound"
	"github.com/handstamp/handstamp/pkg/ticket/roll"
	"github.com/handstamp/handstamp/pkg/ticket/tickettest"
)

var (
	_ gate.Verifier  = (*roll.URL)(nil)
	_ gate.Rechecker = (*roll.URL)(nil)
	_ roll.Client    = (*outbound.Client)(nil)
)

func logger(w io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(w, nil)) }

// A shelf is a server that has files, without a network.
type shelf struct {
	mu       sync.Mutex
	files    map[string]string // by path and query
	err      error
	status   int
	requests []string // path and query, and whether only a change is wanted
	times    []time.Time
}

func (s *shelf) put(path, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.files[path] = text
}

func (s *shelf) fail(status int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status, s.err = status, err
}

func (s *shelf) Do(req *http.Request) (*outbound.Answer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	path := req.URL.RequestURI()
	s.requests = append(s.requests, path)
	if req.Header.Get("If-None-Match") != "" {
		s.requests[len(s.requests)-1] += " if changed"
	}
	s.times = append(s.times, time.Now())
	if s.err != nil {
		return nil, s.err
	}
	if s.status != 0 {
		return &outbound.Answer{Status: s.status, Header: http.Header{}, Body: []byte("code,attraction\nEVIL,castle\n")}, nil
	}
	text, ok := s.files[path]
	etag := fmt.Sprintf("%q", fmt.Sprint(len(text), strings.Count(text, "castle")))
	switch {
	case !ok:
		return &outbound.Answer{Status: http.StatusNotFound, Header: http.Header{}}, nil
	case req.Header.Get("If-None-Match") == etag:
		return &outbound.Answer{Status: http.StatusNotModified, Header: http.Header{}}, nil
	}
	return &outbound.Answer{Status: http.StatusOK, Header: http.Header{"Etag": {etag}}, Body: []byte(text)}, nil
}

// asked returns what was asked since the last call.
func (s *shelf) asked() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := strings.Join(s.requests, ", ")
	s.requests = nil
	return all
}

const at = "https://box.test/list.csv"

func openURL(t *testing.T, s roll.Client, a roll.Address, opts roll.Options) *roll.URL {
	t.Helper()
	u, err := roll.OpenURL(t.Context(), s, a, opts)
	if err != nil {
		t.Fatalf("OpenURL = %v", err)
	}
	return u
}

func closedURL(t *testing.T, u *roll.URL) {
	t.Helper()
	if err := u.Close(); err != nil {
		t.Errorf("Close = %v", err)
	}
}

func TestURLVerifier(t *testing.T) {
	tickettest.Run(t, func(t *testing.T) tickettest.Fixture {
		s := &shelf{files: map[string]string{"/list.csv": "code,attraction\nWEAK-4711,castle\n"}}
		u := openURL(t, s, roll.Address{Full: at}, roll.Options{Poll: -1})
		return tickettest.Fixture{
			Verifier: u,
			Good:     []tickettest.Good{{Spellings: []gate.Credential{credential("weak 4711")}, Buys: []gate.Product{{Attraction: "castle"}}}},
			Unknown:  []gate.Credential{credential("CANARY4711")},
		}
	})
}

func TestURLRechecker(t *testing.T) {
	tickettest.RunRechecker(t, func(t *testing.T) tickettest.RecheckFixture {
		s := &shelf{files: map[string]string{"/list.csv": "code,attraction\nWEAK-4711,castle\nWEAK-4712,castle\n"}}
		u := openURL(t, s, roll.Address{Full: at}, roll.Options{Poll: -1, Secret: secret})
		return tickettest.RecheckFixture{
			Verifier: u,
			Good:     []gate.Credential{credential("weak4711"), credential("weak4712")},
			Unknown:  []string{"", "WEAK4711", strings.Repeat("0", 64)},
			Refund: func(t *testing.T, _ gate.Credential) gate.Reason {
				s.put("/list.csv", "code,attraction\nWEAK-4712,castle\n")
				if err := u.Reload(t.Context()); err != nil {
					t.Fatalf("Reload = %v", err)
				}
				return gate.ReasonUnknown
			},
		}
	})
}

// What cannot be fetched, read or believed leaves the list before in its place,
// and is logged once.
func TestURLKeepsLastGood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const good = "code,attraction\nA1,castle\n"
		var log journal
		s := &shelf{files: map[string]string{"/list.csv": good}}
		u := openURL(t, s, roll.Address{Full: at, Header: http.Header{"Authorization": {"CANARY"}}}, roll.Options{Log: logger(&log)})
		defer closedURL(t, u)
		log.lines()
		tests := []struct {
			name, text string
			status     int
			err        error
			want       string // of the log
		}{
			{"unavailable", "", 503, nil, "box.test answered with status 503"},
			{"forbidden", "", 403, nil, "box.test answered with status 403"},
			{"created", "", 201, nil, "box.test answered with status 201"},
			{"gone", "", 410, nil, "box.test answered with status 410"},
			{"too large", "", 0, fmt.Errorf("GET box.test: %w", outbound.ErrTooLarge), "too large"},
			{"a page", "<html>", 0, nil, "no column"},
			{"nothing", "", 0, nil, "want a header"},
			{"empty", "code,attraction\n", 0, nil, "the list is empty"},
			{"broken row", "code,attraction\nA1,castle\nB2,\n", 0, nil, "attraction: missing"},
			{"cut off", "#full,3,3\ncode,attraction\nB2,castle\n", 0, nil, "1 rows, but the first line says 3"},
		}
		for _, tt := range tests {
			s.fail(tt.status, tt.err)
			s.put("/list.csv", tt.text)
			time.Sleep(40 * time.Minute) // several attempts
			synctest.Wait()
			status := u.Status()
			if on := listed(t, u, "A1", "B2", "EVIL"); on != "A1@castle" || status.Err == nil || status.Tickets != 1 || time.Since(status.Fresh) < 30*time.Minute {
				t.Errorf("%s: %s, status %+v, want the list before, and an error", tt.name, on, status)
			}
			if lines := log.lines(); len(lines) != 1 || !strings.Contains(lines[0], tt.want) || strings.Contains(lines[0], "CANARY") {
				t.Errorf("%s: logged %q, want one line with %q", tt.name, lines, tt.want)
			}
			s.fail(0, nil)
			s.put("/list.csv", good)
			time.Sleep(20 * time.Minute)
			synctest.Wait()
			if status := u.Status(); status.Err != nil || len(log.lines()) != 1 {
				t.Errorf("after %s: status %+v, want it to be good and logged once", tt.name, status)
			}
		}
		s.put("/list.csv", "#full,1,0\ncode,attraction\n")
		time.Sleep(20 * time.Minute)
		synctest.Wait()
		if status := u.Status(); status.Err != nil || status.Tickets != 0 {
			t.Errorf("an empty list that says so: status %+v, want no tickets", status)
		}
	})
}

// A list that has not changed is not sent again, and one that fails is asked
// for less often.
func TestURLAsks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{files: map[string]string{"/list.csv": "code,attraction\nA1,castle\n"}}
		u := openURL(t, s, roll.Address{Full: at}, roll.Options{})
		defer closedURL(t, u)
		time.Sleep(roll.DefaultURLPoll * 3 / 2)
		if got := s.asked(); got != `/list.csv, /list.csv if changed` {
			t.Errorf("asked for %s, want the list, and whether it has changed", got)
		}
		s.fail(500, nil)
		s.mu.Lock()
		s.times = nil
		s.mu.Unlock()
		time.Sleep(3 * time.Hour)
		synctest.Wait()
		s.mu.Lock()
		for i := range len(s.times) - 1 {
			gap := s.times[i+1].Sub(s.times[i])
			if least := min(roll.DefaultURLPoll<<(i+1), 15*time.Minute); gap < least || gap > least*11/10+time.Second {
				t.Errorf("gap %d between failures is %v, want %v and a bit", i, gap, least)
			}
		}
		s.mu.Unlock()
		s.fail(0, &outbound.StatusError{Status: 429, After: 50 * time.Minute})
		time.Sleep(17 * time.Minute)
		s.asked()
		time.Sleep(45 * time.Minute)
		if got := s.asked(); strings.Count(got, "list") > 1 {
			t.Errorf("asked for %s, though the server wanted to be left alone", got)
		}
	})
}

// Until there is a list nobody knows any ticket.
func TestURLWithoutList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{files: map[string]string{}, err: outbound.ErrConnect}
		u := openURL(t, s, roll.Address{Full: at}, roll.Options{})
		defer closedURL(t, u)
		_, err := u.Verify(t.Context(), credential("A1"))
		_, again := u.Recheck(t.Context(), "", "A1")
		if !errors.Is(err, roll.ErrNoList) || !errors.Is(again, roll.ErrNoList) || !errors.Is(u.Status().Err, outbound.ErrConnect) {
			t.Errorf("Verify = %v, Recheck = %v, status %+v, want ErrNoList and ErrConnect", err, again, u.Status())
		}
		s.fail(0, nil)
		s.put("/list.csv", "code,attraction\nA1,castle\n")
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		if on := listed(t, u, "A1"); on != "A1@castle" {
			t.Errorf("later: %s, want the list", on)
		}
	})
}

func TestURLDelta(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const delta = "/delta.csv?since="
		s := &shelf{files: map[string]string{"/list.csv": "#full,1\ncode,attraction\nA1,castle\nB2,castle\n"}}
		s.put(delta+"1", "#delta,1,2\ncode,attraction,change\nC3,castle,put\n")
		s.put(delta+"2", "#delta,1,2\ncode,attraction,change\nC3,castle,put\n") // nothing new
		u := openURL(t, s, roll.Address{Full: at, Delta: "https://box.test/delta.csv?since={sequence}"}, roll.Options{Poll: -1})
		steps := []struct {
			name   string
			change func()
			on     string
			asked  string
			err    error
		}{
			{"opened", func() {}, "A1@castle B2@castle C3@castle", "/list.csv, /delta.csv?since=1, /delta.csv?since=2", nil},
			{"removed", func() { s.put(delta+"2", "#delta,2,5\ncode,attraction,change\nA1,,remove\n") }, "B2@castle C3@castle", `/delta.csv?since=2 if changed`, nil},
			{"gap, and a whole list that is too old", func() { s.put(delta+"5", "#delta,7,8\ncode,attraction,change\nB2,,remove\n") },
				"B2@castle C3@castle", `/delta.csv?since=5, /list.csv if changed`, roll.ErrGap},
			{"a new whole list", func() {
				s.put("/list.csv", "#full,7\ncode,attraction\nA1,zoo\nB2,zoo\n")
				s.put(delta+"7", "#delta,7,8\ncode,attraction,change\nB2,,remove\n")
				s.put(delta+"8", "#delta,7,8\ncode,attraction,change\nB2,,remove\n")
			}, "A1@zoo", `/delta.csv?since=5, /list.csv if changed, /delta.csv?since=7`, nil},
			{"no delta any more", func() { delete(s.files, delta+"8") }, "A1@zoo", `/delta.csv?since=8, /list.csv if changed`, errAny},
			{"an hour later", func() {
				s.put(delta+"8", "#delta,7,8\ncode,attraction,change\nB2,,remove\n")
				time.Sleep(time.Hour)
			}, "A1@zoo", `/list.csv if changed, /delta.csv?since=8`, nil},
			{"the whole list again, as it was", func() {
				s.put("/list.csv", "#full,7\ncode,attraction\nA1,zoo\nB2,zoo\n\n")
				time.Sleep(time.Hour)
			}, "A1@zoo", `/list.csv if changed, /delta.csv?since=8 if changed`, nil},
			{"a broken delta and a new list", func() {
				s.put(delta+"8", "#delta,8,9\ncode,attraction,change\nB2,,gone\n")
				s.put("/list.csv", "#full,20\ncode,attraction\nB2,castle\n")
				s.put(delta+"20", "#delta,8,20\ncode,attraction,change\n")
			}, "B2@castle", `/delta.csv?since=8 if changed, /list.csv if changed, /delta.csv?since=20`, nil},
		}
		for i, step := range steps {
			step.change()
			var err error
			if i == 0 {
				err = u.Reload(t.Context())
			} else {
				s.asked()
				err = u.Reload(t.Context())
			}
			if on := listed(t, u, "A1", "B2", "C3"); on != step.on {
				t.Errorf("%s: %s, want %s", step.name, on, step.on)
			}
			if asked := s.asked(); asked != step.asked {
				t.Errorf("%s: asked for %s, want %s", step.name, asked, step.asked)
			}
			if step.err == errAny && err == nil || step.err != errAny && !errors.Is(err, step.err) || !errors.Is(u.Status().Err, err) {
				t.Errorf("%s: Reload = %v, status %+v, want %v", step.name, err, u.Status(), step.err)
			}
		}
		closedURL(t, u)
	})
}

var errAny = errors.New("any error")

// A list is never replaced by an older one.
func TestURLNeverGoesBack(t *testing.T) {
	s := &shelf{files: map[string]string{"/list.csv": "#full,5\ncode,attraction\nB2,castle\n"}}
	u := openURL(t, s, roll.Address{Full: at}, roll.Options{Poll: -1})
	for _, text := range []string{"#full,4\ncode,attraction\nA1,castle\nB2,castle\n", "code,attraction\nA1,castle\n"} {
		s.put("/list.csv", text)
		if err := u.Reload(t.Context()); !errors.Is(err, roll.ErrOlder) || listed(t, u, "A1", "B2") != "B2@castle" {
			t.Errorf("Reload = %v, then %s, want ErrOlder and the list before", err, listed(t, u, "A1", "B2"))
		}
	}
}

func TestURLAddress(t *testing.T) {
	tests := []struct {
		a    roll.Address
		want string
	}{
		{roll.Address{}, "full: want a URL like https://tickets.example.org/list.csv, without a user"},
		{roll.Address{Full: "file:///CANARY"}, "full: want a URL like https://tickets.example.org/list.csv, without a user"},
		{roll.Address{Full: "https://CANARY@box.test/"}, "full: want a URL like https://tickets.example.org/list.csv, without a user"},
		{roll.Address{Full: "https://box.test/\x7fCANARY"}, "full: not a URL"},
		{roll.Address{Full: at, Delta: "delta.csv"}, "delta: want a URL like https://tickets.example.org/list.csv, without a user"},
	}
	for _, tt := range tests {
		if u, err := roll.OpenURL(t.Context(), &shelf{}, tt.a, roll.Options{}); u != nil || err == nil || err.Error() != tt.want {
			t.Errorf("OpenURL(%+v) = %v, %v, want %s", tt.a, u, err, tt.want)
		}
	}
	s := &shelf{files: map[string]string{"/export?key=CANARY": `{"code":"A1","attraction":["castle"]}`}}
	u := openURL(t, s, roll.Address{Full: "https://box.test/export?key=CANARY", JSON: true}, roll.Options{Poll: -1})
	if on := listed(t, u, "A1"); on != "A1@castle" {
		t.Errorf("a list that is called JSON: %s, %v", on, u.Status().Err)
	}
	s.put("/export?key=CANARY", "{")
	if err := u.Reload(t.Context()); err == nil || strings.Contains(err.Error(), "CANARY") {
		t.Errorf("Reload = %v, want an error without the key", err)
	}
}

// The whole way over a real connection, with the limits of the client.
func TestURLOverHTTP(t *testing.T) {
	var mu sync.Mutex
	text, sent := "code,attraction\nA1,castle\n", 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if r.Header.Get("Authorization") != "Bearer key" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		counted := &countingWriter{ResponseWriter: w}
		modified := time.Date(2026, 7, 1, 12, 0, len(text)%60, 0, time.UTC)
		http.ServeContent(counted, r, "list.csv", modified, strings.NewReader(text))
		sent += counted.bytes
	}))
	defer server.Close()
	client, err := outbound.New(outbound.Options{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, MaxBody: 1 << 10})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	u := openURL(t, client, roll.Address{Full: server.URL + "/list.csv", Header: http.Header{"Authorization": {"Bearer key"}}}, roll.Options{Poll: -1})
	reload := func(want error) {
		t.Helper()
		if err := u.Reload(context.Background()); !errors.Is(err, want) {
			t.Errorf("Reload = %v, want %v", err, want)
		}
	}
	reload(nil)
	if on := listed(t, u, "A1"); on != "A1@castle" || sent != len(text) {
		t.Errorf("%s after %d bytes, want A1 and the list sent once", on, sent)
	}
	mu.Lock()
	text += strings.Repeat("\n", 2<<10)
	mu.Unlock()
	reload(outbound.ErrTooLarge)
	if on := listed(t, u, "A1"); on != "A1@castle" {
		t.Errorf("%s after a list that is too large, want the one before", on)
	}
}

type countingWriter struct {
	http.ResponseWriter
	bytes int
}

func (w *countingWriter) Write(p []byte) (int, error) {
	w.bytes += len(p)
	return w.ResponseWriter.Write(p)
}
