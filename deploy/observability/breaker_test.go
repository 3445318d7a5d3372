package observability_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"testing"
	"testing/synctest"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/ticket/calm"
)

// A seller answers, or does not.
type seller struct{ down bool }

func (s *seller) Verify(context.Context, gate.Credential) (*gate.Ticket, error) {
	if s.down {
		return nil, errors.New("connection refused")
	}
	return nil, &gate.Denial{Reason: gate.ReasonUnknown}
}

// breakerRule returns when HandstampSourceBreakerOpen holds, by the state that
// a scrape shows, and for how long it has to.
func breakerRule(t *testing.T) (holds func(state string) bool, patience time.Duration) {
	t.Helper()
	shape := regexp.MustCompile(`^max by \(instance, source\) \(handstamp_source_breaker_state\{state="([a-z-]+)"\}\) == ([01])$`)
	for _, group := range readRules(t).Groups {
		for _, r := range group.Rules {
			m := shape.FindStringSubmatch(r.Expr)
			if r.Alert != "HandstampSourceBreakerOpen" {
				continue
			}
			if m == nil {
				t.Fatalf("expr: %s; this test cannot evaluate that", r.Expr)
			}
			patience, err := time.ParseDuration(r.For)
			must(t, err)
			return func(state string) bool { return (state == m[1]) == (m[2] == "1") }, patience
		}
	}
	t.Fatal("there is no HandstampSourceBreakerOpen")
	return nil, 0
}

// TestSourceDown: once a crowd has met a source that is down the alert fires,
// however few come after that, and it ends with the first answer. Prometheus
// looks every 15 seconds.
func TestSourceDown(t *testing.T) {
	holds, patience := breakerRule(t)
	for _, every := range []time.Duration{time.Second, 7 * time.Second, 20 * time.Second, 40 * time.Second, 3 * time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			s := &seller{}
			source, err := calm.Wrap("office", s, calm.Options{Deny: -1})
			must(t, err)
			tickets := 0
			show := func() {
				tickets++
				_, _ = source.Verify(t.Context(), gate.Credential{Code: gate.Secret(fmt.Sprint("CODE", tickets))})
			}
			// fires reports whether the alert does while visitors come for so long.
			fires := func(long time.Duration) bool {
				var since time.Time
				fired := false
				for begin := time.Now(); time.Since(begin) < long; time.Sleep(time.Second) {
					passed := time.Since(begin)
					if passed%every == 0 {
						show()
					}
					if passed%(15*time.Second) != 0 {
						continue
					}
					switch now := time.Now(); {
					case !holds(source.Stats().Breaker):
						since = time.Time{}
					case since.IsZero():
						since = now
					default:
						fired = fired || now.Sub(since) >= patience
					}
				}
				return fired
			}
			if fires(15 * time.Minute) {
				t.Errorf("a visitor every %v: the alert fires while the source answers", every)
			}
			s.down = true
			for range calm.DefaultFailures {
				show()
			}
			if !fires(15 * time.Minute) {
				t.Errorf("a visitor every %v: the alert does not fire in 15 minutes without an answer", every)
			}
			s.down = false
			time.Sleep(time.Minute) // the pause is over
			show()
			if state := source.Stats().Breaker; holds(state) {
				t.Errorf("a visitor every %v: the alert holds after an answer, the breaker is %s", every, state)
			}
		})
	}
}
