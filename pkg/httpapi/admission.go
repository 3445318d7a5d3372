package httpapi

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
)

// handleAdmission serves GET /v1/admission: what am I entitled to. It sets no
// cookies and changes nothing.
func (s *Server) handleAdmission(w http.ResponseWriter, r *http.Request) {
	var reply *passReply
	var failure error
	for _, session := range s.session.read(r) {
		pass, err := s.keeper.Admission(r.Context(), session)
		if err != nil {
			failure = worse(failure, err)
			continue
		}
		if reply == nil {
			reply = &passReply{RefreshAfter: 1} // what the cookies are worth is not known here, so renew at once
		}
		reply.Admission, reply.ServerTime = newAdmissionReply(pass.Admission), pass.Now.UTC().Truncate(time.Second)
		reply.Grants = append(reply.Grants, entitled(pass.Admission)...)
	}
	if reply == nil {
		s.failSession(w, r, failure)
		return
	}
	writeJSON(w, http.StatusOK, reply)
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
	passes, sessions, err := s.renew(r.Context(), shown)
	if len(passes) == 0 {
		s.clearStamps(w, r, err)
		s.failSession(w, r, err)
		return
	}
	keepUnknown(passes, len(sessions) > len(passes))
	s.writePasses(w, passes, sessions, native)
}

// keepUnknown keeps passes from clearing cookies while nobody knows about
// another admission of the device: they may be that one's, and good.
func keepUnknown(passes []*gate.Pass, unknown bool) {
	for _, p := range passes {
		if unknown {
			p.Stale = nil
		}
	}
}

// renew renews every session, drops those whose admission is over and keeps
// those about which nobody knows at the moment. The error is the worst met.
func (s *Server) renew(ctx context.Context, sessions wallet) (passes []*gate.Pass, kept wallet, failure error) {
	for _, session := range sessions {
		pass, err := s.keeper.Renew(ctx, session)
		var denial *gate.Denial
		switch {
		case err == nil:
			passes, kept = append(passes, pass), append(kept, pass.Session)
		case !errors.As(err, &denial):
			kept, failure = append(kept, session), worse(failure, err)
		default:
			failure = worse(failure, err)
		}
	}
	return passes, kept, failure
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

// clearStamps deletes the cookies of a device whose admission is over. Of one
// that has shown no session, and so has no error, nothing is known.
func (s *Server) clearStamps(w http.ResponseWriter, r *http.Request, err error) {
	var denial *gate.Denial
	if !errors.As(err, &denial) {
		return
	}
	cookies, err := s.keeper.Leave(r.Context())
	if err != nil {
		return // they will expire
	}
	for _, c := range cookies {
		http.SetCookie(w, c)
	}
}

// failSession answers 401 for a device whose admission is over. That nobody
// knows is another matter, and then the viewer keeps what it has.
func (s *Server) failSession(w http.ResponseWriter, r *http.Request, err error) {
	var denial *gate.Denial
	switch {
	case err == nil:
		err = gate.Deny(gate.ReasonNoSession, nil)
	case !errors.As(err, &denial):
		s.fail(w, r, err)
		return
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
