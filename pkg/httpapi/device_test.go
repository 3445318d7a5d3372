package httpapi_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/httpapi"
	"github.com/handstamp/handstamp/pkg/throttle"
)

// issued returns the device cookies that an answer sets.
func issued(r *reply) []*http.Cookie {
	return slices.DeleteFunc(slices.Clone(r.cookies), func(c *http.Cookie) bool { return !strings.Contains(c.Name, "handstamp-device") })
}

func TestDeviceCookieComesWithTheFirstAnswer(t *testing.T) {
	down := func(gate.Credential) error { return errors.New("down") }
	tests := []struct {
		name, body string
		verify     func(gate.Credential) error
		status     int
		want       int
	}{
		{"good", `{"ticket":"WEAK-1"}`, nil, 200, 1},
		{"refused", `{"ticket":"WEAK-9"}`, nil, 403, 1},
		{"refused with a reason", `{"ticket":"` + strongExpired + `"}`, nil, 403, 1},
		{"no code", `{"ticket":"!"}`, nil, 400, 1},
		{"nobody knows", `{"ticket":"WEAK-1"}`, down, 503, 1},
		{"cannot be read", `{"ticket":`, nil, 400, 0},
		{"native player", `{"ticket":"WEAK-1","delivery":"json"}`, nil, 200, 0},
		{"native player, refused", `{"ticket":"WEAK-9","delivery":"json"}`, nil, 403, 0},
	}
	for _, tt := range tests {
		inHall(t, throttle.Options{}, func(t *testing.T, h *hall) {
			h.verify = tt.verify
			g := h.guest(address(0))
			first, _ := g.ask(http.MethodPost, verifyPath, tt.body)
			checkContract(t, http.MethodPost, verifyPath, first)
			if first.status != tt.status || len(issued(first)) != tt.want {
				t.Errorf("%s: %d sets %v, want %d and %d device cookies", tt.name, first.status, issued(first), tt.status, tt.want)
			}
			if again, _ := g.ask(http.MethodPost, verifyPath, tt.body); tt.want == 1 && len(issued(again)) != 0 {
				t.Errorf("%s: again sets %v, want the device to keep what it has", tt.name, issued(again))
			}
		})
	}
	inHall(t, throttle.Options{Network: throttle.Limit{Failures: 1, Window: 1e12}}, func(t *testing.T, h *hall) {
		h.guest(address(0)).show("WEAK-9")
		if r, _ := h.guest(address(0)).show("WEAK-1"); r.status != http.StatusTooManyRequests || len(issued(r)) != 1 {
			t.Errorf("turned away: %d sets %v, want 429 and a device cookie", r.status, issued(r))
		}
	})
	inHall(t, throttle.Options{}, func(t *testing.T, h *hall) {
		if r, _ := h.guest(address(0)).show("WEAK-1"); len(issued(r)) != 0 {
			t.Errorf("without a throttle: %v, want no device cookie", issued(r))
		}
	}, func(h *hall) { h.opts.Throttle = nil })
}

func TestDeviceCookieAttributes(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*hall)
		want   string
	}{
		{"host shared with content", func(*hall) {}, "__Secure-handstamp-device /v1 Secure HttpOnly Lax unexpected"},
		{"host of its own", func(h *hall) { h.opts.OwnHost = true }, "__Host-handstamp-device / Secure HttpOnly Lax unexpected"},
		{"session elsewhere", func(h *hall) { h.opts.SameSite = http.SameSiteStrictMode }, "__Secure-handstamp-device /v1 Secure HttpOnly Lax unexpected"},
		{"development", func(h *hall) { h.url = "http://localhost:8080"; h.opts.PublicOrigin = h.url }, "handstamp-device /v1 HttpOnly Lax unexpected"},
	} {
		inHall(t, throttle.Options{}, func(t *testing.T, h *hall) {
			r, _ := h.guest(address(0)).show("WEAK-9")
			for _, c := range issued(r) { // "unexpected" is Max-Age, which only this cookie has
				if attributes(c) != tt.want || c.MaxAge != 400*24*60*60 || len(c.Value) != 26+1+22 || c.Domain != "" {
					t.Errorf("%s: %v, want %s", tt.name, c, tt.want)
				}
			}
			if len(issued(r)) != 1 {
				t.Errorf("%s: %d device cookies, want one", tt.name, len(issued(r)))
			}
		}, tt.change)
	}
}

// A cookie that we did not give is none, and is replaced.
func TestDeviceCookieIsProved(t *testing.T) {
	inHall(t, throttle.Options{}, func(t *testing.T, h *hall) {
		one, two := h.guest(address(0)), h.guest(address(0))
		one.show(weakZoo)
		two.show(weakZoo)
		good, other := one.jar[deviceName], two.jar[deviceName]
		if good == "" || good == other {
			t.Fatalf("two devices have the cookies %q and %q, want two", good, other)
		}
		foreign, err := httpapi.New(h.gate, nil, httpapi.Options{PublicOrigin: h.url, Throttle: h.throttle, Key: []byte("another key that is long")})
		if err != nil {
			t.Fatal(err)
		}
		id, proof, _ := strings.Cut(good, ".")
		_, otherProof, _ := strings.Cut(other, ".")
		for name, values := range map[string][]string{
			"another's proof": {id + "." + otherProof},
			"no proof":        {id},
			"empty proof":     {id + "."},
			"no id":           {"." + proof},
			"proof cut":       {good[:len(good)-1]},
			"lower case":      {strings.ToLower(good)},
			"made up":         {"AAAAAAAAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAA"},
			"two that differ": {good, other},
			"long":            {strings.Repeat("A", 4000) + "." + proof},
			"empty":           {""},
		} {
			var headers []string
			for _, v := range values {
				headers = append(headers, "Cookie", deviceName+"="+v)
			}
			if r, _ := h.guest(address(1)).show(weakZoo, headers...); len(issued(r)) != 1 {
				t.Errorf("%s: the answer sets %v, want a cookie in its place", name, issued(r))
			}
		}
		for _, values := range [][]string{{good}, {good, good}} {
			headers := []string{}
			for _, v := range values {
				headers = append(headers, "Cookie", deviceName+"="+v)
			}
			if r, _ := h.guest(address(1)).show(weakZoo, headers...); len(issued(r)) != 0 {
				t.Errorf("its own, %d times: the answer sets %v, want none", len(values), issued(r))
			}
		}
		h.api = foreign
		if r, _ := h.guest(address(1)).show(weakZoo, "Cookie", deviceName+"="+good); len(issued(r)) != 1 {
			t.Errorf("under another key: the answer sets %v, want a cookie in its place", issued(r))
		}
	}, func(h *hall) { h.tickets = "" })
}

func TestOptionsAreChecked(t *testing.T) {
	for name, opts := range map[string]httpapi.Options{"short key": {Key: []byte("fifteen bytes..")}, "long floor": {Floor: 6e9}, "long jitter": {Floor: 3e9, Jitter: 3e9}} {
		if api, err := httpapi.New(nil, nil, opts); err == nil || api != nil {
			t.Errorf("New with a %s = %v, want an error", name, err)
		}
	}
	if _, err := httpapi.New(nil, nil, httpapi.Options{Key: []byte("sixteen bytes..."), Floor: 4e8, Jitter: 1e8, Waiting: -1}); err != nil {
		t.Errorf("New = %v", err)
	}
}

// Who leaves takes every cookie along.
func TestDeviceCookieGoesOnLeaving(t *testing.T) {
	inHall(t, throttle.Options{}, func(t *testing.T, h *hall) {
		g := h.guest(address(0))
		g.show("WEAK-1")
		if len(g.jar) != 2 {
			t.Fatalf("after a good ticket the jar has %v, want a session and a device", g.jar)
		}
		left, _ := g.ask(http.MethodDelete, "/v1/admission", "")
		checkContract(t, http.MethodDelete, "/v1/admission", left)
		if left.status != http.StatusNoContent || len(g.jar) != 0 {
			t.Errorf("DELETE = %d and leaves %v, want 204 and nothing", left.status, g.jar)
		}
		if again, _ := g.ask(http.MethodDelete, "/v1/admission", ""); len(issued(again)) != 0 {
			t.Errorf("DELETE without a device cookie sets %v, want none", issued(again))
		}
	})
}
