package s3_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"strings"
	"sync"
	"testing"
)

// A gatekeeper stands before the server, notes what is written there, and can
// stop letting anything through.
type gatekeeper struct {
	address string
	mu      sync.Mutex
	written map[string]int // PUT and DELETE by path and number of a part
	limit   int            // of writes that are let through; 0 is no limit
	hold    string         // the end of writes that are never let through; empty is none
	inside  int            // requests that were let through and are not answered
	full    chan struct{}  // closed when the limit is reached and all inside are answered
	shut    bool
	open    chan struct{} // closed in the end
}

// newGatekeeper listens until the test ends.
func newGatekeeper(t *testing.T, to string, limit int, hold string) *gatekeeper {
	t.Helper()
	g := &gatekeeper{written: map[string]int{}, limit: limit, hold: hold, full: make(chan struct{}), open: make(chan struct{})}
	proxy := newForwarder(t, to)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if g.enter(r) {
			defer g.leave()
			proxy.ServeHTTP(w, r)
		}
	}))
	g.address = server.URL
	t.Cleanup(func() { close(g.open); server.Close() })
	return g
}

// enter notes a request, or holds it for ever when the limit is reached.
func (g *gatekeeper) enter(r *http.Request) bool {
	name := r.Method + " " + r.URL.Path
	if part := r.URL.Query().Get("partNumber"); part != "" {
		name += " " + part
	}
	if g.note(name) {
		return true
	}
	_, _ = io.Copy(io.Discard, r.Body) // or its context would not end with the connection
	select {
	case <-g.open:
	case <-r.Context().Done():
	}
	return false
}

// note reports whether a request may go on.
func (g *gatekeeper) note(name string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.limit > 0 && len(g.written) >= g.limit {
		g.close()
		return false
	}
	if g.hold != "" && strings.HasSuffix(name, g.hold) {
		return false
	}
	if strings.HasPrefix(name, "PUT ") || strings.HasPrefix(name, "DELETE ") {
		g.written[name]++
	}
	g.inside++
	return true
}

func (g *gatekeeper) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inside--
	if g.limit > 0 && len(g.written) >= g.limit {
		g.close()
	}
}

// close says that nothing happens any more.
func (g *gatekeeper) close() {
	if g.inside == 0 && !g.shut {
		g.shut = true
		close(g.full)
	}
}

// writes returns what was written since it was last asked.
func (g *gatekeeper) writes() map[string]int {
	g.mu.Lock()
	defer g.mu.Unlock()
	defer func() { g.written = map[string]int{} }()
	return g.written
}

// newForwarder returns a proxy to the server that leaves the host as it is
// signed.
func newForwarder(t *testing.T, to string) http.Handler {
	target, transport := mustParse(t, to), &http.Transport{MaxIdleConnsPerHost: 16}
	t.Cleanup(transport.CloseIdleConnections)
	return &httputil.ReverseProxy{Transport: transport, Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Host = r.In.Host
	}}
}
