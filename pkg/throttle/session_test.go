package throttle_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/throttle"
)

// session returns an attempt with the nth session.
func session(addr string, n int) throttle.Attempt {
	a := from(addr, n)
	a.Session, a.Attraction, a.Kind = true, "", "session"
	return a
}

func TestSessionsHaveTheirOwnLane(t *testing.T) {
	th, w := newThrottle(throttle.Options{})
	asked := 0
	for i := range 1000 {
		n, _ := fail(th, session("192.0.2.1", i))
		asked += n
	}
	wantAsked(t, "made-up sessions", asked, 80)
	strong := from("192.0.2.1", 2000)
	strong.Strong = true
	wantOK(t, "a strong code beside them", admit(th, strong))
	wantOK(t, "a short code beside them", admit(th, from("192.0.2.1", 2001)))
	wantOK(t, "a session elsewhere", admit(th, session("192.0.2.2", 2002)))

	good := session("192.0.2.1", 2003)
	refused := peek(th, good)
	wantWait(t, "a good session beside them", refused, 5*time.Second, 10*time.Second)
	w.pass(refused.RetryAfter)
	wantOK(t, "a good session when told to", admit(th, good))
	if s := th.Snapshot(); s.Guards != 0 {
		t.Errorf("%d guards, want sessions to bring on none", s.Guards)
	}
}

// Sessions change with every renewal, so those without a device are not kept.
func TestSessionsAreKnownOnDevicesOnly(t *testing.T) {
	th, _ := newThrottle(throttle.Options{})
	for i := range 100 {
		admit(th, session("192.0.2.1", i))
	}
	if n := th.Snapshot().Entries[throttle.Known]; n != 0 {
		t.Errorf("%d sessions are known, want none", n)
	}
	mine := session("192.0.2.1", 1000)
	mine.Device = "mine"
	wantOK(t, "first renewal", admit(th, mine))
	for i := range 1000 {
		fail(th, session("192.0.2.1", 2000+i))
	}
	wantOK(t, "the next, beside made-up sessions", admit(th, mine))
}

// What was good when the device got its cookie is known with that cookie.
func TestKnownOnAnIssuedDevice(t *testing.T) {
	th, _ := newThrottle(throttle.Options{Guard: quiet})
	first := from("192.0.2.1", 1)
	first.Issued = "mine"
	useUpDevices(th, 1000)
	fail(th, guesses("192.0.2.1", 2000, 100)...)
	wantWait(t, "a cookie that is only being issued", peek(th, first), time.Second, time.Minute)

	th, _ = newThrottle(throttle.Options{Guard: quiet})
	wantOK(t, "first time", admit(th, first))
	useUpDevices(th, 1000)
	fail(th, guesses("192.0.2.1", 2000, 100)...)
	again := from("192.0.2.1", 1)
	again.Device = "mine"
	wantOK(t, "again, with the cookie", admit(th, again))
	again.Device = "other"
	wantWait(t, "with another cookie", peek(th, again), time.Second, time.Minute)
}

// Twenty tabs renew at once, and thirty pupils show one ticket at once: all are
// in flight together, and none is a guess.
func TestCrowdsWithOneGoodThing(t *testing.T) {
	tabs := session("192.0.2.1", 1)
	tabs.Device = "phone"
	class := from("192.0.2.1", 2)
	class.Strong = true
	for name, a := range map[string]throttle.Attempt{"tabs": tabs, "a class": class} {
		th, _ := newThrottle(throttle.Options{})
		var turns []throttle.Turn
		for range 30 {
			turn := th.Allow(a)
			wantOK(t, name, turn)
			turns = append(turns, turn)
		}
		for i := range turns {
			turns[i].Succeed()
		}
		wantOK(t, name+" afterwards", admit(th, a))
	}
}

// What has failed is asked about no more than before.
func TestStrongCodeThatFailed(t *testing.T) {
	th, _ := newThrottle(throttle.Options{})
	a := from("192.0.2.1", 1)
	a.Strong = true
	n, _ := fail(th, a)
	wantAsked(t, "a strong code", n, 1)
	var turns []throttle.Turn
	for range 30 {
		a.Client = netip.MustParseAddr("192.0.2.1")
		turns = append(turns, th.Allow(a))
	}
	ok := 0
	for i := range turns {
		if turns[i].OK {
			ok++
		}
		turns[i].Cancel()
	}
	if ok > 5 {
		t.Errorf("%d at once of a code that has failed, want 5 at most", ok)
	}
}

// Know is what a success does to its device, and no turn.
func TestKnow(t *testing.T) {
	th, _ := newThrottle(throttle.Options{})
	a := session("192.0.2.1", 1)
	th.Know(a) // has no device
	a.Device = "phone"
	th.Know(a)
	for i := range 1000 {
		fail(th, session("192.0.2.1", 10+i))
	}
	wantOK(t, "a session that is known, behind made-up ones", th.Allow(a))
	if s := th.Snapshot(); s.Entries[throttle.Known] != 1 {
		t.Errorf("%d are known, want 1", s.Entries[throttle.Known])
	}
}
