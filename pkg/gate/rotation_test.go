package gate_test

import (
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
)

// Three tabs of a browser, one cookie jar, answers that overtake each other:
// however they renew, nobody is taken for a thief, and every session that a tab
// is given is good for another half a minute at least.
func TestTabsWithRequestsOnTheirWayOverTwoRenewals(t *testing.T) {
	w, _ := newOffice(gate.Options{Seats: 1})
	s0 := w.admit(t, "", "").Session
	w.later(10 * time.Minute)
	s1 := w.renew(t, s0).Session
	if s1 == s0 {
		t.Fatal("the session of the admission was not rotated")
	}
	w.later(10 * time.Second) // the second tab woke up with the new cookie
	if got := w.renew(t, s1); got.Session != s1 || got.Degraded || len(got.Stamps) != 1 {
		t.Errorf("Renew with a session of ten seconds = %+v, want it kept, with stamps", got)
	}
	w.later(15 * time.Second) // the third had sent the old one before, and waited
	if got := w.renew(t, s0); got.Session != s1 {
		t.Errorf("Renew with the session before = %+v, want the one that it was rotated to", got)
	}
	w.later(5 * time.Second) // 30 s after the first rotation
	s2 := w.renew(t, s1).Session
	if s2 == s1 || s2 == s0 {
		t.Error("after the grace the session was not rotated")
	}
	w.refusesRenewal(t, s0, gate.ReasonNoSession) // half a minute on its way
	w.later(gate.RotationGrace - time.Second)
	if got := w.renew(t, s1); got.Session != s2 {
		t.Errorf("Renew with the session before = %+v, want the current one", got)
	}
	w.later(time.Second)
	w.renew(t, s2)
}

// The disk of one instance is replaced, and with it the pepper: the session
// that it would hand out is not the one on record.
func TestRenewWithAnotherPepper(t *testing.T) {
	w, _ := newOffice(gate.Options{})
	s0 := w.admit(t, "", "").Session
	w.later(10 * time.Minute)
	s1 := w.renew(t, s0).Session
	other := gate.NewKeeper(&w.desk, &gate.Rules{Attractions: places()}, &w.book, &w.press,
		gate.Options{Pepper: []byte("salt"), Now: func() time.Time { return w.now }})
	same := w.Keeper
	w.Keeper = other
	w.refusesRenewal(t, s0, gate.ReasonNoSession)
	if got := w.renew(t, s1); got.Session != s1 {
		t.Errorf("Renew of a young session = %+v, want it kept", got)
	}
	w.Keeper = same
	w.renew(t, s1) // nobody was thrown out for that
}

// The clock goes back by an hour between the admission and a renewal, and
// forwards again: the visit goes on, and no session is taken for a stolen one.
func TestRenewalsAroundAClockThatIsSetBack(t *testing.T) {
	w, _ := newOffice(gate.Options{Seats: 1})
	pass := w.admit(t, "", "")
	for i, step := range []time.Duration{time.Minute, -time.Hour, 10 * time.Minute, time.Hour, -time.Second, 10 * time.Minute, -time.Hour, time.Hour} {
		w.later(step)
		before := pass.Session
		pass = w.renew(t, before)
		if again := w.renew(t, before); again.Session != pass.Session { // its answer was lost
			t.Fatalf("step %d: renewed again to another session", i)
		}
		if !pass.Admission.Ends.Equal(noon.Add(gate.DefaultLongest)) || pass.Admission.Taken != 1 {
			t.Fatalf("step %d: %+v, want the visit as it was", i, pass.Admission)
		}
	}
}
