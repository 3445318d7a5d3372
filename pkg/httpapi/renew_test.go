package httpapi_test

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
)

var errDown = errors.New("dial tcp: connection refused")

// sessionOf returns the value of the session cookie in a device's jar.
func (s *site) sessionOf(t *testing.T, client *http.Client) string {
	t.Helper()
	u, err := url.Parse(s.url + renewPath)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range client.Jar.Cookies(u) {
		if c.Name == sessionName {
			return c.Value
		}
	}
	return ""
}

func (s *site) renew(t *testing.T, client *http.Client, headers ...string) *reply {
	t.Helper()
	return s.do(t, client, http.MethodPost, renewPath, nil, headers...)
}

// renewWith renews with a session cookie of its own, on a device that has none.
func (s *site) renewWith(t *testing.T, session string) *reply {
	t.Helper()
	return s.renew(t, s.device(t), "Cookie", sessionName+"="+session)
}

// everythingGone lists the deletions of a reply that ends a visit.
func everythingGone() []string {
	all := append(gone("/castle/audio/", "/castle/premium/", "/spain/zoo/"), sessionName+" /v1 Secure HttpOnly Lax gone")
	slices.Sort(all)
	return all
}

// isOver makes sure that a renewal is refused for a reason, which may be empty,
// and that nothing is left in the jar.
func (s *site) isOver(t *testing.T, client *http.Client, reason string) {
	t.Helper()
	r := s.renew(t, client)
	if p := r.problem(t); r.status != http.StatusUnauthorized || p.Code != "session_required" || p.Reason != reason {
		t.Errorf("renew = %d %s, want 401 and the reason %q", r.status, r.body, reason)
	}
	if got := allAttributes(r.cookies); !slices.Equal(got, everythingGone()) {
		t.Errorf("cookies\n  %s\nwant all deleted", strings.Join(got, "\n  "))
	}
	for _, path := range []string{renewPath, "/castle/audio/x", "/castle/premium/x", "/spain/zoo/x"} {
		u, err := url.Parse(s.url + path)
		if err != nil {
			t.Fatal(err)
		}
		if left := client.Jar.Cookies(u); len(left) != 0 {
			t.Errorf("%s still gets %v", path, left)
		}
	}
}

// nobodyKnows makes sure that a renewal is answered with 503, blames nobody and
// leaves the device what it has.
func (s *site) nobodyKnows(t *testing.T, client *http.Client) {
	t.Helper()
	before := s.sessionOf(t, client)
	r := s.renew(t, client)
	if r.status != http.StatusServiceUnavailable || len(r.header.Values("Set-Cookie")) != 0 || blames(r.body) || r.header.Get("Retry-After") != "5" {
		t.Errorf("renew = %d %s, cookies %v, want 503 without any", r.status, r.body, r.cookies)
	}
	if after := s.sessionOf(t, client); after != before || before == "" {
		t.Error("the session changed")
	}
}

func TestRenew(t *testing.T) {
	s := newSite(t)
	shown := s.show(t, s.client, strongCode, "")
	before := s.sessionOf(t, s.client)
	s.at(noon.Add(10 * time.Minute))
	r := s.renew(t, s.client)
	p := r.pass(t)
	if got, want := allAttributes(r.cookies), allAttributes(shown.cookies); !slices.Equal(got, want) {
		t.Errorf("cookies\n  %s\nwant those of the first time\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
	first := shown.pass(t)
	if p.Admission.ID != first.Admission.ID || p.Admission.Devices != 1 || len(p.Grants) != 1 || p.RefreshAfter != 600 || p.Session != "" ||
		!p.Grants[0].ExpiresAt.Equal(noon.Add(25*time.Minute)) || !p.ServerTime.Equal(noon.Add(10*time.Minute)) {
		t.Errorf("pass = %+v, want the same admission for 15 minutes more", p)
	}
	if after := s.sessionOf(t, s.client); after == before || len(after) != 26 {
		t.Errorf("session %q after %q, want another one", after, before)
	}
	if !s.opens(t, s.client, "/castle/audio/x", noon.Add(24*time.Minute)) || s.opens(t, s.client, "/castle/audio/x", noon.Add(25*time.Minute)) {
		t.Error("the fresh cookies do not open what they should")
	}
	for i := range 5 { // and on and on
		s.at(noon.Add(time.Duration(20+10*i) * time.Minute))
		s.renew(t, s.client).pass(t)
	}
}

// The answer was lost, so the device shows what it has once more.
func TestRenewLostAnswer(t *testing.T) {
	s := newSite(t)
	s.admit(t, s.client, strongCode)
	old := s.sessionOf(t, s.client)
	s.at(noon.Add(10 * time.Minute))
	s.renew(t, s.client).pass(t)
	next := s.sessionOf(t, s.client)
	for _, late := range []time.Duration{0, 5 * time.Second, 30 * time.Second} {
		s.at(noon.Add(10*time.Minute + late))
		r := s.renewWith(t, old)
		if p := r.pass(t); p.Admission.Devices != 1 {
			t.Errorf("after %v: %+v, want the one seat", late, p.Admission)
		}
		if !slices.ContainsFunc(r.cookies, func(c *http.Cookie) bool { return c.Name == sessionName && c.Value == next }) {
			t.Errorf("after %v: another session than the lost answer had", late)
		}
	}
	s.at(noon.Add(20 * time.Minute))
	s.renew(t, s.client).pass(t)
}

func TestTwentyTabs(t *testing.T) {
	s := newSite(t)
	s.admit(t, s.client, strongCode)
	for round := 1; round <= 3; round++ {
		s.at(noon.Add(time.Duration(10*round) * time.Minute))
		old := s.sessionOf(t, s.client)
		replies := make([]*http.Response, 20)
		var tabs sync.WaitGroup
		for i := range replies {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+renewPath, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.AddCookie(&http.Cookie{Name: sessionName, Value: old}) // all have sent it before any answer comes
			alone := s.device(t)
			tabs.Go(func() {
				if replies[i], err = alone.Do(r); err != nil {
					t.Errorf("tab %d: %v", i, err)
				}
			})
		}
		tabs.Wait()
		sessions := map[string]bool{}
		for _, response := range replies {
			if response == nil {
				t.FailNow()
			}
			r := readReply(t, response)
			checkContract(t, http.MethodPost, renewPath, r)
			if p := r.pass(t); p.Admission.Devices != 1 {
				t.Errorf("%d devices, want 1", p.Admission.Devices)
			}
			for _, c := range r.cookies {
				if c.Name == sessionName {
					sessions[c.Value] = true
				}
			}
			s.client.Jar.SetCookies(response.Request.URL, r.cookies)
		}
		if len(sessions) != 1 || sessions[old] {
			t.Fatalf("%d sessions, want a new one for all tabs", len(sessions))
		}
	}
	s.at(noon.Add(40 * time.Minute))
	s.renew(t, s.client).pass(t)
}

// A session that comes again after its grace has been copied: thief and device
// are out, and the ticket gets the seat back.
func TestRenewWithAStolenSession(t *testing.T) {
	s := newSite(t)
	s.admit(t, s.client, weakOneSeat)
	stolen := s.sessionOf(t, s.client)
	thief := s.device(t)
	u, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	thief.Jar.SetCookies(u, []*http.Cookie{{Name: sessionName, Value: stolen, Path: "/v1", Secure: true}})
	s.at(noon.Add(10 * time.Minute))
	s.renew(t, s.client).pass(t)
	s.at(noon.Add(10*time.Minute + 31*time.Second))
	s.isOver(t, thief, "")
	s.isOver(t, s.client, "revoked")
	s.hasNone(t, s.client)
	s.admit(t, s.client, weakOneSeat)
}

// hasNone makes sure that a device without a session is told so, and nothing else.
func (s *site) hasNone(t *testing.T, client *http.Client) {
	t.Helper()
	r := s.renew(t, client)
	if p := r.problem(t); r.status != http.StatusUnauthorized || p.Reason != "" || !slices.Equal(allAttributes(r.cookies), []string{sessionName + " /v1 Secure HttpOnly Lax gone"}) {
		t.Errorf("renew without a session = %d %s, cookies %v", r.status, r.body, allAttributes(r.cookies))
	}
}

func TestRenewAfterRevocation(t *testing.T) {
	tests := []struct {
		name   string
		target func(*gate.Admission) gate.Target
		reason string
	}{
		{"ticket", func(a *gate.Admission) gate.Target {
			return gate.Target{Kind: gate.TargetTicket, Ticket: a.Ticket}
		}, "revoked"},
		{"admission", func(a *gate.Admission) gate.Target {
			return gate.Target{Kind: gate.TargetAdmission, ID: a.ID}
		}, "revoked"},
		{"device", func(a *gate.Admission) gate.Target {
			return gate.Target{Kind: gate.TargetDevice, ID: a.Device}
		}, "revoked"},
		{"attraction", func(*gate.Admission) gate.Target {
			return gate.Target{Kind: gate.TargetAttraction, ID: "castle"}
		}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t)
			s.admit(t, s.client, strongCode)
			pass, err := s.gate.Admission(t.Context(), gate.Session(s.sessionOf(t, s.client)))
			if err != nil {
				t.Fatal(err)
			}
			done, err := s.gate.Revoke(t.Context(), tt.target(pass.Admission))
			if err != nil || done.Affected != 1 {
				t.Fatalf("Revoke = %+v, %v, want one", done, err)
			}
			if s.opens(t, s.client, "/castle/audio/x", s.clock().Add(done.Exposure)) {
				t.Errorf("the cookies live longer than %v", done.Exposure)
			}
			s.isOver(t, s.client, tt.reason)
		})
	}
}

func TestRenewRefusedBySource(t *testing.T) {
	for _, reason := range reasons(t) {
		if reason == gate.ReasonNoSession {
			continue
		}
		t.Run(string(reason), func(t *testing.T) {
			s := newSite(t)
			s.recheck = func(string) error { return nil }
			s.admit(t, s.client, strongCode)
			old := s.sessionOf(t, s.client)
			s.at(noon.Add(11 * time.Minute))
			s.recheck = func(string) error { return gate.Deny(reason, errors.New("CANARY: internals")) }
			want := string(reason)
			if reason == gate.ReasonUnknown || reason == gate.ReasonMalformed {
				want = "" // no word for somebody who was in
			}
			s.isOver(t, s.client, want)
			s.recheck = func(string) error { return errDown } // which does not help
			if r := s.renewWith(t, old); r.status != http.StatusUnauthorized || strings.Contains(string(r.body), "CANARY") {
				t.Errorf("renew again = %d %s, want 401", r.status, r.body)
			}
		})
	}
}

func TestRenewAtTheEnd(t *testing.T) {
	s := newSite(t)
	end := noon.Add(6 * time.Hour)
	s.admit(t, s.client, strongPass)
	s.at(end.Add(-time.Second))
	p := s.renew(t, s.client).pass(t)
	for _, g := range p.Grants {
		if !g.ExpiresAt.Equal(end) || p.RefreshAfter != 1 {
			t.Errorf("%s/%s until %v, refresh after %d, want the end of the ticket", g.Attraction, g.Package, g.ExpiresAt, p.RefreshAfter)
		}
	}
	s.at(end)
	s.isOver(t, s.client, "")
}

func TestRenewWithoutAdmission(t *testing.T) {
	s := newSite(t)
	s.hasNone(t, s.client)
	s.admit(t, s.client, strongCode)
	good := s.sessionOf(t, s.client)
	for _, session := range []string{"X", strings.Repeat("A", 26), good[1:], strings.ToLower(good), good + "A"} {
		r := s.renewWith(t, session)
		if got := allAttributes(r.cookies); r.status != http.StatusUnauthorized || !slices.Equal(got, everythingGone()) {
			t.Errorf("renew with %q = %d, cookies %v, want 401 and all deleted", session, r.status, got)
		}
	}
	for _, headers := range [][]string{
		{"Cookie", sessionName + "="},
		{"Cookie", sessionName + "=."},
		{"Cookie", sessionName + "=" + good, "Cookie", sessionName + "=X"}, // doubled
		{"Cookie", sessionName + "=" + strings.Repeat("A", 129)},
		{"Authorization", "Basic " + good},
		{"Authorization", good},
	} {
		if r := s.renew(t, s.device(t), headers...); r.status != http.StatusUnauthorized || len(r.cookies) != 1 {
			t.Errorf("renew with %v = %d, cookies %v, want 401 as without a session", headers, r.status, r.cookies)
		}
	}
	s.renew(t, s.client).pass(t) // nobody was thrown out for that
}

func TestRenewFailures(t *testing.T) {
	tests := []struct {
		name  string
		fault func(*site)
		heal  func(*site)
	}{
		{"book", func(s *site) { s.book = errDown }, func(s *site) { s.book = nil }},
		{"stamper", func(s *site) { s.stamp = func() error { return errDown } }, func(s *site) { s.stamp = nil }},
		{"source, for hours", func(s *site) {
			s.recheck = func(string) error { return errDown }
			s.at(noon.Add(5 * time.Hour))
		}, func(s *site) { s.recheck = func(string) error { return nil } }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t)
			s.recheck = func(string) error { return nil }
			s.admit(t, s.client, weakOneSeat)
			s.admit(t, s.client, strongPass)
			s.at(noon.Add(10 * time.Minute))
			tt.fault(s)
			for range 5 {
				s.nobodyKnows(t, s.client)
				s.at(s.clock().Add(time.Minute)) // longer than any grace
			}
			tt.heal(s)
			if p := s.renew(t, s.client).pass(t); len(p.Grants) != 4 {
				t.Errorf("%d grants, want those of both tickets", len(p.Grants))
			}
		})
	}
}

// An outage of the source is not the visitor's.
func TestRenewOnTheOlderWord(t *testing.T) {
	s := newSite(t)
	s.recheck = func(string) error { return errDown }
	s.admit(t, s.client, strongCode)
	s.at(noon.Add(2 * time.Hour))
	s.renew(t, s.client).pass(t)
	if !s.opens(t, s.client, "/castle/audio/x", s.clock()) {
		t.Error("the cookies open nothing")
	}
}

func TestRenewPanic(t *testing.T) {
	s := newSite(t)
	s.admit(t, s.client, strongCode)
	s.stamp = func() error { panic("CANARY") }
	if r := s.renew(t, s.client); r.status != http.StatusInternalServerError || len(r.cookies) != 0 {
		t.Errorf("renew = %d, cookies %v, want 500 and none", r.status, r.cookies)
	}
	s.stamp = nil
	s.at(noon.Add(time.Hour))
	s.renew(t, s.client).pass(t)
}

func TestRenewBearer(t *testing.T) {
	s := newSite(t)
	app := s.device(t)
	first := s.post(t, app, `{"ticket":"`+strongCode+`","delivery":"json"}`).pass(t)
	s.at(noon.Add(10 * time.Minute))
	r := s.renew(t, app, "Authorization", "Bearer "+first.Session)
	p := r.pass(t)
	if len(r.cookies) != 0 || p.Session == "" || p.Session == first.Session || len(p.Grants) != 1 {
		t.Fatalf("renew = %s, cookies %v, want the values in the body", r.body, r.cookies)
	}
	var pairs []string
	for _, c := range p.Grants[0].Cookies {
		pairs = append(pairs, c.Name+"="+c.Value)
	}
	if !s.decide("/castle/audio/x", strings.Join(pairs, "; "), noon.Add(20*time.Minute)) {
		t.Errorf("the cookies in the body open nothing: %v", pairs)
	}
	if again := s.renew(t, app, "Authorization", "Bearer "+first.Session).pass(t); again.Session != p.Session {
		t.Error("another session than the lost answer had")
	}
	// A second ticket joins the first in one token.
	both := s.post(t, app, `{"ticket":"`+strongZoo+`","delivery":"json"}`, "Authorization", "Bearer "+p.Session).pass(t)
	if len(both.Grants) != 2 || strings.Count(both.Session, ".") != 1 {
		t.Fatalf("pass = %+v, want both tickets", both)
	}
	s.at(noon.Add(20 * time.Minute))
	if p = s.renew(t, app, "Authorization", "Bearer "+both.Session).pass(t); len(p.Grants) != 2 || len(p.Grants[1].Cookies) < 3 {
		t.Errorf("pass = %+v, want both tickets", p)
	}
}

// What a browser has in its cookie stays there, whatever header a script adds:
// in a body, scripts could read it.
func TestRenewKeepsCookiesFromScripts(t *testing.T) {
	for _, header := range []string{"Bearer X", "Bearer ", "Basic dXNlcjpwYXNz", "X"} {
		s := newSite(t)
		s.admit(t, s.client, strongCode)
		before := s.sessionOf(t, s.client)
		r := s.renew(t, s.client, "Authorization", header, "Origin", s.url)
		p := r.pass(t)
		if p.Session != "" || len(p.Grants[0].Cookies) != 0 || len(r.cookies) == 0 || s.sessionOf(t, s.client) == before {
			t.Errorf("Authorization %q: %s, %d cookies, want everything in cookies", header, r.body, len(r.cookies))
		}
	}
}

func TestRenewFromForeignPages(t *testing.T) {
	s := newSite(t)
	s.admit(t, s.client, strongCode)
	before := s.sessionOf(t, s.client)
	for _, headers := range [][]string{
		{"Origin", "https://evil.test"},
		{"Origin", "null"},
		{"Origin", "https://evil.test", "Sec-Fetch-Site", "cross-site"},
		{"Sec-Fetch-Site", "cross-site"},
		{"Sec-Fetch-Site", "same-site"},
		{"Origin", trustedOrigin, "Origin", "https://evil.test"},
	} {
		r := s.renew(t, s.client, headers...)
		if r.status != http.StatusForbidden || r.problem(t).Code != "forbidden" || len(r.cookies) != 0 || len(allows(r)) != 0 {
			t.Errorf("%v: %d %s, want 403 without cookies", headers, r.status, r.body)
		}
	}
	if s.sessionOf(t, s.client) != before {
		t.Error("a foreign page rotated the session")
	}
	s.at(noon.Add(time.Hour)) // after any grace: the session has not been rotated in secret either
	for _, headers := range [][]string{
		{"Origin", s.url, "Sec-Fetch-Site", "same-origin"},
		{"Origin", trustedOrigin, "Sec-Fetch-Site", "cross-site"},
		{"Sec-Fetch-Site", "none"},
		nil,
	} {
		s.renew(t, s.client, headers...).pass(t)
	}
}

func TestRenewIsAPost(t *testing.T) {
	s := newSite(t)
	s.admit(t, s.client, strongCode)
	before := s.sessionOf(t, s.client)
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodDelete, http.MethodPatch} {
		r := s.do(t, s.client, method, renewPath, nil, "X-HTTP-Method-Override", "POST")
		if r.status != http.StatusMethodNotAllowed || len(r.cookies) != 0 || !slices.Equal(r.header.Values("Allow"), []string{"POST"}) {
			t.Errorf("%s = %d, cookies %v, Allow %v, want 405 and POST", method, r.status, r.cookies, r.header.Values("Allow"))
		}
	}
	if s.sessionOf(t, s.client) != before {
		t.Error("the session was rotated")
	}
	// There is nothing to send, and nothing sent is read.
	for _, body := range []string{"", "{}", "CANARY", `{"ticket":"` + strongZoo + `"}`} {
		if p := s.do(t, s.client, http.MethodPost, renewPath, strings.NewReader(body)).pass(t); len(p.Grants) != 1 {
			t.Errorf("body %q: %+v, want the castle", body, p)
		}
	}
}

func TestRenewalsKeepSecretsOutOfTheLog(t *testing.T) {
	s := newSite(t)
	s.recheck = func(string) error { return nil }
	s.admit(t, s.client, strongCode)
	secrets := []string{s.sessionOf(t, s.client)}
	s.at(noon.Add(11 * time.Minute))
	s.renew(t, s.client).pass(t)
	secrets = append(secrets, s.sessionOf(t, s.client), "CANARYKEY", "K7QM")
	s.show(t, s.client, strongZoo, "", "Idempotency-Key", "CANARYKEY")
	s.show(t, s.client, strongPass, "", "Idempotency-Key", "CANARYKEY")
	s.stamp = func() error { return errDown }
	s.nobodyKnows(t, s.client)
	s.stamp, s.recheck = nil, func(string) error { return errDown }
	s.at(noon.Add(5 * time.Hour))
	s.nobodyKnows(t, s.client)
	s.renewWith(t, secrets[0])
	s.renew(t, s.device(t), "Authorization", "Bearer "+secrets[0])
	for _, secret := range secrets {
		if secret == "" || strings.Contains(s.log.String(), secret) {
			t.Errorf("the log shows %q: %s", secret, s.log.String())
		}
	}
}
