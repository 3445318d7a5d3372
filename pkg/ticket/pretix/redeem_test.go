package pretix_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/ticket/pretix"
)

// Every answer of ticketing's table: reason, HTTP status, what the viewer gets.
func TestRedeemReasons(t *testing.T) {
	tests := []struct {
		status, reason string
		http           int
		want           gate.Reason // empty means nobody knows
	}{
		{"incomplete", "", 400, ""},
		{"exchange", "exchange", 400, gate.ReasonSeeStaff},
		{"error", "invalid", 404, gate.ReasonUnknown},
		{"error", "unpaid", 400, gate.ReasonNotPaid},
		{"error", "unapproved", 400, gate.ReasonNotPaid},
		{"error", "canceled", 400, gate.ReasonCancelled},
		{"error", "canceled", 200, gate.ReasonCancelled}, // as documented
		{"error", "revoked", 400, gate.ReasonReplaced},
		{"error", "blocked", 400, gate.ReasonBlocked},
		{"error", "invalid_time", 400, gate.ReasonExpired},
		{"error", "product", 400, gate.ReasonNotIncluded},
		{"error", "rules", 400, gate.ReasonSeeStaff},
		{"error", "ambiguous", 400, gate.ReasonSeeStaff},
		{"error", "already_exchanged", 400, gate.ReasonSeeStaff},
		{"error", "medium_invalid", 400, gate.ReasonSeeStaff},
		{"error", "medium_exists", 400, gate.ReasonSeeStaff},
		{"error", "a_reason_of_2030", 400, gate.ReasonSeeStaff},
		{"error", "error", 400, ""},
		{"error", "error", 500, ""},
		{"error", "canceled", 500, ""},
		{"error", "canceled", 403, ""},
		{"error", "", 429, ""},
		{"ok", "", 200, ""}, // pretix creates a check-in, so 201
		{"ok", "", 400, ""},
		{"OK", "", 201, ""},
		{"", "", 201, ""},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.status, " ", tt.reason, " ", tt.http), func(t *testing.T) {
			f := stock(t)
			f.redeem = func(w http.ResponseWriter, _ map[string]any) bool {
				answer(w, tt.http, map[string]any{"status": tt.status, "reason": tt.reason, "reason_explanation": "because", "position": f.find(good).json()})
				return true
			}
			ticket, err := f.open(t, redeeming).Verify(t.Context(), credential(good))
			if ticket != nil || err == nil || reason(err) != tt.want {
				t.Errorf("Verify = %+v, %v, want %q", ticket, err, tt.want)
			}
		})
	}
}

func TestRedeemBadRequest(t *testing.T) {
	f := stock(t)
	for _, body := range []string{`{"lists":["Invalid pk \"9\" - object does not exist."]}`, `{"detail":"Not found."}`, `<html>`} {
		f.redeem = func(w http.ResponseWriter, _ map[string]any) bool {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, body)
			return true
		}
		if ticket, err := f.open(t, redeeming).Verify(t.Context(), credential(good)); ticket != nil || err == nil || reason(err) != "" {
			t.Errorf("Verify, answered %s = %+v, %v, want an error that is no denial", body, ticket, err)
		}
	}
}

func TestInvalidTime(t *testing.T) {
	f := stock(t)
	f.find(good).from = "2026-07-02T00:00:00Z"
	f.redeem = func(w http.ResponseWriter, _ map[string]any) bool {
		answer(w, 400, map[string]any{"status": "error", "reason": "invalid_time"})
		return true
	}
	if _, err := f.open(t, redeeming).Verify(t.Context(), credential(good)); reason(err) != gate.ReasonNotYetValid {
		t.Errorf("Verify(ticket for tomorrow) = %v, want not yet valid", err)
	}
}

func TestAlreadyRedeemed(t *testing.T) {
	tests := []struct {
		last    string
		reentry time.Duration
		want    gate.Reason // empty means in
	}{
		{"2026-07-01T08:00:00Z", 0, ""},
		{"2026-06-30T12:00:01Z", 0, ""},
		{"2026-06-30T12:00:00Z", 0, gate.ReasonExpired},
		{"2026-07-01T11:00:00Z", 30 * time.Minute, gate.ReasonExpired},
		{"2026-07-01T11:59:00Z", -1, gate.ReasonExpired},
	}
	for _, tt := range tests {
		f := stock(t)
		f.redeem = func(w http.ResponseWriter, _ map[string]any) bool {
			p := *f.find(good)
			p.checkins = []map[string]any{{"list": 1, "type": "entry", "datetime": tt.last}, {"list": 1, "type": "exit", "datetime": "2026-07-01T11:59:59Z"}}
			answer(w, 400, map[string]any{"status": "error", "reason": "already_redeemed", "position": p.json()})
			return true
		}
		s := f.open(t, func(cfg *pretix.Config, opts *pretix.Options) { redeeming(cfg, opts); opts.Reentry = tt.reentry })
		ticket, err := s.Verify(t.Context(), credential(good))
		if (err == nil) != (tt.want == "") || reason(err) != tt.want {
			t.Errorf("Verify, let in at %s, re-entry %v = %+v, %v, want %q", tt.last, tt.reentry, ticket, err, tt.want)
		}
	}
}

// A request that comes again has the same nonce, on another day another one.
func TestNonce(t *testing.T) {
	f := stock(t)
	var nonces []string
	f.redeem = func(_ http.ResponseWriter, body map[string]any) bool {
		nonces = append(nonces, body["nonce"].(string))
		if body["type"] != "entry" || body["source_type"] != "barcode" || body["questions_supported"] != false || fmt.Sprint(body["lists"]) != "[1]" || body["force"] != nil {
			t.Errorf("redeemed with %v", body)
		}
		return false
	}
	now := noon
	s := f.open(t, func(cfg *pretix.Config, opts *pretix.Options) {
		redeeming(cfg, opts)
		opts.Now = func() time.Time { return now }
	})
	for i, code := range []string{good, good, family, good} {
		if i == 3 {
			now = now.Add(24 * time.Hour)
		}
		if _, err := s.Verify(t.Context(), credential(code)); err != nil {
			t.Fatal(err)
		}
	}
	if nonces[0] != nonces[1] || nonces[0] == nonces[2] || nonces[0] == nonces[3] || strings.Contains(nonces[0], good[:6]) {
		t.Errorf("nonces of one ticket twice, another, and the next day: %q", nonces)
	}
}

// A code that is not known is not redeemed: every try would leave a row in the
// seller's log. Nor is one that is refused anyway, nor at a re-check.
func TestRedeemsOnlyGoodTickets(t *testing.T) {
	f := stock(t)
	s := f.open(t, redeeming)
	for _, code := range []string{nobody, cancelled, blocked, unpaid, parking} {
		if _, err := s.Verify(t.Context(), credential(code)); reason(err) == "" {
			t.Errorf("Verify = %v, want a denial", err)
		}
	}
	for _, r := range f.requests() {
		if strings.HasPrefix(r, "POST") {
			t.Errorf("asked %q", r)
		}
	}
	first, err := s.Verify(t.Context(), credential(good))
	if err != nil {
		t.Fatal(err)
	}
	before := len(f.requests())
	if _, err := s.Recheck(t.Context(), "", first.Ref); err != nil {
		t.Fatal(err)
	}
	for _, r := range f.requests()[before:] {
		if !strings.HasPrefix(r, "GET ") {
			t.Errorf("Recheck asked %q", r)
		}
	}
}

// With addon_match pretix redeems an add-on of the ticket that was shown.
func TestRedeemAddOn(t *testing.T) {
	tests := []struct {
		name string
		seat seat
		good bool
	}{
		{"its add-on", seat{id: 99, item: 2, order: "ORD00", addOnTo: 11, secret: "addonaddonaddon"}, true},
		{"another's add-on", seat{id: 99, item: 2, order: "ORD00", addOnTo: 12, secret: "addonaddonaddon"}, false},
		{"of another order", seat{id: 99, item: 2, order: "ORD01", addOnTo: 11, secret: "addonaddonaddon"}, false},
		{"another ticket", seat{id: 12, item: 4, order: "ORD01", secret: family}, false},
		{"another secret", seat{id: 11, item: 1, order: "ORD00", secret: family}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := stock(t)
			f.redeem = func(w http.ResponseWriter, _ map[string]any) bool {
				answer(w, 201, map[string]any{"status": "ok", "position": tt.seat.json()})
				return true
			}
			ticket, err := f.open(t, redeeming).Verify(t.Context(), credential(good))
			if tt.good != (err == nil) || reason(err) != "" {
				t.Errorf("Verify = %+v, %v, want good %v", ticket, err, tt.good)
			}
		})
	}
}
