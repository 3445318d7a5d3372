package throttle_test

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/throttle"
)

// everywhere returns the same attempt from the nth address.
func everywhere(a throttle.Attempt, n int) throttle.Attempt {
	a.Client = netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, 10<<24+uint32(n))))
	return a
}

// Five times at once, then at intervals that double up to a minute.
func TestOneCodeFromEverywhere(t *testing.T) {
	th, w := newThrottle(throttle.Options{Guard: quiet})
	wrong := from("192.0.2.1", 1)
	n := 5
	for i := range n {
		asked, _ := fail(th, everywhere(wrong, i))
		wantAsked(t, "one of the first five", asked, 1)
	}
	for _, want := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60, 60} {
		wait := th.Allow(everywhere(wrong, n))
		wantWait(t, "too early", wait, want*time.Second, want*time.Second)
		w.pass(want * time.Second)
		first := th.Allow(everywhere(wrong, n+1))
		wantOK(t, "after "+(want*time.Second).String(), first)
		next := min(2*want, 60) * time.Second
		wantWait(t, "beside it", peek(th, everywhere(wrong, n+2)), next, next)
		first.Fail(throttle.Refused)
		wantWait(t, "after it", peek(th, everywhere(wrong, n+2)), next, next)
		n += 2
	}
	for range 100 { // there is nothing to guess: it stays at a minute
		w.pass(time.Minute)
		fail(th, everywhere(wrong, n+1))
		n++
	}
	wantWait(t, "after 100 failures", peek(th, everywhere(wrong, n)), time.Minute, time.Minute)
	wantOK(t, "another code", peek(th, everywhere(from("192.0.2.1", 2), n)))
}

// How long the source takes to refuse a code, and whether it has yet, cannot be
// told from what others with the same code hear.
func TestRetryAfterTellsNoTimes(t *testing.T) {
	var first string
	for _, takes := range []time.Duration{0, 5 * time.Millisecond, 700 * time.Millisecond} {
		th, w := newThrottle(throttle.Options{Guard: quiet})
		got := ""
		for i := range 12 {
			a := from("192.0.2.1", 1)
			a.Client = everywhere(a, i).Client
			began := w.now()
			turn := th.Allow(a)
			for _, beside := range []time.Duration{600 * time.Millisecond, 900 * time.Millisecond} {
				if takes <= beside {
					w.set(began.Add(takes))
					turn.Fail(throttle.Refused)
				}
				w.set(began.Add(beside))
				got += fmt.Sprint(peek(th, everywhere(a, 100+i)).RetryAfter, " ")
			}
			turn.Fail(throttle.Refused)
			w.set(began.Add(time.Minute - time.Second))
			for range 3 {
				got += fmt.Sprint(peek(th, everywhere(a, 200+i)).RetryAfter, " ")
				w.pass(500 * time.Millisecond)
			}
			w.set(began.Add(time.Minute))
		}
		if first == "" {
			first = got
		}
		if got != first {
			t.Errorf("a source that takes %v: Retry-After\n%s\nwant, as at once\n%s", takes, got, first)
		}
	}
}

func TestOneCodeForTenMinutes(t *testing.T) {
	th, w := newThrottle(throttle.Options{Guard: quiet})
	wrong, asked, tries := from("192.0.2.1", 1), 0, 0
	for range 600 {
		for range 100 {
			n, _ := fail(th, everywhere(wrong, tries%1000))
			asked += n
			tries++
		}
		w.pass(time.Second)
	}
	if most := 5 + 6 + 10; asked > most {
		t.Errorf("one code from 1000 addresses for 10 minutes was asked for %d times, want at most %d", asked, most)
	}
	// The source has learned of it. Its holder waits a minute at most.
	w.pass(time.Minute)
	wantOK(t, "the holder", admit(th, everywhere(wrong, 2000)))
	asked, _ = fail(th, everywhere(wrong, 3000), everywhere(wrong, 3001), everywhere(wrong, 3002), everywhere(wrong, 3003), everywhere(wrong, 3004), everywhere(wrong, 3005))
	wantAsked(t, "after a success", asked, 5)
}

// Guesses at the surname that goes with a reference are counted together, and
// after a hundred of them the reference wants a challenge.
func TestFactors(t *testing.T) {
	th, w := newThrottle(throttle.Options{Guard: quiet, Challenge: true})
	reference := code(1)
	surname := func(n int) throttle.Attempt {
		a := everywhere(from("192.0.2.1", 1000+n), n)
		a.Reference = reference
		return a
	}
	holder := surname(1e6)
	holder.Device = "holder"
	wantOK(t, "the holder", admit(th, holder))

	failed, n := 0, 0
	for failed < 100 {
		asked, last := fail(th, surname(n))
		if failed += asked; asked == 0 {
			if last.RetryAfter > time.Minute || !last.Guarded {
				t.Fatalf("after %d failures: told to wait %v, guarded %v, want a minute at most, or a challenge", failed, last.RetryAfter, last.Guarded)
			}
			w.pass(last.RetryAfter)
		}
		n++
	}
	wantWait(t, "after 100 failures", peek(th, surname(n)), time.Hour, time.Hour)
	wantOK(t, "the holder, on the device that is known", admit(th, holder))
	w.pass(59 * time.Minute)
	wantWait(t, "59 minutes later", peek(th, surname(n)), time.Minute, time.Minute)
	elsewhere := surname(n)
	elsewhere.Challenged = true
	wantOK(t, "with a challenge passed", admit(th, elsewhere))
	asked, _ := fail(th, surname(n+1), surname(n+2), surname(n+3), surname(n+4), surname(n+5), surname(n+6))
	wantAsked(t, "after a success", asked, 5)
}

// A hundred guesses at once are five.
func TestRoomIsHeld(t *testing.T) {
	th, _ := newThrottle(throttle.Options{Guard: quiet})
	wrong := from("192.0.2.1", 1)
	var open []throttle.Turn
	for i := range 100 {
		turn := th.Allow(everywhere(wrong, i))
		if turn.OK {
			open = append(open, turn)
		} else {
			wantWait(t, "while others wait for their answer", turn, time.Second, time.Second)
		}
	}
	wantAsked(t, "one code, all at once", len(open), 5)
	for i := range open {
		open[i].Cancel()
		open[i].Fail(throttle.Refused) // too late
	}
	if s := th.Snapshot(); s.Cancelled != 5 || s.Failed != 0 || s.Entries[throttle.Credential] != 0 || s.Entries[throttle.Network] != 0 {
		t.Errorf("after Cancel: %+v, want nothing counted and nothing kept", s)
	}
	var zero throttle.Turn
	zero.Cancel()
	zero.Fail(throttle.Refused)
	zero.Succeed()
}

// A success clears the failures, but not the room that others hold.
func TestSuccessLeavesOthersInFlight(t *testing.T) {
	th, _ := newThrottle(throttle.Options{Guard: quiet})
	party := from("192.0.2.1", 1)
	first := th.Allow(everywhere(party, 0))
	for i := range 4 {
		wantOK(t, "one of the party", th.Allow(everywhere(party, 1+i)))
	}
	first.Succeed()
	wantOK(t, "in the place of the first", th.Allow(everywhere(party, 10)))
	wantWait(t, "beyond the limit", th.Allow(everywhere(party, 11)), time.Second, time.Second)
}

func TestCancelKeepsThePlace(t *testing.T) {
	th, w := newThrottle(throttle.Options{Guard: quiet})
	fail(th, guesses("192.0.2.1", 0, 8)...)
	mine := from("192.0.2.1", 1000)
	w.pass(th.Allow(mine).RetryAfter)
	turn := th.Allow(mine)
	wantOK(t, "when told to", turn)
	turn.Cancel() // the source was down
	wantOK(t, "again", peek(th, mine))
	th, w = newThrottle(throttle.Options{Guard: quiet})
	fail(th, guesses("192.0.2.1", 0, 8)...)
	w.pass(th.Allow(mine).RetryAfter)
	fail(th, mine)
	wantWait(t, "after it failed", peek(th, mine), 5*time.Second, 10*time.Second)
}
