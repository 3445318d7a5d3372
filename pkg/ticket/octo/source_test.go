package octo_test

import (
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/ticket/octo"
	"github.com/handstamp/handstamp/pkg/ticket/tickettest"
)

var (
	_ gate.Verifier  = (*octo.Source)(nil)
	_ gate.Rechecker = (*octo.Source)(nil)
)

func reason(err error) gate.Reason {
	var denial *gate.Denial
	if errors.As(err, &denial) {
		return denial.Reason
	}
	return ""
}

func TestVerifier(t *testing.T) {
	tickettest.Run(t, func(t *testing.T) tickettest.Fixture {
		one := []gate.Product{entry}
		return tickettest.Fixture{
			Verifier: newFake(t).open(t, nil),
			Good: []tickettest.Good{
				{Spellings: []gate.Credential{
					by("XOPSUT", "surname", "Müller-O'Neill"), by(" xop sut\n", "surname", "MULLER ONEILL"), by("VOUCHER-1", "email", "zoe@example.ORG "),
					by(uuid(1)), by(strings.ToUpper(uuid(1)), "postcode", "69 117"), by("XOPSUT", "surname", "zoe muller o neill", "postcode", "69117"),
				}, Buys: one, Seats: 2, Proven: true},
				{Spellings: []gate.Credential{by("SCANND", "surname", "Müller-O'Neill"), by(uuid(2))}, Buys: one, Seats: 2, Proven: true},
				{Spellings: []gate.Credential{by("FAMILY", "surname", "Müller-O'Neill")}, Buys: one, Seats: 6, Proven: true},
				{Spellings: []gate.Credential{by("PARTLY", "surname", "Müller-O'Neill")}, Buys: one, Seats: 1, Proven: true},
				{Spellings: []gate.Credential{by("UNITCO", "email", "zoe@example.org")}, Buys: one, Seats: 1, Proven: true},
				{Spellings: []gate.Credential{by("AUDIOG", "surname", "Müller-O'Neill")}, Buys: []gate.Product{entry, audio}, Seats: 2, Proven: true},
				{Spellings: []gate.Credential{by("SHARED", "surname", "Müller-O'Neill")}, Buys: one, Seats: 2, Proven: true},
				{Spellings: []gate.Credential{by(uuid(17))}, Buys: one, Seats: 2, Proven: true},
			},
			Unknown:   []gate.Credential{by("XOPSUT"), by("XOPSUT", "surname", "Müller"), by(uuid(99))},
			Malformed: []gate.Credential{by("", "surname", "x"), by("ABC", "surname", "xx"), by("Ü12345", "surname", "xx"), by("six\x00six", "surname", "xx"), by(strings.Repeat("A", 200), "surname", "xx")},
			Refused: []tickettest.Refused{
				{Credential: by("HOLDIT", "surname", "Müller-O'Neill"), Reason: gate.ReasonNotPaid},
				{Credential: by("WAITED", "surname", "Müller-O'Neill"), Reason: gate.ReasonNotPaid},
				{Credential: by("OUTRUN", "surname", "Müller-O'Neill"), Reason: gate.ReasonExpired},
				{Credential: by("WEATHR", "surname", "Müller-O'Neill"), Reason: gate.ReasonCancelled},
				{Credential: by("TURNED", "surname", "Müller-O'Neill"), Reason: gate.ReasonCancelled},
				{Credential: by("NOBODY", "surname", "Müller-O'Neill"), Reason: gate.ReasonCancelled},
				{Credential: by("TESTED", "surname", "Müller-O'Neill"), Reason: gate.ReasonNotPaid},
				{Credential: by("OTHERS", "surname", "Müller-O'Neill"), Reason: gate.ReasonNotIncluded},
				{Credential: by("TWICES", "surname", "Müller-O'Neill"), Reason: gate.ReasonSeeStaff},
			},
			Down: []gate.Credential{by("DOWNED", "surname", "Müller-O'Neill")},
		}
	})
}

func TestUnknown(t *testing.T) {
	s := newFake(t).open(t, nil)
	for i, c := range []gate.Credential{
		by("XOPSUT"), by("XOPSUT", "surname", ""), by("XOPSUT", "surname", "-"), by("XOPSUT", "surname", "M"), by("XOPSUT", "name", "Müller-O'Neill"),
		by("XOPSUT", "surname", "Müller"), by("XOPSUT", "surname", "Zoë"), by("XOPSUT", "email", "zoe@example.com"),
		by("XOPSUT", "surname", "Müller-O'Neill", "postcode", "69118"), by("XOPSU", "surname", "Müller-O'Neill"), by("XOPSUTX", "surname", "Müller-O'Neill"),
		by("WEATHR", "surname", "Somebody"), by("NAMELS", "surname", "Müller-O'Neill"), by("NAMELS", "surname", "null"),
		by(uuid(99)), by(uuid(1), "surname", "Somebody"), by("XOPSUT&resellerReference=VOUCHER-1", "surname", "Müller-O'Neill"),
		by("5a17c3d1-0000-1000-8000-000000000001"),
	} {
		ticket, err := s.Verify(t.Context(), c)
		var denial *gate.Denial
		if ticket != nil || !errors.As(err, &denial) || denial.Reason != gate.ReasonUnknown || denial.Proven {
			t.Errorf("Verify(%d: %s) = %+v, %v, want unknown, not proven", i, c.Code.Reveal(), ticket, err)
		}
	}
}

func TestRechecker(t *testing.T) {
	tickettest.RunRechecker(t, func(t *testing.T) tickettest.RecheckFixture {
		f := newFake(t)
		s := f.open(t, nil)
		return tickettest.RecheckFixture{
			Verifier: s,
			Good:     []gate.Credential{by("XOPSUT", "surname", "Müller-O'Neill"), by("FAMILY", "surname", "Müller-O'Neill")},
			Unknown:  []string{"", "x", uuid(1), strings.Repeat("A", 80)},
			Refund: func(*testing.T, gate.Credential) gate.Reason {
				f.set(func() { f.bookings["confirmed"]["status"] = "CANCELLED" })
				return gate.ReasonCancelled
			},
		}
	})
}

func TestRecheckGone(t *testing.T) {
	f := newFake(t)
	s := f.open(t, nil)
	first, err := s.Verify(t.Context(), by("XOPSUT", "surname", "Müller-O'Neill"))
	if err != nil {
		t.Fatal(err)
	}
	f.set(func() { delete(f.bookings, "confirmed") })
	if _, err := s.Recheck(t.Context(), "", first.Ref); reason(err) != gate.ReasonCancelled {
		t.Errorf("Recheck of a booking that is gone = %v, want cancelled", err)
	}
	f.set(func() {
		f.fault = func(w http.ResponseWriter, _ *http.Request) { f.fail(w, "Internal Server Error Response") }
	})
	if _, err := s.Recheck(t.Context(), "", first.Ref); err == nil || reason(err) != "" {
		t.Errorf("Recheck while the system fails = %v, want an error that is no denial", err)
	}
}

// Every published status is either good or has a reason.
func TestStatuses(t *testing.T) {
	var c contract
	read(t, "contract.json", &c)
	if len(c.Statuses) < 7 || len(c.Differs) > 0 {
		t.Errorf("the contract has the statuses %q, and fixtures differ from it: %v", c.Statuses, c.Differs)
	}
	for _, status := range append(c.Statuses, "NO_SHOW") {
		f := newFake(t)
		f.bookings["confirmed"]["status"] = status
		_, err := f.open(t, nil).Verify(t.Context(), by(uuid(1)))
		if good := status == "CONFIRMED" || status == "REDEEMED"; good != (err == nil) || !good && reason(err) == "" {
			t.Errorf("Verify(%s) = %v", status, err)
		}
	}
}

// What is asked is what the published API has.
func TestRequests(t *testing.T) {
	var c contract
	read(t, "contract.json", &c)
	f := newFake(t)
	s := f.open(t, func(cfg *octo.Config, _ *octo.Options) {
		cfg.Env, cfg.Capabilities = "test", []string{"octo/content", "octo/pricing"}
	})
	for _, code := range []string{"NONE00", uuid(99)} {
		_, _ = s.Verify(t.Context(), by(code, "surname", "Somebody"))
	}
	if len(f.asked) != 5 {
		t.Errorf("asked %d times, want 2 for a reference and 3 for a UUID that may be one", len(f.asked))
	}
	for _, r := range f.asked {
		path := "/bookings/"
		if strings.HasPrefix(r.URL.Path, "/octo/bookings/") {
			path += "{uuid}"
		}
		for name := range r.URL.Query() {
			if !slices.Contains(c.Parameters[path], "query:"+name) {
				t.Errorf("asked %s with %q, want one of %q", path, name, c.Parameters[path])
			}
		}
		if r.Method != "GET" || r.Header.Get("Octo-Capabilities") != "octo/content, octo/pricing" || r.Header.Get("Octo-Env") != "test" || r.ContentLength > 0 {
			t.Errorf("asked %s %s with %v", r.Method, r.URL, r.Header)
		}
	}
}

// The example that OCTO publishes can be read, with one unit on hold.
func TestPublishedExample(t *testing.T) {
	f := newFake(t)
	b := f.bookings["published: Booking example"]
	s := f.open(t, func(cfg *octo.Config, _ *octo.Options) {
		cfg.Products = []octo.Product{
			{ID: b["productId"].(string), Unit: "CHILD", Buys: []gate.Product{entry}, Seats: 1},
			{ID: b["productId"].(string), Unit: "ADULT", Buys: []gate.Product{audio}, Seats: 1},
		}
	})
	ticket, err := s.Verify(t.Context(), by(b["uuid"].(string)))
	want := gate.Date{Year: 2022, Month: 5, Day: 23}
	if err != nil || !reflect.DeepEqual(ticket.Buys, []gate.Product{entry}) || ticket.Seats != 1 || ticket.Terms.Day != want && ticket.Terms.Slot.From.Day() != 23 {
		t.Errorf("Verify = %+v, %v, want what the confirmed child buys on %v", ticket, err, want)
	}
}

func TestTimes(t *testing.T) {
	at := func(hour, minute int) time.Time {
		return time.Date(2026, 7, 1, hour, minute, 0, 0, time.FixedZone("", 2*3600))
	}
	tests := []struct {
		name  string
		dates octo.Dates
		want  gate.Validity
		until time.Time
		used  time.Time
	}{
		{"confirmed", "", gate.Validity{Slot: gate.Interval{From: at(10, 0), Until: at(11, 30)}}, time.Time{}, time.Time{}},
		{"redeemed", "", gate.Validity{Slot: gate.Interval{From: at(10, 0), Until: at(11, 30)}}, time.Time{}, at(10, 3)},
		{"confirmed", octo.DatesDay, gate.Validity{Day: gate.Date{Year: 2026, Month: 7, Day: 1}}, time.Time{}, time.Time{}},
		{"all_day", "", gate.Validity{Day: gate.Date{Year: 2026, Month: 7, Day: 1}}, time.Time{}, time.Time{}},
		{"open_dated", "", gate.Validity{}, time.Date(2027, 6, 1, 10, 0, 0, 0, time.UTC), time.Time{}},
		{"open_dated", octo.DatesIgnore, gate.Validity{}, time.Time{}, time.Time{}},
		{"confirmed", octo.DatesIgnore, gate.Validity{}, time.Time{}, time.Time{}},
	}
	for _, tt := range tests {
		f := newFake(t)
		s := f.open(t, func(cfg *octo.Config, _ *octo.Options) { cfg.Dates = tt.dates })
		got, err := s.Verify(t.Context(), by(f.bookings[tt.name]["uuid"].(string)))
		if err != nil {
			t.Errorf("%s: Verify = %v", tt.name, err)
			continue
		}
		slot, want := got.Terms.Slot, tt.want.Slot
		if got.Terms.Day != tt.want.Day || !slot.From.Equal(want.From) || !slot.Until.Equal(want.Until) || !got.ValidUntil.Equal(tt.until) || !got.FirstUse.Equal(tt.used) {
			t.Errorf("%s, %q: Verify = %+v, want %+v until %v, first used %v", tt.name, tt.dates, got, tt.want, tt.until, tt.used)
		}
	}
}

func TestLocalTimes(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	f := newFake(t)
	f.bookings["confirmed"]["availability"] = object{"localDateTimeStart": "2026-12-24T10:00:00", "localDateTimeEnd": "2026-12-24T10:00", "allDay": false}
	s := f.open(t, func(_ *octo.Config, opts *octo.Options) { opts.Zone = berlin })
	got, err := s.Verify(t.Context(), by(uuid(1)))
	if want := time.Date(2026, 12, 24, 9, 0, 0, 0, time.UTC); err != nil || !got.Terms.Slot.From.Equal(want) || !got.Terms.Slot.Until.After(want) {
		t.Errorf("Verify = %+v, %v, want a slot from %v", got, err, want)
	}
}

// Whatever the answer is that is no verdict blames nobody and admits nobody.
func TestFaults(t *testing.T) {
	says := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			fmt.Fprint(w, body)
		}
	}
	faults := map[string]http.HandlerFunc{
		"HTML": says(200, "<html>"), "nothing": says(200, ""), "null": says(200, "null"), "true": says(200, "true"), "a text": says(200, `"CONFIRMED"`),
		"list of null": says(200, "[null]"), "an empty booking": says(200, "[{}]"), "cut off": says(200, `[{"uuid":`),
		"valid but 202": says(202, "[]"), "too large": says(200, "["+strings.Repeat(" ", 1<<20)+"]"),
		"redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://elsewhere.example/", http.StatusFound)
		},
		"an error in words": says(400, `{"error":"no\r\nidea","errorMessage":"XOPSUT"}`),
	}
	for _, status := range []int{201, 204, 206, 304, 400, 401, 403, 404, 409, 410, 418, 429, 500, 502, 503} {
		faults[fmt.Sprint(status)] = says(status, "[]")
	}
	f := newFake(t)
	for name := range f.errors {
		if name != "Invalid Booking UUID Response" {
			faults[name] = func(w http.ResponseWriter, _ *http.Request) { f.fail(w, name) }
		}
	}
	for field, value := range map[string]any{"uuid": nil, "status": "confirmed", "productId": 7, "unitItems": nil, "supplierReference": "OTHERS", "utcRedeemedAt": "today", "availability": object{"localDateTimeStart": "soon"}} {
		faults["booking with another "+field] = func(w http.ResponseWriter, _ *http.Request) {
			b := f.copy("confirmed", "XOPSUT", 1)
			b[field] = value
			answer(w, 200, []object{b})
		}
	}
	s := f.open(t, nil)
	for name, fault := range faults {
		f.set(func() { f.fault = fault })
		ticket, err := s.Verify(t.Context(), by("XOPSUT", "surname", "Müller-O'Neill"))
		if ticket != nil || err == nil || reason(err) != "" {
			t.Errorf("%s: Verify = %+v, %v, want an error that is no denial", name, ticket, err)
		}
		if text := fmt.Sprint(err); strings.Contains(text, "XOPSUT") || strings.Contains(text, token) || strings.Contains(text, "ller") {
			t.Errorf("%s: Verify says %q, with the code, the key or a factor", name, text)
		}
	}
	f.set(func() {
		f.fault = func(w http.ResponseWriter, _ *http.Request) { answer(w, 202, f.bookings["confirmed"]) }
	})
	if ticket, err := s.Verify(t.Context(), by(uuid(1))); ticket != nil || err == nil || reason(err) != "" {
		t.Errorf("a booking with 202: Verify = %+v, %v, want an error that is no denial", ticket, err)
	}
	f.set(func() {
		f.fault = func(w http.ResponseWriter, _ *http.Request) { answer(w, 200, f.bookings["family"]) }
	})
	if ticket, err := s.Verify(t.Context(), by(uuid(1))); ticket != nil || err == nil || reason(err) != "" {
		t.Errorf("another booking than was asked for: Verify = %+v, %v, want an error that is no denial", ticket, err)
	}
}

func TestUUIDNeedsFactor(t *testing.T) {
	f := newFake(t)
	s := f.open(t, func(cfg *octo.Config, _ *octo.Options) { cfg.UUIDs = false })
	if _, err := s.Verify(t.Context(), by(uuid(1))); reason(err) != gate.ReasonUnknown || len(f.asked) != 0 {
		t.Errorf("Verify(UUID without a factor) = %v, asked %d times, want unknown and nobody asked", err, len(f.asked))
	}
	if _, err := s.Verify(t.Context(), by(uuid(1), "surname", "Müller-O'Neill")); err != nil {
		t.Errorf("Verify(UUID with a factor) = %v", err)
	}
}

// Only a version 4 UUID is random; others have clocks and counters in them.
func TestUUIDVersions(t *testing.T) {
	for text, want := range map[string]gate.Reason{
		"5a17c3d1-0000-4000-9000-0000000000aa": "", "5a17c3d1-0000-1000-9000-0000000000aa": gate.ReasonUnknown,
		"5a17c3d1-0000-7000-9000-0000000000aa": gate.ReasonUnknown, "5a17c3d1-0000-4000-c000-0000000000aa": gate.ReasonUnknown,
	} {
		f := newFake(t)
		f.bookings["confirmed"]["uuid"] = text
		if _, err := f.open(t, nil).Verify(t.Context(), by(text)); reason(err) != want || want == "" && err != nil {
			t.Errorf("Verify(%s without a factor) = %v, want %q", text, err, want)
		}
	}
}

func TestFactorsThatAreNotAccepted(t *testing.T) {
	s := newFake(t).open(t, func(cfg *octo.Config, _ *octo.Options) { cfg.Factors = []octo.Factor{octo.Email} })
	if _, err := s.Verify(t.Context(), by("XOPSUT", "surname", "Müller-O'Neill")); reason(err) != gate.ReasonUnknown {
		t.Errorf("Verify(surname, only e-mail counts) = %v, want unknown", err)
	}
}

// Whether a reference exists, and what became of it, cannot be told from the
// refusal of somebody without a factor of it.
func TestNoOracle(t *testing.T) {
	s := newFake(t).open(t, nil)
	for _, code := range []string{"XOPSUT", "WEATHR", "HOLDIT", "NONE00"} {
		_, err := s.Verify(t.Context(), by(code, "surname", "Somebody"))
		var denial *gate.Denial
		if !errors.As(err, &denial) || denial.Reason != gate.ReasonUnknown || denial.Proven {
			t.Errorf("Verify(%s, wrong factor) = %+v, want unknown, not proven", code, err)
		}
	}
}

func TestMixedCase(t *testing.T) {
	f := newFake(t)
	f.bookings["confirmed"]["supplierReference"] = "aBcDeF"
	exact := f.open(t, func(cfg *octo.Config, _ *octo.Options) { cfg.MixedCase = true })
	if _, err := exact.Verify(t.Context(), by("aBcDeF", "surname", "Müller-O'Neill")); err != nil {
		t.Errorf("Verify(aBcDeF), MixedCase = %v", err)
	}
	if _, err := exact.Verify(t.Context(), by("abcdef", "surname", "Müller-O'Neill")); err == nil {
		t.Error("Verify(abcdef), MixedCase: no error")
	}
}

func TestProbe(t *testing.T) {
	f := newFake(t)
	if err := f.open(t, nil).Probe(t.Context()); err != nil {
		t.Errorf("Probe = %v", err)
	}
	err := f.open(t, func(cfg *octo.Config, _ *octo.Options) { cfg.Token = "wrong" }).Probe(t.Context())
	var status *octo.StatusError
	if !errors.As(err, &status) || status.Code != "FORBIDDEN" {
		t.Errorf("Probe with a wrong key = %v, want FORBIDDEN", err)
	}
}

func TestNew(t *testing.T) {
	tests := []struct {
		name   string
		change func(*octo.Config, *octo.Options)
		want   string // empty means none
	}{
		{"good", func(*octo.Config, *octo.Options) {}, ""},
		{"url", func(c *octo.Config, _ *octo.Options) { c.URL = "example.com/octo" }, "url:"},
		{"query", func(c *octo.Config, _ *octo.Options) { c.URL += "?x=y" }, "url:"},
		{"token", func(c *octo.Config, _ *octo.Options) { c.Token = "" }, "token:"},
		{"env", func(c *octo.Config, _ *octo.Options) { c.Env = "a\r\nb" }, "header"},
		{"capability", func(c *octo.Config, _ *octo.Options) { c.Capabilities = []string{"a, b"} }, "header"},
		{"reference", func(c *octo.Config, _ *octo.Options) { c.References = []octo.Reference{"uuid"} }, "references:"},
		{"factor", func(c *octo.Config, _ *octo.Options) { c.Factors = []octo.Factor{"birthday"} }, "factors:"},
		{"dates", func(c *octo.Config, _ *octo.Options) { c.Dates = "any" }, "dates:"},
		{"open", func(c *octo.Config, _ *octo.Options) { c.Open = -1 }, "open:"},
		{"no product", func(c *octo.Config, _ *octo.Options) { c.Products = nil }, "products:"},
		{"product without id", func(c *octo.Config, _ *octo.Options) { c.Products[0].ID = "" }, "products:"},
		{"product buys nothing", func(c *octo.Config, _ *octo.Options) { c.Products[0].Buys = nil }, "products:"},
		{"seats", func(c *octo.Config, _ *octo.Options) { c.Products[0].Seats = -1 }, "products:"},
		{"secret", func(_ *octo.Config, o *octo.Options) { o.Secret = []byte("short") }, "secret:"},
	}
	for _, tt := range tests {
		cfg := octo.Config{URL: "https://api.example.com/octo", Token: token, Products: []octo.Product{{ID: "castle", Buys: []gate.Product{entry}}}}
		opts := octo.Options{}
		tt.change(&cfg, &opts)
		s, err := octo.New(cfg, opts)
		if s != nil {
			defer s.Close()
		}
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: New = %v, want %q", tt.name, err, tt.want)
		}
		if err != nil && strings.Contains(err.Error(), token) || strings.Contains(fmt.Sprint(s), token) {
			t.Errorf("%s: New shows the key: %v %v", tt.name, err, s)
		}
	}
}
