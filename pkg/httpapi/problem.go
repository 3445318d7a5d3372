package httpapi

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
)

// A problem is the body of every error, RFC 9457.
type problem struct {
	Type      string      `json:"type"`
	Title     string      `json:"title"`
	Status    int         `json:"status"`
	Detail    string      `json:"detail,omitempty"`
	Code      string      `json:"code"`
	Reason    gate.Reason `json:"reason,omitempty"`
	Guarded   bool        `json:"guarded,omitempty"` // a challenge would let the viewer in at once
	RequestID string      `json:"request_id"`

	wait time.Duration // Retry-After; 0 means none
}

// A requestError is an error whose reply is known where it arises.
type requestError struct {
	status int
	code   string
	title  string // for the viewer; empty means what the status is called
	detail string // for the viewer
	err    error  // for the log

	wait    time.Duration // until the viewer may try again, whole seconds; 0 means that nothing is said
	guarded bool          // a challenge would let the viewer in at once
}

func (e *requestError) Error() string {
	if e.err != nil {
		return e.code + ": " + e.err.Error()
	}
	return e.code + ": " + e.detail
}

func (e *requestError) Unwrap() error { return e.err }

// retryAfter is what a viewer is told to wait when nobody knows.
const retryAfter = 5 * time.Second

// fail is the one place where an error becomes a reply. An error that nobody
// classified is ours, not the viewer's: logged whole, shown as 503.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	if s.opts.Busy(err) {
		err = fmt.Errorf("%w: %w", ErrBusy, err)
	}
	p, level := classify(err)
	p.Type, p.RequestID = "urn:handstamp:problem:"+p.Code, requestID(r.Context())
	s.log.LogAttrs(r.Context(), level, "request refused", slog.Int("status", p.Status), slog.String("code", p.Code),
		slog.String("request_id", p.RequestID), slog.Any("err", err))
	if p.Code == "session_required" {
		w.Header().Set("WWW-Authenticate", "Bearer") // RFC 9110, 15.5.2; no browser asks for one
		http.SetCookie(w, s.session.expired())
	}
	if p.Status == http.StatusRequestEntityTooLarge {
		w.Header().Set("Connection", "close") // what is left of the body is not read
	}
	writeProblem(w, p)
}

// classify words an error for the viewer and says how loudly to log it.
func classify(err error) (problem, slog.Level) {
	var denial *gate.Denial
	var session *sessionError
	var request *requestError
	switch {
	case errors.Is(err, ErrBusy):
		return busy(), slog.LevelWarn
	case errors.As(err, &session) && errors.As(err, &denial):
		p := denied(denial)
		p.Status, p.Code = http.StatusUnauthorized, "session_required"
		if denial.Reason == gate.ReasonRevoked { // the device, or the visit; the ticket may be good
			p.Title, p.Detail = "This visit has ended", "It was ended on this device. Show your ticket again; if it is not accepted, ask the staff."
		}
		return p, slog.LevelInfo
	case errors.As(err, &denial):
		return denied(denial), slog.LevelInfo
	case errors.As(err, &request):
		p := problem{Status: request.status, Code: request.code, Title: cmp.Or(request.title, http.StatusText(request.status)), Detail: request.detail,
			Guarded: request.guarded, wait: request.wait}
		if request.status < 500 {
			return p, slog.LevelInfo
		}
		return p, slog.LevelError
	case errors.Is(err, gate.ErrOtherRequest):
		return problem{Status: http.StatusUnprocessableEntity, Code: "idempotency_key_reused", Title: "Another request had this key",
			Detail: "It was for the same ticket at another attraction. Choose a new Idempotency-Key."}, slog.LevelInfo
	}
	p := problem{Status: http.StatusServiceUnavailable, Code: "unavailable", Title: "Please try again",
		Detail: "We cannot say at the moment whether this ticket is good. It was not refused."}
	var later interface{ RetryAfter() time.Duration }
	if errors.As(err, &later) { // a source that spreads those who come back
		p.wait = max(later.RetryAfter(), 0)
	}
	switch {
	case errors.Is(err, context.Canceled): // the viewer went away
		return p, slog.LevelInfo
	case errors.Is(err, errCrowded):
		return p, slog.LevelWarn
	}
	return p, slog.LevelError
}

func writeProblem(w http.ResponseWriter, p problem) {
	if p.Status == http.StatusServiceUnavailable && p.wait == 0 {
		p.wait = retryAfter
	}
	if p.wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int((p.wait+time.Second-1)/time.Second)))
	}
	writeBody(w, p.Status, "application/problem+json", p)
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

// denied words a refusal. Without proof that the viewer holds a real ticket
// there is one answer for everything, or the answers would tell guessers which
// codes exist.
func denied(d *gate.Denial) problem {
	switch d.Reason {
	case gate.ReasonMalformed:
		return problem{Status: http.StatusBadRequest, Code: "bad_request", Title: "This is not a ticket code",
			Detail: "Type the code as it is printed on the ticket: letters, digits and hyphens."}
	case gate.ReasonNoSession:
		return problem{Status: http.StatusUnauthorized, Code: "session_required", Title: "Please show your ticket",
			Detail: "There is no admission on this device, or it is over."}
	}
	p := problem{Status: http.StatusForbidden, Code: "ticket_not_accepted", Title: "This ticket was not accepted",
		Detail: "Check the code for typing errors and that the ticket is for today and for this attraction, or ask the staff."}
	if explained(d) {
		text := reasons[d.Reason]
		p.Reason, p.Title, p.Detail = d.Reason, text.title, text.detail
	}
	return p
}

// explained reports whether the viewer is told the reason of a refusal.
func explained(d *gate.Denial) bool {
	_, ok := reasons[d.Reason]
	return ok && d.Proven
}

// reasons are the texts for those who hold a real ticket.
var reasons = map[gate.Reason]struct{ title, detail string }{
	gate.ReasonExpired:         {"This ticket has expired", "Its validity is over. The ticket desk can tell you more."},
	gate.ReasonNotYetValid:     {"This ticket is not valid yet", "Come back when its day has begun; nothing was used up."},
	gate.ReasonNotPaid:         {"This ticket is not paid yet", "Finish the payment where you booked, then try again."},
	gate.ReasonCancelled:       {"This ticket was cancelled", "It was cancelled or refunded. Ask where you bought it."},
	gate.ReasonBlocked:         {"This ticket was blocked", "Its seller has blocked it. Ask where you bought it."},
	gate.ReasonReplaced:        {"This ticket was replaced", "There is a newer code for it; look for a later e-mail."},
	gate.ReasonWrongAttraction: {"This ticket is for another place", "It is good, but not here."},
	gate.ReasonNotIncluded:     {"This ticket does not include the guide", "It is good, but buys no part of the guide. The desk can upgrade it."},
	gate.ReasonSeatsTaken:      {"All places of this ticket are taken", "As many devices use it as it has places. Leave on one of them first."},
	gate.ReasonRevoked:         {"This ticket was taken back", "The attraction has taken it back. Please ask the staff."},
	gate.ReasonSeeStaff:        {"Please ask the staff", "Somebody has to look at this ticket."},
}
