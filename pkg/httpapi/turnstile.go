package httpapi

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/throttle"
)

// pass asks the keeper to let a viewer in, when it is the viewer's turn.
func (s *Server) pass(w http.ResponseWriter, r *http.Request, req *verifyRequest, key gate.Secret, sessions wallet) (*gate.Pass, error) {
	attempt := s.attempt(r, req)
	if s.opts.Throttle != nil && attempt.Device == "" && req.Delivery != deliveryJSON {
		attempt.Issued = rand.Text()
		http.SetCookie(w, s.device.fresh(attempt.Issued))
	}
	turn := s.allow(attempt)
	defer turn.Cancel()
	if !turn.OK {
		return nil, tooMany(&turn)
	}
	pass, err := s.keeper.AdmitOnce(r.Context(), key, req.credential(), sessions...)
	readable := attempt.Fingerprint != [32]byte{}
	settle(&turn, readable, err)
	if err == nil {
		s.knowDevice(attempt)
	}
	if readable {
		err = uniform(err)
	}
	return pass, err
}

// allow takes a turn. Without a throttle everybody has one.
func (s *Server) allow(a throttle.Attempt) throttle.Turn {
	if s.opts.Throttle == nil {
		return throttle.Turn{OK: true}
	}
	return s.opts.Throttle.Allow(a)
}

// settle ends a turn with what the keeper said. Whatever a guesser would hear
// counts against him, or what counts would tell him which codes exist. Where
// nobody knows, and where the viewer holds a ticket, nothing is counted.
func settle(turn *throttle.Turn, readable bool, err error) {
	var denial *gate.Denial
	switch {
	case err == nil:
		turn.Succeed()
	case !errors.As(err, &denial) || explained(denial):
	case readable:
		turn.Fail(throttle.Refused)
	default:
		turn.Fail(throttle.Malformed)
	}
}

// uniform makes an unknown code of one that its source cannot read, although it
// looks like a code: which of the two it is must not be told.
func uniform(err error) error {
	var denial *gate.Denial
	if errors.As(err, &denial) && denial.Reason == gate.ReasonMalformed {
		return gate.Deny(gate.ReasonUnknown, err)
	}
	return err
}

// attempt is what the throttle counts: hashes of what is shown, and who does.
func (s *Server) attempt(r *http.Request, req *verifyRequest) throttle.Attempt {
	code, kind, strong := s.opts.Canonical(req.Ticket)
	a := s.visitor(r)
	a.Kind = kind
	if slices.ContainsFunc(s.places, func(p Place) bool { return p.ID == req.Attraction }) {
		a.Attraction = req.Attraction // others would make a counter of every made-up name
	}
	if code == "" {
		return a
	}
	a.Strong = strong
	parts := []string{code}
	for _, name := range slices.Sorted(maps.Keys(req.Factors)) {
		parts = append(parts, name, fold(req.Factors[name]))
	}
	a.Fingerprint = s.key.mac("shown", parts...)
	if len(req.Factors) > 0 {
		a.Reference = s.key.mac("reference", code)
	}
	return a
}

// visitor is the part of an attempt that says who makes it.
func (s *Server) visitor(r *http.Request) throttle.Attempt {
	return throttle.Attempt{Client: s.opts.Client(r), Device: s.device.read(r), Challenged: s.opts.Challenged(r)}
}

// allowSessions takes a turn for the sessions that a viewer shows. Sessions
// change with every renewal, so it is the device that becomes known by them.
func (s *Server) allowSessions(r *http.Request, shown wallet) throttle.Turn {
	if len(shown) == 0 { // nothing is looked up
		return throttle.Turn{OK: true}
	}
	a := s.visitor(r)
	a.Kind, a.Session = "session", true
	if a.Device != "" {
		a.Fingerprint = s.key.mac("sessions of a device", a.Device)
	} else {
		a.Fingerprint = s.key.mac("sessions", shown.reveal())
	}
	return s.allow(a)
}

// knowDevice makes the device of a good ticket one whose sessions are good, so
// that its first renewals find it known.
func (s *Server) knowDevice(a throttle.Attempt) {
	device := cmp.Or(a.Device, a.Issued)
	if s.opts.Throttle == nil || device == "" {
		return
	}
	s.opts.Throttle.Know(throttle.Attempt{Device: device, Kind: "session", Session: true,
		Fingerprint: s.key.mac("sessions of a device", device)})
}

// settleSessions ends the turn of a viewer whose sessions were looked up: found
// says that one of them lives, err is the worst that was met.
func settleSessions(turn *throttle.Turn, found bool, err error) {
	var denial *gate.Denial
	switch {
	case found:
		turn.Succeed()
	case errors.As(err, &denial) && denial.Reason == gate.ReasonNoSession:
		turn.Fail(throttle.Refused)
	}
}

// tooMany is the error of a viewer who has to wait.
func tooMany(turn *throttle.Turn) error {
	return &requestError{status: http.StatusTooManyRequests, code: "too_many_attempts", wait: turn.RetryAfter, guarded: turn.Guarded,
		title: "Please wait a moment", detail: "Too much was tried from here. Nothing was decided about your ticket; show it again after the wait."}
}

// refuse answers a viewer who is not let in. began is when the request had been
// read: who sends it slowly must not choose what the floor hides.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, began time.Time, err error) {
	var denial *gate.Denial
	var request *requestError
	switch {
	case errors.As(err, &denial):
		if !s.room.refusal(r.Context(), began) {
			err = fmt.Errorf("%w: %v", errCrowded, err)
		}
	case errors.As(err, &request) && request.status == http.StatusTooManyRequests:
		s.room.turnedAway(r.Context(), began)
	}
	s.fail(w, r, err)
}

// peer returns the address at the other end of the connection. A Unix socket
// has none.
func peer(r *http.Request) netip.Addr {
	both, _ := netip.ParseAddrPort(r.RemoteAddr)
	return both.Addr()
}

// fold is the spelling of what people type, without what they add and drop.
func fold(typed string) string {
	return strings.ToUpper(strings.NewReplacer(" ", "", "-", "").Replace(typed))
}

func canonical(code string) (canonical, kind string, strong bool) { return fold(code), "", false }
