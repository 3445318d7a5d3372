package admin_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/admin"
	"github.com/handstamp/handstamp/pkg/gate"
)

func TestIssue(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.issue(t, "root", `{"attraction":"castle","packages":["audio"],"seats":4,"valid_from":"2026-07-01T00:00:00Z","valid_until":"2026-07-31T18:00:00+02:00","count":3,"note":"Hotel","batch":"july"}`)
	if len(b.Tickets) != 3 || b.Batch != "july" {
		t.Fatalf("batch = %+v, want three tickets", b)
	}
	for _, got := range b.Tickets {
		if got.Attraction != "castle" || !slices.Equal(got.Packages, []string{"audio"}) || got.Seats != 4 || got.Note != "Hotel" ||
			!got.ValidUntil.Equal(noon.Add(30*24*time.Hour+4*time.Hour)) || len(got.Code) != 32 || got.Code == b.Tickets[0].Code && got.ID != b.Tickets[0].ID {
			t.Errorf("ticket = %+v", got)
		}
		pass := s.admit(t, got.Code)
		if e := pass.Admission.Entitlements; len(e) != 1 || e[0].Attraction != "castle" || e[0].Package != "audio" || pass.Admission.Seats != 4 {
			t.Errorf("admission = %+v", pass.Admission)
		}
		found := read[ticket](t, s.get(t, "root", ticketsPath+"/"+got.ID), 200, "application/json")
		if found.ID != got.ID || found.Batch != "july" || found.Seats != 4 || !slices.Equal(found.Products, []product{{"castle", "audio"}}) || found.Code != "" {
			t.Errorf("on record: %+v", found)
		}
		byCode := read[ticket](t, s.post(t, "root", ticketsPath+"/find", `{"code":"`+strings.ToLower(got.Code)+`"}`), 200, "application/json")
		if byCode.ID != got.ID {
			t.Errorf("find = %+v, want %s", byCode, got.ID)
		}
	}
	least := s.issue(t, "root", `{"attraction":"tower-2"}`)
	if len(least.Tickets) != 1 || least.Batch == "" || len(least.Tickets[0].Packages) != 0 {
		t.Errorf("least = %+v, want one ticket for everything", least)
	}
	if e := s.admit(t, least.Tickets[0].Code).Admission.Entitlements; len(e) != 1 || e[0].Attraction != "tower-2" {
		t.Errorf("entitlements = %+v", e)
	}
}

// TestIssueMany issues as many as may be with FULL_TESTS set.
func TestIssueMany(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	count := 2_000
	if os.Getenv("FULL_TESTS") != "" {
		count = 10_000
	}
	r := s.post(t, "root", ticketsPath, fmt.Sprintf(`{"attraction":"castle","count":%d}`, count), "Accept", "text/csv")
	rows, err := csv.NewReader(bytes.NewReader(r.body)).ReadAll()
	if err != nil || r.status != 201 {
		t.Fatalf("%d, %v, want a table", r.status, err)
	}
	seen := map[string]bool{}
	for _, row := range rows[1:] {
		seen[row[0]], seen[row[1]] = true, true
	}
	if len(seen) != 2*count {
		t.Errorf("%d codes and ids, want %d", len(seen), 2*count)
	}
}

func TestIssueRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		body   string
		status int
		where  string // of each fault, in order
	}{
		{`{"attraction":"castle","count":0}`, 422, "count"},
		{`{"attraction":"castle","count":-1}`, 422, "count"},
		{`{"attraction":"castle","count":10001}`, 422, "count"},
		{`{"attraction":"castle","count":1000000000}`, 422, "count"},
		{`{"attraction":"castle","count":1e9}`, 400, "count"},
		{`{"attraction":"castle","count":99999999999999999999}`, 400, "count"},
		{`{"attraction":"castle","count":1.5}`, 400, "count"},
		{`{"attraction":"castle","count":"1"}`, 400, "count"},
		{`{"attraction":"castle","seats":0}`, 422, "seats"},
		{`{"attraction":"castle","seats":-1}`, 422, "seats"},
		{`{"attraction":"castle","seats":1001}`, 422, "seats"},
		{`{"attraction":"castle","valid_until":"2026-07-01T12:00:00Z"}`, 422, "valid_until"},
		{`{"attraction":"castle","valid_until":"2020-01-01T00:00:00Z"}`, 422, "valid_until"},
		{`{"attraction":"castle","valid_until":"0001-01-01T00:00:00Z"}`, 422, "valid_until valid_until"},
		{`{"attraction":"castle","valid_from":"2026-07-03T00:00:00Z","valid_until":"2026-07-02T00:00:00Z"}`, 422, "valid_until"},
		{`{"attraction":"castle","valid_from":"2026-07-03T00:00:00Z","valid_until":"2026-07-03T00:00:00Z"}`, 422, "valid_until"},
		{`{"attraction":"castle","valid_from":"2026-07-03T00:00:00.5Z"}`, 422, "valid_from"},
		{`{"attraction":"castle","valid_until":"tomorrow"}`, 400, "valid_until"},
		{`{"attraction":"castle","valid_until":"2026-07-31"}`, 400, "valid_until"},
		{`{"attraction":"castle","valid_until":1785000000}`, 400, "valid_until"},
		{`{"attraction":"moon"}`, 422, "attraction"},
		{`{"attraction":"*"}`, 422, "attraction"},
		{`{"attraction":""}`, 422, "attraction"},
		{`{"attraction":["castle"]}`, 400, "attraction"},
		{`{}`, 422, "attraction"},
		{``, 422, "attraction"},
		{`{"attraction":"castle","packages":["gold"]}`, 422, "packages"},
		{`{"attraction":"castle","packages":["audio","audio"]}`, 422, "packages"},
		{`{"attraction":"castle","packages":[]}`, 422, "packages"},
		{`{"attraction":"castle","packages":[""]}`, 422, "packages"},
		{`{"attraction":"castle","packages":"audio"}`, 400, "packages"},
		{`{"attraction":"castle","packages":[1]}`, 400, "packages"},
		{`{"attraction":"tower-2","packages":["audio"]}`, 422, "packages"},
		{`{"attraction":"castle","batch":""}`, 422, "batch"},
		{`{"attraction":"castle","batch":"../x"}`, 422, "batch"},
		{`{"attraction":"castle","note":"` + strings.Repeat("x", 501) + `"}`, 422, "note"},
		{`{"attraction":"castle","note":"a\nb"}`, 422, "note"},
		{`{"attraction":"castle","note":"a\u202eb"}`, 422, "note"},
		{`{"attraction":"castle","uses":0}`, 400, " "},
		{`{"attraction":"castle","revoked_at":"2026-07-01T12:00:00Z"}`, 400, " "},
		{`{"attraction":"castle","id":"X","code":"Y"}`, 400, " "},
		{`{"Attraction":"castle"}`, 400, "  attraction"},
		{`{"attraction":"castle","":1}`, 400, " "},
		{`{"attraction":"castle","attraction":"tower"}`, 400, ""},
		{`{"attraction":"castle","ATTRACTION":"tower"}`, 400, ""},
		{`{"attraction":"castle","seats":null}`, 400, ""},
		{`{"attraction":"castle"}{}`, 400, ""},
		{`[]`, 400, ""},
		{`"castle"`, 400, ""},
		{`{"attraction":"castle"`, 400, ""},
		{`{"attraction":"\ud800"}`, 400, ""},
		{"{\"attraction\":\"\xff\"}", 400, ""},
		{`{"attraction":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`, 400, ""},
		{`{"note":"` + strings.Repeat(" ", 17_000) + `"}`, 413, ""},
		// all at once
		{`{"attraction":"moon","seats":-1,"count":0,"valid_until":"2020-01-01T00:00:00Z","batch":"?"}`, 422, "attraction batch count seats valid_until"},
		{`{"attraction":"castle","seats":"x","count":0,"uses":1,"packages":["gold"]}`, 400, " count packages seats"},
	}
	s := newSite(t)
	for _, tt := range tests {
		r := s.post(t, "root", ticketsPath, tt.body)
		var where []string
		for _, e := range r.problem(t).Errors {
			where = append(where, e.Where)
		}
		if got := strings.Join(where, " "); r.status != tt.status || strings.TrimSpace(got) != strings.TrimSpace(tt.where) {
			t.Errorf("%.100s: %d, faults %q, want %d, %q\n%s", tt.body, r.status, got, tt.status, tt.where, r.body)
		}
	}
	for _, headers := range [][]string{{"Content-Type", "text/plain"}, {"Content-Type", "application/json", "Content-Encoding", "gzip"}, {"Content-Type", "application/json; charset=latin1"}, {"Content-Type", ""}} {
		if r := s.post(t, "root", ticketsPath, `{"attraction":"castle"}`, headers...); r.status != 415 {
			t.Errorf("%q: %d, want 415", headers, r.status)
		}
	}
	records, _, err := s.book.Records(t.Context(), bookQuery())
	if err != nil || len(records) != 0 || len(s.events(t)) != 0 {
		t.Errorf("%d tickets, %d events, %v, want none of what was refused", len(records), len(s.events(t)), err)
	}
}

func TestIssueAgain(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	const body = `{"attraction":"castle","packages":["audio"],"count":3,"seats":2,"valid_until":"2026-07-02T12:00:00Z","note":"x"}`
	first := s.issue(t, "root", body, "Idempotency-Key", "K1")
	s.at(noon.Add(time.Hour))
	again := s.issue(t, "root", ` {"count":3, "note":"x","seats":2,"packages":["audio"],"valid_until":"2026-07-02T14:00:00+02:00","attraction":"castle"}`, "Idempotency-Key", "K1")
	if fmt.Sprint(first) != fmt.Sprint(again) {
		t.Errorf("again = %+v\nwant the same as\n%+v", again, first)
	}
	if records, _, err := s.book.Records(t.Context(), bookQuery()); err != nil || len(records) != 3 {
		t.Errorf("%d tickets, %v, want 3", len(records), err)
	}
	table := s.post(t, "root", ticketsPath, body, "Idempotency-Key", "K1", "Accept", "text/csv")
	if table.status != 201 || !strings.Contains(string(table.body), first.Tickets[2].Code) {
		t.Errorf("again as CSV = %d %s, want the codes", table.status, table.body)
	}
	for _, other := range [][2]string{{"3", "2"}, {"3", "4"}, {`"count":3,`, ``}, {`"seats":2`, `"seats":3`}, {`["audio"]`, `["premium"]`}, {`"packages":["audio"],`, ``},
		{`07-02`, `07-03`}, {`"note":"x"`, `"note":"y"`}, {`"note"`, `"batch":"b","note"`}, {`castle`, `tower`}} {
		changed := strings.Replace(body, other[0], other[1], 1)
		if r := s.post(t, "root", ticketsPath, changed, "Idempotency-Key", "K1"); r.status != 422 || r.problem(t).Code != "idempotency_key_reused" {
			t.Errorf("%s under the same key = %d %s, want 422", changed, r.status, r.body)
		}
	}
	// Another key, no key, and the same key of somebody else are other requests.
	seen := []string{first.Tickets[0].Code}
	for _, b := range []batch{s.issue(t, "root", body, "Idempotency-Key", "K2"), s.issue(t, "root", body), s.issue(t, "both", body, "Idempotency-Key", "K1")} {
		if slices.Contains(seen, b.Tickets[0].Code) {
			t.Errorf("another request got %s once more", b.Tickets[0].Code)
		}
		seen = append(seen, b.Tickets[0].Code)
	}
	s.at(noon.Add(24*time.Hour - time.Second))
	s.issue(t, "root", body, "Idempotency-Key", "K1")
	noEnd := strings.Replace(body, `"valid_until":"2026-07-02T12:00:00Z",`, "", 1)
	s.at(noon)
	s.issue(t, "root", noEnd, "Idempotency-Key", "K3")
	s.at(noon.Add(24*time.Hour + time.Second))
	if r := s.post(t, "root", ticketsPath, noEnd, "Idempotency-Key", "K3"); r.status != 422 {
		t.Errorf("after a day = %d, want 422: codes are not shown for ever", r.status)
	}
	for _, headers := range [][]string{{"Idempotency-Key", ""}, {"Idempotency-Key", "a", "Idempotency-Key", "a"}, {"Idempotency-Key", strings.Repeat("k", 129)}} {
		if r := s.post(t, "root", ticketsPath, noEnd, headers...); r.status != 400 {
			t.Errorf("%.60q = %d, want 400", headers, r.status)
		}
	}
}

// A code that is on record already is nobody's fault, and nothing is issued.
func TestIssueDuplicate(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.sameCode = "000000000000000000000000000"
	for _, tt := range []struct {
		body string
		want int
	}{{`{"attraction":"castle","count":2}`, 409}, {`{"attraction":"castle"}`, 201}, {`{"attraction":"tower"}`, 409}} {
		if r := s.post(t, "root", ticketsPath, tt.body); r.status != tt.want {
			t.Errorf("%s = %d %s, want %d", tt.body, r.status, r.body, tt.want)
		}
	}
	if records, _, err := s.book.Records(t.Context(), bookQuery()); err != nil || len(records) != 1 || len(s.events(t)) != 1 {
		t.Errorf("%d tickets, %d events, %v, want 1 and 1", len(records), len(s.events(t)), err)
	}
}

func TestIssueForms(t *testing.T) {
	t.Parallel()
	var printed []admin.Ticket
	s := newSite(t, func(s *site) {
		s.opts.Print = map[string]admin.Printer{
			"application/pdf": func(w io.Writer, tickets []admin.Ticket) error {
				printed = tickets
				_, err := fmt.Fprintf(w, "%%PDF with %d", len(tickets))
				return err
			},
			"image/svg+xml": func(io.Writer, []admin.Ticket) error { return errors.New("no more ink") },
		}
	})
	const body = `{"attraction":"castle","packages":["audio","premium"],"count":2,"note":"=1+1"}`
	tests := []struct {
		accept []string
		want   string // media type; empty means 406
	}{
		{nil, "application/json"},
		{[]string{"*/*"}, "application/json"},
		{[]string{"application/*"}, "application/json"},
		{[]string{"text/csv"}, "text/csv"},
		{[]string{"text/csv; charset=utf-8"}, "text/csv"},
		{[]string{"text/html, text/csv;q=0.5, */*;q=0.1"}, "text/csv"},
		{[]string{"text/csv;q=0.1", "application/json"}, "application/json"},
		{[]string{"application/pdf"}, "application/pdf"},
		{[]string{"text/html"}, ""},
		{[]string{"text/csv;q=0"}, ""},
		{[]string{"nonsense"}, ""},
	}
	for _, tt := range tests {
		var headers []string
		for _, a := range tt.accept {
			headers = append(headers, "Accept", a)
		}
		before := len(s.events(t))
		r := s.post(t, "root", ticketsPath, body, headers...)
		switch {
		case tt.want == "" && (r.status != 406 || len(s.events(t)) != before):
			t.Errorf("%q = %d, want 406 and nothing issued", tt.accept, r.status)
		case tt.want != "" && (r.status != 201 || r.header.Get("Content-Type") != tt.want):
			t.Errorf("%q = %d %s, want %s", tt.accept, r.status, r.header.Get("Content-Type"), tt.want)
		}
	}
	if len(printed) != 2 || len(printed[0].Code.Reveal()) != 32 || printed[0].Attraction != "castle" || len(printed[0].Packages) != 2 {
		t.Errorf("printed %+v", printed)
	}
	r := s.post(t, "root", ticketsPath, body, "Accept", "text/csv")
	rows, err := csv.NewReader(strings.NewReader(string(r.body))).ReadAll()
	if err != nil || len(rows) != 3 || rows[0][1] != "code" || rows[1][3] != "audio;premium" || rows[1][7] != "'=1+1" || r.header.Get("Content-Disposition") != "attachment" {
		t.Errorf("%q, %v, want a table without formulas", rows, err)
	}
	// What cannot be printed is not issued: nobody would have the codes.
	before := len(s.events(t))
	if r := s.post(t, "root", ticketsPath, body, "Accept", "image/svg+xml"); r.status != 503 || len(s.events(t)) != before {
		t.Errorf("a broken printer = %d, %d events, want 503 and none more", r.status, len(s.events(t))-before)
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	code := s.issue(t, "root", `{"attraction":"castle"}`).Tickets[0].Code
	find := func(who, code string) *reply {
		body, err := json.Marshal(map[string]string{"code": code})
		if err != nil {
			t.Fatal(err)
		}
		return s.post(t, who, ticketsPath+"/find", string(body))
	}
	for _, tt := range []struct {
		who, code string
		want      int
	}{{"root", code, 200}, {"both", code, 200}, {"tower", code, 404}, {"root", "UNKNOWN-CODE", 404}, {"root", "", 422}, {"root", "ä", 422},
		{"root", code[:31] + "0", 422}, {"root", strings.Repeat("A", 600), 422}} {
		if r := find(tt.who, tt.code); r.status != tt.want && !(code[31] == '0' && tt.code == code) {
			t.Errorf("find as %s = %d %s, want %d", tt.who, r.status, r.body, tt.want)
		}
	}
	// Somebody who may read must not guess what other systems sold.
	for n := range 200 {
		if r := find("tower", fmt.Sprint("GUESS", n)); r.status != 404 {
			if n < 99 || r.status != 429 {
				t.Errorf("guess %d = %d, want 404, and 429 after 100", n+1, r.status)
			}
			break
		}
	}
	if r := find("tower", "GUESS"); r.status != 429 {
		t.Errorf("guess after guess = %d, want 429", r.status)
	}
	if r := find("root", code); r.status != http.StatusOK {
		t.Errorf("somebody else = %d, want 200", r.status)
	}
}

// A body that is read has one reading: encoding/json
// finds the same.
func FuzzDecodeOrder(f *testing.F) {
	for _, seed := range []string{`{"attraction":"castle","note":"x","count":1}`, `{"note":"\u00e4","packages":["a"]}`, `{"note":"a","note":"b"}`, `{"Note":"a"}`, `{"note":null}`, `{}x`, `[]`, ``} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		attraction, note, ok := admin.DecodeOrder(body)
		if !ok {
			return
		}
		var members map[string]json.RawMessage
		if err := json.Unmarshal(body, &members); err != nil {
			t.Fatalf("DecodeOrder(%q) succeeds, but %v", body, err)
		}
		for name, want := range map[string]string{"attraction": attraction, "note": note} {
			var got string
			raw, there := members[name]
			if there && json.Unmarshal(raw, &got) != nil || got != want {
				t.Errorf("DecodeOrder(%q) reads %s %q, encoding/json %q", body, name, want, got)
			}
		}
	})
}

// TestFileOwner finds a ticket where there are private files: its answer says as
// whom it owns them, and lists do not.
func TestFileOwner(t *testing.T) {
	t.Parallel()
	var asked gate.Fingerprint
	s := newSite(t, func(s *site) {
		s.opts.FileOwner = func(f gate.Fingerprint) string { asked = f; return "ticket:abc234" }
	})
	code := s.issue(t, "root", `{"attraction":"castle"}`).Tickets[0].Code
	body, err := json.Marshal(map[string]string{"code": code})
	if err != nil {
		t.Fatal(err)
	}
	r := s.post(t, "root", ticketsPath+"/find", string(body))
	if !strings.Contains(string(r.body), `"file_owner":"ticket:abc234"`) {
		t.Errorf("find = %s, want its file_owner", r.body)
	}
	if want, err := (issuer{s}).Fingerprint(gate.Secret(code)); err != nil || asked != want {
		t.Errorf("the owner of %x was asked for, want that of the code, %x (%v)", asked, want, err)
	}
	if r := s.get(t, "root", ticketsPath); strings.Contains(string(r.body), "file_owner") {
		t.Errorf("list = %s, want no file_owner", r.body)
	}
}
