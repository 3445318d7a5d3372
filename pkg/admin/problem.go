package admin

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"

	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/gate"
)

// A problem is the body of every error, RFC 9457.
type problem struct {
	Type      string  `json:"type"`
	Title     string  `json:"title"`
	Status    int     `json:"status"`
	Detail    string  `json:"detail"`
	Code      string  `json:"code"`
	Errors    []fault `json:"errors,omitempty"`
	RequestID string  `json:"request_id"`
}

// A fault is one thing that is wrong with a request. Like every text in a
// problem it quotes nothing that was sent: that could be a code.
type fault struct {
	Where  string `json:"where"` // a member of the body or a parameter; empty for all of it
	Detail string `json:"detail"`
}

// A requestError is an error whose reply is known where it arises.
type requestError struct {
	status     int
	code       string
	detail     string // for who asked
	faults     []fault
	challenge  string // WWW-Authenticate
	retryAfter int    // seconds; 0 means not
	err        error  // for the log
}

func (e *requestError) Error() string {
	if e.err != nil {
		return e.code + ": " + e.err.Error()
	}
	return e.code + ": " + e.detail
}

func (e *requestError) Unwrap() error { return e.err }

// badRequest refuses what cannot be read.
func badRequest(detail string, faults ...fault) *requestError {
	return &requestError{status: http.StatusBadRequest, code: "bad_request", detail: detail, faults: faults}
}

// errNotFound is the one answer for what does not exist and for what the key
// may not see.
func errNotFound() *requestError {
	return &requestError{status: http.StatusNotFound, code: "not_found", detail: "There is nothing like that, or the key is not for it."}
}

// unknown are seconds to wait when nobody knows.
const unknown = 5

// fail is the one place where an error becomes a reply. An error that nobody
// classified is ours: logged whole, shown as 503.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	e, level := classify(err)
	id := requestID(r.Context())
	who := ""
	if a := by(r.Context()); a != nil {
		who = a.id
	}
	s.log.LogAttrs(r.Context(), level, "administration refused", slog.Int("status", e.status), slog.String("code", e.code),
		slog.String("actor", who), slog.String("request_id", id), slog.Any("err", err))
	if e.challenge != "" {
		w.Header().Set("WWW-Authenticate", e.challenge)
	}
	if e.retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(e.retryAfter))
	}
	if e.status == http.StatusRequestEntityTooLarge {
		w.Header().Set("Connection", "close") // what is left of the body is not read
	}
	writeBody(w, e.status, "application/problem+json", problem{Type: "urn:handstamp:problem:" + e.code, Title: http.StatusText(e.status),
		Status: e.status, Detail: e.detail, Code: e.code, Errors: e.faults, RequestID: id})
}

// classify words an error for who asked and says how loudly to log it.
func classify(err error) (*requestError, slog.Level) {
	var known *requestError
	switch {
	case errors.As(err, &known) && known.status < 500:
		return known, slog.LevelInfo
	case known != nil:
		return known, slog.LevelError
	case errors.Is(err, gate.ErrNoTarget):
		return errNotFound(), slog.LevelInfo
	case errors.Is(err, book.ErrCursor):
		return errCursor(), slog.LevelInfo
	}
	e := &requestError{status: http.StatusServiceUnavailable, code: "unavailable", retryAfter: unknown,
		detail: "The book gives no answer, or takes no entries. Nobody knows whether anything was changed; asking again does no harm."}
	if errors.Is(err, context.Canceled) {
		return e, slog.LevelInfo // who asked went away
	}
	return e, slog.LevelError
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	writeBody(w, status, "application/json", v)
}

func writeBody(w http.ResponseWriter, status int, contentType string, v any) {
	body, err := json.Marshal(v)
	if err != nil { // all that is written here can be marshalled
		panic(err)
	}
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n'))
}
