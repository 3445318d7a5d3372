package pretix_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/ticket/outbound"
	"github.com/handstamp/handstamp/pkg/ticket/pretix"
)

// A shop is a real pretix, see test/pretix.sh. HANDSTAMP_PRETIX_SETUP names the
// file that says where it is.
type shop struct {
	URL, Organizer         string
	Admin, Scanner, Device gate.Secret
	Items, Variations      map[string]int64
	Lists                  map[string]int64
	Slot                   int64
	SlotFrom               time.Time `json:"slot_from"`
	SlotTo                 time.Time `json:"slot_to"`
	SlotAdmission          time.Time `json:"slot_admission"`
}

func realShop(t *testing.T) *shop {
	t.Helper()
	file := os.Getenv("HANDSTAMP_PRETIX_SETUP")
	if file == "" {
		t.Skip("HANDSTAMP_PRETIX_SETUP is not set: test/pretix.sh runs a pretix for it")
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s := &shop{}
	if err := json.Unmarshal(text, s); err != nil {
		t.Fatal(err)
	}
	return s
}

// do asks the API as the seller and wants one of the statuses.
func (s *shop) do(t *testing.T, method, path string, body any, want ...int) (status int, got map[string]any) {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, s.URL+"/api/v1/organizers/"+s.Organizer+path, bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Token "+s.Admin.Reveal())
	req.Header.Set("Content-Type", "application/json")
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, _ := io.ReadAll(resp.Body)
	_ = json.Unmarshal(answer, &got)
	for _, w := range want {
		if resp.StatusCode == w {
			return resp.StatusCode, got
		}
	}
	if len(want) > 0 {
		t.Fatalf("%s %s = %d %s, want %d", method, path, resp.StatusCode, answer, want)
	}
	return resp.StatusCode, got
}

// An order has been placed.
type order struct {
	code    string
	ids     []int64
	secrets []string
}

type fields = map[string]any

// order places one; top and positions override what an ordinary one has.
func (s *shop) order(t *testing.T, event string, top fields, positions ...fields) order {
	t.Helper()
	body := fields{"email": "ada@example.org", "locale": "en", "sales_channel": "web", "status": "p", "fees": []any{}, "payment_provider": "manual"}
	for k, v := range top {
		body[k] = v
	}
	for i, p := range positions {
		p["positionid"], p["price"] = i+1, "10.00"
		p["attendee_name_parts"] = fields{"full_name": "Ada Byron"}
	}
	body["positions"] = positions
	_, got := s.do(t, "POST", "/events/"+event+"/orders/", body, 201)
	o := order{code: got["code"].(string)}
	for _, p := range got["positions"].([]any) {
		o.ids = append(o.ids, int64(p.(map[string]any)["id"].(float64)))
		o.secrets = append(o.secrets, p.(map[string]any)["secret"].(string))
	}
	return o
}

func (s *shop) cancel(t *testing.T, event string, o order) {
	t.Helper()
	s.do(t, "POST", "/events/"+event+"/orders/"+o.code+"/mark_canceled/", fields{"send_email": false}, 200)
}

var (
	buysAudio   = []gate.Product{{Attraction: "castle", Package: "audio"}}
	buysPremium = []gate.Product{{Attraction: "castle", Package: "premium"}}
)

// open returns a Source for one event of the shop.
func (s *shop) open(t *testing.T, event, list string, change func(*pretix.Config, *pretix.Options)) *pretix.Source {
	t.Helper()
	cfg := pretix.Config{
		URL: s.URL, Organizer: s.Organizer, Token: s.Device, Device: true,
		Events: []pretix.Event{{Slug: event, List: s.Lists[list]}},
		Products: []pretix.Product{
			{Item: s.Items["entry"], Buys: buysAudio}, {Item: s.Items["audio"], Buys: buysPremium, Seats: 1},
			{Item: s.Items["family"], Buys: buysAudio, Seats: 2}, {Item: s.Items["family"], Variation: s.Variations["large"], Buys: buysAudio, Seats: 6},
			{Item: s.Items["slot"], Buys: buysAudio}, {Item: s.Items["signed"], Buys: buysAudio},
		},
	}
	client, err := outbound.New(outbound.Options{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Timeout: 20 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	opts := pretix.Options{Client: client, Secret: []byte("0123456789abcdef"), Refresh: -1}
	if change != nil {
		change(&cfg, &opts)
	}
	source, err := pretix.New(cfg, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { source.Close(); client.Close() })
	return source
}

// expect fails unless a code is refused for want; "" means that it is good.
func expect(t *testing.T, s *pretix.Source, what, code string, want gate.Reason) *gate.Ticket {
	t.Helper()
	ticket, err := s.Verify(t.Context(), credential(code))
	if reason(err) != want || (err == nil) != (want == "") {
		t.Errorf("%s: Verify = %+v, %v, want %q", what, ticket, err, want)
	}
	return ticket
}

func TestRealLookup(t *testing.T) {
	shop := realShop(t)
	tokens := map[string]func(*pretix.Config, *pretix.Options){
		"device":  nil,
		"team":    func(cfg *pretix.Config, _ *pretix.Options) { cfg.Token, cfg.Device = shop.Admin, false },
		"scanner": func(cfg *pretix.Config, _ *pretix.Options) { cfg.Token, cfg.Device = shop.Scanner, false },
	}
	entry := func(more ...any) fields {
		f := fields{"item": shop.Items["entry"]}
		for i := 0; i < len(more); i += 2 {
			f[more[i].(string)] = more[i+1]
		}
		return f
	}
	paid := shop.order(t, "museum", nil, entry(), entry())
	unpaid := shop.order(t, "museum", fields{"status": "n"}, entry())
	allowed := shop.order(t, "museum", fields{"status": "n", "valid_if_pending": true}, entry())
	approval := shop.order(t, "museum", fields{"status": "n", "require_approval": true}, entry())
	expired := shop.order(t, "museum", fields{"status": "n"}, entry())
	shop.do(t, "POST", "/events/museum/orders/"+expired.code+"/mark_expired/", fields{}, 200)
	cancelled := shop.order(t, "museum", nil, entry())
	shop.cancel(t, "museum", cancelled)
	stopped := shop.order(t, "museum", nil, entry())
	shop.do(t, "POST", fmt.Sprintf("/events/museum/orderpositions/%d/add_block/", stopped.ids[0]), fields{"name": "api:test"}, 200)
	other := shop.order(t, "museum", nil, fields{"item": shop.Items["parking"]})
	family := shop.order(t, "museum", nil, fields{"item": shop.Items["family"], "variation": shop.Variations["large"]})
	timed := shop.order(t, "museum", nil, entry("valid_from", "2026-01-01T00:00:00Z", "valid_until", "2036-01-01T12:30:00+01:00"))
	used := shop.order(t, "museum", nil, entry())
	shop.do(t, "POST", "/checkinrpc/redeem/", fields{"secret": used.secrets[0], "source_type": "barcode", "lists": []int64{shop.Lists["gate"]}, "type": "entry"}, 201)

	for name, change := range tokens {
		t.Run(name, func(t *testing.T) {
			s := shop.open(t, "museum", "gate", change)
			first, second := expect(t, s, "paid", paid.secrets[0], ""), expect(t, s, "paid", paid.secrets[1], "")
			if first != nil && second != nil && (first.Fingerprint(nil) == second.Fingerprint(nil) || !first.Proven || first.Ref == "" || !reflect.DeepEqual(first.Buys, buysAudio)) {
				t.Errorf("two positions of an order are %+v and %+v", first, second)
			}
			expect(t, s, "capitals", strings.ToUpper(paid.secrets[0]), "")
			expect(t, s, "unpaid", unpaid.secrets[0], gate.ReasonNotPaid)
			expect(t, s, "valid if pending", allowed.secrets[0], "")
			expect(t, s, "needs approval", approval.secrets[0], gate.ReasonNotPaid)
			expect(t, s, "expired", expired.secrets[0], gate.ReasonNotPaid)
			expect(t, s, "cancelled", cancelled.secrets[0], gate.ReasonCancelled)
			expect(t, s, "blocked", stopped.secrets[0], gate.ReasonBlocked)
			expect(t, s, "other product", other.secrets[0], gate.ReasonNotIncluded)
			if ticket := expect(t, s, "variation", family.secrets[0], ""); ticket != nil && ticket.Seats != 6 {
				t.Errorf("a family ticket has %d seats, want 6", ticket.Seats)
			}
			if ticket := expect(t, s, "times", timed.secrets[0], ""); ticket != nil && (!ticket.ValidFrom.Equal(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)) || !ticket.ValidUntil.Equal(time.Date(2036, 1, 1, 11, 30, 0, 0, time.UTC))) {
				t.Errorf("the ticket is good from %v until %v", ticket.ValidFrom, ticket.ValidUntil)
			}
			if ticket := expect(t, s, "used at the gate", used.secrets[0], ""); ticket != nil && (time.Since(ticket.FirstUse) > time.Hour || ticket.FirstUse.IsZero()) {
				t.Errorf("a used ticket has the first use %v", ticket.FirstUse)
			}
			// what the fuzzy search would find
			for _, code := range []string{paid.secrets[0][:31], paid.secrets[0][:8], paid.code + paid.code, "Ada Byron", "ada@example.org", "Byron-", strings.Repeat("2", 32), "%%%%%%%%", "' OR 1=1 --"} {
				expect(t, s, "search", code, gate.ReasonUnknown)
			}
			if err := s.Probe(t.Context()); err != nil {
				t.Errorf("Probe = %v", err)
			}
		})
	}
}

func TestRealAddOns(t *testing.T) {
	shop := realShop(t)
	with := func(n int) order {
		positions := []fields{{"item": shop.Items["entry"]}}
		for range n {
			positions = append(positions, fields{"item": shop.Items["audio"], "addon_to": 1})
		}
		return shop.order(t, "museum", nil, positions...)
	}
	both := append(append([]gate.Product{}, buysAudio...), buysPremium...)
	for name, change := range map[string]func(*pretix.Config, *pretix.Options){
		"device": func(cfg *pretix.Config, _ *pretix.Options) { cfg.AddOns = true },
		"scanner": func(cfg *pretix.Config, _ *pretix.Options) {
			cfg.AddOns, cfg.Token, cfg.Device = true, shop.Scanner, false
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := shop.open(t, "museum", "gate", change)
			for n, want := range map[int][]gate.Product{0: buysAudio, 1: both, 3: both} {
				o := with(n)
				ticket := expect(t, s, fmt.Sprint(n, " add-ons"), o.secrets[0], "")
				if ticket != nil && (!reflect.DeepEqual(ticket.Buys, want) || ticket.Seats != n) {
					t.Errorf("with %d add-ons a ticket buys %+v with %d seats, want %+v", n, ticket.Buys, ticket.Seats, want)
				}
				if n == 1 {
					if ticket := expect(t, s, "the add-on itself", o.secrets[1], ""); ticket != nil && !reflect.DeepEqual(ticket.Buys, buysPremium) {
						t.Errorf("an add-on buys %+v, want %+v", ticket.Buys, buysPremium)
					}
				}
			}
		})
	}
}

// A refund between two renewals bites, of the order and of a position alone.
func TestRealRefund(t *testing.T) {
	shop := realShop(t)
	s := shop.open(t, "museum", "gate", nil)
	whole := shop.order(t, "museum", nil, fields{"item": shop.Items["entry"]})
	part := shop.order(t, "museum", nil, fields{"item": shop.Items["entry"]}, fields{"item": shop.Items["entry"]})
	refs := map[string]string{}
	for _, code := range []string{whole.secrets[0], part.secrets[0], part.secrets[1]} {
		if ticket := expect(t, s, "paid", code, ""); ticket != nil {
			refs[code] = ticket.Ref
		}
	}
	again := func(when, code string, want gate.Reason) {
		t.Helper()
		ticket, err := s.Recheck(t.Context(), "", refs[code])
		if reason(err) != want || (err == nil) != (want == "") {
			t.Errorf("%s: Recheck = %+v, %v, want %q", when, ticket, err, want)
		}
	}
	again("before", whole.secrets[0], "")
	shop.cancel(t, "museum", whole)
	again("order cancelled", whole.secrets[0], gate.ReasonCancelled)
	shop.do(t, "DELETE", fmt.Sprintf("/events/museum/orderpositions/%d/", part.ids[1]), nil, 204)
	again("position cancelled", part.secrets[1], gate.ReasonCancelled)
	again("the other position", part.secrets[0], "")
	expect(t, s, "position cancelled", part.secrets[1], gate.ReasonUnknown)
	shop.do(t, "POST", "/events/museum/orders/"+whole.code+"/reactivate/", fields{}, 200)
	again("order reactivated", whole.secrets[0], "")
}

func TestRealSeries(t *testing.T) {
	shop := realShop(t)
	o := shop.order(t, "series", nil, fields{"item": shop.Items["slot"], "subevent": shop.Slot})
	ticket := expect(t, shop.open(t, "series", "series", nil), "slot", o.secrets[0], "")
	if ticket != nil && (!ticket.Terms.Slot.From.Equal(shop.SlotAdmission) || !ticket.Terms.Slot.Until.Equal(shop.SlotTo)) {
		t.Errorf("the slot is %+v, want from %v until %v", ticket.Terms.Slot, shop.SlotAdmission, shop.SlotTo)
	}
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	day := shop.open(t, "series", "series", func(cfg *pretix.Config, _ *pretix.Options) {
		cfg.Dates, cfg.Events[0].Zone = pretix.DatesDay, berlin
	})
	if ticket := expect(t, day, "day", o.secrets[0], ""); ticket != nil && ticket.Terms.Day != gate.DateOf(shop.SlotFrom.In(berlin)) {
		t.Errorf("the day is %v, want that of %v", ticket.Terms.Day, shop.SlotFrom)
	}
}

func TestRealRedeem(t *testing.T) {
	shop := realShop(t)
	on := func(list string, change func(*pretix.Config, *pretix.Options)) *pretix.Source {
		return shop.open(t, "museum", "gate", func(cfg *pretix.Config, opts *pretix.Options) {
			redeeming(cfg, opts)
			cfg.Events[0].Redeem = shop.Lists[list]
			if change != nil {
				change(cfg, opts)
			}
		})
	}
	entries := func(o order) (n int) {
		_, got := shop.do(t, "GET", "/events/museum/orders/"+o.code+"/", nil, 200)
		for _, p := range got["positions"].([]any) {
			n += len(p.(map[string]any)["checkins"].([]any))
		}
		return n
	}
	guide := on("guide", nil)
	if err := guide.Probe(t.Context()); err != nil {
		t.Errorf("Probe = %v", err)
	}
	if err := on("once", nil).Probe(t.Context()); err == nil {
		t.Error("Probe of a list that lets in once: no error")
	}
	withAudio := shop.order(t, "museum", nil, fields{"item": shop.Items["entry"]}, fields{"item": shop.Items["audio"], "addon_to": 1})
	first := expect(t, guide, "main ticket with an add-on of the list", withAudio.secrets[0], "")
	expect(t, guide, "again", withAudio.secrets[0], "")
	if n := entries(withAudio); n != 1 {
		t.Errorf("redeemed twice with one nonce: %d check-ins, want 1", n)
	}
	if first != nil {
		if _, err := guide.Recheck(t.Context(), "", first.Ref); err != nil || entries(withAudio) != 1 {
			t.Errorf("Recheck = %v, %d check-ins, want 1", err, entries(withAudio))
		}
	}
	plain := shop.order(t, "museum", nil, fields{"item": shop.Items["entry"]})
	expect(t, guide, "without the add-on", plain.secrets[0], gate.ReasonNotIncluded)
	expect(t, guide, "unknown", strings.Repeat("2", 32), gate.ReasonUnknown)

	single := shop.order(t, "museum", nil, fields{"item": shop.Items["entry"]})
	expect(t, on("once", nil), "first entry", single.secrets[0], "")
	other := func(cfg *pretix.Config, opts *pretix.Options) {
		opts.Secret = []byte("another secret, so another nonce")
	}
	expect(t, on("once", other), "within the re-entry window", single.secrets[0], "")
	expect(t, on("once", func(cfg *pretix.Config, opts *pretix.Options) { other(cfg, opts); opts.Reentry = -1 }), "no re-entry", single.secrets[0], gate.ReasonExpired)
	expect(t, on("ruled", nil), "rules", plain.secrets[0], gate.ReasonSeeStaff)
	late := shop.order(t, "museum", nil, fields{"item": shop.Items["entry"], "valid_from": "2035-01-01T00:00:00Z"})
	expect(t, on("once", nil), "not yet", late.secrets[0], gate.ReasonNotYetValid)
	over := shop.order(t, "museum", nil, fields{"item": shop.Items["entry"], "valid_until": "2020-01-01T00:00:00Z"})
	expect(t, on("once", nil), "over", over.secrets[0], gate.ReasonExpired)
}

// What pretix answers to those that the source would not redeem, and that the
// tests of redeeming take for granted.
func TestRealReasons(t *testing.T) {
	shop := realShop(t)
	entry := fields{"item": shop.Items["entry"]}
	copyOf := func(f fields) fields { return fields{"item": f["item"]} }
	ask := func(name, list, secret string, status int, reason string) {
		t.Helper()
		got, body := shop.do(t, "POST", "/checkinrpc/redeem/", fields{"secret": secret, "source_type": "barcode", "lists": []int64{shop.Lists[list]}, "type": "entry", "questions_supported": false, "nonce": "n"})
		if got != status || body["reason"] != reason || body["status"] != "error" {
			t.Errorf("%s: %d %v %v, want %d error %s", name, got, body["status"], body["reason"], status, reason)
		}
	}
	o := shop.order(t, "museum", nil, copyOf(entry))
	shop.cancel(t, "museum", o)
	ask("cancelled", "gate", o.secrets[0], 400, "canceled")
	ask("unpaid", "gate", shop.order(t, "museum", fields{"status": "n"}, copyOf(entry)).secrets[0], 400, "unpaid")
	ask("approval", "gate", shop.order(t, "museum", fields{"status": "n", "require_approval": true}, copyOf(entry)).secrets[0], 400, "unapproved")
	o = shop.order(t, "museum", nil, copyOf(entry))
	shop.do(t, "POST", fmt.Sprintf("/events/museum/orderpositions/%d/add_block/", o.ids[0]), fields{"name": "api:test"}, 200)
	ask("blocked", "gate", o.secrets[0], 400, "blocked")
	ask("unknown", "gate", strings.Repeat("3", 32), 404, "invalid")
	ask("product", "guide", shop.order(t, "museum", nil, copyOf(entry)).secrets[0], 400, "product")
	ask("rules", "ruled", shop.order(t, "museum", nil, copyOf(entry)).secrets[0], 400, "rules")
	two := shop.order(t, "museum", nil, copyOf(entry), fields{"item": shop.Items["audio"], "addon_to": 1}, fields{"item": shop.Items["audio"], "addon_to": 1})
	ask("ambiguous", "guide", two.secrets[0], 400, "ambiguous")
	o = shop.order(t, "signed", nil, fields{"item": shop.Items["signed"]})
	shop.cancel(t, "signed", o)
	ask("revoked", "signed", o.secrets[0], 400, "revoked")
	status, body := shop.do(t, "POST", "/checkinrpc/redeem/", fields{"secret": "x", "source_type": "barcode", "lists": []int64{99999}})
	if _, ok := body["lists"]; status != 400 || !ok {
		t.Errorf("a list that does not exist: %d %v, want 400 and lists", status, body)
	}
}

func TestRealOffline(t *testing.T) {
	shop := realShop(t)
	position := func(more fields) fields {
		f := fields{"item": shop.Items["signed"]}
		for k, v := range more {
			f[k] = v
		}
		return f
	}
	paid := shop.order(t, "signed", nil, position(nil))
	timed := shop.order(t, "signed", nil, position(fields{"valid_from": "2026-01-01T00:00:00Z", "valid_until": "2036-01-01T00:00:00Z"}))
	other := shop.order(t, "signed", nil, fields{"item": shop.Items["other"]})
	cancelled := shop.order(t, "signed", nil, position(nil))
	stopped := shop.order(t, "signed", nil, position(nil))
	s := shop.open(t, "signed", "signed", offline)
	if err := s.Probe(t.Context()); err != nil {
		t.Errorf("Probe = %v", err)
	}
	first := expect(t, s, "paid", paid.secrets[0], "")
	if ticket := expect(t, s, "times", timed.secrets[0], ""); ticket != nil && (ticket.ValidFrom.Year() != 2026 || ticket.ValidUntil.Year() != 2036) {
		t.Errorf("the ticket is good from %v until %v", ticket.ValidFrom, ticket.ValidUntil)
	}
	expect(t, s, "other product", other.secrets[0], gate.ReasonNotIncluded)
	expect(t, s, "not yet cancelled", cancelled.secrets[0], "")
	expect(t, s, "of another key", newSigner(0).code(payload(shop.Items["signed"], 0, 0, 0, 0)), gate.ReasonUnknown)
	expect(t, s, "tampered with", flip(t, paid.secrets[0], func(raw []byte) []byte { raw[17] ^= 1; return raw }), gate.ReasonUnknown)

	shop.cancel(t, "signed", cancelled)
	shop.do(t, "POST", fmt.Sprintf("/events/signed/orderpositions/%d/add_block/", stopped.ids[0]), fields{"name": "api:test"}, 200)
	shop.do(t, "PATCH", fmt.Sprintf("/events/signed/orderpositions/%d/", timed.ids[0]), fields{"valid_until": "2031-01-01T00:00:00Z"}, 200)
	if err := s.Reread(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	expect(t, s, "cancelled", cancelled.secrets[0], gate.ReasonReplaced)
	expect(t, s, "blocked", stopped.secrets[0], gate.ReasonBlocked)
	expect(t, s, "replaced", timed.secrets[0], gate.ReasonReplaced)
	expect(t, s, "still good", paid.secrets[0], "")
	shop.do(t, "POST", fmt.Sprintf("/events/signed/orderpositions/%d/remove_block/", stopped.ids[0]), fields{"name": "api:test"}, 200)
	if err := s.Reread(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	expect(t, s, "blocked no longer", stopped.secrets[0], "")
	shop.cancel(t, "signed", paid)
	if err := s.Reread(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	if first != nil {
		if _, err := s.Recheck(t.Context(), "", first.Ref); reason(err) != gate.ReasonReplaced {
			t.Errorf("Recheck after a refund = %v, want replaced", err)
		}
	}
	online := shop.open(t, "signed", "signed", nil)
	expect(t, online, "a signed code, looked up", other.secrets[0], gate.ReasonNotIncluded)
	expect(t, online, "a revoked code, looked up", paid.secrets[0], gate.ReasonUnknown)
}

// pretix calls, and what it says is looked up, not believed.
func TestRealWebhook(t *testing.T) {
	shop := realShop(t)
	changes := make(chan pretix.Change, 20)
	s := shop.open(t, "museum", "gate", func(_ *pretix.Config, opts *pretix.Options) { opts.Changed = func(c pretix.Change) { changes <- c } })
	h, err := s.Webhook(hookSecret)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(h)
	defer server.Close()
	_, hook := shop.do(t, "POST", "/webhooks/", fields{"enabled": true, "target_url": server.URL + "/hooks/" + hookSecret, "all_events": true, "limit_events": []string{},
		"action_types": []string{"pretix.event.order.canceled", "pretix.event.order.paid"}}, 201)
	defer shop.do(t, "DELETE", fmt.Sprintf("/webhooks/%v/", hook["id"]), nil, 204)
	o := shop.order(t, "museum", nil, fields{"item": shop.Items["entry"]})
	expect(t, s, "paid", o.secrets[0], "")
	shop.cancel(t, "museum", o)
	deadline := time.After(time.Minute)
	for {
		select {
		case c := <-changes:
			if c.Order != o.code {
				t.Errorf("told %+v, want the order %q", c, o.code)
			}
			if _, err := s.Verify(t.Context(), credential(o.secrets[0])); reason(err) == gate.ReasonCancelled {
				return
			} // else it was of the payment
		case <-deadline:
			t.Fatal("no webhook came within a minute")
		}
	}
}
