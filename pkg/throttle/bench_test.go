package throttle_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/handstamp/handstamp/pkg/throttle"
)

func TestAllocates(t *testing.T) {
	for name, a := range cases() {
		th, _ := newThrottle(throttle.Options{})
		admit(th, a)
		if n := testing.AllocsPerRun(100, func() { turn := th.Allow(a); turn.Cancel() }); n > 0 {
			t.Errorf("%s: Allow and Cancel allocate %v times, want 0", name, n)
		}
	}
	th, _ := newThrottle(throttle.Options{})
	fail(th, guesses("192.0.2.1", 0, 10)...)
	a := from("192.0.2.1", 20)
	if n := testing.AllocsPerRun(100, func() { th.Allow(a) }); n > 0 {
		t.Errorf("turned away: Allow allocates %v times, want 0", n)
	}
}

func cases() map[string]throttle.Attempt {
	device, known := from("2001:db8::1", 1), from("2001:db8::1", 1)
	device.Device = "a device cookie of 32 characters"
	known.Device = device.Device
	device.Fingerprint = code(2)
	return map[string]throttle.Attempt{"IPv4": from("192.0.2.1", 3), "IPv6 device": device, "known": known}
}

// BenchmarkTurn is a newcomer with a good code: Allow and Cancel.
func BenchmarkTurn(b *testing.B) {
	for _, name := range []string{"IPv4", "IPv6 device", "known"} {
		a := cases()[name]
		b.Run(name, func(b *testing.B) {
			th := throttle.New(throttle.Options{})
			if name == "known" {
				admit(th, a)
			}
			b.ReportAllocs()
			for b.Loop() {
				turn := th.Allow(a)
				turn.Cancel()
			}
		})
	}
}

// BenchmarkAllow is the first half of it, for visitors who are all new.
func BenchmarkAllow(b *testing.B) {
	th := throttle.New(throttle.Options{Guard: quiet})
	attempts := make([]throttle.Attempt, 1<<10)
	for i := range attempts {
		attempts[i] = everywhere(from("192.0.2.1", i), i)
	}
	open := make([]throttle.Turn, 0, len(attempts))
	b.ReportAllocs()
	for range b.N {
		if len(open) == cap(open) {
			b.StopTimer()
			for i := range open {
				open[i].Cancel()
			}
			open = open[:0]
			b.StartTimer()
		}
		open = append(open, th.Allow(attempts[len(open)]))
	}
}

// BenchmarkSprayed is one more guess from an address that is used up.
func BenchmarkSprayed(b *testing.B) {
	th := throttle.New(throttle.Options{Guard: quiet})
	fail(th, guesses("192.0.2.1", 0, 10)...)
	a := from("192.0.2.1", 20)
	b.ReportAllocs()
	for b.Loop() {
		th.Allow(a)
	}
}

// BenchmarkCrowd is visitors on all processors at one attraction.
func BenchmarkCrowd(b *testing.B) {
	th := throttle.New(throttle.Options{})
	var people atomic.Int64
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		n := int(people.Add(1))
		a := everywhere(from("192.0.2.1", n), n)
		a.Reference, a.Device = code(-n), fmt.Sprint(n)
		for pb.Next() {
			turn := th.Allow(a)
			turn.Succeed()
		}
	})
}
