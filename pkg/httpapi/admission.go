package httpapi

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
)

// handleAdmission serves GET /v1/admission: what am I entitled to. It changes
// nothing and sets no cookies; it deletes those of an admission that is over.
func (s *Server) handleAdmission(w http.ResponseWriter, r *http.Request) {
	shown := s.session.read(r)
	turn := s.allowSessions(r, shown)
	defer turn.Cancel()
	if !turn.OK {
		s.fail(w, r, tooMany(&turn))
		return
	}
	reply, err := s.visit(r.Context(), shown)
	settleSessions(&turn, reply != nil, err)
	if reply == nil {
		s.failSessions(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, reply)
}

// visit says what a device is entitled to, or returns nil and the worst error
// met. How old the device's cookies are is not known here, so RefreshAfter is 0.
func (s *Server) visit(ctx context.Context, sessions wallet) (reply *passReply, failure error) {
	for _, session := range sessions {
		pass, err := s.keeper.Admission(ctx, session)
		if err != nil {
			failure = worse(failure, err)
			continue
		}
		if reply == nil {
			reply = &passReply{}
		}
		reply.Admission, reply.ServerTime = newAdmissionReply(pass.Admission), pass.Now.UTC().Truncate(time.Second)
		reply.Grants = append(reply.Grants, entitled(pass.Admission)...)
	}
	return reply, failure
}

func entitled(a *gate.Admission) []grantReply {
	var grants []grantReply
	for _, e := range a.Entitlements {
		grants = append(grants, grantReply{Attraction: e.Attraction, Package: e.Package, ExpiresAt: earlier(e.Until, a.Ends).UTC().Truncate(time.Second)})
	}
	return grants
}

// handleRenew serves POST /v1/admission/renew: fresh cookies for every
// admission of the device, and a session that replaces the one shown. A native
// app that shows its session as a bearer token gets the values in the body.
func (s *Server) handleRenew(w http.ResponseWriter, r *http.Request) {
	shown, native := s.session.readFrom(r)
	turn := s.allowSessions(r, shown)
	defer turn.Cancel()
	if !turn.OK {
		s.fail(w, r, tooMany(&turn))
		return
	}
	held := s.renew(r.Context(), shown)
	settleSessions(&turn, len(held.passes) > 0, held.failure)
	if len(held.passes) == 0 {
		s.failSessions(w, r, held.failure)
		return
	}
	s.writePasses(w, r, held, native)
}

// worse returns the error that the viewer should hear of: that nobody knows
// rather than a refusal, and a refusal with a reason rather than one without.
func worse(a, b error) error {
	var denial *gate.Denial
	switch {
	case a == nil:
		return b
	case !errors.As(a, &denial):
		return a
	case !errors.As(b, &denial):
		return b
	case denial.Reason != gate.ReasonNoSession:
		return b
	}
	return a
}

// failSessions answers 401 for a device whose admissions are over, and deletes
// their cookies. Of one that has shown no session, and so has no error, nothing
// is known. That nobody knows is another matter, and then the viewer keeps what
// it has.
func (s *Server) failSessions(w http.ResponseWriter, r *http.Request, err error) {
	var denial *gate.Denial
	switch {
	case err == nil:
		err = gate.Deny(gate.ReasonNoSession, nil)
	case !errors.As(err, &denial):
		s.fail(w, r, err)
		return
	default:
		setCookies(w, nil, s.allStamps(r.Context()))
	}
	s.fail(w, r, &sessionError{err})
}

// A sessionError is a refusal of somebody who came with a session.
type sessionError struct{ err error }

func (e *sessionError) Error() string { return e.err.Error() }
func (e *sessionError) Unwrap() error { return e.err }

// handleLeave serves DELETE /v1/admission: the device gives its seats back and
// forgets every cookie on every path. Leaving twice is no error.
func (s *Server) handleLeave(w http.ResponseWriter, r *http.Request) {
	cookies, err := s.keeper.Leave(r.Context(), s.session.read(r)...)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	if len(r.CookiesNamed(s.device.blank.Name)) > 0 {
		cookies = append(cookies, s.device.expired())
	}
	for _, c := range append(cookies, s.session.expired()) {
		http.SetCookie(w, c)
	}
	w.WriteHeader(http.StatusNoContent)
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
