package web_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/ticket/tickettest/boxoffice"
	"github.com/handstamp/handstamp/pkg/ticket/web"
)

// A contract is a preset with an API like the documented one.
type contract struct {
	preset string
	auth   web.Auth
	grants []web.Grant
	api    http.HandlerFunc
	asks   string // "METHOD path?query body" for the code CODE
	cases  []contractCase
}

// A contractCase is one ticket of that API.
type contractCase struct {
	code, answer string
	status       int         // 0 means 200
	want         gate.Reason // "" means a ticket, "?" that nobody knows
	buys         int         // 0 means 1
	seats        int
	firstUse     string
	slot, day    string
}

// api answers by the code that is found in a request.
func api(t *testing.T, cases []contractCase, codeOf func(*http.Request) string, missing func(http.ResponseWriter)) http.HandlerFunc {
	t.Helper()
	return func(w http.ResponseWriter, r *http.Request) {
		code := codeOf(r)
		for _, c := range cases {
			if c.code == code && c.answer != "" {
				boxoffice.Write(w, max(c.status, 200*btoi(c.status == 0)), strings.ReplaceAll(c.answer, "CODE", code))
				return
			}
		}
		missing(w)
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// field returns a string of a JSON body.
func field(r *http.Request, path ...string) string {
	body, _ := io.ReadAll(r.Body)
	var tree any
	_ = json.Unmarshal(body, &tree)
	for _, name := range path {
		switch v := tree.(type) {
		case map[string]any:
			tree = v[name]
		case []any:
			tree = v[0]
		}
	}
	text, _ := tree.(string)
	return text
}

func none(status int, text string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) { boxoffice.Write(w, status, text) }
}

// contracts has an API for every preset, after its documentation. Codes and
// people in it are made up.
func contracts(t *testing.T) []contract {
	return []contract{ventrataContract(t), goCityContract(t), anyRoadContract(t), paciolanContract(t), secuTixContract(t)}
}

func ventrataContract(t *testing.T) contract {
	booking := func(more string) string {
		return `[{"id":"b1","uuid":"a8c58d9b-5a1e-4c4f-8a3e-6f2f4c1f0001","productId":"castle-tour","redeemable":true,"contact":{"fullName":"Visitor"},` + more + `}]`
	}
	timed := `"availability":{"id":"x","localDateTimeStart":"2026-07-01T11:30:00+02:00","localDateTimeEnd":"2026-07-01T13:00:00+02:00","allDay":false,"openingHours":[]}`
	units := `"unitItems":[{"unitId":"adult","supplierReference":"U1","ticket":{"deliveryOptions":[{"deliveryFormat":"QRCODE","deliveryValue":"UNIT-QR-1"}]}},{"unitId":"audioguide","ticket":null}]`
	cases := []contractCase{
		{code: "HTA89203", answer: booking(`"status":"CONFIRMED","redemptionCode":"R1","supplierReference":"CODE",` + timed + "," + units), buys: 2, seats: 2, slot: "2026-07-01T09:30:00Z"},
		{code: "REF-2026-001", answer: booking(`"status":"REDEEMED","redeemable2":false,"redemptionCode":"CODE","utcRedeemedAt":"2026-07-01T08:00:00Z"`), firstUse: "2026-07-01T08:00:00Z"},
		{code: "UNIT-QR-1", answer: booking(`"status":"CONFIRMED","utcRedeemedAt":null,` + units), buys: 2, seats: 2},
		{code: "VOUCHER1", answer: booking(`"status":"CONFIRMED","voucher":{"deliveryOptions":[{"deliveryFormat":"QRCODE","deliveryValue":"voucher1"}]},"availability":{"localDateTimeStart":"2026-07-01T00:00:00+02:00","localDateTimeEnd":"2026-07-02T00:00:00+02:00","allDay":true}`), day: "2026-07-01"},
		{code: "GONE01", answer: booking(`"status":"CANCELLED","supplierReference":"CODE"`), want: gate.ReasonCancelled},
		{code: "LATE01", answer: booking(`"status":"EXPIRED","supplierReference":"CODE"`), want: gate.ReasonExpired},
		{code: "HELD01", answer: booking(`"status":"ON_HOLD","supplierReference":"CODE"`), want: gate.ReasonNotPaid},
		{code: "NEVER01", answer: booking(`"status":"NO_SHOW","supplierReference":"CODE"`), want: gate.ReasonSeeStaff},
		{code: "FUZZY1", answer: booking(`"status":"CONFIRMED","supplierReference":"FUZZY12"`), want: "?"},
		{code: "PRODUCT2", answer: strings.Replace(booking(`"status":"CONFIRMED","supplierReference":"CODE"`), "castle-tour", "boat-tour", 1), want: gate.ReasonNotIncluded},
		{code: "ERROR1", status: 400, answer: `{"error":"UNAUTHORIZED","errorMessage":"no"}`, want: "?"},
		{code: "NOTHING1", want: gate.ReasonUnknown},
	}
	return contract{
		preset: "ventrata", auth: web.Auth{Bearer: "k"}, cases: cases, asks: "GET /octo/redemption/lookup?reference=CODE ",
		grants: []web.Grant{
			{When: `item.productId == "castle-tour"`, Attraction: "castle"},
			{When: `any(item.unitItems, .unitId == "audioguide")`, Attraction: "castle", Package: "audio"},
		},
		api: api(t, cases, func(r *http.Request) string {
			if r.Header.Get("Octo-Capabilities") != "octo/redemption" || r.Header.Get("Authorization") != "Bearer k" {
				return ""
			}
			return r.FormValue("reference")
		}, none(200, `[]`)),
	}
}

func goCityContract(t *testing.T) contract {
	cases := []contractCase{
		{code: "10000000001", answer: `{"status":"SUCCESS","passNumber":"CODE","passType":"ALL_INCLUSIVE","customerType":"Adult","offerList":[{"offerId":"o1","offerName":"General Admission","status":"SUCCESS"}]}`, seats: 1},
		{code: "10000000002", answer: `{"passNumber":CODE,"offerList":[]}`, want: gate.ReasonNotIncluded},
		{code: "10000000003", answer: `{"passNumber":"CODE","offerList":[{"offerId":"o1","status":"EXPIRED"}]}`, want: gate.ReasonSeeStaff},
		{code: "10000000004", answer: `{"passNumber":"10000000001","offerList":[{"offerId":"o1","status":"SUCCESS"}]}`, want: "?"},
		{code: "10000000005", want: gate.ReasonUnknown},
		{code: "10000000006", status: 400, answer: `{"errorType":"BAD_TERMINAL"}`, want: "?"},
	}
	return contract{
		preset: "gocity", auth: web.Auth{Basic: &web.Basic{User: "terminal01", Password: "p"}}, cases: cases, asks: "GET /omniscan/terminal/passes/v1/CODE ",
		grants: []web.Grant{{Attraction: "castle"}},
		api: api(t, cases, func(r *http.Request) string {
			if user, _, _ := r.BasicAuth(); user != "terminal01" {
				return ""
			}
			return strings.TrimPrefix(r.URL.Path, "/omniscan/terminal/passes/v1/")
		}, none(400, `{"errorType":"RESOURCE_NOT_FOUND","error":"Unable to get pass for confirmationCode"}`)),
	}
}

func anyRoadContract(t *testing.T) contract {
	item := func(more string) string {
		return `{"url":"u","next_url":"","items":[{"type":"guest","qr_code":"CODE","experience":"castle","guest":"g1","id":"t1"` + more + `}]}`
	}
	cases := []contractCase{
		{code: "Qr/aB+1==", answer: item(`,"time_slot":{"local_datetime_start":"2026-07-01T11:30:00Z","local_datetime_end":"2026-07-01T13:00:00Z"},"scans":[]`), slot: "2026-07-01T09:30:00Z"},
		{code: "Scanned1", answer: item(`,"time_slot":null,"scans":[{"device":"d","scanned_at":"2026-07-01T09:00:00Z"},{"device":"d","scanned_at":"2026-07-01T08:00:00Z"}]`), firstUse: "2026-07-01T08:00:00Z"},
		{code: "Cancelled1", status: 400, answer: `{"type":"https://example.com/error-type","title":"The booking associated with the ticket has been canceled","status":400,"code":"booking_canceled"}`, want: gate.ReasonCancelled},
		{code: "Odd1", status: 400, answer: `{"type":"https://example.com/error-type","title":"Incorrect parameters provided","status":400,"code":"limit_out_of_range"}`, want: "?"},
		{code: "Empty1", answer: `{"items":[]}`, want: gate.ReasonUnknown},
		{code: "scanned1", answer: strings.ReplaceAll(item(``), "CODE", "Scanned1"), want: "?"},
		{code: "Nothing1", want: gate.ReasonUnknown},
	}
	return contract{
		preset: "anyroad", auth: web.Auth{Bearer: "k"}, cases: cases, asks: `POST /tickets/verify {"qr_code": "CODE"}`,
		grants: []web.Grant{{When: `item.experience == "castle" || item.experience == ""`, Attraction: "castle"}},
		api:    api(t, cases, func(r *http.Request) string { return field(r, "qr_code") }, none(404, `{"title":"not found"}`)),
	}
}

func paciolanContract(t *testing.T) contract {
	cases := []contractCase{
		{code: "123456789012", answer: `{"tickets":[{"barcode":"CODE","eventId":"F01","validateCode":"VALID","patron":{"name":"Visitor"}}]}`},
		{code: "123456789013", answer: `{"tickets":[{"barcode":"123456789012","validateCode":"VALID"}]}`, want: "?"},
		{code: "123456789014", answer: `{"tickets":[{"barcode":"CODE","validateCode":"VOIDED"}]}`, want: gate.ReasonSeeStaff},
		{code: "123456789015", answer: `{"tickets":[]}`, want: gate.ReasonUnknown},
		{code: "123456789016", status: 409, answer: `{"error":{"type":"CONFLICT"}}`, want: "?"},
		{code: "123456789017", status: 403, answer: `{"error":{"type":"EXPIRED"}}`, want: "?"},
		{code: "123456789018", want: gate.ReasonUnknown},
	}
	return contract{
		preset: "paciolan", auth: web.Auth{Bearer: "k", Header: []web.Field{{Name: "PAC-API-Key", Value: "k2"}}}, cases: cases,
		asks: `POST /v1/tickets/verify {"tickets": {"barcodes": ["CODE"]}}`, grants: []web.Grant{{Attraction: "castle"}},
		api: api(t, cases, func(r *http.Request) string {
			if len(r.Header.Get("Request-ID")) != 36 || r.Header.Get("PAC-API-Key") != "k2" {
				return ""
			}
			return field(r, "tickets", "barcodes", "0")
		}, none(404, `{}`)),
	}
}

func secuTixContract(t *testing.T) contract {
	data := func(more string) string {
		return `{"requestId":1,"statusCode":"OK","statusDetail":null,"controlledTicketData":{"barcode":"CODE","containerTicket":false,` + more + `}}`
	}
	cases := []contractCase{
		{code: "80012345", answer: data(`"state":"VALID","controlOperations":[]`)},
		{code: "80012346", answer: data(`"state":"VALID","controlOperations":[{"controlOperationType":"FAIL","operationDateTime":1782880000000},{"controlOperationType":"OK","operationDateTime":1782900000000}]`), firstUse: "2026-07-01T10:00:00Z"},
		{code: "80012347", answer: data(`"state":"CANCELLED","controlOperations":null`), want: gate.ReasonCancelled},
		{code: "80012348", answer: data(`"state":"VALID","controlOperations":[{"controlOperationType":"INVALIDATED_TICKET","operationDateTime":"2026-07-01T10:00:00"}]`), want: gate.ReasonReplaced},
		{code: "80012349", answer: `{"requestId":1,"statusCode":"NOTFOUND","controlledTicketData":null}`, want: gate.ReasonUnknown},
		{code: "80012350", answer: strings.ReplaceAll(data(`"state":"VALID"`), "CODE", "80012345"), want: "?"},
		{code: "TAX77", answer: strings.ReplaceAll(data(`"taxNumber":"TAX77","state":"VALID"`), "CODE", "80012345")},
		{code: "80012351", status: 500, answer: `{}`, want: "?"},
	}
	return contract{
		preset: "secutix", auth: web.Auth{Basic: &web.Basic{User: "gate", Password: "p"}}, cases: cases,
		asks:   `POST /tnci/backend-apis/externalAccessControlService/v1_6/getControlledTicket {"requestId": 1, "barCodeOrTaxNumber": "CODE"}`,
		grants: []web.Grant{{Attraction: "castle"}},
		api:    api(t, cases, func(r *http.Request) string { return field(r, "barCodeOrTaxNumber") }, none(500, `{}`)),
	}
}

func TestPresets(t *testing.T) {
	madrid, err := time.LoadLocation("Europe/Madrid")
	if err != nil {
		t.Fatal(err)
	}
	covered := map[string]bool{}
	for _, c := range contracts(t) {
		covered[c.preset] = true
		t.Run(c.preset, func(t *testing.T) {
			office := boxoffice.New(t, c.api)
			cfg, err := web.Preset(c.preset)
			if err != nil {
				t.Fatal(err)
			}
			_, path, _ := strings.Cut(strings.TrimPrefix(cfg.Request.URL, "https://"), "/")
			cfg.Request.URL, cfg.Auth, cfg.Decide.Grants = office.URL+"/"+path, c.auth, c.grants
			opts := options()
			opts.Zone = madrid
			s := source(t, cfg, opts)
			if s.Effect() != web.Read {
				t.Errorf("the preset consumes tickets")
			}
			for _, tt := range c.cases {
				ticket, err := s.Verify(t.Context(), show(tt.code))
				if problem := tt.check(ticket, err); problem != "" {
					t.Errorf("Verify(%s) = %+v, %v, want %s", tt.code, ticket, err, problem)
				}
			}
			r := office.Requests()[0]
			got := fmt.Sprintf("%s %s %s", r.Method, r.URI, r.Body)
			if want := strings.ReplaceAll(c.asks, "CODE", c.cases[0].code); strings.TrimSpace(strings.ReplaceAll(got, "  ", " ")) != strings.TrimSpace(want) {
				t.Errorf("was asked %q, want %q", got, want)
			}
		})
	}
	for _, name := range web.Presets() {
		if !covered[name] {
			t.Errorf("preset %q has no contract", name)
		}
	}
	if _, err := web.Preset("nobody"); err == nil || !strings.Contains(err.Error(), "ventrata") {
		t.Errorf("Preset(nobody) = %v, want the known ones", err)
	}
}

// check returns what is not as it should be.
func (c contractCase) check(ticket *gate.Ticket, err error) string {
	stamp := func(at time.Time) string {
		if at.IsZero() {
			return ""
		}
		return at.UTC().Format(time.RFC3339)
	}
	switch {
	case c.want == "?" && (err == nil || denied(err) != ""):
		return "a failure that is no denial"
	case c.want == "?":
		return ""
	case denied(err) != c.want, (err == nil) != (c.want == ""):
		return fmt.Sprintf("%q", c.want)
	case err != nil:
		return ""
	case len(ticket.Buys) != max(1, c.buys), ticket.Seats != c.seats:
		return fmt.Sprintf("%d products, %d seats", max(1, c.buys), c.seats)
	case stamp(ticket.FirstUse) != c.firstUse, stamp(ticket.Terms.Slot.From) != c.slot:
		return fmt.Sprintf("first use %q, slot %q", c.firstUse, c.slot)
	case c.day != "" && ticket.Terms.Day.String() != c.day, c.day == "" && !ticket.Terms.Day.IsZero():
		return "day " + c.day
	}
	return ""
}

// TestPresetsMisbehaving: none of them is fooled.
func TestPresetsMisbehaving(t *testing.T) {
	for _, c := range contracts(t) {
		office := boxoffice.New(t, c.api)
		cfg, err := web.Preset(c.preset)
		if err != nil {
			t.Fatal(err)
		}
		_, path, _ := strings.Cut(strings.TrimPrefix(cfg.Request.URL, "https://"), "/")
		cfg.Request.URL, cfg.Auth, cfg.Decide.Grants = office.URL+"/"+path, c.auth, c.grants
		s := source(t, cfg, options())
		for _, fault := range boxoffice.Faults() {
			if fault.Slow || fault.Name == boxoffice.Endless.Name {
				continue // the same for all
			}
			office.Misbehave(fault)
			ticket, err := s.Verify(t.Context(), show(c.cases[0].code))
			if ticket != nil || err == nil || denied(err) != "" {
				t.Errorf("%s %s: Verify = %+v, %v, want a failure that is no denial", c.preset, fault.Name, ticket, err)
			}
		}
	}
}
