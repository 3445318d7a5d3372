package admin

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"
)

const (
	writeTimeout = 15 * time.Second // to read a reply
	workTimeout  = 2 * time.Minute  // to make and read one that takes long
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
		patience(w, writeTimeout)
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

// patience sets how long the reply may take from now on.
func patience(w http.ResponseWriter, d time.Duration) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(d)) // without a connection there is nothing to limit
}

// recoverPanics turns a panic into a 500 and one log line, without its value:
// that could be a code.
func (s *Server) recoverPanics(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			switch p := recover(); {
			case p == nil:
			case p == http.ErrAbortHandler:
				panic(p)
			default:
				s.log.LogAttrs(r.Context(), slog.LevelError, "panic in a handler", slog.String("request_id", requestID(r.Context())),
					slog.String("panic", fmt.Sprintf("%T", p)), slog.String("stack", string(debug.Stack())))
				s.fail(w, r, &requestError{status: http.StatusInternalServerError, code: "internal", detail: "Something went wrong on our side."})
			}
		}()
		next.ServeHTTP(w, r)
	})
}
