package httpapi_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/httpapi"
	"github.com/handstamp/handstamp/pkg/throttle"
)

// few is a gateway with hardly any room.
func few(h *hall) {
	h.opts.Crowd = httpapi.Crowd{Verify: httpapi.Line{Working: 2, Waiting: 3}, Renew: httpapi.Line{Working: 1, Waiting: 1}}
	h.opts.Throttle = nil
	h.tickets = coachCode + ",castle,audio,100,,\n"
}

const coachCode = "C7QM-2XWD-9FTR-HB4N"

// busyReply fails the test unless r turns somebody away who may come back soon.
func busyReply(t *testing.T, what string, r *reply, took time.Duration) {
	t.Helper()
	if wait := r.retryAfter(t); r.status != 503 || r.problem(t).Code != "busy" || took != 0 || wait > 5*time.Second {
		t.Errorf("%s = %d %s after %v, Retry-After %v; want 503 busy at once, within 5 s", what, r.status, r.body, took, wait)
	}
	if len(r.cookies) > 0 {
		t.Errorf("%s sets cookies", what)
	}
}

// As many are answered as there is room for, the others at once and told to come
// back at different times; visitors who are in renew meanwhile.
func TestCrowd(t *testing.T) {
	inHall(t, throttle.Options{}, func(t *testing.T, h *hall) {
		inside := h.guest("192.0.2.1")
		if r, _ := inside.show(strongPass); r.status != 200 {
			t.Fatalf("the first visitor = %d %s", r.status, r.body)
		}
		h.verify = func(gate.Credential) error { time.Sleep(time.Second); return nil }
		var mu sync.Mutex
		took := map[time.Duration]int{}
		away := map[time.Duration]bool{}
		var crowd sync.WaitGroup
		for i := range 30 {
			g := h.guest(address(i))
			crowd.Go(func() {
				r, d := g.show(coachCode)
				if d > 0 {
					mu.Lock()
					defer mu.Unlock()
					took[d]++
					return
				}
				busyReply(t, fmt.Sprintf("visitor %d", i), r, d)
				mu.Lock()
				defer mu.Unlock()
				away[r.retryAfter(t)] = true
			})
		}
		synctest.Wait()
		want := []httpapi.LineState{{Name: "verify", Working: 2, Waiting: 3, Refused: 25}, {Name: "renew"}, {Name: "files"}}
		if got := h.api.Lines(); !slices.Equal(got, want) {
			t.Errorf("Lines of the crowd = %+v, want %+v", got, want)
		}
		if r := inside.renew(); r.status != 200 {
			t.Errorf("renew beside the crowd = %d %s, want 200", r.status, r.body)
		}
		crowd.Wait()
		if took[time.Second] != 2 || took[2*time.Second] != 2 || took[3*time.Second] != 1 || len(away) < 2 {
			t.Errorf("answered after %v, want 2 after 1 s, 2 after 2 s, 1 after 3 s; turned away until %v", took, away)
		}
		if got := strings.Count(h.log.String(), "requests turned away"); got != 1 {
			t.Errorf("%d lines say that requests were turned away, want 1:\n%s", got, h.log.String())
		}
		if r, _ := h.guest("192.0.2.9").show(strongPremium); r.status != 200 {
			t.Errorf("after the crowd = %d %s, want 200", r.status, r.body)
		}
	}, few)
}

// Who waits until all refusals have taken the same time keeps nobody out.
func TestCrowdOfRefused(t *testing.T) {
	inHall(t, throttle.Options{}, func(t *testing.T, h *hall) {
		var crowd sync.WaitGroup
		for i := range 30 {
			g := h.guest(address(i))
			crowd.Go(func() {
				if r, took := g.show(fmt.Sprint("WRONG-", i)); r.status != 403 || took != floor {
					t.Errorf("a wrong ticket = %d %s after %v, want 403 after %v", r.status, r.body, took, floor)
				}
			})
			synctest.Wait()
		}
		crowd.Wait()
	}, few)
}

// A body that does not come holds no place.
func TestCrowdOfSlowBodies(t *testing.T) {
	inHall(t, throttle.Options{}, func(t *testing.T, h *hall) {
		var slow sync.WaitGroup
		var writers []*io.PipeWriter
		for range 10 {
			body, w := io.Pipe()
			writers = append(writers, w)
			r := httptest.NewRequest(http.MethodPost, h.url+verifyPath, body)
			r.RequestURI, r.RemoteAddr = verifyPath, "192.0.2.1:4000"
			r.Header.Set("Content-Type", "application/json")
			slow.Go(func() {
				w := httptest.NewRecorder()
				h.api.ServeHTTP(w, r)
				if w.Code != 400 {
					t.Errorf("a body that breaks off = %d %s, want 400", w.Code, w.Body)
				}
			})
		}
		synctest.Wait()
		if r, _ := h.guest("192.0.2.2").show(strongCode); r.status != 200 {
			t.Errorf("beside slow bodies = %d %s, want 200", r.status, r.body)
		}
		for _, w := range writers {
			w.CloseWithError(errors.New("gone"))
			synctest.Wait() // together they would be a crowd
		}
		slow.Wait()
	}, few)
}

// Too many signatures at once are answered like too many requests.
func TestBusySigning(t *testing.T) {
	full := errors.New("too many signatures")
	for _, path := range []string{verifyPath, renewPath} {
		s := newSite(t, func(s *site) {
			s.opts.Busy = func(err error) bool { return errors.Is(err, full) }
		})
		s.admit(t, s.client, strongCode)
		s.stamp = func() error { return fmt.Errorf("stamp: %w", full) }
		r := s.renew(t, s.client)
		if path == verifyPath {
			r = s.post(t, s.device(t), `{"ticket":"`+strongPremium+`"}`)
			r.cookies = nil // that of the device, which tells nothing
		}
		busyReply(t, path, r, 0)
		if log := s.log.String(); strings.Contains(log, `"level":"ERROR"`) || !strings.Contains(log, "too many signatures") {
			t.Errorf("%s: log %s, want a warning", path, log)
		}
	}
}
