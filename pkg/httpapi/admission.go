package httpapi

import (
	"net/http"
	"time"
)

// handleAdmission serves GET /v1/admission: what am I entitled to. It sets no
// cookies and changes nothing.
func (s *Server) handleAdmission(w http.ResponseWriter, r *http.Request) {
	pass, err := s.keeper.Admission(r.Context(), s.session.read(r))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	reply := passReply{Admission: newAdmissionReply(pass.Admission), ServerTime: pass.Now.UTC().Truncate(time.Second)}
	for _, e := range pass.Admission.Entitlements {
		reply.Grants = append(reply.Grants, grantReply{Attraction: e.Attraction, Package: e.Package, ExpiresAt: earlier(e.Until, pass.Admission.Ends).UTC()})
	}
	writeJSON(w, http.StatusOK, reply)
}

// handleLeave serves DELETE /v1/admission: the device gives its seat back and
// forgets every cookie on every path. Leaving twice is no error.
func (s *Server) handleLeave(w http.ResponseWriter, r *http.Request) {
	cookies, err := s.keeper.Leave(r.Context(), s.session.read(r))
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
