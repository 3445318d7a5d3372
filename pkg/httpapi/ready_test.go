package httpapi_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/handstamp/handstamp/pkg/throttle"
)

// While nobody can be admitted a gateway lives and is not ready; asking about it
// costs one question in two seconds, and tells nothing of the cause.
func TestReady(t *testing.T) {
	var down error
	asked := 0
	inHall(t, throttle.Options{}, func(t *testing.T, h *hall) {
		g := h.guest("192.0.2.1")
		get := func(path string) *reply { r, _ := g.ask(http.MethodGet, path, ""); return r }
		for range 10 {
			if r := get("/readyz"); r.status != 200 || asked != 1 {
				t.Errorf("GET /readyz = %d after %d questions, want 200 after 1", r.status, asked)
			}
		}
		down = errors.New("table handstamp-internal is gone")
		time.Sleep(2 * time.Second)
		for range 10 {
			r := get("/readyz")
			if r.status != 503 || r.problem(t).Code != "unavailable" || asked != 2 {
				t.Errorf("GET /readyz = %d %s after %d questions, want 503 unavailable after 2", r.status, r.body, asked)
			}
			if got := string(r.body); len(got) == 0 || containsAny(got, "table", "internal") {
				t.Errorf("GET /readyz tells why: %s", got)
			}
		}
		if r := get("/healthz"); r.status != 200 {
			t.Errorf("GET /healthz = %d while the book is down, want 200", r.status)
		}
		down = nil
		time.Sleep(2 * time.Second)
		if r := get("/readyz"); r.status != 200 {
			t.Errorf("GET /readyz = %d when the book is back, want 200", r.status)
		}
		synctest.Wait()
	}, func(h *hall) {
		h.opts.Ready = func(context.Context) error { asked++; return down }
	})
}

func containsAny(text string, words ...string) bool {
	for _, w := range words {
		if strings.Contains(text, w) {
			return true
		}
	}
	return false
}
