// Package boxoffice is a ticket API for tests that can misbehave in every way
// that a real one was seen to.
//
//	office := boxoffice.New(t, handler)    // handler is the API as documented
//	office.Misbehave(boxoffice.Hang)       // from now on
//
// It listens on a loopback address, see Loopback, and is gone when the test ends.
package boxoffice

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"sync"
	"testing"
)

// Loopback is the network that an office is in.
var Loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}

// A Request is what a source sent.
type Request struct {
	Method string
	URI    string // as it stood in the request line
	Host   string
	Header http.Header
	Body   string
}

// An Office is a server. It is safe for concurrent use.
type Office struct {
	URL    string // without a slash at the end
	good   http.HandlerFunc
	closed chan struct{}

	mu    sync.Mutex
	fault Fault // its zero value is none
	seen  []Request
	last  *httptest.ResponseRecorder // the last good answer
}

// New starts an office that answers as good does.
func New(t testing.TB, good http.HandlerFunc) *Office {
	t.Helper()
	o := newOffice(good)
	server := httptest.NewServer(o)
	o.URL = server.URL
	t.Cleanup(func() { o.close(server) })
	return o
}

func newOffice(good http.HandlerFunc) *Office {
	return &Office{good: good, closed: make(chan struct{})}
}

func (o *Office) close(server *httptest.Server) {
	close(o.closed)
	server.CloseClientConnections()
	server.Close()
}

// Misbehave makes the office do f from now on. The zero Fault ends that.
func (o *Office) Misbehave(f Fault) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.fault = f
}

// Requests returns what was asked until now.
func (o *Office) Requests() []Request {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.seen)
}

// Asked returns how many requests came until now.
func (o *Office) Asked() int { return len(o.Requests()) }

// ServeHTTP implements http.Handler.
func (o *Office) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	o.mu.Lock()
	o.seen = append(o.seen, Request{r.Method, r.RequestURI, r.Host, r.Header.Clone(), string(body)})
	fault, n := o.fault, len(o.seen)
	o.mu.Unlock()
	if fault.serve == nil {
		o.answer(r).write(w)
		return
	}
	fault.serve(&visit{office: o, w: w, r: r, number: n})
}

// An answer is a recorded good one.
type answer struct{ *httptest.ResponseRecorder }

func (o *Office) answer(r *http.Request) answer {
	rec := httptest.NewRecorder()
	o.good(rec, r)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.last = rec
	return answer{rec}
}

func (a answer) write(w http.ResponseWriter) {
	for name, values := range a.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(a.Code)
	_, _ = w.Write(a.Body.Bytes())
}

// JSON returns a handler that always answers with a JSON text.
func JSON(status int, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { Write(w, status, text) }
}

// Write writes a JSON answer.
func Write(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text)
}
