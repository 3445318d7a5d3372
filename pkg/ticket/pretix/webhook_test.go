package pretix_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/handstamp/handstamp/pkg/ticket/pretix"
)

const hookSecret = "a-path-of-32-characters-or-so-xx"

// hooked returns the webhook of a source and what it told.
func hooked(t *testing.T, f *fake, change ...func(*pretix.Config)) (http.Handler, *[]pretix.Change) {
	t.Helper()
	told := new([]pretix.Change)
	s := f.open(t, func(cfg *pretix.Config, opts *pretix.Options) {
		for _, f := range change {
			f(cfg)
		}
		opts.Changed = func(c pretix.Change) { *told = append(*told, c) }
	})
	h, err := s.Webhook(hookSecret)
	if err != nil {
		t.Fatal(err)
	}
	return h, told
}

func call(h http.Handler, method, path, body string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(body)))
	return w
}

func about(order string) string {
	return fmt.Sprintf(`{"notification_id":1,"organizer":"castle","event":"museum","code":%q,"action":"pretix.event.order.canceled"}`, order)
}

func TestWebhook(t *testing.T) {
	f := stock(t)
	h, told := hooked(t, f)
	path := "/hooks/pretix/" + hookSecret
	if w := call(h, "POST", path, about("ORD00")); w.Code != http.StatusNoContent || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("POST = %d %v, want 204, no-store", w.Code, w.Header())
	}
	for range 2 { // they repeat
		call(h, "POST", path, about("ORD00"))
	}
	if want := []pretix.Change{{Order: "ORD00"}, {Order: "ORD00"}, {Order: "ORD00"}}; !slices.Equal(*told, want) {
		t.Errorf("told %+v, want %+v", *told, want)
	}
}

// A school class is one order: it takes one request, and is told once.
func TestWebhookOfMany(t *testing.T) {
	f := stock(t)
	for i := range 120 {
		f.positions = append(f.positions, &seat{id: int64(9000 + i), item: 300, list: 1, event: "museum", order: "CLASS", secret: fmt.Sprintf("class%032d", i)})
	}
	f.positions = append(f.positions, &seat{id: 9900, item: 300, list: 1, event: "museum", order: "CLASS2", secret: "another"})
	h, told := hooked(t, f, func(cfg *pretix.Config) { cfg.AddOns = true })
	if w := call(h, "POST", "/hooks/"+hookSecret, about("CLASS")); w.Code != http.StatusNoContent || len(*told) != 1 || len(f.requests()) != 1 {
		t.Errorf("POST = %d, told %d times after %d requests, want 204, once after one", w.Code, len(*told), len(f.requests()))
	}
}

func TestWebhookRefuses(t *testing.T) {
	path := "/hooks/pretix/" + hookSecret
	tests := []struct {
		name, method, path, body string
		want                     int
		asks                     bool
	}{
		{"other secret", "POST", "/hooks/pretix/" + hookSecret[1:], about("ORD00"), 404, false},
		{"secret in the query", "POST", "/hooks/pretix/x?" + hookSecret, about("ORD00"), 404, false},
		{"no secret", "POST", "/", about("ORD00"), 404, false},
		{"GET", "GET", path, "", 405, false},
		{"no JSON", "POST", path, "code=ORD00", 400, false},
		{"too long", "POST", path, `{"x":"` + strings.Repeat("x", 1<<20) + `"}`, 400, false},
		{"other organizer", "POST", path, strings.Replace(about("ORD00"), "castle", "fort", 1), 204, false},
		{"other event", "POST", path, strings.Replace(about("ORD00"), "museum", "moat", 1), 204, false},
		{"no order", "POST", path, about(""), 204, false},
		{"an order that is none", "POST", path, about("ORD00&list=2"), 204, false},
		{"unknown order", "POST", path, about("NONE1"), 204, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := stock(t)
			h, told := hooked(t, f)
			w := call(h, tt.method, tt.path, tt.body)
			if asked := len(f.requests()) > 0; w.Code != tt.want || asked != tt.asks || len(*told) != 0 {
				t.Errorf("%s %s = %d, asked %v, told %d, want %d, %v, 0", tt.method, tt.path, w.Code, asked, len(*told), tt.want, tt.asks)
			}
			if w.Code == http.StatusGone {
				t.Error("410 makes pretix drop the webhook")
			}
		})
	}
}

// The order filter of pretix is not relied on.
func TestWebhookOtherOrders(t *testing.T) {
	f := stock(t)
	h, told := hooked(t, f)
	f.set(func() {
		f.fault = func(w http.ResponseWriter, _ *http.Request) {
			answer(w, 200, map[string]any{"count": 2, "results": []any{f.find(good).json(), f.find(family).json()}})
		}
	})
	if w := call(h, "POST", "/hooks/"+hookSecret, about("ORD01")); w.Code != http.StatusNoContent || len(*told) != 1 || (*told)[0].Order != "ORD01" {
		t.Errorf("POST = %d, told %+v, want the ticket of this order only", w.Code, *told)
	}
}

func TestWebhookWhilePretixFails(t *testing.T) {
	next := "https://pretix.example.org/page/2"
	for name, fault := range map[string]http.HandlerFunc{
		"bad gateway":  func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) },
		"another form": func(w http.ResponseWriter, _ *http.Request) { answer(w, 200, map[string]any{}) },
		"others only": func(w http.ResponseWriter, _ *http.Request) {
			answer(w, 200, map[string]any{"count": 51, "next": next, "results": []any{map[string]any{"order": "ORD01"}}})
		},
	} {
		f := stock(t)
		h, told := hooked(t, f)
		f.set(func() { f.fault = fault })
		if w := call(h, "POST", "/hooks/"+hookSecret, about("ORD00")); w.Code != http.StatusServiceUnavailable || len(*told) != 0 {
			t.Errorf("%s: POST = %d, told %d, want 503 and nothing", name, w.Code, len(*told))
		}
	}
}

// A flood of hints is not passed on.
func TestWebhookFlood(t *testing.T) {
	f := stock(t)
	h, _ := hooked(t, f)
	entered, leave := make(chan struct{}, 100), make(chan struct{})
	f.fault = func(w http.ResponseWriter, _ *http.Request) {
		entered <- struct{}{}
		<-leave
		answer(w, 200, map[string]any{"count": 0, "results": []any{}})
	}
	var done sync.WaitGroup
	for range 4 {
		done.Go(func() { call(h, "POST", "/hooks/"+hookSecret, about("ORD00")) })
	}
	for range 4 {
		<-entered
	}
	if w := call(h, "POST", "/hooks/"+hookSecret, about("ORD00")); w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
		t.Errorf("the fifth POST at a time = %d %v, want 503 with Retry-After", w.Code, w.Header())
	}
	close(leave)
	done.Wait()
}

func TestWebhookSecret(t *testing.T) {
	if h, err := stock(t).open(t, nil).Webhook("short"); err == nil {
		t.Errorf("Webhook(short) = %v, want an error", h)
	}
}
