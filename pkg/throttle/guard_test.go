package throttle_test

import (
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/throttle"
)

// attack fails n times at the castle, each time from another network and with
// another code, and returns how many reached the source.
func attack(th *throttle.Throttle, first, n int, change func(*throttle.Attempt)) int {
	asked := 0
	for i := range n {
		a := everywhere(from("192.0.2.1", first+i), first+i)
		if change != nil {
			change(&a)
		}
		n, _ := fail(th, a)
		asked += n
	}
	return asked
}

func TestGuardWithChallenge(t *testing.T) {
	th, w := newThrottle(throttle.Options{Challenge: true})
	wantAsked(t, "an attack", attack(th, 0, 1000, nil), 51)
	newcomer := everywhere(from("192.0.2.1", 5000), 5000)
	turn := th.Allow(newcomer)
	wantWait(t, "a short code", turn, 5*time.Minute, 5*time.Minute)
	if !turn.Guarded {
		t.Errorf("a short code: Guarded = false, want the challenge")
	}
	challenged, strong, zoo, kind, like := newcomer, newcomer, newcomer, newcomer, newcomer
	challenged.Challenged, strong.Strong, zoo.Attraction, kind.Kind, like.Kind = true, true, "zoo", "reference", "code\x00"
	for name, a := range map[string]throttle.Attempt{"challenged": challenged, "strong": strong, "another attraction": zoo, "another kind": kind, "a kind like it": like} {
		turn := th.Allow(a)
		wantOK(t, name, turn)
		turn.Cancel()
	}
	w.pass(5*time.Minute - time.Second)
	wantWait(t, "just before the end", peek(th, newcomer), 2*time.Second, 2*time.Second)
	w.pass(time.Second)
	wantOK(t, "at the end", admit(th, newcomer))
	wantAsked(t, "a second attack", attack(th, 10000, 1000, nil), 51)
	challenged.Fingerprint = code(7000)
	fail(th, challenged) // goes on, but is no guard of its own
	if s := th.Snapshot(); s.Guards != 2 {
		t.Errorf("%+v: want 2 guards", s)
	}
}

func TestGuardWithoutChallenge(t *testing.T) {
	th, w := newThrottle(throttle.Options{})
	attack(th, 0, 1000, nil)
	newcomer := everywhere(from("192.0.2.1", 5000), 5000)
	turn := th.Allow(newcomer)
	wantWait(t, "a short code", turn, 5*time.Second, 10*time.Second)
	if turn.Guarded {
		t.Errorf("a short code: Guarded = true, want no challenge as there is none")
	}
	w.pass(turn.RetryAfter)
	wantOK(t, "when told to", admit(th, newcomer))
}

func TestGuardLooksAtRatioAndStrength(t *testing.T) {
	succeed := func(th *throttle.Throttle, n, every int) {
		for i := range n {
			admit(th, everywhere(from("192.0.2.1", 20000+i/every), 20000+i))
		}
	}
	tests := []struct {
		name string
		do   func(th *throttle.Throttle) int
		want int
	}{
		{"many successes", func(th *throttle.Throttle) int { succeed(th, 500, 1); return attack(th, 0, 700, nil) }, 700},
		{"not as many", func(th *throttle.Throttle) int { succeed(th, 100, 1); return attack(th, 0, 700, nil) }, 151},
		{"one ticket shown again and again", func(th *throttle.Throttle) int { succeed(th, 500, 500); return attack(th, 0, 700, nil) }, 51},
		{"strong codes are not watched", func(th *throttle.Throttle) int {
			return attack(th, 0, 700, func(a *throttle.Attempt) { a.Strong = true }) + attack(th, 1000, 1, nil)
		}, 701},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			th, _ := newThrottle(throttle.Options{Challenge: true})
			wantAsked(t, tt.name, tt.do(th), tt.want)
		})
	}
}

func TestGuardCountsByTheMinute(t *testing.T) {
	th, w := newThrottle(throttle.Options{Challenge: true})
	for i := range 10 {
		wantAsked(t, "50 in a minute", attack(th, 100*i, 50, nil), 50)
		w.pass(time.Minute)
	}
}

// A botnet that comes all at once is stopped at the same number, a crowd of
// visitors makes room for itself.
func TestGuardCountsAttemptsInFlight(t *testing.T) {
	th, _ := newThrottle(throttle.Options{Challenge: true})
	atOnce := func(first int) (open []throttle.Turn) {
		for i := range 1000 {
			if turn := th.Allow(everywhere(from("192.0.2.1", first+i), first+i)); turn.OK {
				open = append(open, turn)
			} else {
				wantWait(t, "in a crowd", turn, time.Second, time.Second)
			}
		}
		return open
	}
	in := 0
	for _, want := range []int{51, 77, 193, 482} { // in flight at once, as good codes come in
		open := atOnce(in)
		wantAsked(t, "a crowd", len(open), want)
		for i := range open {
			open[i].Succeed()
		}
		in += len(open)
	}
	th, w := newThrottle(throttle.Options{Challenge: true})
	open := atOnce(5000)
	wantAsked(t, "a botnet", len(open), 51)
	w.pass(2 * time.Minute)
	wantAsked(t, "more of it, while the source takes minutes", len(atOnce(6000)), 0)
	for i := range open {
		open[i].Fail(throttle.Refused)
	}
	wantWait(t, "after it", peek(th, everywhere(from("192.0.2.1", 9000), 9000)), 5*time.Minute, 5*time.Minute)
}
