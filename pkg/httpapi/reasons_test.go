package httpapi_test

import (
	"bytes"
	"fmt"
	"net/http"
	"testing"

	"github.com/handstamp/handstamp/pkg/gate"
)

// told is what an answer says of the ticket, in one line.
func told(t *testing.T, r *reply) string {
	t.Helper()
	p := r.problem(t)
	if p.Reason == "" {
		p.Reason = "-"
	}
	return fmt.Sprintf("%d %s %s", r.status, p.Code, p.Reason)
}

// Who hears which reason: those who have shown that they hold a real ticket, by
// its code or by the session that it opened, and nobody else. A change of this
// table is a change of what guessers learn.
func TestReasonsAreFrozen(t *testing.T) {
	var got bytes.Buffer
	fmt.Fprintln(&got, "The source refuses: a code that could be guessed | one that is proven | at a renewal")
	for _, reason := range reasons(t) {
		if reason == gate.ReasonNoSession { // no source says so
			continue
		}
		fmt.Fprintf(&got, "%s:", reason)
		for _, proven := range []bool{false, true} {
			s := newSite(t)
			s.verify = func(gate.Credential) error { return &gate.Denial{Reason: reason, Proven: proven} }
			fmt.Fprintf(&got, " %s |", told(t, s.show(t, s.client, strongCode, "")))
		}
		fmt.Fprintf(&got, " %s\n", told(t, refusedAtRenewal(t, reason)))
	}
	fmt.Fprintln(&got, "\nWe refuse: a code that could be guessed | one that could not")
	for _, tt := range []struct {
		name, weak, strong, where string
		before                    func(t *testing.T, s *site, code string)
	}{
		{"unknown", weakUnknown, strongUnknown, "", nil},
		{"no such attraction", weakCode, strongCode, "moon", nil},
		{"over", weakExpired, strongExpired, "", nil},
		{"not begun", weakEarly, strongEarly, "", nil},
		{"good elsewhere", weakZoo, strongZoo, "castle", nil},
		{"buys nothing", weakNothing, strongNothing, "", nil},
		{"seats taken", weakCode, strongCode, "", func(t *testing.T, s *site, code string) {
			s.admit(t, s.device(t), code)
			s.admit(t, s.device(t), code)
		}},
		{"taken back", weakCode, strongCode, "", func(t *testing.T, s *site, code string) {
			device := s.device(t)
			s.admit(t, device, code)
			s.revokeTicket(t, device, 0)
		}},
	} {
		fmt.Fprintf(&got, "%s:", tt.name)
		for _, code := range []string{tt.weak, tt.strong} {
			s := newSite(t)
			if tt.before != nil {
				tt.before(t, s, code)
			}
			fmt.Fprintf(&got, " %s |", told(t, s.show(t, s.client, code, tt.where)))
		}
		fmt.Fprintln(&got)
	}
	golden(t, "reasons.txt", got.Bytes())
}

// refusedAtRenewal is the answer to a visitor who is inside when the source
// takes its word back.
func refusedAtRenewal(t *testing.T, reason gate.Reason) *reply {
	t.Helper()
	s := newSite(t)
	s.recheck = func(string) error { return nil }
	s.admit(t, s.client, weakCode)
	s.at(noon.Add(gate.DefaultVerdict))
	s.recheck = func(string) error { return gate.Deny(reason, nil) }
	r := s.renew(t, s.client)
	if r.status == http.StatusOK {
		t.Fatalf("renewed although the source says %s", reason)
	}
	return r
}
