package httpapi_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/throttle"
)

// What takes longer than the floor shows as a step of it.
func TestFloorHasSteps(t *testing.T) {
	inHall(t, throttle.Options{}, func(t *testing.T, h *hall) {
		for i, tt := range []struct{ takes, want time.Duration }{
			{0, floor}, {399 * time.Millisecond, floor}, {401 * time.Millisecond, 2 * floor}, {time.Second, 3 * floor},
		} {
			h.verify = func(gate.Credential) error { time.Sleep(tt.takes); return nil }
			if r, took := h.guest(address(i)).show("WEAK-9"); r.status != http.StatusForbidden || took != tt.want {
				t.Errorf("a refusal that takes %v = %d after %v, want 403 after %v", tt.takes, r.status, took, tt.want)
			}
			if r, took := h.guest(address(i)).show(weakZoo); r.status != http.StatusOK || took != tt.takes {
				t.Errorf("a success that takes %v = %d after %v, want 200 as soon", tt.takes, r.status, took)
			}
		}
	})
}

// A body that is sent slowly does not move the refusal to the edge of a step.
func TestFloorBeginsBehindTheBody(t *testing.T) {
	inHall(t, throttle.Options{}, func(t *testing.T, h *hall) {
		slow, begun := io.Pipe()
		go func() {
			time.Sleep(399 * time.Millisecond)
			_, _ = io.WriteString(begun, `{"ticket":"WEAK-9"}`)
			_ = begun.Close()
		}()
		r := httptest.NewRequest(http.MethodPost, h.url+verifyPath, slow)
		r.RequestURI = verifyPath
		r.Header.Set("Content-Type", "application/json")
		start := time.Now()
		h.api.ServeHTTP(httptest.NewRecorder(), r)
		if took := time.Since(start); took != 399*time.Millisecond+floor {
			t.Errorf("refused after %v, want %v after the body", took, floor)
		}
	})
}

func TestJitter(t *testing.T) {
	inHall(t, throttle.Options{Guard: quiet}, func(t *testing.T, h *hall) {
		seen := map[time.Duration]bool{}
		for i := range 20 {
			_, took := h.guest(address(i)).show("WEAK-9" + fmt.Sprint(i))
			if took < floor || took >= floor+100*time.Millisecond {
				t.Errorf("refused after %v, want %v and up to 100ms", took, floor)
			}
			seen[took] = true
		}
		if len(seen) < 2 {
			t.Errorf("all refused after %v, want some jitter", seen)
		}
	}, func(h *hall) { h.opts.Jitter = 100 * time.Millisecond })
}

// While a refusal waits for the floor it is already counted, and holds nothing.
func TestFloorHoldsNoTurn(t *testing.T) {
	inHall(t, throttle.Options{Guard: quiet}, func(t *testing.T, h *hall) {
		var waiting sync.WaitGroup
		for i := range 8 {
			waiting.Go(func() { h.guest(address(0)).show(fmt.Sprintf("WRONG%d", i)) })
		}
		time.Sleep(time.Millisecond)
		if s := h.throttle.Snapshot(); s.Failed != 8 {
			t.Errorf("%d of 8 are counted while they wait, want all", s.Failed)
		}
		waiting.Wait()
	})
}

// Who finds no place to wait is answered at once, and learns nothing.
func TestWaitingIsBounded(t *testing.T) {
	inHall(t, throttle.Options{Guard: quiet}, func(t *testing.T, h *hall) {
		got := map[string]int{}
		var mu sync.Mutex
		var all sync.WaitGroup
		wrong := 0
		show := func(n int, addr func(i int) string) {
			for i := range n {
				wrong++
				code := fmt.Sprint("WRONG", wrong)
				all.Go(func() {
					r, took := h.guest(addr(i)).show(code)
					checkContract(t, http.MethodPost, verifyPath, r)
					mu.Lock()
					defer mu.Unlock()
					got[fmt.Sprint(r.status, " after ", took)]++
				})
			}
			time.Sleep(time.Millisecond)
		}
		one := func(int) string { return address(0) }
		show(8, one)                                           // all of them refused
		show(20, one)                                          // turned away: two more places, up to half of 20
		show(15, func(i int) string { return address(1 + i) }) // refused: ten more places
		if r, took := h.guest(address(100)).show(strongCode); r.status != http.StatusOK || took != 0 {
			t.Errorf("a good ticket = %d after %v, want 200 at once", r.status, took)
		}
		all.Wait()
		want := map[string]int{"403 after 400ms": 18, "429 after 400ms": 2, "429 after 0s": 18, "503 after 0s": 5}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("answers %v, want %v", got, want)
		}
		if log := h.log.String(); strings.Contains(log, `"level":"ERROR"`) || !strings.Contains(log, "too many refusals wait") {
			t.Errorf("log %s, want a warning and no error", log)
		}
		if r, took := h.guest(address(200)).show("WRONG"); r.status != http.StatusForbidden || took != floor {
			t.Errorf("afterwards = %d after %v, want 403 after %v", r.status, took, floor)
		}
	}, func(h *hall) { h.opts.Waiting = 20 })
}
