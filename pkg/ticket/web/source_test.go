package web_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/ticket/sealed"
	"github.com/handstamp/handstamp/pkg/ticket/tickettest"
	"github.com/handstamp/handstamp/pkg/ticket/tickettest/boxoffice"
	"github.com/handstamp/handstamp/pkg/ticket/web"
)

var (
	_ gate.Verifier  = (*web.Source)(nil)
	_ gate.Rechecker = (*web.Source)(nil)
)

func TestVerifier(t *testing.T) {
	tickettest.Run(t, func(t *testing.T) tickettest.Fixture {
		l := newLedger()
		l.put("BROKENANSWER", `{"code":"BROKENANSWER","valid":"true"}`)
		office := boxoffice.New(t, l.answer)
		return tickettest.Fixture{
			Verifier: source(t, config(office.URL), options()),
			Good: []tickettest.Good{
				{Spellings: []gate.Credential{show(strong), show(" goodticket-4711 canary")}, Buys: append(castle, gate.Product{Attraction: "castle", Package: "audio"}), Seats: 3, Proven: true},
				{Spellings: []gate.Credential{show("weak-1"), show("WEAK1")}, Buys: castle},
			},
			Unknown:   []gate.Credential{show("NOSUCHTICKET"), show("WEAK2")},
			Malformed: []gate.Credential{show(""), show("CANARY!?"), show(strings.Repeat("CANARY", 100)), show("..")},
			Refused:   []tickettest.Refused{{Credential: show("REFUNDED1"), Reason: gate.ReasonCancelled}, {Credential: show("ODD1"), Reason: gate.ReasonSeeStaff}},
			Down:      []gate.Credential{show("BROKENANSWER"), show("SOMETHINGELSE")},
		}
	})
}

func TestRechecker(t *testing.T) {
	tickettest.RunRechecker(t, func(t *testing.T) tickettest.RecheckFixture {
		l := newLedger()
		office := boxoffice.New(t, l.answer)
		host := strings.TrimPrefix(office.URL, "http://")
		return tickettest.RecheckFixture{
			Verifier: source(t, config(office.URL), options()),
			Good:     []gate.Credential{show(strong), show(other)},
			Unknown:  []string{sealed.Seal(secret, fmt.Sprintf(`{"api":%q,"code":"NEVERSOLD"}`, host))},
			Refund: func(_ *testing.T, c gate.Credential) gate.Reason {
				l.put(c.Code.Reveal(), `{"valid":false,"state":"refunded"}`)
				return gate.ReasonCancelled
			},
			Break: func(*testing.T) { office.Misbehave(boxoffice.Status(503)) },
		}
	})
}

// TestRecheckRefs: a reference that cannot be opened blames no ticket, and one
// of another API is not asked about at this one.
func TestRecheckRefs(t *testing.T) {
	office := boxoffice.New(t, newLedger().answer)
	s := source(t, config(office.URL), options())
	for _, ref := range []string{"", "nonsense", sealed.Seal([]byte("another secret!!"), "{}"), sealed.Seal(secret, "{}"), sealed.Seal(secret, `{"api":"evil.example","code":"WEAK1"}`)} {
		ticket, err := s.Recheck(t.Context(), "x", ref)
		unknown(t, "Recheck("+ref+")", ticket, err, web.ErrRef)
	}
	if office.Asked() > 0 {
		t.Errorf("asked %d times", office.Asked())
	}
	plain := options()
	plain.Secret = nil
	if ticket, err := source(t, config(office.URL), plain).Verify(t.Context(), show(strong)); err != nil || ticket.Ref != "" {
		t.Errorf("Verify without a secret = %+v, %v, want no ref", ticket, err)
	}
}

func TestConsume(t *testing.T) {
	office := boxoffice.New(t, newLedger().answer)
	cfg := config(office.URL)
	cfg.Effect = web.Consume
	if _, err := web.New(cfg, options()); err == nil || !strings.Contains(err.Error(), "allow_consume") {
		t.Errorf("New(consume) = %v, want a refusal with a hint", err)
	}
	cfg.AllowConsume = true
	s := source(t, cfg, options())
	ticket, err := s.Verify(t.Context(), show(strong))
	if err != nil || ticket.Ref != "" || s.Effect() != web.Consume {
		t.Errorf("Verify = %+v, %v, want a ticket without a ref", ticket, err)
	}
	if _, err := s.Recheck(t.Context(), "", "x"); !errors.Is(err, errors.ErrUnsupported) || office.Asked() != 1 {
		t.Errorf("Recheck = %v after %d questions, want ErrUnsupported after 1", err, office.Asked())
	}
}

// TestMisbehaving: whatever the box office does, nobody comes in and no ticket
// is blamed, in time.
func TestMisbehaving(t *testing.T) {
	for _, fault := range append(boxoffice.Faults(), boxoffice.Mixed) {
		t.Run(fault.Name, func(t *testing.T) {
			office := boxoffice.New(t, newLedger().answer)
			opts := options()
			if fault.Slow {
				opts.Outbound.Timeout = 200 * time.Millisecond
			}
			s := source(t, config(office.URL), opts)
			if _, err := s.Verify(t.Context(), show(other)); err != nil {
				t.Fatal(err)
			}
			office.Misbehave(fault)
			begin := time.Now()
			ticket, err := s.Verify(t.Context(), show(strong))
			unknown(t, "Verify", ticket, err, nil)
			if took := time.Since(begin); took > opts.Outbound.Timeout+3*time.Second {
				t.Errorf("Verify took %v", took)
			}
			office.Misbehave(boxoffice.Fault{})
			if _, err := s.Verify(t.Context(), show(strong)); err != nil {
				t.Errorf("Verify when all is well again = %v", err)
			}
		})
	}
}

func TestFlapping(t *testing.T) {
	office := boxoffice.New(t, newLedger().answer)
	office.Misbehave(boxoffice.Flapping)
	s := source(t, config(office.URL), options())
	for i := range 6 {
		ticket, err := s.Verify(t.Context(), show(strong))
		if i%2 == 0 && err != nil {
			t.Errorf("Verify %d = %v", i, err)
		}
		if i%2 == 1 {
			unknown(t, "Verify", ticket, err, nil)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	office := boxoffice.New(t, newLedger().answer)
	office.Misbehave(boxoffice.Status(429))
	_, err := source(t, config(office.URL), options()).Verify(t.Context(), show(strong))
	var wait interface{ RetryAfter() time.Duration }
	if !errors.As(err, &wait) || wait.RetryAfter() != 7*time.Second {
		t.Errorf("Verify = %v, want an error that says 7 s", err)
	}
}

// TestCredentials: a 401 or 403 is about the gateway, not the ticket.
func TestCredentials(t *testing.T) {
	for _, status := range []int{401, 403} {
		office := boxoffice.New(t, newLedger().answer)
		office.Misbehave(boxoffice.Status(status))
		ticket, err := source(t, config(office.URL), options()).Verify(t.Context(), show(strong))
		unknown(t, fmt.Sprint("Verify with ", status), ticket, err, web.ErrCredentials)
	}
}

// TestNotTrue: what is not the truth value true is no verdict.
func TestNotTrue(t *testing.T) {
	for _, value := range []string{`"true"`, `1`, `1.0`, `null`, `"Valid"`, `[true]`, `{"a":true}`, `"1"`, `TRUE`, `true,"valid":true`, `false,"valid":true`, `true}{"valid":true`} {
		office := boxoffice.New(t, boxoffice.JSON(200, `{"code":`+quote(strong)+`,"valid":`+value+`}`))
		ticket, err := source(t, config(office.URL), options()).Verify(t.Context(), show(strong))
		unknown(t, "Verify with valid: "+value, ticket, err, nil)
	}
	office := boxoffice.New(t, boxoffice.JSON(200, `{"code":`+quote(strong)+`}`))
	ticket, err := source(t, config(office.URL), options()).Verify(t.Context(), show(strong))
	unknown(t, "Verify with nothing valid", ticket, err, web.ErrShape)
}

// TestEcho: an answer about another ticket says nothing.
func TestEcho(t *testing.T) {
	tests := []struct {
		answer string
		want   gate.Reason // "" means that nobody knows
	}{
		{`{"code":"OTHER","valid":true}`, ""},
		{`{"code":"OTHER","valid":false,"state":"refunded"}`, ""},
		{`{"valid":true}`, ""},
		{`{"code":"","valid":true}`, ""},
		{`{"code":null,"valid":true}`, ""},
		{`{"valid":false,"state":"refunded"}`, gate.ReasonCancelled},
		{`{"code":"WEAK12","valid":true}`, ""},
		{`{"code":"weak-1","valid":false,"state":"refunded"}`, gate.ReasonCancelled},
	}
	for _, tt := range tests {
		office := boxoffice.New(t, boxoffice.JSON(200, tt.answer))
		ticket, err := source(t, config(office.URL), options()).Verify(t.Context(), show("WEAK1"))
		if tt.want == "" {
			unknown(t, "Verify with "+tt.answer, ticket, err, web.ErrOther)
		} else if denied(err) != tt.want {
			t.Errorf("Verify with %s = %v, %v, want %s", tt.answer, ticket, err, tt.want)
		}
	}
}

func TestFactors(t *testing.T) {
	office := boxoffice.New(t, newLedger().answer)
	cfg := config(office.URL)
	cfg.Factors = []web.Factor{{Name: "surname", Equals: "item.name"}}
	s := source(t, cfg, options())
	for name, want := range map[string]gate.Reason{
		"Garcia Nunez": "", "GARCÍA-NÚÑEZ": "", "garci\u0301a nu\u0301n\u0303ez": "", "Garcia": gate.ReasonUnknown, "": gate.ReasonUnknown, " ": gate.ReasonUnknown,
		"-": gate.ReasonUnknown, "a\x00b": gate.ReasonMalformed, strings.Repeat("a", 300): gate.ReasonMalformed,
	} {
		ticket, err := s.Verify(t.Context(), named(strong, name))
		if denied(err) != want || (err == nil) != (want == "") {
			t.Errorf("Verify with surname %q = %v, %v, want %q", name, ticket, err, want)
		}
	}
	ticket, err := s.Verify(t.Context(), named("WEAK1", "smith"))
	if err != nil || !ticket.Proven {
		t.Errorf("Verify(weak code, its surname) = %+v, %v, want it proven", ticket, err)
	}
	if again, err := s.Recheck(t.Context(), "", ticket.Ref); err != nil || len(again.Buys) == 0 {
		t.Errorf("Recheck = %+v, %v", again, err)
	}
	if opened, _ := sealed.Open(secret, ticket.Ref); strings.Contains(strings.ToLower(opened), "smith") {
		t.Error("the ref keeps a factor that is compared here")
	}
	for _, r := range office.Requests() {
		if strings.Contains(strings.ToLower(fmt.Sprint(r)), "smith") {
			t.Errorf("a factor that is compared here was sent: %v", r)
		}
	}
	for _, name := range []string{"anything", "-"} { // the answer has no name to compare with
		if _, err = s.Verify(t.Context(), named(other, name)); denied(err) != gate.ReasonUnknown {
			t.Errorf("Verify(no name on record, %q) = %v, want unknown", name, err)
		}
	}
}

// TestFactorSent: a factor that the API compares goes to it, and into the ref.
func TestFactorSent(t *testing.T) {
	office := boxoffice.New(t, func(w http.ResponseWriter, r *http.Request) {
		ok := r.FormValue("ref") == "WEAK1" && r.FormValue("name") == "O'Neill & Söhne"
		boxoffice.Write(w, 200, fmt.Sprintf(`{"code":"WEAK1","valid":%v}`, ok))
	})
	cfg := config(office.URL)
	cfg.Request = web.Request{URL: office.URL + "/check", Type: web.Form, Body: "ref={code}&name={factor.surname}&kind=x"}
	cfg.Factors = []web.Factor{{Name: "surname"}}
	s := source(t, cfg, options())
	ticket, err := s.Verify(t.Context(), named("weak1", "O'Neill & Söhne"))
	if err != nil || !ticket.Proven {
		t.Fatalf("Verify = %+v, %v, want a proven ticket", ticket, err)
	}
	if again, err := s.Recheck(t.Context(), "", ticket.Ref); err != nil || again.Ref != ticket.Ref {
		t.Errorf("Recheck = %+v, %v", again, err)
	}
	if _, err := s.Verify(t.Context(), named("weak1", "Jones")); denied(err) != gate.ReasonSeeStaff {
		t.Errorf("Verify with another name = %v", err)
	}
}

func TestTicketTimes(t *testing.T) {
	madrid, err := time.LoadLocation("Europe/Madrid")
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, text string
		want       gate.Ticket
		fails      bool
	}{
		{"local", `"from":"2026-07-01T10:00:00","until":"2026-07-01 18:00"`, gate.Ticket{ValidFrom: noon.Add(-4 * time.Hour), ValidUntil: noon.Add(4 * time.Hour)}, false},
		{"year 9999", `"until":"9999-12-31T23:59:59Z"`, gate.Ticket{ValidUntil: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)}, false},
		{"past", `"until":"2020-01-01T00:00:00Z"`, gate.Ticket{ValidUntil: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)}, false},
		{"used in the future", `"used":"2026-07-01T23:00:00Z"`, gate.Ticket{FirstUse: noon}, false},
		{"ends before it begins", `"from":"2026-07-02T00:00:00Z","until":"2026-07-01T00:00:00Z"`, gate.Ticket{}, true},
		{"no time", `"until":"tomorrow"`, gate.Ticket{}, true},
		{"year 1", `"until":"0001-01-01T00:00:00Z"`, gate.Ticket{}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			office := boxoffice.New(t, boxoffice.JSON(200, `{"code":"WEAK1","valid":true,`+tt.text+`}`))
			opts := options()
			opts.Zone = madrid
			ticket, err := source(t, config(office.URL), opts).Verify(t.Context(), show("WEAK1"))
			if tt.fails {
				unknown(t, "Verify", ticket, err, web.ErrTime)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got := gate.Ticket{ValidFrom: ticket.ValidFrom, ValidUntil: ticket.ValidUntil, FirstUse: ticket.FirstUse}
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("Verify = %+v, want %+v", got, tt.want)
			}
		})
	}
}

// TestItems: several valid items are one ticket.
func TestItems(t *testing.T) {
	cfg := config("")
	cfg.Answer.Shape = `{list: [{code: string, valid: bool, state: string?, audio: bool?, from: string?, until: string?, seats: int?, used: string?}]}`
	cfg.Decide.Select = `filter(body.list, .code == code)`
	item := func(more string) string { return `{"code":"WEAK1","valid":true` + more + `}` }
	tests := []struct {
		name, list string
		want       string
	}{
		{"none", ``, "unknown"},
		{"another one", `{"code":"WEAK12","valid":true}`, "unknown"},
		{"one of two", `{"code":"WEAK12","valid":true},` + item(`,"seats":2`), "1 2"},
		{"together", item(`,"seats":2,"until":"2026-07-03T00:00:00Z"`) + "," + item(`,"audio":true,"seats":4,"until":"2026-07-02T00:00:00Z"`), "2 4 2026-07-02"},
		{"one is refunded", item(``) + `,{"code":"WEAK1","valid":false,"state":"refunded"}`, "1 0"},
		{"all are refunded", `{"code":"WEAK1","valid":false,"state":"refunded"}`, "cancelled"},
		{"apart", item(`,"until":"2026-07-03T00:00:00Z"`) + "," + item(`,"from":"2026-07-04T00:00:00Z"`), "see_staff"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			office := boxoffice.New(t, boxoffice.JSON(200, `{"list":[`+tt.list+`]}`))
			cfg.Request.URL = office.URL + "/{code}"
			ticket, err := source(t, cfg, options()).Verify(t.Context(), show("WEAK1"))
			got := string(denied(err))
			if err == nil {
				got = fmt.Sprint(len(ticket.Buys), " ", ticket.Seats)
				if !ticket.ValidUntil.IsZero() {
					got += " " + ticket.ValidUntil.Format(time.DateOnly)
				}
			}
			if got != tt.want {
				t.Errorf("Verify = %q, %v, want %q", got, err, tt.want)
			}
		})
	}
}

// TestRefusals: a 400 with a body refuses for a known reason, and never admits.
func TestRefusals(t *testing.T) {
	for text, want := range map[string]gate.Reason{
		`{"error":"NOT_FOUND"}`: gate.ReasonUnknown, `{"error":"REFUNDED"}`: gate.ReasonCancelled, `{"error":"OVERLOADED"}`: "", `{"code":"WEAK1","valid":true}`: "",
		`{"error":7}`: "", ``: "", `<html>`: "",
	} {
		office := boxoffice.New(t, boxoffice.JSON(400, text))
		cfg := config(office.URL)
		cfg.Answer.Refusals, cfg.Answer.RefusalShape = []int{400}, `{error: string}`
		cfg.Decide.Refusals = []web.Reason{{When: `problem.error == "NOT_FOUND"`, Reason: gate.ReasonUnknown}, {When: `problem.error == "REFUNDED" && status == 400`, Reason: gate.ReasonCancelled}}
		ticket, err := source(t, cfg, options()).Verify(t.Context(), show("WEAK1"))
		if want == "" {
			unknown(t, "Verify with "+text, ticket, err, nil)
		} else if denied(err) != want {
			t.Errorf("Verify with %s = %v, %v, want %s", text, ticket, err, want)
		}
	}
}

// TestTotalTime: a new token and the question share the time of one.
func TestTotalTime(t *testing.T) {
	s := guardedSource(t, &guarded{life: 60}, false)
	var end time.Time
	web.OnToken(s, func(ctx context.Context) { end, _ = ctx.Deadline() })
	if _, err := s.Verify(t.Context(), show(strong)); err != nil {
		t.Fatal(err)
	}
	if limit := time.Now().Add(options().Outbound.Timeout); end.IsZero() || end.After(limit) {
		t.Errorf("a token is waited for until %v, want at most %v", end, limit)
	}
}

func TestNotIncluded(t *testing.T) {
	office := boxoffice.New(t, newLedger().answer)
	cfg := config(office.URL)
	cfg.Decide.Grants = cfg.Decide.Grants[1:]
	if _, err := source(t, cfg, options()).Verify(t.Context(), show(other)); denied(err) != gate.ReasonNotIncluded {
		t.Errorf("Verify = %v, want not_included", err)
	}
}
