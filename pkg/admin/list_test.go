package admin_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/gate"
)

func bookQuery() book.Query { return book.Query{Limit: 1000} }

type ticketList struct {
	Tickets []ticket
	Next    string
}

type admission struct {
	ID, State, Ticket, Source string
	Entitlements              []struct{ Attraction, Package string }
	Devices                   []struct{ ID, State string }
}

type admissionList struct {
	Admissions []admission
	Next       string
}

// all reads a list to its end.
func (s *site) all(t *testing.T, who string, query url.Values) (ids []string) {
	t.Helper()
	for range 100 {
		page := read[ticketList](t, s.get(t, who, ticketsPath+"?"+query.Encode()), 200, "application/json")
		for _, got := range page.Tickets {
			ids = append(ids, got.ID)
		}
		if page.Next == "" {
			return ids
		}
		query.Set("cursor", page.Next)
	}
	t.Fatal("the list does not end")
	return nil
}

func TestListTickets(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ids := map[string][]string{}
	for n, place := range []string{"castle", "tower", "castle", "tower-2", "tower"} {
		for _, got := range s.issue(t, "root", fmt.Sprintf(`{"attraction":%q,"count":3,"batch":"b%d"}`, place, n)).Tickets {
			ids[place] = append(ids[place], got.ID)
			ids[fmt.Sprint("b", n)] = append(ids[fmt.Sprint("b", n)], got.ID)
			ids[""] = append(ids[""], got.ID)
		}
	}
	both := s.combined(t, "COMBITICKET0001")
	for _, tt := range []struct {
		who, query string
		want       []string
	}{
		{"root", "", append(slices.Clone(ids[""]), both)},
		{"root", "attraction=tower", append(slices.Clone(ids["tower"]), both)},
		{"root", "attraction=tower-2", ids["tower-2"]},
		{"root", "attraction=moon", nil},
		{"root", "batch=b2", ids["b2"]},
		{"root", "batch=b2&attraction=tower", nil},
		{"root", "batch=nothing", nil},
		{"tower", "", ids["tower"]}, // not the one that also opens the castle
		{"tower", "attraction=tower", ids["tower"]},
		{"tower", "batch=b0", nil},
		{"both", "attraction=tower", append(slices.Clone(ids["tower"]), both)},
		{"both", "attraction=castle", append(slices.Clone(ids["castle"]), both)},
	} {
		for _, limit := range []string{"1", "2", "1000"} {
			query, err := url.ParseQuery(tt.query)
			if err != nil {
				t.Fatal(err)
			}
			query.Set("limit", limit)
			if got := s.all(t, tt.who, query); !slices.Equal(got, tt.want) {
				t.Errorf("%s lists %q, limit %s:\n  %q, want\n  %q", tt.who, tt.query, limit, got, tt.want)
			}
		}
	}
}

// What may not be seen leaves no gap in a page.
func TestListLeavesNoGap(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for n := range 12 {
		s.combined(t, gate.Secret(fmt.Sprintf("COMBITICKET%04d", n)))
		s.issue(t, "root", `{"attraction":"tower"}`)
	}
	page := read[ticketList](t, s.get(t, "tower", ticketsPath+"?limit=5"), 200, "application/json")
	if len(page.Tickets) != 5 || page.Next == "" {
		t.Errorf("%d tickets, next %q, want 5 and a next", len(page.Tickets), page.Next)
	}
}

func TestListRefuses(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, tt := range []struct {
		who, path string
		want      int
	}{
		{"root", ticketsPath + "?limit=0", 400},
		{"root", ticketsPath + "?limit=-1", 400},
		{"root", ticketsPath + "?limit=1001", 400},
		{"root", ticketsPath + "?limit=99999999999999999999", 400},
		{"root", ticketsPath + "?limit=+1", 400},
		{"root", ticketsPath + "?limit=01", 400},
		{"root", ticketsPath + "?limit=1e3", 400},
		{"root", ticketsPath + "?limit=", 400},
		{"root", ticketsPath + "?limit=1&limit=2", 400},
		{"root", ticketsPath + "?sort=id;drop", 400},
		{"root", ticketsPath + "?sort=code", 400},
		{"root", ticketsPath + "?order_by=1", 400},
		{"root", ticketsPath + "?Limit=1", 400},
		{"root", ticketsPath + "?attraction=*", 400},
		{"root", ticketsPath + "?attraction=castle&attraction=tower", 400},
		{"root", ticketsPath + "?attraction=%27%20OR%201=1--", 400},
		{"root", ticketsPath + "?batch=" + strings.Repeat("x", 201), 400},
		{"root", ticketsPath + "?batch=%zz", 400},
		{"root", ticketsPath + "?batch=%27%20OR%20%271%27=%271", 200}, // a name that no batch has
		{"root", ticketsPath + "?cursor=1", 400},
		{"root", ticketsPath + "?cursor=" + strings.Repeat("A", 80), 400},
		{"root", ticketsPath + "?cursor=" + strings.Repeat("A", 2000), 400},
		{"both", ticketsPath, 400}, // which one?
		{"both", ticketsPath + "?attraction=tower", 200},
		{"both", ticketsPath + "?attraction=tower-2", 404},
		{"tower", ticketsPath + "?attraction=castle", 404},
		{"tower", ticketsPath + "?attraction=moon", 404}, // the same
		{"tower", ticketsPath + "?attraction=tower-2", 404},
		{"root", "/admin/v1/admissions?ticket=nothing", 404},
		{"root", "/admin/v1/admissions?ticket=a%20b", 404},
		{"root", "/admin/v1/admissions?device=x", 400},
		{"root", "/admin/v1/audit?after=-1", 400},
		{"root", "/admin/v1/audit?after=x&limit=0", 400},
		{"root", "/admin/v1/audit?cursor=x", 400},
		{"root", "/admin/v1/audit/verify?quick=1", 400},
	} {
		if r := s.get(t, tt.who, tt.path); r.status != tt.want {
			t.Errorf("%s GET %.80s = %d %s, want %d", tt.who, tt.path, r.status, r.body, tt.want)
		}
	}
	if errors := s.get(t, "root", "/admin/v1/audit?after=x&limit=0&y=1").problem(t).Errors; len(errors) != 3 {
		t.Errorf("errors %+v, want all three", errors)
	}
}

// A cursor is good for its list, its key and a day, as it is.
func TestCursors(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.issue(t, "root", `{"attraction":"tower","count":5}`)
	s.issue(t, "root", `{"attraction":"castle","count":5,"batch":"b"}`)
	next := read[ticketList](t, s.get(t, "root", ticketsPath+"?attraction=tower&limit=2"), 200, "application/json").Next
	changed := []byte(next)
	changed[len(changed)/2] ^= 1
	for _, tt := range []struct {
		name, who, query string
		want             int
	}{
		{"as it is", "root", "attraction=tower&limit=2&cursor=" + next, 200},
		{"another limit", "root", "attraction=tower&cursor=" + next, 200},
		{"another attraction", "root", "attraction=castle&cursor=" + next, 400},
		{"no attraction", "root", "cursor=" + next, 400},
		{"a batch", "root", "attraction=tower&batch=b&cursor=" + next, 400},
		{"another key", "tower", "attraction=tower&cursor=" + next, 400},
		{"another key for the same", "reader", "attraction=tower&cursor=" + next, 400},
		{"changed", "root", "attraction=tower&cursor=" + string(changed), 400},
		{"cut off", "root", "attraction=tower&cursor=" + next[:len(next)-1], 400},
		{"longer", "root", "attraction=tower&cursor=" + next + "A", 400},
	} {
		r := s.get(t, tt.who, ticketsPath+"?"+tt.query)
		if r.status != tt.want {
			t.Errorf("%s: %d %s, want %d", tt.name, r.status, r.body, tt.want)
		}
	}
	if r := s.get(t, "root", "/admin/v1/admissions?attraction=tower&cursor="+next); r.status != 400 {
		t.Errorf("another list: %d, want 400", r.status)
	}
	s.at(noon.Add(24 * time.Hour))
	if r := s.get(t, "root", ticketsPath+"?attraction=tower&cursor="+next); r.status != 200 {
		t.Errorf("within a day: %d, want 200", r.status)
	}
	s.at(noon.Add(24*time.Hour + time.Second))
	if r := s.get(t, "root", ticketsPath+"?attraction=tower&cursor="+next); r.status != 400 {
		t.Errorf("after a day: %d, want 400", r.status)
	}
	s.at(noon)
	other := newSite(t) // has a sealing key of its own
	if r := other.get(t, "root", ticketsPath+"?attraction=tower&cursor="+next); r.status != 400 {
		t.Errorf("another server: %d, want 400", r.status)
	}
}

// Every id of somebody else's looks like one that does not exist.
func TestLimitedKeys(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	own := s.issue(t, "root", `{"attraction":"tower"}`).Tickets[0]
	longer := s.issue(t, "root", `{"attraction":"tower-2"}`).Tickets[0]
	foreign := s.issue(t, "root", `{"attraction":"castle"}`).Tickets[0]
	both := s.combined(t, "COMBITICKET0001")
	visits := map[string]*gate.Admission{
		"own": s.admit(t, own.Code).Admission, "longer": s.admit(t, longer.Code).Admission,
		"foreign": s.admit(t, foreign.Code).Admission, "both": s.admit(t, "COMBITICKET0001").Admission,
	}
	before := len(s.events(t))
	paths := []string{"GET /admin/v1/tickets/" + longer.ID, "GET /admin/v1/tickets/" + foreign.ID, "GET /admin/v1/tickets/" + both,
		"POST /admin/v1/tickets/" + longer.ID + "/revoke", "POST /admin/v1/tickets/" + foreign.ID + "/revoke", "POST /admin/v1/tickets/" + both + "/revoke",
		"GET /admin/v1/admissions?ticket=" + foreign.ID, "GET /admin/v1/admissions?ticket=" + both,
		`POST /admin/v1/attractions/castle/revoke {"confirm":"castle"}`, `POST /admin/v1/attractions/tower-2/revoke {"confirm":"tower-2"}`,
		`POST /admin/v1/attractions/castle/revoke {"confirm":"x"}`, `POST /admin/v1/attractions/castle/revoke`}
	for _, whose := range []string{"longer", "foreign", "both"} {
		v := visits[whose]
		paths = append(paths, "GET /admin/v1/admissions/"+v.ID, "POST /admin/v1/admissions/"+v.ID+"/revoke",
			"POST /admin/v1/devices/"+v.Device+`/revoke {"admission":"`+v.ID+`"}`, "POST /admin/v1/devices/"+v.Device+`/revoke {"admission":"`+visits["own"].ID+`"}`)
	}
	want := s.get(t, "tower", "/admin/v1/tickets/NOTHING")
	for _, path := range paths {
		method, rest, _ := strings.Cut(path, " ")
		target, body, _ := strings.Cut(rest, " ")
		r := s.do(t, "tower", method, target, body)
		strip := func(r *reply) string { return strings.Replace(string(r.body), r.header.Get("X-Request-Id"), "", 1) }
		if r.status != 404 || strip(r) != strip(want) {
			t.Errorf("%s = %d %s, want the same 404 as for nothing", path, r.status, r.body)
		}
	}
	if r := s.post(t, "tower", "/admin/v1/devices/"+visits["foreign"].Device+"/revoke", ""); r.status != 422 {
		t.Errorf("a device without its admission = %d, want 422", r.status)
	}
	for _, place := range []string{"castle", "tower-2", "moon"} {
		r := s.post(t, "tower", ticketsPath, `{"attraction":"`+place+`","packages":["audio"]}`)
		if r.status != 422 || !strings.Contains(string(r.body), "that the key is for") || len(r.problem(t).Errors) != 1 {
			t.Errorf("issue for %s = %d %s, want 422 as for one that there is not", place, r.status, r.body)
		}
	}
	if got := s.events(t); len(got) != before {
		t.Errorf("%d events more, want none", len(got)-before)
	}
	for _, code := range []string{longer.Code, foreign.Code, "COMBITICKET0001"} {
		s.admit(t, code) // all as good as before
	}
	for _, path := range []string{"/admin/v1/tickets/" + own.ID, "/admin/v1/admissions/" + visits["own"].ID, "/admin/v1/admissions?ticket=" + own.ID} {
		if r := s.get(t, "tower", path); r.status != 200 {
			t.Errorf("GET %s = %d, want 200", path, r.status)
		}
	}
	got := read[admissionList](t, s.get(t, "tower", "/admin/v1/admissions"), 200, "application/json")
	if len(got.Admissions) != 1 || got.Admissions[0].ID != visits["own"].ID {
		t.Errorf("admissions of the tower = %+v, want its own", got.Admissions)
	}
}

// A visit that has lost the castle still is of a ticket for castle and tower,
// and one that has lost everything belongs to whom its ticket does.
func TestLimitedKeysAfterALoss(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.combined(t, "COMBITICKET0001")
	castle := s.issue(t, "root", `{"attraction":"castle"}`).Tickets[0]
	both, only := s.admit(t, "COMBITICKET0001").Admission, s.admit(t, castle.Code).Admission
	if got := s.revoke(t, "root", "/admin/v1/attractions/castle/revoke", `{"confirm":"castle"}`); got.Affected != 2 {
		t.Fatalf("revoked = %+v, want 2", got)
	}
	for id, want := range map[string]map[string]int{both.ID: {"tower": 404, "both": 200}, only.ID: {"tower": 404, "both": 200}} {
		for who, status := range want {
			if r := s.get(t, who, "/admin/v1/admissions/"+id); r.status != status {
				t.Errorf("%s GET %s = %d, want %d", who, id, r.status, status)
			}
		}
	}
}

// Of a visit that has lost everything, and whose ticket was sold elsewhere,
// nobody knows whose it is.
func TestLimitedKeysAndNobodysVisit(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	a, err := s.book.Enter(t.Context(), gate.Entry{Ticket: gate.Fingerprint{1}, At: noon, Ends: noon.Add(time.Hour), Seats: 1, Session: gate.SessionHash{1},
		Entitlements: []gate.Entitlement{{Attraction: "castle", Until: noon.Add(time.Hour)}}, Source: "elsewhere"})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []map[string]int{{"tower": 404, "both": 200, "root": 200}, {"tower": 404, "both": 404, "root": 200}} {
		for who, status := range want {
			if r := s.get(t, who, "/admin/v1/admissions/"+a.ID); r.status != status {
				t.Errorf("%s gets the visit = %d, want %d", who, r.status, status)
			}
		}
		s.revoke(t, "root", "/admin/v1/attractions/castle/revoke", `{"confirm":"castle"}`)
	}
}

func TestAdmissions(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	made := s.issue(t, "root", `{"attraction":"castle","packages":["audio"],"seats":2}`).Tickets[0]
	pass := s.admit(t, made.Code)
	s.admit(t, made.Code)
	page := read[admissionList](t, s.get(t, "clerk", "/admin/v1/admissions?ticket="+made.ID), 200, "application/json")
	if len(page.Admissions) != 1 || page.Admissions[0].ID != pass.Admission.ID || len(page.Admissions[0].Devices) != 0 {
		t.Fatalf("list = %+v, want one admission", page)
	}
	got := read[admission](t, s.get(t, "clerk", "/admin/v1/admissions/"+pass.Admission.ID), 200, "application/json")
	if got.Ticket != made.ID || got.State != "active" || got.Source != "desk" || len(got.Devices) != 2 || got.Devices[0].ID != pass.Admission.Device || got.Devices[0].State != "seated" {
		t.Errorf("admission = %+v", got)
	}
	other := s.issue(t, "root", `{"attraction":"castle"}`).Tickets[0]
	if page := read[admissionList](t, s.get(t, "clerk", "/admin/v1/admissions?ticket="+other.ID), 200, "application/json"); len(page.Admissions) != 0 {
		t.Errorf("admissions of a ticket that nobody has shown: %+v", page)
	}
}
