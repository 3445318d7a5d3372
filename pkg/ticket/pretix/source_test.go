package pretix_test

import (
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/ticket/pretix"
	"github.com/handstamp/handstamp/pkg/ticket/tickettest"
)

var (
	_ gate.Verifier  = (*pretix.Source)(nil)
	_ gate.Rechecker = (*pretix.Source)(nil)
)

const (
	good      = "6j3phws45zzqpy92ap7bcwr4sb57shkk"
	family    = "483x288f92pq9gcjgd7j587njysr7kdd"
	cancelled = "c4nce11edrcajmaeng23yh4f33afaz9p"
	unpaid    = "3n2pnd22jv4bzt4gq3hm4tqa8u7wuyx5"
	expired   = "exp2rd22jv4bzt4gq3hm4tqa8u7wuyx5"
	pending   = "pd2va2rd22jv4bzt4gq3hm4tqa8u7wux"
	approval  = "apprva2rd22jv4bzt4gq3hm4tqa8u7wu"
	blocked   = "b2ckedva2rd22jv4bzt4gq3hm4tqa8u7"
	parking   = "parkngva2rd22jv4bzt4gq3hm4tqa8u7"
	down      = "d2wnva2rd22jv4bzt4gq3hm4tqa8u7wu" // pretix fails
	nobody    = "n2b2dyva2rd22jv4bzt4gq3hm4tqa8u7"
)

func credential(code string) gate.Credential { return gate.Credential{Code: gate.Secret(code)} }

// stock is a pretix with a ticket of each fate.
func stock(t *testing.T) *fake {
	f := newFake(t)
	f.positions = []*seat{
		{id: 11, item: 1, secret: good, checkins: []map[string]any{{"list": 1, "type": "exit", "datetime": "2026-07-01T08:00:00Z"}, {"list": 1, "type": "entry", "datetime": "2026-07-01T11:00:00+02:00"}}},
		{id: 12, item: 4, variation: 9, secret: family},
		{id: 13, item: 1, secret: cancelled, status: "c"},
		{id: 14, item: 1, secret: unpaid, status: "n"},
		{id: 15, item: 1, secret: expired, status: "e"},
		{id: 16, item: 1, secret: pending, status: "n", pending: true},
		{id: 17, item: 1, secret: approval, status: "n", pending: true, approval: true},
		{id: 18, item: 1, secret: blocked, blocked: `["admin"]`},
		{id: 19, item: 3, secret: parking},
		{id: 20, item: 1, secret: down},
	}
	for i, p := range f.positions {
		p.list, p.event, p.order = 1, "museum", fmt.Sprintf("ORD%02d", i)
	}
	return f
}

func refusals() (list []tickettest.Refused) {
	for code, reason := range map[string]gate.Reason{
		cancelled: gate.ReasonCancelled, unpaid: gate.ReasonNotPaid, expired: gate.ReasonNotPaid, approval: gate.ReasonNotPaid,
		blocked: gate.ReasonBlocked, parking: gate.ReasonNotIncluded,
	} {
		list = append(list, tickettest.Refused{Credential: credential(code), Reason: reason})
	}
	return list
}

func fixture(t *testing.T, s *pretix.Source) tickettest.Fixture {
	audio := []gate.Product{{Attraction: "castle", Package: "audio"}}
	return tickettest.Fixture{
		Verifier: s,
		Good: []tickettest.Good{
			{Spellings: []gate.Credential{credential(good), credential(" " + good + "\n"), credential(strings.ToUpper(good)), credential(good[:8] + " " + good[8:])}, Buys: audio, Proven: true},
			{Spellings: []gate.Credential{credential(family)}, Buys: audio, Seats: 6, Proven: true},
			{Spellings: []gate.Credential{credential(pending)}, Buys: audio, Proven: true},
		},
		Unknown:   []gate.Credential{credential(nobody), credential(good[:20]), credential("ORD00ORD00"), credential("ada@example.org"), credential("a/../b?x=&y=%0d%0a")},
		Malformed: []gate.Credential{credential(""), credential("abc"), credential("käse-und-brot"), credential("six\x00six"), credential(strings.Repeat("a", 2000))},
		Refused:   refusals(),
		Down:      []gate.Credential{credential(down)},
	}
}

func TestLookup(t *testing.T) {
	tickettest.Run(t, func(t *testing.T) tickettest.Fixture { return fixture(t, stock(t).open(t, nil)) })
}

func TestRedeem(t *testing.T) {
	tickettest.Run(t, func(t *testing.T) tickettest.Fixture { return fixture(t, stock(t).open(t, redeeming)) })
}

func redeeming(cfg *pretix.Config, _ *pretix.Options) {
	cfg.Mode, cfg.AllowConsume = pretix.ModeRedeem, true
}

func TestRechecker(t *testing.T) {
	for name, mode := range map[string]func(*pretix.Config, *pretix.Options){"lookup": nil, "redeem": redeeming} {
		t.Run(name, func(t *testing.T) {
			tickettest.RunRechecker(t, func(t *testing.T) tickettest.RecheckFixture {
				f := stock(t)
				return tickettest.RecheckFixture{
					Verifier: f.open(t, mode),
					Good:     []gate.Credential{credential(good), credential(family)},
					Unknown:  []string{"", "x", good, strings.Repeat("A", 80)},
					Refund: func(_ *testing.T, c gate.Credential) gate.Reason {
						f.set(func() { f.find(c.Code.Reveal()).status = "c" })
						return gate.ReasonCancelled
					},
				}
			})
		})
	}
}

// A position that is cancelled by itself is not found any more.
func TestRecheckGone(t *testing.T) {
	f := stock(t)
	s := f.open(t, nil)
	first, err := s.Verify(t.Context(), credential(good))
	if err != nil {
		t.Fatal(err)
	}
	f.set(func() { f.find(good).gone = true })
	if _, err := s.Recheck(t.Context(), "", first.Ref); reason(err) != gate.ReasonCancelled {
		t.Errorf("Recheck of a position that is gone = %v, want cancelled", err)
	}
	f.set(func() {
		f.fault = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }
	})
	if _, err := s.Recheck(t.Context(), "", first.Ref); err == nil || reason(err) != "" {
		t.Errorf("Recheck while pretix fails = %v, want an error that is no denial", err)
	}
}

// reason is that of a denial, or nothing.
func reason(err error) gate.Reason {
	var denial *gate.Denial
	if errors.As(err, &denial) {
		return denial.Reason
	}
	return ""
}

func TestFirstUse(t *testing.T) {
	ticket, err := stock(t).open(t, nil).Verify(t.Context(), credential(good))
	if want := time.Date(2026, 7, 1, 9, 0, 0, 0, time.UTC); err != nil || !ticket.FirstUse.Equal(want) {
		t.Errorf("Verify(used ticket) = %+v, %v, want first use %v", ticket, err, want)
	}
}

func TestTimes(t *testing.T) {
	f := stock(t)
	f.find(good).from, f.find(good).until = "2026-07-01T00:00:00+02:00", "2026-07-03T23:59:59+02:00"
	ticket, err := f.open(t, nil).Verify(t.Context(), credential(good))
	from, until := time.Date(2026, 6, 30, 22, 0, 0, 0, time.UTC), time.Date(2026, 7, 3, 21, 59, 59, 0, time.UTC)
	if err != nil || !ticket.ValidFrom.Equal(from) || !ticket.ValidUntil.Equal(until) {
		t.Errorf("Verify = %+v, %v, want from %v until %v", ticket, err, from, until)
	}
	f.find(good).from, f.find(good).until = "2026-07-04T00:00:00Z", "2026-07-03T00:00:00Z"
	if _, err := f.open(t, nil).Verify(t.Context(), credential(good)); reason(err) != gate.ReasonExpired {
		t.Errorf("Verify(ends before it begins) = %v, want expired", err)
	}
}

func TestDates(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	late := `{"id":5,"event":"museum","date_from":"2026-07-01T22:30:00Z","date_to":%s,"date_admission":%s}`
	from := time.Date(2026, 7, 1, 22, 30, 0, 0, time.UTC)
	day := gate.Date{Year: 2026, Month: 7, Day: 2} // in Berlin
	tests := []struct {
		name, subevent string
		dates          pretix.Dates
		want           gate.Validity
	}{
		{"no series", "", "", gate.Validity{}},
		{"slot", fmt.Sprintf(late, `"2026-07-02T00:30:00Z"`, "null"), "", gate.Validity{Slot: gate.Interval{From: from, Until: from.Add(2 * time.Hour)}}},
		{"slot with admission", fmt.Sprintf(late, `"2026-07-02T00:30:00Z"`, `"2026-07-01T22:00:00Z"`), pretix.DatesSlot, gate.Validity{Slot: gate.Interval{From: from.Add(-30 * time.Minute), Until: from.Add(2 * time.Hour)}}},
		{"no end", fmt.Sprintf(late, "null", "null"), "", gate.Validity{From: from, Day: day}},
		{"day", fmt.Sprintf(late, `"2026-07-02T00:30:00Z"`, "null"), pretix.DatesDay, gate.Validity{Day: day}},
		{"ignored", fmt.Sprintf(late, "null", "null"), pretix.DatesIgnore, gate.Validity{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := stock(t)
			f.find(good).subevent = tt.subevent
			s := f.open(t, func(cfg *pretix.Config, _ *pretix.Options) { cfg.Dates, cfg.Events[0].Zone = tt.dates, berlin })
			ticket, err := s.Verify(t.Context(), credential(good))
			if err != nil || !reflect.DeepEqual(ticket.Terms, tt.want) {
				t.Errorf("Verify = %+v, %v, want terms %+v", ticket, err, tt.want)
			}
		})
	}
	f := stock(t)
	f.find(good).subevent = "5" // an id says nothing of the time
	if _, err := f.open(t, nil).Verify(t.Context(), credential(good)); err == nil || reason(err) != "" {
		t.Errorf("Verify(date without its times) = %v, want an error that is no denial", err)
	}
}

func TestAddOns(t *testing.T) {
	audio, premium := gate.Product{Attraction: "castle", Package: "audio"}, gate.Product{Attraction: "castle", Package: "premium"}
	tests := []struct {
		name   string
		item   int64 // of the main ticket
		addons []seat
		buys   []gate.Product
		seats  int
		until  string
		refuse gate.Reason
	}{
		{"none", 1, nil, []gate.Product{audio}, 0, "", ""},
		{"one", 1, []seat{{item: 2}}, []gate.Product{audio, premium}, 1, "", ""},
		{"three of one kind", 1, []seat{{item: 2}, {item: 2}, {item: 2}}, []gate.Product{audio, premium}, 3, "", ""},
		{"the main ticket alone buys nothing", 3, []seat{{item: 2}}, []gate.Product{premium}, 1, "", ""},
		{"nothing buys anything", 3, []seat{{item: 3}}, nil, 0, "", gate.ReasonNotIncluded},
		{"blocked", 1, []seat{{item: 2, blocked: `["admin"]`}}, []gate.Product{audio}, 0, "", ""},
		{"over", 1, []seat{{item: 2, until: "2026-07-01T12:00:00Z"}}, []gate.Product{audio}, 0, "", ""},
		{"not yet", 1, []seat{{item: 2, from: "2026-07-01T12:00:01Z"}}, []gate.Product{audio}, 0, "", ""},
		{"ends earlier", 1, []seat{{item: 2, until: "2026-07-01T13:00:00Z"}}, []gate.Product{audio, premium}, 1, "2026-07-01T13:00:00Z", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := stock(t)
			f.find(good).item = tt.item
			for i, a := range tt.addons {
				a.id, a.list, a.order, a.addOnTo, a.secret = int64(100+i), 1, "ORD00", 11, fmt.Sprintf("addonaddonaddon%d", i)
				f.positions = append(f.positions, &a)
			}
			s := f.open(t, func(cfg *pretix.Config, _ *pretix.Options) { cfg.AddOns = true })
			ticket, err := s.Verify(t.Context(), credential(good))
			if tt.refuse != "" {
				if reason(err) != tt.refuse {
					t.Errorf("Verify = %+v, %v, want %q", ticket, err, tt.refuse)
				}
				return
			}
			var until time.Time
			if tt.until != "" {
				until, _ = time.Parse(time.RFC3339, tt.until)
			}
			if err != nil || !reflect.DeepEqual(ticket.Buys, tt.buys) || ticket.Seats != tt.seats || !ticket.ValidUntil.Equal(until) {
				t.Errorf("Verify = %+v, %v, want %+v with %d seats until %v", ticket, err, tt.buys, tt.seats, until)
			}
		})
	}
}

// A server that does not filter is not believed.
func TestAddOnsOfOthers(t *testing.T) {
	for name, a := range map[string]seat{
		"another ticket": {addOnTo: 12, order: "ORD00"}, "no add-on": {order: "ORD00"}, "another order": {addOnTo: 11, order: "ORD01"},
	} {
		f := stock(t)
		a.id, a.item, a.secret = 99, 2, "addonaddonaddon"
		f.fault = func(w http.ResponseWriter, r *http.Request) {
			p := &a
			if !r.URL.Query().Has("addon_to") {
				p = f.find(good)
			}
			answer(w, http.StatusOK, map[string]any{"count": 1, "results": []any{p.json()}})
		}
		s := f.open(t, func(cfg *pretix.Config, _ *pretix.Options) { cfg.AddOns = true })
		if ticket, err := s.Verify(t.Context(), credential(good)); ticket != nil || err == nil || reason(err) != "" {
			t.Errorf("%s: Verify = %+v, %v, want an error that is no denial", name, ticket, err)
		}
	}
}

// What the code is, nothing but the values of parameters changes.
func TestHostileCodes(t *testing.T) {
	f := stock(t)
	s := f.open(t, nil)
	for _, code := range []string{"../../../x", "?list=2&secret=", "#frag#frag", "%2e%2e%2f%2e", "a&list=9&x=", "secret=good", "';drop--;", `"\"\"\"\`, "http://evil/", "{{code}}", "+++++++", "日本語日本語"} {
		_, err := s.Verify(t.Context(), credential(code))
		if reason(err) != gate.ReasonUnknown && reason(err) != gate.ReasonMalformed {
			t.Errorf("Verify(%q) = %v, want unknown or malformed", code, err)
		}
	}
	for _, r := range f.requests() {
		const want = "GET /api/v1/organizers/castle/checkinrpc/search/?expand=subevent&ignore_status=true&list=1&search="
		if !strings.HasPrefix(r, want) || strings.Count(r, "&") != 4 || strings.Count(r, "?") != 1 || strings.ContainsAny(r, "#\"'{<") {
			t.Errorf("asked %q, want %q and one more parameter", r, want)
		}
	}
}

// Whatever pretix answers that is no verdict blames nobody and admits nobody.
func TestFaults(t *testing.T) {
	whole := func(change func(p map[string]any)) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			p := (&seat{id: 1, item: 1, secret: good, order: "ORD00"}).json()
			change(p)
			answer(w, http.StatusOK, map[string]any{"count": 1, "next": nil, "results": []any{p}})
		}
	}
	says := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			fmt.Fprint(w, body)
		}
	}
	faults := map[string]http.HandlerFunc{
		"HTML":             says(200, "<html>"),
		"nothing":          says(200, ""),
		"null":             says(200, "null"),
		"a list":           says(200, "[]"),
		"no count":         says(200, `{"results":[]}`),
		"cut off":          says(200, `{"count":0,"results":[`),
		"another count":    says(200, `{"count":3,"results":[]}`),
		"count as text":    says(200, `{"count":"0","results":[]}`),
		"results of ids":   says(200, `{"count":1,"results":[7]}`),
		"valid but no 200": says(202, `{"count":0,"results":[]}`),
		"redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://elsewhere.example/", http.StatusFound)
		},
		"too large": func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, `{"count":0,"results":[],"x":%q}`, strings.Repeat("x", 1<<20))
		},
		"another ticket": whole(func(p map[string]any) { p["secret"] = nobody }),
		"a beginning":    whole(func(p map[string]any) { p["secret"] = good + "x" }),
		"other case":     whole(func(p map[string]any) { p["secret"] = strings.ToUpper(good) }),
		"status as a boolean": whole(func(p map[string]any) {
			p["order__status"] = true
		}),
		"status in words":     whole(func(p map[string]any) { p["order__status"] = "paid" }),
		"no status":           whole(func(p map[string]any) { delete(p, "order__status") }),
		"no blocked":          whole(func(p map[string]any) { delete(p, "blocked") }),
		"no item":             whole(func(p map[string]any) { delete(p, "item") }),
		"no subevent":         whole(func(p map[string]any) { delete(p, "subevent") }),
		"a time that is none": whole(func(p map[string]any) { p["valid_until"] = "tomorrow" }),
		"two tickets": func(w http.ResponseWriter, _ *http.Request) {
			p := (&seat{id: 1, item: 1, secret: good, order: "ORD00"}).json()
			answer(w, http.StatusOK, map[string]any{"count": 2, "next": nil, "results": []any{p, p}})
		},
	}
	for _, status := range []int{201, 204, 206, 304, 400, 401, 403, 404, 410, 418, 429, 500, 502, 503, 504} {
		faults[fmt.Sprint(status)] = says(status, `{"count":0,"results":[]}`)
	}
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			f := stock(t)
			for _, mode := range []func(*pretix.Config, *pretix.Options){nil, redeeming} {
				s := f.open(t, mode)
				f.set(func() { f.fault = fault })
				ticket, err := s.Verify(t.Context(), credential(good))
				if ticket != nil || err == nil || reason(err) != "" {
					t.Errorf("Verify = %+v, %v, want an error that is no denial", ticket, err)
				}
				if text := fmt.Sprint(err); strings.Contains(text, good) || strings.Contains(text, token) || strings.Contains(text, "xxx") {
					t.Errorf("Verify says %q, with a code, the token or what the server sent", text)
				}
			}
		})
	}
}

func TestStatusError(t *testing.T) {
	f := stock(t)
	s := f.open(t, nil)
	f.set(func() {
		f.fault = func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(http.StatusTooManyRequests)
		}
	})
	_, err := s.Verify(t.Context(), credential(good))
	var status *pretix.StatusError
	if !errors.As(err, &status) || status.Status != 429 || status.After != 7*time.Second {
		t.Errorf("Verify while pretix answers 429 = %#v, want a StatusError with RetryAfter 7s", err)
	}
}

func TestCapitals(t *testing.T) {
	f := stock(t)
	f.find(good).secret = "ABCDEF-2026-0001"
	exact := f.open(t, func(cfg *pretix.Config, _ *pretix.Options) { cfg.MixedCase = true })
	if _, err := exact.Verify(t.Context(), credential("ABCDEF-2026-0001")); err != nil {
		t.Errorf("Verify(secret in capitals), MixedCase = %v", err)
	}
	if _, err := f.open(t, nil).Verify(t.Context(), credential("ABCDEF-2026-0001")); reason(err) != gate.ReasonUnknown {
		t.Errorf("Verify(secret in capitals) = %v, want unknown", err)
	}
}

func TestSecretsStayInside(t *testing.T) {
	s := stock(t).open(t, nil)
	for _, text := range []string{fmt.Sprint(s), fmt.Sprintf("%v %+v %s", s, s, s)} {
		if strings.Contains(text, token) || strings.Contains(text, "0123456789abcdef") {
			t.Errorf("a Source prints as %q", text)
		}
	}
	ticket, err := s.Verify(t.Context(), credential(good))
	if text := fmt.Sprintf("%+v %v", ticket, err); strings.Contains(text, "Ada") || strings.Contains(text, "69117") || strings.Contains(text, "example.org") {
		t.Errorf("Verify = %s, with personal data", text)
	}
}

func TestNew(t *testing.T) {
	buys := []gate.Product{{Attraction: "castle"}}
	base := func() (pretix.Config, pretix.Options) {
		return pretix.Config{URL: "https://pretix.eu", Organizer: "castle", Token: token,
			Events: []pretix.Event{{Slug: "museum", List: 1}}, Products: []pretix.Product{{Item: 1, Buys: buys}}}, pretix.Options{}
	}
	tests := []struct {
		name   string
		change func(*pretix.Config, *pretix.Options)
		want   string // empty means none
	}{
		{"good", func(*pretix.Config, *pretix.Options) {}, ""},
		{"no URL", func(c *pretix.Config, _ *pretix.Options) { c.URL = "pretix.eu" }, "url:"},
		{"user in the URL", func(c *pretix.Config, _ *pretix.Options) { c.URL = "https://a:b@pretix.eu" }, "url:"},
		{"organizer", func(c *pretix.Config, _ *pretix.Options) { c.Organizer = "a/b" }, "organizer:"},
		{"no token", func(c *pretix.Config, _ *pretix.Options) { c.Token = "" }, "token:"},
		{"token with a line", func(c *pretix.Config, _ *pretix.Options) { c.Token = "abc\r\nX: y" }, "token:"},
		{"mode", func(c *pretix.Config, _ *pretix.Options) { c.Mode = "scan" }, "mode:"},
		{"consume", func(c *pretix.Config, o *pretix.Options) {
			c.Mode, o.Secret = pretix.ModeRedeem, []byte("0123456789abcdef")
		}, "mode:"},
		{"redeem without a secret", func(c *pretix.Config, _ *pretix.Options) { c.Mode, c.AllowConsume = pretix.ModeRedeem, true }, "secret:"},
		{"short secret", func(_ *pretix.Config, o *pretix.Options) { o.Secret = []byte("short") }, "secret:"},
		{"no event", func(c *pretix.Config, _ *pretix.Options) { c.Events = nil }, "events:"},
		{"event twice", func(c *pretix.Config, _ *pretix.Options) { c.Events = append(c.Events, c.Events[0]) }, "events:"},
		{"event with a path", func(c *pretix.Config, _ *pretix.Options) { c.Events[0].Slug = "../x" }, "events:"},
		{"no list", func(c *pretix.Config, _ *pretix.Options) { c.Events[0].List = 0 }, "events:"},
		{"no product", func(c *pretix.Config, _ *pretix.Options) { c.Products = nil }, "products:"},
		{"product twice", func(c *pretix.Config, _ *pretix.Options) { c.Products = append(c.Products, c.Products[0]) }, "products:"},
		{"product buys nothing", func(c *pretix.Config, _ *pretix.Options) { c.Products[0].Buys = nil }, "products:"},
		{"dates", func(c *pretix.Config, _ *pretix.Options) { c.Dates = "any" }, "dates:"},
		{"offline add-ons", func(c *pretix.Config, _ *pretix.Options) { c.Mode, c.AddOns = pretix.ModeOffline, true }, "add-ons:"},
		{"key", func(c *pretix.Config, _ *pretix.Options) { c.Mode, c.Keys = pretix.ModeOffline, []string{"none"} }, "keys:"},
		{"key online", func(c *pretix.Config, _ *pretix.Options) { c.Keys = []string{newSigner(1).pem(t)} }, "keys:"},
		{"stale", func(_ *pretix.Config, o *pretix.Options) { o.Stale = time.Second }, "stale:"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg, opts := base()
			tt.change(&cfg, &opts)
			s, err := pretix.New(cfg, opts)
			if s != nil {
				defer s.Close()
			}
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("New = %v, want %q", err, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), token) {
				t.Errorf("New shows the token: %v", err)
			}
		})
	}
	cfg, _ := base()
	cfg.URL, cfg.Organizer = "", ""
	if _, err := pretix.New(cfg, pretix.Options{}); err == nil || !strings.Contains(err.Error(), "url:") || !strings.Contains(err.Error(), "organizer:") {
		t.Errorf("New with two mistakes = %v, want both", err)
	}
}

func TestEffect(t *testing.T) {
	f := stock(t)
	if got := f.open(t, nil).Effect(); got != pretix.EffectRead {
		t.Errorf("Effect of a look-up = %q", got)
	}
	if got := f.open(t, redeeming).Effect(); got != pretix.EffectConsume {
		t.Errorf("Effect of redeeming = %q", got)
	}
}

// Who stands in front of a source asks with the spelling that it would use
// itself.
func TestNormalise(t *testing.T) {
	for _, mixed := range []bool{false, true} {
		s := stock(t).open(t, func(cfg *pretix.Config, _ *pretix.Options) { cfg.MixedCase = mixed })
		for _, tt := range []struct{ code, want, mixed string }{
			{" abc def\n", "abcdef", "abcdef"}, {"ABCDEF", "abcdef", "ABCDEF"}, {"AbCdEf", "AbCdEf", "AbCdEf"}, {"123456", "123456", "123456"},
			{"a-b-c-d", "a-b-c-d", "a-b-c-d"}, {"ABC", "", ""}, {"abcdé6", "", ""},
		} {
			want := tt.want
			if mixed {
				want = tt.mixed
			}
			got, err := s.Normalise(gate.Secret(tt.code))
			if got.Reveal() != want || (want == "") != (reason(err) == gate.ReasonMalformed) {
				t.Errorf("Normalise(%q), MixedCase %v = %q, %v, want %q", tt.code, mixed, got.Reveal(), err, want)
			}
			if again, err := s.Normalise(got); want != "" && (again != got || err != nil) {
				t.Errorf("Normalise(%q) = %q, %v, want the same once more", got.Reveal(), again.Reveal(), err)
			}
		}
	}
}
