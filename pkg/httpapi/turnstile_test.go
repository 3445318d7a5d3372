package httpapi_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/clientip"
	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/throttle"
)

// What is counted, and against whom.
func TestWhatIsCounted(t *testing.T) {
	deny := func(reason gate.Reason, proven bool) error { return &gate.Denial{Reason: reason, Proven: proven} }
	tests := []struct {
		name string
		says error // the source; nil means yes
		want throttle.Stats
	}{
		{"good", nil, throttle.Stats{Succeeded: 1}},
		{"unknown", deny(gate.ReasonUnknown, false), throttle.Stats{Failed: 1}},
		{"unknown, says the source to its holder", deny(gate.ReasonUnknown, true), throttle.Stats{Failed: 1}},
		{"malformed", deny(gate.ReasonMalformed, false), throttle.Stats{Failed: 1}},
		{"expired", deny(gate.ReasonExpired, false), throttle.Stats{Failed: 1}},
		{"expired, and proven", deny(gate.ReasonExpired, true), throttle.Stats{Cancelled: 1}},
		{"seats taken, and proven", deny(gate.ReasonSeatsTaken, true), throttle.Stats{Cancelled: 1}},
		{"nobody knows", errDown, throttle.Stats{Cancelled: 1}},
		{"another request", gate.ErrOtherRequest, throttle.Stats{Cancelled: 1}},
	}
	for _, tt := range tests {
		inHall(t, throttle.Options{}, func(t *testing.T, h *hall) {
			h.verify = func(gate.Credential) error { return tt.says }
			h.guest(address(0)).show(weakCode)
			got := h.throttle.Snapshot()
			if got.Allowed != 1 || got.Failed != tt.want.Failed || got.Succeeded != tt.want.Succeeded || got.Cancelled != tt.want.Cancelled {
				t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
			}
		})
	}
	inHall(t, throttle.Options{}, func(t *testing.T, h *hall) {
		h.verify = func(gate.Credential) error { panic(errors.New("broken")) }
		for range 100 {
			if r, _ := h.guest(address(0)).show(weakCode); r.status != http.StatusInternalServerError {
				t.Fatalf("a panic = %d, want 500 as often as it comes", r.status)
			}
		}
	})
}

// What is no code counts a fifth, and brings no guard upon the others.
func TestWhatIsNoCode(t *testing.T) {
	inHall(t, throttle.Options{}, func(t *testing.T, h *hall) {
		asked := 0
		for range 100 {
			r, took := h.guest(address(0)).show("¿?")
			if r.status == http.StatusBadRequest {
				asked++
			}
			if took != floor {
				t.Errorf("%d after %v, want %v", r.status, took, floor)
			}
		}
		if s := h.throttle.Snapshot(); asked < 36 || asked > 50 || s.Guards != 0 {
			t.Errorf("%d were looked up, %d guards, want about five times eight and none", asked, s.Guards)
		}
	})
}

// Guesses at a factor are counted on the code that it goes with.
func TestFactorsAreCounted(t *testing.T) {
	inHall(t, throttle.Options{Guard: quiet}, func(t *testing.T, h *hall) {
		h.verify = func(c gate.Credential) error {
			if c.Factors["surname"].Reveal() != "Garcia" {
				return gate.Deny(gate.ReasonUnknown, nil)
			}
			return nil
		}
		body := `{"ticket":%q,"factors":{"surname":%q}}`
		asked, last := count(t, 100, func(i int) *reply {
			r, _ := h.guest(address(i)).ask(http.MethodPost, verifyPath, fmt.Sprintf(body, weakCode, fmt.Sprint("name ", i)))
			return r
		})
		if asked < 5 || asked > 10 {
			t.Errorf("%d surnames were looked up in 40 s, want 5 to 10", asked)
		}
		time.Sleep(last.retryAfter(t))
		if r, _ := h.guest(address(1000)).ask(http.MethodPost, verifyPath, fmt.Sprintf(body, weakCode, "Garcia")); r.status != http.StatusOK {
			t.Errorf("the right name after Retry-After = %d, want 200", r.status)
		}
	})
}

// A challenge is spoken of where there is one, and lets the attempt in.
func TestGuarded(t *testing.T) {
	inHall(t, throttle.Options{Challenge: true}, func(t *testing.T, h *hall) {
		_, last := count(t, 20, func(i int) *reply {
			r, _ := h.guest(address(0)).show(fmt.Sprint("WRONG", i))
			checkContract(t, http.MethodPost, verifyPath, r)
			return r
		})
		if last.status != http.StatusTooManyRequests || !strings.Contains(string(last.body), `"guarded":true`) {
			t.Errorf("turned away with %d %s, want 429 and guarded", last.status, last.body)
		}
		if r, _ := h.guest(address(0)).show(weakCode, "Challenge", "passed"); r.status != http.StatusOK {
			t.Errorf("with the challenge passed = %d, want 200", r.status)
		}
	}, func(h *hall) {
		h.opts.Challenged = func(r *http.Request) bool { return r.Header.Get("Challenge") == "passed" }
	})
}

// The address is the connection's, unless a proxy that is trusted vouches for
// another.
func TestForwardedAddresses(t *testing.T) {
	proxies := clientip.New([]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")})
	tests := []struct {
		name, peer string
		change     func(*hall)
		header     func(i int) string
		want       int // of 30 codes that are looked up
	}{
		{"stranger", "192.0.2.1", func(*hall) {}, func(i int) string { return address(i) }, 8},
		{"stranger, without Client", "192.0.2.1", func(h *hall) { h.opts.Client = nil }, func(i int) string { return address(i) }, 8},
		{"stranger beside a proxy", "192.0.2.1", func(h *hall) { h.opts.Client = proxies.Of }, func(i int) string { return address(i) + ", 10.0.0.1" }, 8},
		{"proxy, spoofed", "10.0.0.1", func(h *hall) { h.opts.Client = proxies.Of }, func(i int) string { return address(i) + ", 192.0.2.1" }, 8},
		{"proxy", "10.0.0.1", func(h *hall) { h.opts.Client = proxies.Of }, func(i int) string { return address(i) }, 30},
	}
	for _, tt := range tests {
		inHall(t, throttle.Options{Guard: quiet}, func(t *testing.T, h *hall) {
			asked, _ := count(t, 30, func(i int) *reply {
				r, _ := h.guest(tt.peer).show(fmt.Sprint("WRONG", i), "X-Forwarded-For", tt.header(i),
					"Forwarded", "for="+address(i), "X-Real-Ip", address(i), "X_Forwarded_For", address(i))
				return r
			})
			if asked != tt.want {
				t.Errorf("%s: %d were looked up, want %d", tt.name, asked, tt.want)
			}
		}, tt.change)
	}
}

// What a request calls us is in no answer.
func TestForeignNamesAreNotReflected(t *testing.T) {
	inHall(t, throttle.Options{}, func(t *testing.T, h *hall) {
		evil := []string{"X-Forwarded-Host", "evil.test", "X-Forwarded-Proto", "http", "Forwarded", "host=evil.test;proto=http",
			"X-Original-Url", "/evil.test", "X-Forwarded-Prefix", "/evil.test", "X-Request-Id", "evil.test\r\nSet-Cookie: evil=1"}
		g := h.guest(address(0))
		for _, code := range []string{strongCode, weakUnknown} {
			r, _ := g.show(code, evil...)
			text := fmt.Sprint(r.header, string(r.body))
			if strings.Contains(text, "evil") || r.status == http.StatusOK && (!strings.Contains(text, h.url+"/castle/audio/*") || slices.ContainsFunc(r.cookies, func(c *http.Cookie) bool { return !c.Secure })) {
				t.Errorf("%s: %s, want only what is configured", code, text)
			}
		}
	})
}

// Unknown sessions are counted by network, apart from tickets, and those who
// have good ones go on.
func TestUnknownSessions(t *testing.T) {
	inHall(t, throttle.Options{}, func(t *testing.T, h *hall) {
		known, fresh, native := h.guest(address(0)), h.guest(address(0)), h.guest(address(0))
		known.show(strongCode)
		fresh.show(strongPass)
		bearer := pass{}
		if r, _ := native.ask(http.MethodPost, verifyPath, `{"ticket":"`+strongLong+`","delivery":"json"}`); r.status == http.StatusOK {
			bearer = r.pass(t)
		}
		known.renew()

		asked := 0
		for i := range 300 {
			method, path := http.MethodPost, renewPath
			if i%2 == 0 {
				method, path = http.MethodGet, admissionPath
			}
			r, took := h.guest(address(0)).ask(method, path, "", "Cookie", fmt.Sprintf("%s=%026d", sessionName, i))
			checkContract(t, method, path, r)
			switch r.status {
			case http.StatusUnauthorized:
				asked++
				if !slices.Equal(allAttributes(r.cookies), everythingGone()) || r.problem(t).Reason != "" {
					t.Errorf("unknown session: %s, cookies %v, want everything deleted", r.body, allAttributes(r.cookies))
				}
			case http.StatusTooManyRequests:
				if len(r.cookies) != 0 || r.problem(t).Code != "too_many_attempts" || r.retryAfter(t) < 1 {
					t.Errorf("turned away: %s, cookies %v, want no cookie touched", r.body, r.cookies)
				}
			default:
				t.Fatalf("%s %s = %d", method, path, r.status)
			}
			if took != 0 {
				t.Errorf("%d after %v, want it at once: nobody guesses sessions", r.status, took)
			}
		}
		if asked != 80 {
			t.Errorf("%d unknown sessions were looked up, want 80", asked)
		}

		time.Sleep(time.Second)
		for range 3 {
			if r := known.renew(); r.status != http.StatusOK {
				t.Errorf("a device whose sessions are known = %d %s, want 200", r.status, r.body)
			}
			if r, _ := known.ask(http.MethodGet, admissionPath, ""); r.status != http.StatusOK {
				t.Errorf("GET on a device whose sessions are known = %d, want 200", r.status)
			}
			time.Sleep(time.Minute / 10)
		}
		for name, renew := range map[string]func() *reply{
			"first renewal": func() *reply { return fresh.renew() },
			"native app":    func() *reply { return native.renew("Authorization", "Bearer "+bearer.Session) },
		} {
			r := renew()
			if r.status == http.StatusTooManyRequests {
				time.Sleep(r.retryAfter(t))
				r = renew()
			}
			if r.status != http.StatusOK {
				t.Errorf("%s = %d %s, want 200 at the second try", name, r.status, r.body)
			}
		}
		if r, _ := h.guest(address(0)).show(strongZoo); r.status != http.StatusOK {
			t.Errorf("a ticket from the same address = %d, want 200", r.status)
		}
		if r := h.guest(address(1)).renew("Cookie", sessionName+"=X"); r.status != http.StatusUnauthorized {
			t.Errorf("a neighbour = %d, want 401", r.status)
		}
		for range 300 { // nothing is looked up for them
			if r := h.guest(address(0)).renew(); r.status != http.StatusUnauthorized {
				t.Fatalf("without a session = %d, want 401", r.status)
			}
		}
	})
}

// While the book is down nobody is signed out, and nothing is counted.
func TestSessionsWhileTheBookIsDown(t *testing.T) {
	inHall(t, throttle.Options{}, func(t *testing.T, h *hall) {
		g := h.guest(address(0))
		g.show(strongCode)
		h.book = errDown
		for i := range 300 {
			for _, ask := range []func() (*reply, time.Duration){
				func() (*reply, time.Duration) { return g.ask(http.MethodPost, renewPath, "") },
				func() (*reply, time.Duration) { return g.ask(http.MethodGet, admissionPath, "") },
				func() (*reply, time.Duration) {
					return h.guest(address(0)).ask(http.MethodPost, renewPath, "", "Cookie", fmt.Sprintf("%s=%d", sessionName, i))
				},
			} {
				if r, _ := ask(); r.status != http.StatusServiceUnavailable || len(r.cookies) != 0 {
					t.Fatalf("with the book down = %d, cookies %v, want 503 and none", r.status, r.cookies)
				}
			}
		}
		h.book = nil
		if r := g.renew(); r.status != http.StatusOK {
			t.Errorf("afterwards = %d %s, want 200", r.status, r.body)
		}
	})
}

// A device cookie is worth something from the second request on: who throws it
// away each time cannot use up the lane of those who keep theirs.
func TestDevicesHaveTheirOwnLane(t *testing.T) {
	inHall(t, throttle.Options{Guard: quiet}, func(t *testing.T, h *hall) {
		mine := h.guest(address(0))
		mine.show(weakExpired) // the wrong ticket first
		count(t, 100, func(i int) *reply {
			r, _ := h.guest(address(0)).show(fmt.Sprint("WRONG", i))
			return r
		})
		if r, _ := h.guest(address(0)).show(weakCode); r.status != http.StatusTooManyRequests {
			t.Errorf("without a cookie = %d, want 429", r.status)
		}
		if r, took := mine.show(weakCode); r.status != http.StatusOK || took != 0 {
			t.Errorf("with a cookie = %d after %v, want 200 at once", r.status, took)
		}
	})
}
