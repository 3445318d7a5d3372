package admin_test

import (
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/admin"
	"github.com/handstamp/handstamp/pkg/gate"
)

// Every change has one event, which says who did what by which request.
func TestEveryChangeIsAudited(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	made := s.issue(t, "root", `{"attraction":"tower"}`).Tickets[0]
	visit := s.admit(t, made.Code).Admission
	tests := []struct {
		who, path, body string
		action, target  string
	}{
		{"tower", ticketsPath, `{"attraction":"tower","batch":"b","count":3}`, "ticket.issue", "b"},
		{"root", "/admin/v1/devices/" + visit.Device + "/revoke", ``, "device.revoke", visit.Device},
		{"tower", "/admin/v1/devices/" + visit.Device + "/revoke", `{"admission":"` + visit.ID + `"}`, "device.revoke", visit.Device},
		{"tower", "/admin/v1/attractions/tower/revoke", `{"confirm":"tower"}`, "attraction.revoke", "tower"},
		{"tower", "/admin/v1/admissions/" + visit.ID + "/revoke", ``, "admission.revoke", visit.ID},
		{"revoker", "/admin/v1/tickets/" + made.ID + "/revoke", ``, "ticket.revoke", made.ID},
		{"root", "/admin/v1/tickets/" + made.ID + "/revoke", ``, "ticket.revoke", made.ID},
	}
	hash := regexp.MustCompile("^[0-9a-f]{64}$")
	for _, tt := range tests {
		before := s.events(t)
		r := s.post(t, tt.who, tt.path, tt.body)
		after := s.events(t)
		if r.status >= 300 || len(after) != len(before)+1 {
			t.Fatalf("%s = %d %s and %d events, want one", tt.path, r.status, r.body, len(after)-len(before))
		}
		e := after[len(after)-1]
		if e.Actor != tt.who || e.Action != tt.action || e.Target != tt.target || e.Request != r.header.Get("X-Request-Id") || !e.At.Equal(noon) {
			t.Errorf("%s: event %+v", tt.path, e)
		}
		if !hash.MatchString(e.After) || tt.action != "ticket.issue" && !hash.MatchString(e.Before) || tt.action == "ticket.issue" && e.Before != "" {
			t.Errorf("%s: before %q, after %q, want hashes", tt.path, e.Before, e.After)
		}
	}
	events := s.events(t)
	first, again := events[len(events)-2], events[len(events)-1]
	if first.Before == first.After || again.Before != first.After || again.After != again.Before {
		t.Errorf("hashes of revoking twice: %q to %q, %q to %q", first.Before, first.After, again.Before, again.After)
	}
	// What was read is no change.
	for _, path := range []string{ticketsPath, ticketsPath + "/" + made.ID, "/admin/v1/admissions", "/admin/v1/admissions/" + visit.ID, "/admin/v1/audit", "/admin/v1/audit/verify"} {
		s.get(t, "root", path)
	}
	if got := s.events(t); len(got) != len(events) {
		t.Errorf("%d events more after reading, want none", len(got)-len(events))
	}
	// But codes that are shown once more are written down.
	for range 2 {
		s.issue(t, "root", `{"attraction":"castle"}`, "Idempotency-Key", "K")
	}
	if got := s.events(t); len(got) != len(events)+2 || got[len(got)-1].Action != "ticket.show_again" {
		t.Errorf("events %+v, want one for each time that codes are shown", got[len(events):])
	}
}

// Reading lists and the audit is logged, with who did it.
func TestReadsAreLogged(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for path, who := range map[string]string{ticketsPath: "reader", "/admin/v1/admissions": "clerk", "/admin/v1/audit": "auditor"} {
		r := s.get(t, who, path)
		found := false
		for line := range strings.Lines(s.log.String()) {
			var entry struct{ Msg, Operation, Actor, Client, RequestID string }
			line = strings.Replace(line, "request_id", "RequestID", 1)
			if err := json.Unmarshal([]byte(line), &entry); err != nil {
				t.Fatal(err)
			}
			found = found || entry.Operation == "GET "+path && entry.Actor == who && entry.Client == "192.0.2.1" && entry.RequestID == r.header.Get("X-Request-Id")
		}
		if !found {
			t.Errorf("GET %s by %s is not in the log:\n%s", path, who, s.log.String())
		}
	}
}

// breakAudit makes the book's file refuse new events, or take them again.
func (s *site) breakAudit(t *testing.T, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", s.file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

// Without its event there is no change.
func TestAuditFailsClosed(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	made := s.issue(t, "root", `{"attraction":"tower"}`).Tickets[0]
	shown := s.issue(t, "root", `{"attraction":"tower"}`, "Idempotency-Key", "K")
	pass := s.admit(t, made.Code)
	before := len(s.events(t))
	s.breakAudit(t, `CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'the audit is full'); END`)
	requests := map[string]string{
		ticketsPath: `{"attraction":"tower"}`,
		"/admin/v1/tickets/" + made.ID + "/revoke":               "",
		"/admin/v1/admissions/" + pass.Admission.ID + "/revoke":  "",
		"/admin/v1/devices/" + pass.Admission.Device + "/revoke": "",
		"/admin/v1/attractions/tower/revoke":                     `{"confirm":"tower"}`,
	}
	for path, body := range requests {
		r := s.post(t, "root", path, body)
		if r.status != 503 || r.header.Get("Retry-After") == "" || strings.Contains(string(r.body), "full") {
			t.Errorf("%s = %d %s, want 503 that shows nothing of the inside", path, r.status, r.body)
		}
	}
	r := s.post(t, "root", ticketsPath, `{"attraction":"tower"}`, "Idempotency-Key", "K")
	if r.status != 503 || strings.Contains(string(r.body), shown.Tickets[0].Code) {
		t.Errorf("showing codes again = %d %s, want 503 without codes", r.status, r.body)
	}
	next, err := s.keeper.Renew(t.Context(), pass.Session)
	if err != nil {
		t.Fatalf("Renew = %v, want a pass: nothing was revoked", err)
	}
	if records, _, err := s.book.Records(t.Context(), bookQuery()); err != nil || len(records) != 2 || len(s.events(t)) != before {
		t.Errorf("%d tickets, %d events, %v, want 2 and %d", len(records), len(s.events(t)), err, before)
	}
	s.breakAudit(t, `DROP TRIGGER full`)
	if got := s.revoke(t, "root", "/admin/v1/tickets/"+made.ID+"/revoke", ""); got.Affected != 1 {
		t.Errorf("revoked = %+v, want 1", got)
	}
	s.refused(t, "afterwards", next.Session, gate.ReasonRevoked)
}

type event struct {
	Seq                                                 int64
	At                                                  time.Time
	Actor, Action, Target, Request, Before, After, Hash string
}

type verdict struct {
	Intact bool
	Seq    int64
	Hash   string
}

func TestAudit(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for range 5 {
		s.issue(t, "root", `{"attraction":"tower"}`)
	}
	type page struct{ Events []event }
	whole := read[page](t, s.get(t, "auditor", "/admin/v1/audit"), 200, "application/json").Events
	if len(whole) != 5 || whole[0].Seq != 1 || whole[0].Actor != "root" || !whole[0].At.Equal(noon) {
		t.Fatalf("audit = %+v, want five events", whole)
	}
	part := read[page](t, s.get(t, "auditor", "/admin/v1/audit?after=2&limit=2"), 200, "application/json").Events
	if len(part) != 2 || part[0] != whole[2] || part[1] != whole[3] {
		t.Errorf("page = %+v", part)
	}
	if got := read[verdict](t, s.get(t, "auditor", "/admin/v1/audit/verify"), 200, "application/json"); got != (verdict{true, 5, whole[4].Hash}) {
		t.Errorf("verify = %+v, want an intact audit", got)
	}
	s.breakAudit(t, `DROP TRIGGER audit_update; UPDATE audit SET actor = 'nobody' WHERE seq = 3`)
	if got := read[verdict](t, s.get(t, "auditor", "/admin/v1/audit/verify"), 200, "application/json"); got != (verdict{false, 2, whole[1].Hash}) {
		t.Errorf("verify = %+v, want that two events are as they were", got)
	}
	if !strings.Contains(s.log.String(), "audit was tampered with") {
		t.Error("the log does not say so")
	}
}

func TestBookIsDown(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	made := s.issue(t, "root", `{"attraction":"tower"}`).Tickets[0]
	visit := s.admit(t, made.Code).Admission
	s.down = errors.New("dial tcp: connection refused")
	for path, body := range map[string]string{"/find": `{"code":"` + made.Code + `"}`, "/" + made.ID + "/revoke": ""} {
		if r := s.post(t, "root", ticketsPath+path, body); r.status != 503 || strings.Contains(string(r.body), "dial") {
			t.Errorf("%s = %d %s, want 503", path, r.status, r.body)
		}
	}
	for _, path := range []string{ticketsPath + "/" + made.ID, "/admin/v1/admissions/" + visit.ID, "/admin/v1/admissions?ticket=" + made.ID} {
		if r := s.get(t, "root", path); r.status != 503 {
			t.Errorf("GET %s = %d, want 503", path, r.status)
		}
	}
	// Nobody knows whose it is, so nobody with a limited key gets it.
	for _, path := range []string{"/admin/v1/admissions/" + visit.ID, "/admin/v1/admissions"} {
		if r := s.get(t, "tower", path); r.status != 503 {
			t.Errorf("GET %s with a limited key = %d, want 503", path, r.status)
		}
	}
	for range 200 { // a book that fails is no miss
		if r := s.post(t, "reader", ticketsPath+"/find", `{"code":"UNKNOWN"}`); r.status != 503 {
			t.Fatalf("find = %d, want 503", r.status)
		}
	}
	if got := s.admin.Stats().Misses; got != 0 {
		t.Errorf("%d misses, want none", got)
	}
}

// Where codes and keys are planted, they are found nowhere but in the answer
// that issues them.
func TestNothingSecretIsShown(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	made := s.issue(t, "root", `{"attraction":"tower","count":2}`, "Idempotency-Key", "IDEMPOTENCY-CANARY").Tickets
	again := s.issue(t, "root", `{"attraction":"tower","count":2}`, "Idempotency-Key", "IDEMPOTENCY-CANARY").Tickets
	code := made[0].Code
	visit := s.admit(t, code).Admission
	fingerprint, err := issuer{s}.Fingerprint(gate.Secret(code))
	if err != nil || again[0].Code != code {
		t.Fatalf("again %+v, %v", again, err)
	}
	var shown strings.Builder
	ask := func(who, method, path, body string, headers ...string) {
		r := s.do(t, who, method, path, body, headers...)
		shown.Write(r.body)
		_ = r.header.Write(&shown)
	}
	for _, path := range []string{ticketsPath, ticketsPath + "/" + made[0].ID, ticketsPath + "/" + code, ticketsPath + "?batch=" + code, ticketsPath + "?" + code + "=1", ticketsPath + "?cursor=" + code,
		"/admin/v1/admissions", "/admin/v1/admissions/" + visit.ID, "/admin/v1/admissions?ticket=" + made[0].ID, "/admin/v1/audit", "/admin/v1/audit/verify", "/" + code, "/" + code + "/../x", "/admin/v1/" + code + "%2f"} {
		ask("root", http.MethodGet, path, "")
		ask("tower", http.MethodGet, path, "")
	}
	for _, body := range []string{`{"code":"` + code + `"}`, `{"code":"` + code + `ä"}`, `{"` + code + `":1}`, `"` + code + `"`, `{"code":"` + code, `{"code":["` + code + `"]}`} {
		ask("root", http.MethodPost, ticketsPath+"/find", body)
		ask("root", http.MethodPost, ticketsPath, body)
		ask("root", http.MethodPost, "/admin/v1/attractions/tower/revoke", strings.ReplaceAll(body, "code", "confirm"))
		ask("root", http.MethodPost, "/admin/v1/devices/"+code+"/revoke", body)
	}
	for _, order := range []string{`{"attraction":"` + code + `"}`, `{"attraction":"tower","packages":["` + code + `"]}`, `{"attraction":"tower","valid_until":"` + code + `"}`} {
		ask("root", http.MethodPost, ticketsPath, order)
	}
	ask("root", http.MethodPost, ticketsPath, `{"attraction":"tower"}`, "Idempotency-Key", "IDEMPOTENCY-CANARY") // another request
	ask("root", http.MethodPost, "/admin/v1/tickets/"+made[0].ID+"/revoke", "")
	ask("", http.MethodGet, ticketsPath, "", "Authorization", "Bearer "+code)
	ask("", http.MethodGet, ticketsPath, "", "Authorization", "Basic "+secrets["root"].Reveal())
	ask("root", http.MethodGet, ticketsPath, "", "Host", code+".example")
	ask("root", http.MethodGet, ticketsPath, "", "Origin", "https://"+code)
	s.down = errors.New("down")
	ask("root", http.MethodPost, ticketsPath+"/find", `{"code":"`+code+`"}`)
	s.down = nil
	s.sameCode = gate.Secret(strings.ReplaceAll(code, "-", ""))
	ask("root", http.MethodPost, ticketsPath, `{"attraction":"tower"}`) // on record already
	var kept strings.Builder
	for _, e := range s.events(t) {
		text, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		kept.Write(text)
	}
	plain := strings.ReplaceAll(code, "-", "")
	planted := map[string]string{"the code": code, "the code without hyphens": plain, "the other code": made[1].Code, "half of the code": code[:17],
		"the fingerprint": strings.Trim(fmt.Sprint(fingerprint[:8]), "[]"), "the fingerprint in hexadecimal": hex.EncodeToString(fingerprint[:]), "the idempotency key": "IDEMPOTENCY-CANARY"}
	for id, secret := range secrets {
		planted["the key of "+id] = secret.Reveal()
	}
	for where, text := range map[string]string{"answers": shown.String(), "log": s.log.String(), "audit": kept.String()} {
		if len(text) < 1000 {
			t.Errorf("only %d bytes of %s were looked at", len(text), where)
		}
		for what, secret := range planted {
			if i := strings.Index(strings.ToUpper(text), strings.ToUpper(secret)); i >= 0 {
				t.Errorf("%s is in the %s: ...%s...", what, where, text[max(0, i-200):min(len(text), i+200)])
			}
		}
	}
}

// A panic shows neither what it was about nor what was asked.
func TestPanic(t *testing.T) {
	t.Parallel()
	const canary = "PANIC-CANARY"
	s := newSite(t, func(s *site) {
		s.opts.Print = map[string]admin.Printer{"application/pdf": func(io.Writer, []admin.Ticket) error { panic(canary) }}
	})
	r := s.post(t, "root", ticketsPath, `{"attraction":"tower"}`, "Accept", "application/pdf")
	if r.status != 500 || r.problem(t).Code != "internal" || strings.Contains(string(r.body)+s.log.String(), canary) || !strings.Contains(s.log.String(), r.header.Get("X-Request-Id")) {
		t.Errorf("%d %s\n%s\nwant 500 and a log without the value", r.status, r.body, s.log.String())
	}
}
