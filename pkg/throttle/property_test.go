package throttle_test

import (
	"math"
	"net/netip"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/handstamp/handstamp/pkg/throttle"
)

// netipFrom spares tests an import.
func netipFrom(addr [16]byte) netip.Addr { return netip.AddrFrom16(addr) }

// Whatever is tried and however it ends, between any two moments a network has
// no more failures than its limit and what decays in between.
func TestNeverMoreThanBurstAndRate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := throttle.Limit{
			Failures: rapid.IntRange(1, 30).Draw(t, "failures"),
			Window:   time.Duration(rapid.IntRange(1, 3600).Draw(t, "seconds")) * time.Second,
		}
		opts := throttle.Options{Guard: quiet, Network: limit, Credential: throttle.Limit{Failures: 1e6, Window: time.Hour}}
		if rapid.Bool().Draw(t, "shared") {
			opts.Store = newShared()
		}
		th, w := newThrottle(opts)
		var open []throttle.Turn
		var failures []time.Time
		rate := float64(limit.Failures) / limit.Window.Seconds()
		for range rapid.IntRange(1, 300).Draw(t, "steps") {
			switch rapid.IntRange(0, 5).Draw(t, "step") {
			case 0:
				w.pass(time.Duration(rapid.IntRange(0, 100_000).Draw(t, "ms")) * time.Millisecond)
			case 1, 2, 3:
				if turn := th.Allow(from("192.0.2.1", rapid.IntRange(0, 40).Draw(t, "code"))); turn.OK {
					open = append(open, turn)
				}
			default:
				if len(open) == 0 {
					continue
				}
				i := rapid.IntRange(0, len(open)-1).Draw(t, "turn")
				switch rapid.IntRange(0, 4).Draw(t, "end") {
				case 0:
					open[i].Cancel()
				case 1:
					open[i].Succeed()
				default:
					open[i].Fail(throttle.Refused)
					failures = append(failures, w.now())
				}
				open = append(open[:i], open[i+1:]...)
			}
			if len(open) > limit.Failures {
				t.Fatalf("%d in flight, want at most %d", len(open), limit.Failures)
			}
		}
		for i, from := range failures {
			for j, to := range failures[i:] {
				most := float64(limit.Failures) + rate*to.Sub(from).Seconds()
				if float64(j+1) > math.Ceil(most+1e-6) {
					t.Fatalf("%d failures within %v, want at most %v", j+1, to.Sub(from), most)
				}
			}
		}
	})
}

// Whoever is turned away and comes back when told to, with nobody else about,
// gets in after a few tries.
func TestWhoComesBackGetsIn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		th, w := newThrottle(throttle.Options{})
		for i := range rapid.IntRange(0, 200).Draw(t, "failures") {
			a := everywhere(from("192.0.2.1", 1000+i), rapid.IntRange(0, 8).Draw(t, "address"))
			a.Device = rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "device")
			fail(th, a)
			w.pass(time.Duration(rapid.IntRange(0, 2000).Draw(t, "ms")) * time.Millisecond)
		}
		mine := everywhere(from("192.0.2.1", 1), 0)
		mine.Device = rapid.SampledFrom([]string{"", "a", "mine"}).Draw(t, "my device")
		var turn throttle.Turn
		for range 4 {
			if turn = admit(th, mine); turn.OK {
				return
			}
			if turn.RetryAfter > time.Minute {
				t.Fatalf("told to wait %v, want a minute at most", turn.RetryAfter)
			}
			w.pass(turn.RetryAfter)
		}
		t.Fatalf("not in after 4 tries, told to wait %v: %+v", turn.RetryAfter, th.Snapshot())
	})
}

// Bytes are instructions: what is shown, by whom, how it ends, how time passes.
func FuzzThrottle(f *testing.F) {
	f.Add([]byte("\x00\x01\x02\x03\x10\x80\xff\x7f"))
	f.Fuzz(func(t *testing.T, steps []byte) {
		th, w := newThrottle(throttle.Options{Challenge: len(steps)%2 == 0, Entries: 256})
		end := []func(*throttle.Turn){
			func(turn *throttle.Turn) { turn.Cancel() },
			func(turn *throttle.Turn) { turn.Succeed() },
			func(turn *throttle.Turn) { turn.Fail(throttle.Refused) },
			func(turn *throttle.Turn) { turn.Fail(throttle.Weight(len(steps))) },
		}
		for i := 0; i+2 < len(steps); i += 3 {
			what, who, how := steps[i], steps[i+1], steps[i+2]
			a := throttle.Attempt{Attraction: string(steps[:i%7]), Strong: what&1 != 0, Challenged: what&2 != 0}
			a.Client, _ = netip.AddrFromSlice(steps[:min(i, int(who%17))])
			if what&4 != 0 {
				a.Fingerprint = code(int(what >> 4))
			}
			if what&8 != 0 {
				a.Reference, a.Device = code(int(who)), string(steps[i:])
			}
			turn := th.Allow(a)
			if turn.OK == (turn.RetryAfter != 0) || turn.RetryAfter < 0 || turn.RetryAfter > time.Hour || turn.OK && turn.Guarded {
				t.Fatalf("Allow(%+v) = OK %v, RetryAfter %v, Guarded %v", a, turn.OK, turn.RetryAfter, turn.Guarded)
			}
			end[how%4](&turn)
			w.pass(time.Duration(int8(how)) * time.Second)
		}
		for axis, n := range th.Snapshot().Entries {
			if n > 256 {
				t.Fatalf("%d counters on the axis %v, want at most 256", n, throttle.Axis(axis))
			}
		}
	})
}
