package admin_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
)

// lifetime is what the keeper of the tests says of its cookies.
const lifetime = 16 * time.Minute

func (s *site) refused(t *testing.T, what string, session gate.Session, want gate.Reason) {
	t.Helper()
	_, err := s.keeper.Renew(t.Context(), session)
	var denial *gate.Denial
	if !errors.As(err, &denial) || denial.Reason != want {
		t.Errorf("%s: Renew = %v, want %s", what, err, want)
	}
}

func TestRevoke(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		path    func(ticket string, a *gate.Admission) string
		body    string
		reason  gate.Reason // of the next renewal
		again   gate.Reason // of the ticket when it is shown again; empty means that it is good
		unknown string
	}{
		{"ticket", func(id string, _ *gate.Admission) string { return "/admin/v1/tickets/" + id + "/revoke" }, "", gate.ReasonRevoked, gate.ReasonRevoked, "/admin/v1/tickets/NOTHING/revoke"},
		{"admission", func(_ string, a *gate.Admission) string { return "/admin/v1/admissions/" + a.ID + "/revoke" }, "{}", gate.ReasonRevoked, gate.ReasonRevoked, "/admin/v1/admissions/NOTHING/revoke"},
		{"device", func(_ string, a *gate.Admission) string { return "/admin/v1/devices/" + a.Device + "/revoke" }, "", gate.ReasonRevoked, "", "/admin/v1/devices/NOTHING/revoke"},
		{"attraction", func(string, *gate.Admission) string { return "/admin/v1/attractions/tower/revoke" }, `{"confirm":"tower"}`, gate.ReasonNoSession, "", "/admin/v1/attractions/moon/revoke"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t)
			made := s.issue(t, "root", `{"attraction":"tower"}`).Tickets[0]
			pass := s.admit(t, made.Code)
			other := s.admit(t, s.issue(t, "root", `{"attraction":"castle"}`).Tickets[0].Code)
			path := tt.path(made.ID, pass.Admission)
			want := revoked{Revoked: true, Affected: 1, Exposure: 16 * 60, Ends: noon.Add(lifetime)}
			if got := s.revoke(t, "root", path, tt.body); got != want {
				t.Errorf("revoked = %+v, want %+v", got, want)
			}
			s.refused(t, "after the 200", pass.Session, tt.reason)
			if got := s.revoke(t, "root", path, tt.body); got.Affected != 0 || !got.Revoked {
				t.Errorf("revoked again = %+v, want none affected", got)
			}
			s.refused(t, "after the second 200", pass.Session, tt.reason)
			_, err := s.keeper.Admit(t.Context(), gate.Credential{Code: gate.Secret(made.Code)})
			var denial *gate.Denial
			if tt.again == "" && err != nil || tt.again != "" && (!errors.As(err, &denial) || denial.Reason != tt.again) {
				t.Errorf("the ticket again = %v, want %q", err, tt.again)
			}
			if _, err := s.keeper.Renew(t.Context(), other.Session); err != nil {
				t.Errorf("somebody else: Renew = %v", err)
			}
			body := tt.body
			if tt.name == "attraction" {
				body = `{"confirm":"moon"}`
			}
			if r := s.post(t, "root", tt.unknown, body); r.status != 404 {
				t.Errorf("unknown = %d %s, want 404", r.status, r.body)
			}
			for _, method := range []string{"DELETE", "PUT", "PATCH", "GET"} { // there is no way back
				if r := s.do(t, "root", method, path, ""); r.status != 405 {
					t.Errorf("%s = %d, want 405", method, r.status)
				}
			}
		})
	}
}

func TestRevokeNeedsConfirmation(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	pass := s.admit(t, s.issue(t, "root", `{"attraction":"tower"}`).Tickets[0].Code)
	const path = "/admin/v1/attractions/tower/revoke"
	for body, want := range map[string]int{``: 422, `{}`: 422, `{"confirm":""}`: 422, `{"confirm":"TOWER"}`: 422, `{"confirm":"tower-2"}`: 422, `{"confirm":true}`: 400,
		`{"confirm":"tower","force":true}`: 400, `{"confirm":"tower","confirm":"tower"}`: 400} {
		if r := s.post(t, "root", path, body); r.status != want {
			t.Errorf("%s = %d %s, want %d", body, r.status, r.body, want)
		}
	}
	for _, path := range []string{"/admin/v1/tickets/X/revoke", "/admin/v1/admissions/X/revoke"} {
		if r := s.post(t, "root", path, `{"revoked":false}`); r.status != 400 {
			t.Errorf("%s with a member = %d, want 400", path, r.status)
		}
	}
	if _, err := s.keeper.Renew(t.Context(), pass.Session); err != nil {
		t.Errorf("Renew = %v, want a pass: nothing was confirmed", err)
	}
}

// What is left of cookies that are out is no more than what can be left.
func TestExposure(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	order := func(until time.Time) ticket {
		return s.issue(t, "root", `{"attraction":"tower","valid_until":"`+until.Format(time.RFC3339)+`"}`).Tickets[0]
	}
	revoke := func(made ticket) revoked { return s.revoke(t, "root", "/admin/v1/tickets/"+made.ID+"/revoke", "") }

	if got := revoke(order(noon.Add(time.Hour))); got.Exposure != 0 || !got.Ends.Equal(noon) {
		t.Errorf("a ticket that nobody has shown: %+v, want no exposure", got)
	}
	short := order(noon.Add(5 * time.Minute))
	visit := s.admit(t, short.Code).Admission
	if got := s.revoke(t, "root", "/admin/v1/admissions/"+visit.ID+"/revoke", ""); got.Exposure != 300 || !got.Ends.Equal(noon.Add(5*time.Minute)) {
		t.Errorf("a visit of five minutes more: %+v, want 300 s", got)
	}
	if got := s.revoke(t, "root", "/admin/v1/devices/"+visit.Device+"/revoke", `{"admission":"`+visit.ID+`"}`); got.Exposure != 300 {
		t.Errorf("its device: %+v, want 300 s", got)
	}
	if got := revoke(short); got.Exposure != 300 {
		t.Errorf("its ticket: %+v, want 300 s", got)
	}
	long := order(noon.Add(10 * time.Hour))
	s.admit(t, long.Code)
	s.at(noon.Add(time.Hour))
	if got := revoke(long); got.Exposure != 16*60 {
		t.Errorf("the first time: %+v, want 960 s", got)
	}
	s.at(noon.Add(time.Hour + 10*time.Minute))
	if got := revoke(long); got.Exposure != 7*60 || !got.Ends.Equal(noon.Add(time.Hour+lifetime+time.Minute)) {
		t.Errorf("ten minutes later: %+v, want what is left and a minute", got)
	}
	s.at(noon.Add(2 * time.Hour))
	if got := revoke(long); got.Exposure != 0 {
		t.Errorf("an hour later: %+v, want none", got)
	}
}

// However many renewals are under way, none succeeds after the answer.
func TestRevokeDuringRenewals(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	made := s.issue(t, "root", `{"attraction":"tower","seats":8}`).Tickets[0]
	var devices sync.WaitGroup
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var done sync.Map // closed after the 200
	for i := range 8 {
		session := s.admit(t, made.Code).Session
		devices.Go(func() {
			for ctx.Err() == nil {
				_, over := done.Load("revoked")
				pass, err := s.keeper.Renew(t.Context(), session)
				if err == nil && over {
					t.Errorf("device %d was renewed after the answer", i)
				}
				if err != nil {
					return
				}
				session = pass.Session
			}
		})
	}
	s.revoke(t, "root", "/admin/v1/tickets/"+made.ID+"/revoke", "")
	done.Store("revoked", true)
	devices.Wait()
}

func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			b := s.issue(t, "root", `{"attraction":"tower","count":3}`, "Idempotency-Key", fmt.Sprint("K", i%4))
			for _, got := range b.Tickets {
				s.revoke(t, "root", "/admin/v1/tickets/"+got.ID+"/revoke", "")
			}
		})
	}
	all.Wait()
	records, _, err := s.book.Records(t.Context(), bookQuery())
	if err != nil || len(records) != 12 {
		t.Errorf("%d tickets, %v, want 12 of four requests", len(records), err)
	}
	for _, r := range records {
		if r.Revoked.IsZero() {
			t.Errorf("ticket %s is not revoked", r.ID)
		}
	}
}
