package httpapi

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/gorilla/mux"

	"github.com/handstamp/handstamp/pkg/reply"
)

// writeTimeout is how long a viewer may take to read a reply, once it begins.
const writeTimeout = 15 * time.Second

type requestIDKey struct{}

// requestID returns the ID that addHeaders gave the request.
func requestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}

// addHeaders gives every reply its ID and the headers that keep it out of
// caches, frames and type guessing. The ID is ours, whatever the viewer sent.
func (s *Server) addHeaders(next http.Handler) http.Handler {
	secure := strings.HasPrefix(s.opts.PublicOrigin, "https://")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := rand.Text()
		h := w.Header()
		h.Set("X-Request-Id", id)
		h.Set("Cache-Control", "no-store")
		h.Add("Vary", "Origin")
		h.Add("Vary", "Sec-Fetch-Site")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		h.Set("Referrer-Policy", "no-referrer")
		if secure {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), requestIDKey{}, id)))
	})
}

// recoverPanics turns a panic into a 500 and one log line, or breaks the reply
// off if it has begun.
func (s *Server) recoverPanics(next http.Handler) http.Handler {
	note := func(r *http.Request, value any) {
		s.log.LogAttrs(r.Context(), slog.LevelError, "panic in a handler", slog.String("request_id", requestID(r.Context())),
			slog.String("panic", fmt.Sprintf("%T", value)), slog.String("stack", string(debug.Stack())))
	}
	return reply.Recover(next, writeTimeout, note, func(w http.ResponseWriter, r *http.Request) {
		s.fail(w, r, &requestError{status: http.StatusInternalServerError, code: "internal", detail: "Something went wrong on our side."})
	})
}

// refuseForeignHosts answers 421 when a request names another host than the
// configured one: nothing here is ever built from what a viewer calls us.
// Health checks come by address and may.
func (s *Server) refuseForeignHosts(next http.Handler) http.Handler {
	_, host, _ := strings.Cut(s.opts.PublicOrigin, "://")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if host != "" && !strings.EqualFold(r.Host, host) && r.URL.Path != "/healthz" && r.URL.Path != "/readyz" {
			s.fail(w, r, &requestError{status: http.StatusMisdirectedRequest, code: "misdirected",
				detail: "This server answers under another host name.", err: fmt.Errorf("host %.100q, want %q", r.Host, host)})
			return
		}
		next.ServeHTTP(w, r)
	})
}

// tellRoute says which route a request takes. It stands inside the router, as
// only that knows.
func (s *Server) tellRoute(next http.Handler) http.Handler {
	if s.opts.Routed == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if template, err := mux.CurrentRoute(r).GetPathTemplate(); err == nil {
			s.opts.Routed(r, unpatterned(template))
		}
		next.ServeHTTP(w, r)
	})
}

// unpatterned returns a template without the pattern that its variable may have.
func unpatterned(template string) string {
	before, rest, ok := strings.Cut(template, ":")
	if !ok {
		return template
	}
	return before + rest[strings.LastIndexByte(rest, '}'):]
}

// badRequest refuses what cannot be read; err is for the log.
func badRequest(err error) *requestError {
	return &requestError{status: http.StatusBadRequest, code: "bad_request", detail: "The request cannot be read.", err: err}
}
