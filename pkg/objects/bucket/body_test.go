package bucket_test

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/objects/bucket"
)

const long = mebibyte

// P-14. A store that does not keep its word is never mistaken for one that does.
func TestBrokenBodies(t *testing.T) {
	begin := func(w http.ResponseWriter, r *http.Request) { // a part of what was asked for
		if r.Header.Get("Range") != "" {
			w.Header().Set("Content-Range", fmt.Sprintf("bytes 2-%d/%d", long-1, long))
			w.Header().Set("Content-Length", fmt.Sprint(long-2))
			w.WriteHeader(206)
		} else {
			w.Header().Set("Content-Length", fmt.Sprint(long))
		}
		w.Write(make([]byte, long/2))
		http.NewResponseController(w).Flush()
	}
	for name, get := range map[string]struct {
		serve  http.HandlerFunc
		early  bool // it is seen before the status is sent
		logged string
	}{
		"truncated":     {begin, false, "unexpected EOF"},
		"stalled":       {func(w http.ResponseWriter, r *http.Request) { begin(w, r); <-r.Context().Done() }, false, "says nothing any more"},
		"reset":         {func(w http.ResponseWriter, r *http.Request) { begin(w, r); reset(w) }, false, "key=x"},
		"shorter":       {func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("short")) }, true, "sends 5 bytes"},
		"longer":        {func(w http.ResponseWriter, r *http.Request) { stored{size: long + 1}.serve(w, r) }, true, "the store sends"},
		"no length":     {func(w http.ResponseWriter, r *http.Request) { http.NewResponseController(w).Flush() }, true, "sends -1 bytes"},
		"other version": {func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Etag", `"x"`); begin(w, r) }, true, "another version"},
		"reset at once": {func(w http.ResponseWriter, r *http.Request) { reset(w) }, true, "GetObject"},
	} {
		for _, protocol := range []string{"HTTP/1.1", "HTTP/2.0"} {
			for _, ranges := range []string{"", "Range: bytes=2-"} {
				t.Run(name+" "+protocol+" "+ranges, func(t *testing.T) {
					t.Parallel()
					s := newStore(t, map[string]stored{"x": {size: long}})
					s.trouble = func(w http.ResponseWriter, r *http.Request) bool {
						if r.Method == "GET" {
							w.Header().Set("Etag", etag)
							get.serve(w, r)
						}
						return r.Method == "GET"
					}
					var log note
					srv := newServer(t, s.client(bucket.Options{IdleTimeout: 100 * time.Millisecond, Log: log.log()}), protocol)
					got := fetch(t, srv, ranges)
					switch {
					case get.early && (got.StatusCode != 503 || got.err != nil):
						t.Errorf("GET = %d, %d bytes, %v, want 503", got.StatusCode, len(got.body), got.err)
					case !get.early && (got.err == nil || got.StatusCode/100 != 2 || got.Proto != protocol):
						t.Errorf("GET = %d, %d bytes, %v, want an aborted body", got.StatusCode, len(got.body), got.err)
					}
					eventually(t, "a log of "+get.logged, func() bool { return strings.Contains(log.String(), get.logged) })
				})
			}
		}
	}
}

// The second of several ranges breaks off as well.
func TestBrokenSecondRange(t *testing.T) {
	s := newStore(t, map[string]stored{"x": {text: "0123456789"}})
	s.trouble = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Header.Get("Range") != "bytes=4-5" {
			return false
		}
		refuse(w, 404, "NoSuchKey")
		return true
	}
	srv := serve(t, s.client(bucket.Options{}))
	if got := ask(t, srv, "GET", "/x", "Range: bytes=0-1,4-5,7-8"); got.err == nil {
		t.Errorf("GET = %d %q %v, want an aborted body", got.StatusCode, got.body, got.err)
	}
	for _, r := range s.requests() {
		if r.Header.Get("Range") == "bytes=7-8" {
			t.Error("the store was asked for more after it had failed")
		}
	}
}

// A condition that puts a range aside fetches all of it, in one go.
func TestWholeDespiteRange(t *testing.T) {
	s := newStore(t, map[string]stored{"x": {text: "0123456789"}, "weak": {text: "weak", header: http.Header{"Etag": {`W/"x"`}}}})
	srv := serve(t, s.client(bucket.Options{}))
	if got := ask(t, srv, "GET", "/x", "Range: bytes=0-1", `If-Range: "other"`); got.StatusCode != 200 || got.body != "0123456789" || len(s.requests()) != 2 {
		t.Errorf("GET = %d %q, want 200 by two requests to the store", got.StatusCode, got.body)
	}
	if got := ask(t, srv, "GET", "/weak"); got.body != "weak" || s.requests()[1].Header.Get("If-Match") != "" {
		t.Errorf("with a weak ETag: %d %q", got.StatusCode, got.body)
	}
}

// Each part of an object is the right one, also where buffers end.
func TestWholeObject(t *testing.T) {
	const size = 5*mebibyte + 7
	s := newStore(t, map[string]stored{"x": {size: size}})
	for _, protocol := range []string{"HTTP/1.1", "HTTP/2.0"} {
		srv := newServer(t, s.client(bucket.Options{}), protocol)
		for header, want := range map[string][2]int{"": {0, size}, "Range: bytes=131071-2621440": {131071, 2621441}, "Range: bytes=-32769": {size - 32769, size}} {
			got := fetch(t, srv, header)
			right := make([]byte, want[1]-want[0])
			pattern{}.ReadAt(right, int64(want[0]))
			if got.err != nil || got.body != string(right) || got.Header.Get("Content-Length") != fmt.Sprint(len(right)) {
				t.Errorf("%s %s = %d, %d bytes, %v, want %d", protocol, header, got.StatusCode, len(got.body), got.err, len(right))
			}
		}
	}
}

// reset ends a connection without a word.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	conn.(*net.TCPConn).SetLinger(0)
	conn.Close()
}

func newServer(t testing.TB, h http.Handler, protocol string) *httptest.Server {
	t.Helper()
	if protocol == "HTTP/1.1" {
		return serve(t, h)
	}
	srv := httptest.NewUnstartedServer(h)
	srv.EnableHTTP2 = true
	srv.StartTLS()
	t.Cleanup(srv.Close)
	return srv
}

// fetch asks for /x with the server's own client, which may speak HTTP/2.
func fetch(t testing.TB, srv *httptest.Server, header string) answer {
	t.Helper()
	r, err := http.NewRequest("GET", srv.URL+"/x", nil)
	if err != nil {
		t.Fatal(err)
	}
	if name, value, ok := strings.Cut(header, ": "); ok {
		r.Header.Set(name, value)
	}
	return got(srv.Client().Do(r))
}

// The server is told to cut the connection, whatever the protocol.
func TestShortBodyAborts(t *testing.T) {
	s := newStore(t, map[string]stored{"x": {size: long}})
	s.trouble = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == "GET" {
			w.Header().Set("Etag", etag)
			w.Header().Set("Content-Length", fmt.Sprint(long))
			w.Write(make([]byte, 10))
		}
		return r.Method == "GET"
	}
	b := s.client(bucket.Options{})
	defer func() {
		if v := recover(); v != http.ErrAbortHandler {
			t.Errorf("a short body panics with %v, want ErrAbortHandler", v)
		}
	}()
	err := b.ServeObject(httptest.NewRecorder(), httptest.NewRequest("GET", "/x", nil), "x")
	t.Errorf("ServeObject = %v, want a panic", err)
}
