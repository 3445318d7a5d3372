package throttle_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/throttle"
)

// A million bad codes, from as many networks and devices.
func TestMemoryIsBounded(t *testing.T) {
	const entries = 1 << 13
	before := heapBytes()
	th, _ := newThrottle(throttle.Options{Guard: quiet, Entries: entries})
	for i := range badKeys(t) {
		a := from("2001:db8::", i)
		addr := a.Client.As16()
		addr[3], addr[4], addr[5] = byte(i>>16), byte(i>>8), byte(i)
		a.Client = netipFrom(addr)
		a.Device = fmt.Sprint(i)
		turn := th.Allow(a)
		if i%2 == 0 {
			turn.Fail(throttle.Refused)
		} else {
			turn.Succeed()
		}
	}
	s := th.Snapshot()
	for axis, n := range s.Entries {
		if n > entries {
			t.Errorf("%d counters on the axis %v, want at most %d", n, throttle.Axis(axis), entries)
		}
	}
	if s.Forgotten[throttle.Credential] == 0 || s.Forgotten[throttle.Known] == 0 {
		t.Errorf("%+v: want counters forgotten", s)
	}
	if grown := heapBytes() - before; grown > 6*entries*200 {
		t.Errorf("the heap grew by %d bytes for %d counters on each of 6 axes", grown, entries)
	}
	runtime.KeepAlive(th)
}

func badKeys(t *testing.T) int {
	if testing.Short() || raceDetector { // which makes it ten times slower
		return 40_000
	}
	return 1_000_000
}

func heapBytes() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// What is used is not forgotten, however many others come.
func TestFloodDoesNotForgetWhatIsUsed(t *testing.T) {
	th, _ := newThrottle(throttle.Options{Guard: quiet, Entries: 1 << 12})
	asked := 0
	for i := range 30_000 {
		attack(th, 1000+i, 1, nil)
		if i%10 == 0 {
			n, _ := fail(th, from("192.0.2.1", 1e9+i))
			asked += n
		}
	}
	wantAsked(t, "one address in a flood", asked, 8)
}

// A counter that is forgotten while an attempt is in flight owes it no room.
func TestForgottenInFlight(t *testing.T) {
	th, _ := newThrottle(throttle.Options{Guard: quiet, Entries: 128})
	mine := from("192.0.2.1", 1)
	turn := th.Allow(mine)
	attack(th, 1000, 5000, nil)
	turn.Fail(throttle.Malformed)
	open := 0
	for i := range 20 {
		if turn := th.Allow(from("192.0.2.1", 100+i)); turn.OK {
			open++
		}
	}
	wantAsked(t, "all at once", open, 7)
}

func TestNothingIsKeptOfSuccesses(t *testing.T) {
	th, w := newThrottle(throttle.Options{})
	for i := range 100 {
		a := everywhere(from("192.0.2.1", i), i)
		a.Device = fmt.Sprint(i)
		admit(th, a)
	}
	s := th.Snapshot()
	want := throttle.Stats{Allowed: 100, Succeeded: 100}
	want.Entries[throttle.Attraction], want.Entries[throttle.Known] = 1, 200
	if s != want {
		t.Errorf("Snapshot() = %+v, want %+v", s, want)
	}
	fail(th, from("192.0.2.1", 1000))
	w.pass(time.Hour)
	admit(th, from("192.0.2.1", 1001))
	if n := th.Snapshot().Entries[throttle.Network]; n != 0 {
		t.Errorf("%d networks on record an hour after the last failure, want none", n)
	}
}

// A shared is a Store as two instances might share it: slow to agree.
type shared struct {
	mu       sync.Mutex
	counters map[throttle.Key]throttle.Counter
}

func newShared() *shared { return &shared{counters: map[throttle.Key]throttle.Counter{}} }

func (s *shared) Load(k throttle.Key) throttle.Counter {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counters[k]
}

func (s *shared) Swap(k throttle.Key, old, next throttle.Counter) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.counters[k] != old || rand.IntN(3) == 0 {
		return false
	}
	s.counters[k] = next
	if next == (throttle.Counter{}) {
		delete(s.counters, k)
	}
	return true
}

func TestTwoInstancesShareAStore(t *testing.T) {
	store := newShared()
	one, _ := newThrottle(throttle.Options{Guard: quiet, Store: store})
	two, _ := newThrottle(throttle.Options{Guard: quiet, Store: store})
	asked := 0
	for i := range 100 {
		n, _ := fail([]*throttle.Throttle{one, two}[i%2], from("192.0.2.1", i))
		asked += n
	}
	wantAsked(t, "one address at two instances", asked, 8)
	mine := from("192.0.2.1", 1000)
	mine.Device = "mine"
	admit(one, mine)
	wantOK(t, "a code that is known at the other", peek(two, mine))
	if s := one.Snapshot(); s.Entries != (throttle.Stats{}).Entries {
		t.Errorf("Entries = %v, want none of a Store that is not ours", s.Entries)
	}
}

// Whatever happens at once, the limits hold.
func TestLimitsHoldUnderConcurrency(t *testing.T) {
	th, w := newThrottle(throttle.Options{Guard: quiet})
	var asked, inFlight, most atomic.Int64
	var all sync.WaitGroup
	for g := range 16 {
		all.Go(func() {
			for i := range 500 {
				turn := th.Allow(from("192.0.2.1", g*1000+i))
				if !turn.OK {
					continue
				}
				now := inFlight.Add(1)
				for old := most.Load(); now > old && !most.CompareAndSwap(old, now); old = most.Load() {
				}
				runtime.Gosched()
				inFlight.Add(-1)
				switch i % 3 {
				case 0:
					turn.Succeed()
				case 1:
					turn.Cancel()
				default:
					asked.Add(1)
					turn.Fail(throttle.Refused)
				}
			}
		})
	}
	all.Wait()
	if asked.Load() > 8 || most.Load() > 8 {
		t.Errorf("%d failures and %d at once, want at most 8", asked.Load(), most.Load())
	}
	w.pass(time.Hour)
	n, _ := fail(th, guesses("192.0.2.1", 1e6, 20)...)
	wantAsked(t, "an hour later, with no room left taken", n, 8)
}

// A clock that is set back locks nobody out for longer than the limits say, nor
// does one that is a little ahead open anything.
func TestClockSetBack(t *testing.T) {
	guarded, short, locked := from("192.0.2.2", 3000), from("192.0.2.1", 3001), from("192.0.2.2", 2000)
	locked.Strong, short.Attraction = true, "zoo"
	for _, back := range []time.Duration{time.Second, 7 * time.Minute, 365 * 24 * time.Hour} {
		th, w := newThrottle(throttle.Options{Challenge: true})
		attack(th, 0, 100, nil)
		for i := range 100 {
			a := short
			a.Fingerprint = code(1000 + i)
			fail(th, a)
		}
		for i := range 10 {
			fail(th, everywhere(locked, i))
		}
		w.pass(-back)
		if back == time.Second {
			wantWait(t, "guarded", peek(th, guarded), 5*time.Minute, 5*time.Minute)
			wantWait(t, "locked", peek(th, locked), 2*time.Second, 2*time.Second)
			wantWait(t, "used up", peek(th, short), 5*time.Second, time.Minute)
		}
		w.pass(10 * time.Minute)
		for name, a := range map[string]throttle.Attempt{"guarded": guarded, "locked": locked, "used up": short} {
			if name == "guarded" && back == 7*time.Minute {
				continue // as it ended in 12
			}
			wantOK(t, fmt.Sprintf("%s, set back %v, in its time", name, back), peek(th, a))
		}
	}
}
