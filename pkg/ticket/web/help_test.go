package web_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/ticket/outbound"
	"github.com/handstamp/handstamp/pkg/ticket/tickettest/boxoffice"
	"github.com/handstamp/handstamp/pkg/ticket/web"
)

var (
	noon   = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	secret = []byte("0123456789abcdef")
	castle = []gate.Product{{Attraction: "castle"}}
)

const (
	strong = "GOODTICKET4711CANARY"
	other  = "OTHERTICKET0815CANARY"
)

// A ledger is what a simple box office knows.
type ledger struct {
	mu      sync.Mutex
	tickets map[string]string // JSON by code
}

func newLedger() *ledger {
	return &ledger{tickets: map[string]string{
		strong:          fmt.Sprintf(`{"code":%q,"valid":true,"state":"ok","name":"García-Núñez","audio":true,"seats":3,"until":"2026-07-02T00:00:00Z"}`, strong),
		other:           fmt.Sprintf(`{"code":%q,"valid":true,"state":"ok"}`, other),
		"WEAK1":         `{"code":"WEAK1","valid":true,"state":"ok","name":"Smith"}`,
		"REFUNDED1":     `{"code":"REFUNDED1","valid":false,"state":"refunded"}`,
		"ODD1":          `{"code":"ODD1","valid":false,"state":"in a way nobody thought of"}`,
		"SOMETHINGELSE": `{"code":"NOTTHATONE","valid":true,"state":"ok"}`,
	}}
}

func (l *ledger) put(code, text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tickets[code] = text
}

func (l *ledger) answer(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	text, ok := l.tickets[strings.TrimPrefix(r.URL.Path, "/tickets/")]
	l.mu.Unlock()
	if !ok {
		boxoffice.Write(w, http.StatusNotFound, `{"error":"no such ticket"}`)
		return
	}
	boxoffice.Write(w, http.StatusOK, text)
}

// config asks a ledger.
func config(url string) web.Config {
	return web.Config{
		Request: web.Request{URL: url + "/tickets/{code}"},
		Answer:  web.Answer{Shape: `{code: string?, valid: bool, state: string?, name: string?, audio: bool?, seats: int?, from: string?, until: string?, used: string?}`},
		Decide: web.Decide{
			Echo: "item.code", Valid: "item.valid",
			Reasons: []web.Reason{{When: `item.state == "refunded"`, Reason: gate.ReasonCancelled}},
			Grants:  []web.Grant{{Attraction: "castle"}, {When: "item.audio", Attraction: "castle", Package: "audio"}},
			Seats:   "item.seats", From: "time(item.from)", Until: "timeEnd(item.until)", FirstUse: "time(item.used)",
		},
	}
}

func options() web.Options {
	return web.Options{Secret: secret, Now: func() time.Time { return noon }, Outbound: outbound.Options{Allow: boxoffice.Loopback, Timeout: 20 * time.Second}}
}

func source(t *testing.T, cfg web.Config, opts web.Options) *web.Source {
	t.Helper()
	s, err := web.New(cfg, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func show(code string) gate.Credential { return gate.Credential{Code: gate.Secret(code)} }

func named(code, surname string) gate.Credential {
	return gate.Credential{Code: gate.Secret(code), Factors: map[string]gate.Secret{"surname": gate.Secret(surname)}}
}

// denied returns the reason of a denial, or "" if err is none.
func denied(err error) gate.Reason {
	var d *gate.Denial
	if !errors.As(err, &d) {
		return ""
	}
	return d.Reason
}

// unknown checks that err says that nobody knows.
func unknown(t *testing.T, call string, ticket *gate.Ticket, err error, want error) {
	t.Helper()
	if ticket != nil || err == nil || denied(err) != "" || want != nil && !errors.Is(err, want) {
		t.Errorf("%s = %+v, %v, want a failure (%v) that is no denial", call, ticket, err, want)
	}
	if err != nil && strings.Contains(err.Error(), "CANARY") {
		t.Errorf("%s quotes: %v", call, err)
	}
}

func quote(s string) string {
	text, _ := json.Marshal(s)
	return string(text)
}
