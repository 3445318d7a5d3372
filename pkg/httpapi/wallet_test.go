package httpapi_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
)

// revokeTicket takes back the ticket of the nth session in a device's cookie.
func (s *site) revokeTicket(t *testing.T, client *http.Client, n int) {
	t.Helper()
	session := strings.Split(s.sessionOf(t, client), ".")[n]
	pass, err := s.gate.Admission(t.Context(), gate.Session(session))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.gate.Revoke(t.Context(), gate.Target{Kind: gate.TargetTicket, Ticket: pass.Admission.Ticket}); err != nil {
		t.Fatal(err)
	}
}

// holds makes sure of how many sessions are in the cookie, and which paths the
// jar opens now.
func (s *site) holds(t *testing.T, client *http.Client, sessions int, opened ...string) {
	t.Helper()
	got := 0
	if all := s.sessionOf(t, client); all != "" {
		got = strings.Count(all, ".") + 1
	}
	if got != sessions {
		t.Errorf("%d sessions, want %d", got, sessions)
	}
	for _, path := range []string{"/castle/audio/", "/castle/premium/", "/spain/zoo/"} {
		if want := slices.Contains(opened, path); s.opens(t, client, path+"x", s.clock()) != want {
			t.Errorf("%s is open: %v, want %v", path, !want, want)
		}
	}
}

func TestTwoTickets(t *testing.T) {
	s := newSite(t)
	castle := s.admit(t, s.client, strongCode)
	s.at(noon.Add(5 * time.Minute))
	if p := s.admit(t, s.client, strongZoo); len(p.Grants) != 2 || p.Admission.ID == castle.Admission.ID || p.RefreshAfter != 600 {
		t.Errorf("pass = %+v, want the zoo's admission with the grants of both", p)
	}
	s.holds(t, s.client, 2, "/castle/audio/", "/spain/zoo/")
	s.at(noon.Add(19 * time.Minute)) // the castle's cookies were renewed, too
	s.holds(t, s.client, 2, "/castle/audio/", "/spain/zoo/")
	for i := range 3 {
		s.at(noon.Add(time.Duration(19+14*i) * time.Minute))
		if p := s.renew(t, s.client).pass(t); len(p.Grants) != 2 {
			t.Errorf("%d grants, want both", len(p.Grants))
		}
		s.holds(t, s.client, 2, "/castle/audio/", "/spain/zoo/")
	}
	p := s.do(t, s.client, http.MethodGet, admissionPath, nil).pass(t)
	if len(p.Grants) != 2 || p.Grants[0].Attraction != "castle" || p.Grants[1].Attraction != "zoo" {
		t.Errorf("GET = %+v, want both", p)
	}
}

func TestTwoTicketsOneRevoked(t *testing.T) {
	for revoked, left := range []string{"/spain/zoo/", "/castle/audio/"} {
		s := newSite(t)
		s.admit(t, s.client, strongCode)
		s.admit(t, s.client, strongZoo)
		s.revokeTicket(t, s.client, revoked)
		s.at(noon.Add(16 * time.Minute))
		r := s.renew(t, s.client)
		if p := r.pass(t); len(p.Grants) != 1 || p.Grants[0].CookiePath != left {
			t.Errorf("pass = %+v, want %s alone", p, left)
		}
		s.holds(t, s.client, 1, left)
		p := s.do(t, s.client, http.MethodGet, admissionPath, nil).pass(t)
		if len(p.Grants) != 1 {
			t.Errorf("GET = %+v, want one", p)
		}
		s.revokeTicket(t, s.client, 0)
		s.isOver(t, s.client, "revoked")
	}
}

// With both over, the viewer hears the reason that there is.
func TestTwoTicketsBothOver(t *testing.T) {
	for _, codes := range [][]string{{strongCode, strongZoo}, {strongZoo, strongCode}} {
		s := newSite(t)
		for _, code := range codes {
			s.admit(t, s.client, code)
		}
		s.revokeTicket(t, s.client, slices.Index(codes, strongCode))
		if _, err := s.gate.Leave(t.Context(), gate.Session(strings.Split(s.sessionOf(t, s.client), ".")[slices.Index(codes, strongZoo)])); err != nil {
			t.Fatal(err)
		}
		s.isOver(t, s.client, "revoked")
	}
}

// While nobody knows about one ticket, the other goes on, and what the first
// opens is not cleared: it may well be good.
func TestTwoTicketsOneUnknown(t *testing.T) {
	for _, codes := range [][]string{{strongCode, strongPremium}, {strongPremium, strongCode}} {
		s := newSite(t)
		s.recheck = func(string) error { return nil }
		for _, code := range codes {
			s.admit(t, s.client, code)
		}
		s.holds(t, s.client, 2, "/castle/audio/", "/castle/premium/")
		for at := noon; at.Before(noon.Add(2*time.Hour + 10*time.Minute)); at = at.Add(10 * time.Minute) {
			s.at(at)
			s.renew(t, s.client).pass(t)
			s.recheck = func(ref string) error {
				if ref == strongPremium {
					return errDown
				}
				return nil
			}
		}
		s.holds(t, s.client, 2, "/castle/audio/", "/castle/premium/")
		s.at(noon.Add(2*time.Hour + 11*time.Minute)) // beyond the outage that is borne
		if p := s.renew(t, s.client).pass(t); len(p.Grants) != 1 || p.Grants[0].Package != "audio" {
			t.Errorf("pass = %+v, want the castle's audio", p)
		}
		s.holds(t, s.client, 2, "/castle/audio/", "/castle/premium/") // the older cookies have not ended
		s.admit(t, s.client, strongZoo)
		s.holds(t, s.client, 3, "/castle/audio/", "/castle/premium/", "/spain/zoo/")
		s.recheck = func(string) error { return nil }
		s.at(noon.Add(3 * time.Hour))
		if p := s.renew(t, s.client).pass(t); len(p.Grants) != 3 {
			t.Errorf("%d grants when it is known again, want 3", len(p.Grants))
		}
	}
}

// 503 is the answer as soon as nobody knows about one and none goes on.
func TestTwoTicketsOneUnknownOneOver(t *testing.T) {
	for _, codes := range [][]string{{strongCode, strongZoo}, {strongZoo, strongCode}} {
		s := newSite(t)
		s.recheck = func(string) error { return nil }
		for _, code := range codes {
			s.admit(t, s.client, code)
		}
		s.at(noon.Add(5 * time.Hour))
		s.recheck = func(ref string) error {
			if ref == strongCode {
				return gate.Deny(gate.ReasonCancelled, nil)
			}
			return errDown
		}
		s.nobodyKnows(t, s.client)
		s.recheck = func(string) error { return nil }
		if p := s.renew(t, s.client).pass(t); len(p.Grants) != 1 || p.Grants[0].Attraction != "zoo" {
			t.Errorf("pass = %+v, want the zoo alone", p)
		}
	}
}

// The device must come back before the first of its cookies ends.
func TestTwoTicketsRefresh(t *testing.T) {
	for _, codes := range [][]string{{strongCode, strongPass}, {strongPass, strongCode}} {
		s := newSite(t)
		s.at(noon.Add(6*time.Hour - 5*time.Minute)) // one of them ends in five minutes
		s.admit(t, s.client, codes[0])
		for _, p := range []pass{s.admit(t, s.client, codes[1]), s.renew(t, s.client).pass(t)} {
			if p.RefreshAfter != 200 {
				t.Errorf("refresh after %d, want two thirds of five minutes", p.RefreshAfter)
			}
		}
	}
}

// The answer to a renewal was lost, and then the ticket is shown once more: the
// session that was rotated away is recognised and not taken for a stolen one.
func TestVerifyAfterALostRenewal(t *testing.T) {
	s := newSite(t)
	first := s.admit(t, s.client, weakOneSeat)
	old := s.sessionOf(t, s.client)
	s.at(noon.Add(10 * time.Minute))
	s.renewWith(t, old).pass(t)
	s.at(noon.Add(10*time.Minute + 20*time.Second))
	if p := s.admit(t, s.client, weakOneSeat); p.Admission.ID != first.Admission.ID || p.Admission.Devices != 1 {
		t.Errorf("pass = %+v, want the seat that the device has", p.Admission)
	}
	s.holds(t, s.client, 1, "/castle/audio/")
	s.at(noon.Add(20 * time.Minute))
	s.renew(t, s.client).pass(t)
}

// The same ticket again takes the place of its own session, not of another.
func TestTwoTicketsShownAgain(t *testing.T) {
	s := newSite(t)
	s.admit(t, s.client, weakOneSeat)
	s.admit(t, s.client, strongZoo)
	for i := range 4 {
		s.at(noon.Add(time.Duration(10*i) * time.Minute))
		p := s.admit(t, s.client, []string{weakOneSeat, strongZoo}[i%2])
		if p.Admission.Devices != 1 || len(p.Grants) != 2 {
			t.Errorf("pass = %+v, want the seat that the device has, and both grants", p)
		}
		s.holds(t, s.client, 2, "/castle/audio/", "/spain/zoo/")
	}
}

func TestTwoTicketsLeave(t *testing.T) {
	s := newSite(t)
	s.admit(t, s.client, weakOneSeat)
	s.admit(t, s.client, strongZoo)
	if r := s.do(t, s.client, http.MethodDelete, admissionPath, nil); r.status != http.StatusNoContent || !slices.Equal(allAttributes(r.cookies), everythingGone()) {
		t.Errorf("DELETE = %d, cookies %v, want everything gone", r.status, allAttributes(r.cookies))
	}
	s.hasNone(t, s.client)
	s.admit(t, s.device(t), weakOneSeat) // the seat is free
}

// A fifth ticket takes the place of the oldest, which gives its seat back.
func TestFiveTickets(t *testing.T) {
	s := newSite(t)
	codes := []string{weakOneSeat, strongZoo, strongPremium, strongPass, strongLong}
	for i, code := range codes {
		s.at(noon.Add(time.Duration(i) * time.Minute))
		s.admit(t, s.client, code)
	}
	s.holds(t, s.client, 4, "/castle/audio/", "/castle/premium/", "/spain/zoo/")
	s.at(noon.Add(10 * time.Minute))
	if p := s.renew(t, s.client).pass(t); len(p.Grants) != 1+1+3+3 {
		t.Errorf("%d grants, want those of four tickets", len(p.Grants))
	}
	s.admit(t, s.device(t), weakOneSeat)
	// Those that are over make room first.
	s.revokeTicket(t, s.client, 3)
	s.admit(t, s.client, weakZoo)
	s.at(noon.Add(20 * time.Minute))
	if p := s.renew(t, s.client).pass(t); len(p.Grants) != 1+1+3+1 {
		t.Errorf("%d grants, want those of four tickets", len(p.Grants))
	}
}

// What is in the cookie is taken apart with care.
func TestWalletParts(t *testing.T) {
	s := newSite(t)
	s.admit(t, s.client, strongCode)
	session := s.sessionOf(t, s.client)
	long := strings.Repeat("A", 129)
	for _, tt := range []struct {
		name, value string
		status      int
	}{
		{"dots around", "." + session + ".", 200},
		{"dots alone", "...", 401},
		{"among strangers", "X." + session + ".Y", 200},
		{"behind one that is too long", long + "." + session, 200},
		{"fourth", "X.Y.Z." + session, 200},
		{"fifth", "W.X.Y.Z." + session, 401},
		{"with another separator", session + "," + session, 401},
		{"many dots", strings.Repeat(".", 3000) + session, 200},
	} {
		if r := s.do(t, s.device(t), http.MethodGet, admissionPath, nil, "Cookie", sessionName+"="+tt.value); r.status != tt.status {
			t.Errorf("%s: GET = %d, want %d", tt.name, r.status, tt.status)
		}
	}
	// Twice the same is one.
	if p := s.do(t, s.device(t), http.MethodGet, admissionPath, nil, "Cookie", sessionName+"="+session+"."+session).pass(t); len(p.Grants) != 1 {
		t.Errorf("%d grants, want one", len(p.Grants))
	}
	r := s.renewWith(t, session+"."+session)
	for _, c := range r.cookies {
		if c.Name == sessionName && strings.Contains(c.Value, ".") {
			t.Error("one session became two")
		}
	}
}

// What only a dropped admission opened is closed in the same answer, while its
// cookies would still be good; what another one opens stays open.
func TestDroppedAdmissionIsCleared(t *testing.T) {
	all := []string{"/castle/audio/", "/castle/premium/", "/spain/zoo/"}
	for _, tt := range []struct {
		codes   []string
		revoked int
		left    []string
	}{
		{[]string{strongCode, strongZoo}, 0, []string{"/spain/zoo/"}},
		{[]string{strongCode, strongZoo}, 1, []string{"/castle/audio/"}},
		{[]string{strongCode, strongPremium}, 0, []string{"/castle/premium/"}},
		{[]string{strongPass, strongCode}, 0, []string{"/castle/audio/"}},
		{[]string{strongCode, strongPass}, 0, all},
		{[]string{strongCode, strongPremium, strongZoo}, 1, []string{"/castle/audio/", "/spain/zoo/"}},
	} {
		s := newSite(t)
		for _, code := range tt.codes {
			s.admit(t, s.client, code)
		}
		s.at(noon.Add(time.Minute))
		s.revokeTicket(t, s.client, tt.revoked)
		s.renew(t, s.client).pass(t)
		s.holds(t, s.client, len(tt.codes)-1, tt.left...)
	}
	// The same when the ticket of another place is shown.
	s := newSite(t)
	s.admit(t, s.client, strongCode)
	s.at(noon.Add(time.Minute))
	s.revokeTicket(t, s.client, 0)
	s.admit(t, s.client, strongZoo)
	s.holds(t, s.client, 1, "/spain/zoo/")
	// And when a fifth ticket takes the place of the oldest.
	s = newSite(t)
	for _, code := range []string{strongZoo, strongCode, weakCode, weakOneSeat} {
		s.admit(t, s.client, code)
	}
	s.holds(t, s.client, 4, "/castle/audio/", "/spain/zoo/")
	if p := s.admit(t, s.client, strongPremium); len(p.Grants) != 4 {
		t.Errorf("%d grants, want those of the four that go on", len(p.Grants))
	}
	s.holds(t, s.client, 4, "/castle/audio/", "/castle/premium/")
}

// While nobody knows about one admission, what a dropped one opened is not
// cleared: it may be the other's as well.
func TestDroppedAdmissionBesideAnUnknownOne(t *testing.T) {
	s := newSite(t)
	s.recheck = func(string) error { return nil }
	for _, code := range []string{strongCode, strongPremium, strongZoo} {
		s.admit(t, s.client, code)
	}
	s.at(noon.Add(3 * time.Hour))
	s.recheck = func(ref string) error {
		if ref == strongPremium {
			return errDown
		}
		return nil
	}
	s.revokeTicket(t, s.client, 0)
	r := s.renew(t, s.client)
	for _, c := range r.cookies {
		if c.MaxAge < 0 && !strings.HasPrefix(c.Path, "/spain/zoo/") {
			t.Errorf("%s is cleared, want only what the zoo does not use", attributes(c))
		}
	}
	s.holds(t, s.client, 2, "/spain/zoo/")
}
