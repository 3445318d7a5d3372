package throttle_test

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/throttle"
)

// quiet is no guard, for tests of other axes.
var quiet = throttle.Guard{Failures: 1e9}

func TestOneAddress(t *testing.T) {
	th, w := newThrottle(throttle.Options{Guard: quiet})
	asked := 0
	for i := range 100 {
		n, _ := fail(th, from("192.0.2.1", i))
		asked += n
		w.pass(500 * time.Millisecond)
	}
	wantAsked(t, "100 wrong codes in 50 s", asked, 8)
	mine := from("192.0.2.1", 1000)
	refused := th.Allow(mine)
	wantWait(t, "one more", refused, 5*time.Second, 10*time.Second)
	wantOK(t, "a neighbour", peek(th, from("192.0.2.2", 1001)))

	w.pass(refused.RetryAfter - time.Second)
	wantWait(t, "one more, too early", peek(th, mine), time.Second, time.Second)
	w.pass(time.Second)
	wantOK(t, "one more, when told to", admit(th, mine))

	w.pass(10 * time.Minute)
	asked, _ = fail(th, guesses("192.0.2.1", 2000, 20)...)
	wantAsked(t, "10 minutes later", asked, 8)
}

func TestLastFifthIsForThoseWhoComeBack(t *testing.T) {
	th, w := newThrottle(throttle.Options{Guard: quiet})
	asked, _ := fail(th, guesses("192.0.2.1", 0, 100)...)
	wantAsked(t, "first tries", asked, 8)
	w.pass(10 * time.Second)
	asked, last := fail(th, guesses("192.0.2.1", 10, 90)...)
	wantAsked(t, "the same codes again", asked, 2)
	wantWait(t, "the same codes again", last, 50*time.Second, time.Minute) // until a failure has decayed
	w.pass(last.RetryAfter)
	asked, _ = fail(th, guesses("192.0.2.1", 10, 90)...)
	wantAsked(t, "the same codes for the third time", asked, 1)
}

func TestWhatCountsAsOneNetwork(t *testing.T) {
	tests := []struct {
		name  string
		tries int
		addr  func(i int) netip.Addr
		want  int
	}{
		{"addresses of a /64", 1 << 16, func(i int) netip.Addr {
			return netip.AddrFrom16([16]byte{0x20, 0x01, 0x0d, 0xb8, 8: byte(i >> 8), 15: byte(i)})
		}, 8},
		{"/64s of a /48", 1 << 16, func(i int) netip.Addr {
			return netip.AddrFrom16([16]byte{0x20, 0x01, 0x0d, 0xb8, 6: byte(i >> 8), 7: byte(i)})
		}, 80},
		{"IPv4, written both ways", 100, func(i int) netip.Addr {
			return netip.MustParseAddr([]string{"192.0.2.1", "::ffff:192.0.2.1"}[i%2])
		}, 8},
		{"zones", 1000, func(i int) netip.Addr { return netip.MustParseAddr(fmt.Sprintf("fe80::1%%%d", i)) }, 8},
		{"no address", 100, func(int) netip.Addr { return netip.Addr{} }, 8},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			th, _ := newThrottle(throttle.Options{Guard: quiet})
			asked := 0
			for i := range tt.tries {
				a := from("192.0.2.1", i)
				a.Client = tt.addr(i)
				n, _ := fail(th, a)
				asked += n
			}
			wantAsked(t, tt.name, asked, tt.want)
			wantOK(t, "the address next to it", peek(th, from("2001:db9::", 1<<17)))
		})
	}
}

func TestVenues(t *testing.T) {
	venues := []netip.Prefix{netip.MustParsePrefix("192.0.2.0/25"), netip.MustParsePrefix("2001:db8:1::/56")}
	th, _ := newThrottle(throttle.Options{Guard: quiet, Venues: venues})
	venues[0] = netip.MustParsePrefix("192.0.2.128/25")
	for addr, want := range map[string]int{"192.0.2.1": 160, "::ffff:192.0.2.2": 160, "192.0.2.129": 8, "2001:db8:1::1": 160, "2001:db8:2::1": 8} {
		asked, _ := fail(th, guesses(addr, 0x10000+int(netip.MustParseAddr(addr).As16()[15])<<10, 400)...)
		wantAsked(t, addr, asked, want)
	}
}

func TestLanes(t *testing.T) {
	th, _ := newThrottle(throttle.Options{Guard: quiet})
	asked, _ := fail(th, guesses("192.0.2.1", 0, 100)...)
	wantAsked(t, "short codes", asked, 8)

	device := from("192.0.2.1", 1000)
	device.Device = "a"
	strong := from("192.0.2.1", 1001)
	strong.Strong = true
	challenged := from("192.0.2.1", 1002)
	challenged.Challenged = true
	for name, a := range map[string]throttle.Attempt{"device": device, "strong": strong, "challenged": challenged} {
		wantOK(t, name, admit(th, a))
	}

	asked = 0
	for i := range 1000 { // a device each
		a := from("192.0.2.1", 2000+i)
		a.Device = fmt.Sprint(i)
		n, _ := fail(th, a)
		asked += n
	}
	wantAsked(t, "devices", asked, 8)
	wantOK(t, "strong, beside used up lanes", admit(th, strong))

	asked = 0
	for i := range 1000 {
		a := from("192.0.2.1", 3000+i)
		a.Strong, a.Challenged = i%2 == 0, i%2 == 1
		n, _ := fail(th, a)
		asked += n
	}
	wantAsked(t, "strong or challenged", asked, 80)
}

// A device that failed more than twice has left its lane; it may fail ten times
// before it has to wait, and a success wipes it clean.
func TestDevice(t *testing.T) {
	th, w := newThrottle(throttle.Options{Guard: quiet})
	onDevice := func(addr string, n int) throttle.Attempt {
		a := from(addr, n)
		a.Device = "a"
		return a
	}
	fail(th, guesses("192.0.2.1", 0, 100)...) // the open lane is full
	for i := range 3 {
		wantOK(t, fmt.Sprintf("mistyped %d times", i), peek(th, onDevice("192.0.2.1", 1000+i)))
		fail(th, onDevice("192.0.2.1", 1000+i))
	}
	wantWait(t, "mistyped 3 times", peek(th, onDevice("192.0.2.1", 1003)), 5*time.Second, 10*time.Second)

	asked := 3
	for i := range 100 {
		n, _ := fail(th, onDevice(fmt.Sprintf("198.51.100.%d", i), 2000+i))
		asked += n
	}
	wantAsked(t, "one device on many networks", asked, 10)
	w.pass(10 * time.Minute)
	if turn := admit(th, onDevice("198.51.100.200", 3000)); !turn.OK {
		t.Errorf("after 10 minutes: told to wait %v", turn.RetryAfter)
	}
	fail(th, onDevice("198.51.100.201", 3001), onDevice("198.51.100.201", 3002), onDevice("198.51.100.201", 3003))
	admit(th, onDevice("198.51.100.202", 3004))
	asked = 0
	for i := range 100 {
		n, _ := fail(th, onDevice(fmt.Sprintf("203.0.113.%d", i), 4000+i))
		asked += n
	}
	wantAsked(t, "after a success", asked, 10)
	challenged := onDevice("203.0.113.200", 5000)
	challenged.Challenged = true
	wantOK(t, "a challenge passed", peek(th, challenged))
}

func TestWeights(t *testing.T) {
	for w, want := range map[throttle.Weight]int{0: 36, throttle.Malformed: 36, throttle.Refused: 8, 255: 8} {
		th, _ := newThrottle(throttle.Options{Guard: quiet})
		asked := 0
		for i := range 100 {
			if turn := th.Allow(from("192.0.2.1", i)); turn.OK {
				asked++
				turn.Fail(w)
			}
		}
		wantAsked(t, fmt.Sprintf("weight %d", w), asked, want)
	}
}

func TestMalformed(t *testing.T) {
	th, _ := newThrottle(throttle.Options{})
	asked := 0
	var turn throttle.Turn
	for range 200 {
		turn = th.Allow(throttle.Attempt{Client: netip.MustParseAddr("192.0.2.1"), Attraction: "castle"})
		if turn.OK {
			asked++
			turn.Fail(throttle.Malformed)
		}
	}
	wantAsked(t, "malformed codes", asked, 36) // the next would not leave room for a whole failure
	wantWait(t, "malformed code", turn, 2*time.Second, 13*time.Second)
	if s := th.Snapshot(); s.Guards != 0 || s.Entries[throttle.Credential] != 0 || s.Entries[throttle.Waiting] != 0 {
		t.Errorf("malformed codes left %+v, want neither guard nor credentials", s)
	}
}

// The codes of those who are inside are no way past the limits.
func TestKnown(t *testing.T) {
	th, w := newThrottle(throttle.Options{Guard: quiet})
	mine := from("192.0.2.1", 1)
	mine.Device = "mine"
	wantOK(t, "first time", admit(th, mine))
	for i := range 100 {
		a := from("192.0.2.1", 1000+i)
		a.Device = "mine"
		fail(th, a)
	}
	fail(th, guesses("192.0.2.1", 2000, 100)...)
	wantOK(t, "the same code on its device", admit(th, mine))
	if s := th.Snapshot(); s.Refused[throttle.Device] == 0 {
		t.Errorf("%+v: want the device beyond its limit", s)
	}

	other := mine
	other.Device = "other"
	useUpDevices(th, 3000)
	wantWait(t, "the same code on another device", peek(th, other), time.Second, time.Minute)
	other.Device = ""
	wantWait(t, "the same code without a device", peek(th, other), time.Second, time.Minute)

	refunded := th.Allow(mine)
	wantOK(t, "the same code on its device", refunded)
	refunded.Fail(throttle.Refused)
	wantWait(t, "after the source refused it", peek(th, mine), time.Second, time.Minute)
	w.pass(time.Hour)
	wantOK(t, "when it is good again", admit(th, mine))
	w.pass(7*24*time.Hour - time.Minute)
	useUpDevices(th, 6000)
	wantOK(t, "at the end of Remember", peek(th, mine))
	w.pass(time.Minute)
	useUpDevices(th, 7000)
	wantWait(t, "after it", peek(th, mine), time.Second, time.Minute)
}

// useUpDevices uses up the lane of devices.
func useUpDevices(th *throttle.Throttle, first int) {
	for i := range 20 {
		a := from("192.0.2.1", first+i)
		a.Device = fmt.Sprint("spare ", first+i)
		fail(th, a)
	}
}

// Whoever is turned away hears of a challenge if there is one and it helps.
func TestGuarded(t *testing.T) {
	for _, there := range []bool{true, false} {
		th, _ := newThrottle(throttle.Options{Guard: quiet, Challenge: there})
		for i := range 500 {
			a := from("192.0.2.1", i)
			a.Strong = i%2 == 0
			fail(th, a)
		}
		short, strong, challenged := from("192.0.2.1", 1000), from("192.0.2.1", 1001), from("192.0.2.1", 1002)
		strong.Strong, challenged.Challenged = true, true
		for _, tt := range []struct {
			name string
			a    throttle.Attempt
			want bool
		}{{"short code", short, there}, {"strong code", strong, false}, {"challenge passed", challenged, false}} {
			if turn := th.Allow(tt.a); turn.OK || turn.Guarded != tt.want {
				t.Errorf("%s, challenge %v: OK %v, Guarded %v, want a refusal and %v", tt.name, there, turn.OK, turn.Guarded, tt.want)
			}
		}
		before := th.Snapshot()
		turn := th.Allow(short)
		turn.Succeed()
		turn.Fail(throttle.Refused)
		turn.Cancel()
		before.Refused[throttle.Network]++
		if after := th.Snapshot(); after != before {
			t.Errorf("after ending a turn that was not given: %+v, want %+v", after, before)
		}
	}
}

func TestPlacesAreNotKeptForEver(t *testing.T) {
	th, w := newThrottle(throttle.Options{Guard: quiet, Network: throttle.Limit{Failures: 10, Window: 10 * time.Hour}})
	fail(th, guesses("192.0.2.1", 0, 8)...)
	mine, late := from("192.0.2.1", 1000), from("192.0.2.1", 1001)
	told := peek(th, late).RetryAfter
	w.pass(told + 9*time.Minute)
	wantWait(t, "first time", peek(th, mine), 5*time.Second, 10*time.Second)
	wantOK(t, "9 minutes late", peek(th, late))
	w.pass(11 * time.Minute)
	wantWait(t, "11 minutes late", peek(th, mine), 5*time.Second, 10*time.Second)
	fail(th, guesses("192.0.2.1", 0, 20)...) // they are told to come back
	w.pass(10 * time.Second)
	_, last := fail(th, guesses("192.0.2.1", 8, 12)...)
	wantWait(t, "an hour before there is room", last, time.Minute, time.Minute)
}
