package httpapi_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/handstamp/handstamp/pkg/clientip"
	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/httpapi"
	"github.com/handstamp/handstamp/pkg/keyring"
	"github.com/handstamp/handstamp/pkg/throttle"
	"github.com/handstamp/handstamp/pkg/ticket/roll"
)

const floor = 400 * time.Millisecond

// quiet is no guard, for tests of other axes.
var quiet = throttle.Guard{Failures: 1e9}

// A hall is a site in virtual time: the real handler, but for the network.
type hall struct {
	*site
	throttle *throttle.Throttle
}

// inHall runs a test in a hall. The throttle is as limits says, and there is a
// floor without jitter, so that times are exact.
func inHall(t *testing.T, limits throttle.Options, test func(t *testing.T, h *hall), change ...func(*hall)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := &hall{site: &site{now: noon, runs: time.Now(), keyType: keyring.ECDSA, url: "https://media.example.org"}, throttle: throttle.New(limits)}
		h.opts = httpapi.Options{PublicOrigin: h.url, TrustedOrigins: []string{trustedOrigin}, Now: h.clock, Log: slog.New(slog.NewJSONHandler(&h.log, nil)),
			Throttle: h.throttle, Key: []byte("sixteen bytes and more"), Canonical: canonical, Client: clientip.New(nil).Of, Floor: floor}
		for _, f := range change {
			f(h)
		}
		h.gate = h.keeper(t)
		api, err := httpapi.New(h.gate, places(), h.opts)
		if err != nil {
			t.Fatal(err)
		}
		h.api = api
		test(t, h)
		synctest.Wait()
	})
}

// A guest is a device at an address, with the cookies that it was given.
type guest struct {
	h    *hall
	addr string
	jar  map[string]string // of the API
}

func (h *hall) guest(addr string) *guest { return &guest{h: h, addr: addr, jar: map[string]string{}} }

// ask sends a request and keeps the cookies of the answer. Headers come in pairs.
func (g *guest) ask(method, path, body string, headers ...string) (*reply, time.Duration) {
	r := httptest.NewRequest(method, g.h.url+path, strings.NewReader(body))
	r.RequestURI = path
	r.RemoteAddr = netip.AddrPortFrom(netip.MustParseAddr(g.addr), 4000).String()
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	for name, value := range g.jar {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	start := time.Now()
	w := httptest.NewRecorder()
	g.h.api.ServeHTTP(w, r)
	got := &reply{status: w.Code, header: w.Header(), body: w.Body.Bytes(), cookies: w.Result().Cookies()}
	for _, c := range got.cookies {
		switch {
		case !strings.Contains(c.Name, "handstamp"):
		case c.MaxAge < 0:
			delete(g.jar, c.Name)
		default:
			g.jar[c.Name] = c.Value
		}
	}
	return got, time.Since(start)
}

// show shows a ticket.
func (g *guest) show(code string, headers ...string) (*reply, time.Duration) {
	return g.ask(http.MethodPost, verifyPath, fmt.Sprintf(`{"ticket":%q}`, code), headers...)
}

func (g *guest) showAt(attraction, code string) (*reply, time.Duration) {
	return g.ask(http.MethodPost, verifyPath, fmt.Sprintf(`{"ticket":%q,"attraction":%q}`, code, attraction))
}

func (g *guest) renew(headers ...string) *reply {
	r, _ := g.ask(http.MethodPost, renewPath, "", headers...)
	return r
}

// insist shows a ticket at the castle as apps do, coming back when Retry-After says so. It
// returns how often it was shown and when it was good or refused.
func (g *guest) insist(t *testing.T, code string) (last *reply, tries int, took time.Duration) {
	t.Helper()
	start := time.Now()
	for tries = 1; ; tries++ {
		last, _ = g.showAt("castle", code)
		if last.status != http.StatusTooManyRequests || tries == 100 {
			return last, tries, time.Since(start)
		}
		time.Sleep(last.retryAfter(t))
	}
}

func (r *reply) retryAfter(t *testing.T) time.Duration {
	t.Helper()
	seconds, err := strconv.Atoi(r.header.Get("Retry-After"))
	if err != nil || seconds < 1 {
		t.Fatalf("Retry-After %q of %d, want seconds", r.header.Get("Retry-After"), r.status)
	}
	return time.Duration(seconds) * time.Second
}

// address returns the nth of many addresses, all networks of their own.
func address(n int) string {
	return netip.AddrFrom4([4]byte{198, byte(18 + n>>16), byte(n >> 8), byte(n)}).String()
}

// revoke takes a ticket of the list back.
func (h *hall) revoke(t *testing.T, code string) {
	t.Helper()
	normal, _, _ := canonical(code)
	ticket := gate.Ticket{Source: "list", Kind: roll.Kind, Normal: gate.Secret(normal)}
	if _, err := h.gate.Revoke(t.Context(), gate.Target{Kind: gate.TargetTicket, Ticket: ticket.Fingerprint([]byte("pepper"))}); err != nil {
		t.Fatal(err)
	}
}

// count shows wrong codes one after the other, the nth as asked says, and
// returns how many were looked up.
func count(t *testing.T, n int, show func(i int) *reply) (asked int, last *reply) {
	t.Helper()
	for i := range n {
		last = show(i)
		switch last.status {
		case http.StatusForbidden:
			asked++
		case http.StatusTooManyRequests:
		default:
			t.Fatalf("wrong code %d = %d %s, want 403 or 429", i, last.status, last.body)
		}
	}
	return asked, last
}
