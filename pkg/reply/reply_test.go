package reply_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/handstamp/handstamp/pkg/reply"
)

const patience = 15 * time.Second

// refuse is what fail does in these tests.
func refuse(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(http.StatusInternalServerError)
	_, _ = io.WriteString(w, "{}")
}

func ignore(*http.Request, any) {}

// A viewer gets all of an error or sees that the reply broke off, and never an
// error behind the beginning of a file.
func TestRecover(t *testing.T) {
	begin := func(w http.ResponseWriter) {
		h := w.Header()
		h.Set("Content-Type", "audio/mp4")
		h.Set("Content-Length", "1000")
		h.Set("Cache-Control", "public, max-age=60")
		h.Set("Etag", `"a"`)
		h.Set("Set-Cookie", "a=b")
	}
	flushed := func(w http.ResponseWriter) {
		begin(w)
		_, _ = io.WriteString(w, "f")
		_ = http.NewResponseController(w).Flush()
	}
	tests := []struct {
		name   string
		before func(w http.ResponseWriter)
		value  any
		want   string // the body of a whole reply; empty if it breaks off
		told   bool
	}{
		{"nothing sent", begin, "oh", "{}", true},
		{"early hints", func(w http.ResponseWriter) { w.WriteHeader(http.StatusEarlyHints); begin(w) }, "oh", "{}", true},
		{"status", func(w http.ResponseWriter) { begin(w); w.WriteHeader(http.StatusOK) }, "oh", "", true},
		{"a byte", func(w http.ResponseWriter) { begin(w); _, _ = io.WriteString(w, "f") }, "oh", "", true},
		{"a byte that has left", flushed, "oh", "", true},
		{"headers that have left", func(w http.ResponseWriter) { begin(w); w.(http.Flusher).Flush() }, "oh", "", true},
		{"a file", func(w http.ResponseWriter) { begin(w); _, _ = io.Copy(w, strings.NewReader("file")) }, "oh", "", true},
		{"given up", begin, http.ErrAbortHandler, "", false},
		{"given up after a byte", flushed, http.ErrAbortHandler, "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var told []any
			note := func(_ *http.Request, value any) { told = append(told, value) }
			server := httptest.NewServer(reply.Recover(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				tt.before(w)
				panic(tt.value)
			}), patience, note, refuse))
			r, err := server.Client().Get(server.URL)
			var body []byte
			if err == nil {
				body, err = io.ReadAll(r.Body)
				_ = r.Body.Close()
			}
			server.Close()
			switch {
			case tt.want == "" && (err == nil || strings.Contains(string(body), "{")):
				t.Errorf("GET = %q, %v, want a reply that breaks off", body, err)
			case tt.want != "" && (err != nil || r.StatusCode != 500 || string(body) != tt.want):
				t.Errorf("GET = %+v, %q, %v, want 500 %q", r, body, err, tt.want)
			case tt.want != "" && (r.Header.Get("Cache-Control") != "no-store" || r.Header.Get("Etag")+r.Header.Get("Set-Cookie") != ""):
				t.Errorf("an error with the headers %v, want none of what was meant for the file", r.Header)
			}
			if want := tt.told; (len(told) == 1 && told[0] == tt.value) != want || len(told) > 1 {
				t.Errorf("told %v, want the value: %v", told, want)
			}
		})
	}
}

// A line is the listener of one connection in memory. Nothing is buffered: what
// the viewer does not read is not written.
type line struct{ conns chan net.Conn }

func (l line) Accept() (net.Conn, error) {
	if conn, ok := <-l.conns; ok {
		return conn, nil
	}
	return nil, net.ErrClosed
}
func (l line) Close() error   { return nil }
func (l line) Addr() net.Addr { return &net.TCPAddr{} }

// dial serves h on a connection, for as long as the test takes, and sends a request.
func dial(t *testing.T, h http.Handler) net.Conn {
	t.Helper()
	here, there := net.Pipe()
	l := line{make(chan net.Conn, 1)}
	l.conns <- there
	server := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() {
		close(l.conns)
		_ = here.Close()
		_ = server.Close()
	})
	if _, err := io.WriteString(here, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	return here
}

// What took longer to find out than a reply may take to be read still arrives.
func TestLateReply(t *testing.T) {
	for name, h := range map[string]http.HandlerFunc{
		"an error": func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "late", http.StatusServiceUnavailable) },
		"a panic":  func(http.ResponseWriter, *http.Request) { panic("late") },
		"a deadline that is over": func(w http.ResponseWriter, _ *http.Request) {
			_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(-time.Second))
			http.Error(w, "late", http.StatusServiceUnavailable)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				slow := func(w http.ResponseWriter, r *http.Request) {
					time.Sleep(4 * patience)
					h(w, r)
				}
				conn := dial(t, reply.Recover(http.HandlerFunc(slow), patience, ignore, refuse))
				r, err := http.ReadResponse(bufio.NewReader(conn), nil)
				if err != nil || r.StatusCode < 500 {
					t.Fatalf("after %v: %+v, %v, want the error", 4*patience, r, err)
				}
				if body, err := io.ReadAll(r.Body); err != nil || len(body) == 0 {
					t.Errorf("body %q, %v, want all of it", body, err)
				}
			})
		})
	}
}

// A handler that says nothing has answered 200, and that arrives too.
func TestLateReplyOfNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := dial(t, reply.Recover(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { time.Sleep(4 * patience) }), patience, ignore, refuse))
		r, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil || r.StatusCode != http.StatusOK {
			t.Fatalf("after %v: %+v, %v, want 200", 4*patience, r, err)
		}
		_ = r.Body.Close()
	})
}

// A handler may have no deadline at all.
func TestNoDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := dial(t, reply.Recover(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_ = http.NewResponseController(w).SetWriteDeadline(time.Time{})
			_, _ = w.Write(make([]byte, 1<<20))
		}), patience, ignore, refuse))
		time.Sleep(10 * patience) // and only then it is read
		r, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(r.Body); err != nil || len(body) != 1<<20 {
			t.Errorf("%d bytes, %v, want %d", len(body), err, 1<<20)
		}
	})
}

// Who does not read is let go when the patience is over, and not before.
func TestSlowReader(t *testing.T) {
	for name, own := range map[string]time.Duration{"patience": 0, "a handler that waits longer": time.Hour, "one that waits less": time.Second} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				took := make(chan time.Duration, 1)
				dial(t, reply.Recover(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					time.Sleep(time.Minute)
					begin := time.Now()
					if own > 0 {
						if err := http.NewResponseController(w).SetWriteDeadline(begin.Add(own)); err != nil {
							t.Errorf("SetWriteDeadline = %v", err)
						}
					}
					_, err := w.Write(make([]byte, 1<<20))
					if !errors.Is(err, os.ErrDeadlineExceeded) {
						t.Errorf("Write = %v, want os.ErrDeadlineExceeded", err)
					}
					took <- time.Since(begin)
				}), patience, ignore, refuse))
				if got, want := <-took, max(patience, own); got != want {
					t.Errorf("written for %v, want %v", got, want)
				}
			})
		})
	}
}

// A stage is a writer that notes what reaches it.
type stage struct {
	*httptest.ResponseRecorder
	deadlines []time.Duration // from now
	copied    bool
}

func (s *stage) SetWriteDeadline(at time.Time) error {
	s.deadlines = append(s.deadlines, time.Until(at))
	return nil
}

func (s *stage) ReadFrom(src io.Reader) (int64, error) {
	s.copied = true
	return io.Copy(s.ResponseRecorder, src)
}

// A stream of HTTP/2 whose deadline has passed is gone, with whatever would
// have been said on it: it has none before the reply begins.
func TestDeadlines(t *testing.T) {
	for major, want := range map[int][]time.Duration{1: {patience, patience}, 2: {patience}} {
		synctest.Test(t, func(t *testing.T) {
			s := &stage{ResponseRecorder: httptest.NewRecorder()}
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.ProtoMajor = major
			reply.Recover(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				time.Sleep(time.Minute)
				w.WriteHeader(http.StatusProcessing)
				w.WriteHeader(http.StatusNotFound)
				_, _ = io.Copy(w, io.LimitReader(strings.NewReader("not here"), 3))
				_ = http.NewResponseController(w).Flush()
			}), patience, ignore, refuse).ServeHTTP(s, r)
			if !slices.Equal(s.deadlines, want) {
				t.Errorf("HTTP/%d: deadlines in %v, want %v", major, s.deadlines, want)
			}
			if !s.copied || !s.Flushed || s.Body.String() != "not" {
				t.Errorf("HTTP/%d: ReadFrom called %v, flushed %v, body %q, want both and %q", major, s.copied, s.Flushed, s.Body, "not")
			}
		})
	}
}
