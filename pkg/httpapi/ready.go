package httpapi

import (
	"context"
	"net/http"
	"sync"
	"time"
)

const (
	readyFor     = 2 * time.Second // that an answer about readiness is good, so that asking costs nothing
	readyTimeout = 2 * time.Second // for finding out
)

// A readiness asks whether requests can be answered, but not for everybody who
// wants to know.
type readiness struct {
	ask func(context.Context) error // nil means that they always can
	mu  sync.Mutex
	err error
	at  time.Time // of the last answer; zero means none
}

// now returns nil if requests can be answered.
func (r *readiness) now(ctx context.Context) error {
	if r.ask == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.at.IsZero() && time.Since(r.at) < readyFor {
		return r.err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readyTimeout)
	defer cancel()
	r.err, r.at = r.ask(ctx), time.Now()
	return r.err
}

// handleReady serves GET /readyz: whether a load balancer should send viewers
// here. It never says more than that.
func (s *Server) handleReady(w http.ResponseWriter, r *http.Request) {
	if s.draining.Load() {
		s.fail(w, r, &requestError{status: http.StatusServiceUnavailable, code: "draining", detail: "This instance is shutting down."})
		return
	}
	if err := s.ready.now(r.Context()); err != nil {
		s.fail(w, r, &requestError{status: http.StatusServiceUnavailable, code: "unavailable", detail: "This instance cannot admit anybody now.", err: err})
		return
	}
	writeJSON(w, http.StatusOK, map[string]string{"status": "ready"})
}
