package admin

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/handstamp/handstamp/pkg/reply"
)

const (
	writeTimeout = 15 * time.Second // to read a reply, once it begins
	batchTimeout = 2 * time.Minute  // to read one with many tickets
)

type requestIDKey struct{}

// requestID returns the ID that addHeaders gave the request.
func requestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}

// addHeaders gives every reply its ID and the headers that keep it out of
// caches, frames and type guessing. The ID is ours, whatever was sent.
func (s *Server) addHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := rand.Text()
		h := w.Header()
		h.Set("X-Request-Id", id)
		h.Set("Cache-Control", "no-store")
		h.Set("Vary", "Origin, Sec-Fetch-Site, Accept, Authorization")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; sandbox")
		h.Set("Referrer-Policy", "no-referrer")
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), requestIDKey{}, id)))
	})
}

// recoverPanics turns a panic into a 500 and one log line without its value,
// which could be a code, or breaks the reply off if it has begun.
func (s *Server) recoverPanics(next http.Handler) http.Handler {
	note := func(r *http.Request, value any) {
		s.log.LogAttrs(r.Context(), slog.LevelError, "panic in a handler", slog.String("request_id", requestID(r.Context())),
			slog.String("panic", fmt.Sprintf("%T", value)), slog.String("stack", string(debug.Stack())))
	}
	return reply.Recover(next, writeTimeout, note, func(w http.ResponseWriter, r *http.Request) {
		s.fail(w, r, &requestError{status: http.StatusInternalServerError, code: "internal", detail: "Something went wrong on our side."})
	})
}
