package booktest

import (
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
)

// holds makes sure which session a device is told to show from now on.
func holds(t *testing.T, what string, a *gate.Admission, device string) {
	t.Helper()
	if a.Held != session(device) {
		t.Errorf("%s: held is %x, want %x of session %q", what, a.Held[:4], session(device), device)
	}
}

func tellsSession(t *testing.T, b gate.Book) {
	e := request("1", "K", "A")
	holds(t, "Enter", enter(t, b, e), "1")
	holds(t, "Find", find(t, b, "1", later), "1")
	holds(t, "Enter again", enter(t, b, e), "1")
	holds(t, "Renew", renew(t, b, renewal("1", "2", later)), "2")
	holds(t, "Renew again", renew(t, b, renewal("1", "2", later)), "2")
	holds(t, "Renew again to another one", renew(t, b, renewal("1", "x", later)), "2")
	for _, device := range []string{"1", "2"} {
		holds(t, "Find", find(t, b, device, later), "2")
	}
	e.At = later
	holds(t, "Enter again after a renewal", enter(t, b, e), "2")
	e = entry("3")
	e.Previous, e.At = session("2"), later.Add(time.Minute)
	holds(t, "Enter with the session before", enter(t, b, e), "3")
	holds(t, "Find", find(t, b, "3", e.At), "3")
	holds(t, "another device's Enter", enter(t, b, entry("other")), "other")
	holds(t, "Find", find(t, b, "3", e.At), "3")
}

// A session that began a moment ago stays, or a request that was on its way
// then would find that it was rotated away twice. All else is as if it had been
// rotated.
func youngSessionStays(t *testing.T, b gate.Book) {
	first := enter(t, b, entry("1"))
	before := renew(t, b, renewal("1", "2", later))
	for _, after := range []time.Duration{0, time.Second, gate.RotationGrace - time.Second, -time.Second, time.Second - gate.RotationGrace} {
		r := renewal("2", "3", later.Add(after))
		r.Fresh = &gate.Verdict{At: r.At, Entitlements: []gate.Entitlement{{Attraction: "castle", Package: "night", Until: first.Ends}}}
		a := renew(t, b, r)
		holds(t, after.String()+" after a rotation", a, "2")
		sameEntitlements(t, a.Entitlements, r.Fresh.Entitlements)
		if a.ID != first.ID || a.Device != first.Device || a.Taken != 1 || !a.VerdictAt.Equal(r.At) || a.Revision <= before.Revision {
			t.Errorf("renewed %v after a rotation as %+v, want the fresh verdict and a higher revision than %d", after, a, before.Revision)
		}
		gone(t, b, "3", later, gate.ReasonNoSession)
		holds(t, "Find", find(t, b, "1", later), "2") // its grace goes on
		before = a
	}
	holds(t, "after the grace", renew(t, b, renewal("2", "3", later.Add(gate.RotationGrace))), "3")
	short := renewal("3", "4", later.Add(gate.RotationGrace+5*time.Second))
	short.Grace = 5 * time.Second
	holds(t, "after a shorter grace", renew(t, b, short), "4")
	holds(t, "by a clock that was set back", renew(t, b, renewal("4", "5", short.At.Add(-gate.RotationGrace))), "5")
}

// Only a rotation makes a session young: what Enter gives out is renewed at any
// time, also right after the one before was rotated.
func enteredSessionIsRotated(t *testing.T, b gate.Book) {
	enter(t, b, entry("1"))
	holds(t, "at once", renew(t, b, renewal("1", "2", noon)), "2")
	e := entry("3")
	e.Previous, e.At = session("2"), noon.Add(time.Second)
	enter(t, b, e)
	holds(t, "shown again and renewed", renew(t, b, renewal("3", "4", e.At)), "4")
	holds(t, "its answer was lost", renew(t, b, renewal("3", "4", e.At.Add(time.Second))), "4")
}

// Requests of a third tab are on their way while two others renew. Whatever
// session they have, nobody takes them for a thief.
func tabsOverTwoRotations(t *testing.T, b gate.Book) {
	enter(t, b, entry("0"))
	at := func(seconds int) time.Time { return later.Add(time.Duration(seconds) * time.Second) }
	holds(t, "first tab", renew(t, b, renewal("0", "1", at(0))), "1")
	holds(t, "second tab", renew(t, b, renewal("1", "2", at(20))), "1")
	holds(t, "third tab, with the first session", renew(t, b, renewal("0", "1", at(29))), "1")
	holds(t, "second tab again", renew(t, b, renewal("1", "2", at(30))), "2")
	refusesRenewal(t, b, renewal("0", "1", at(30)), gate.ReasonNoSession) // very late, but no theft
	holds(t, "third tab, with the second session", renew(t, b, renewal("1", "2", at(59))), "2")
	holds(t, "all of them", renew(t, b, renewal("2", "3", at(60))), "3")
	refusesRenewal(t, b, renewal("1", "2", at(91)), gate.ReasonNoSession)
	gone(t, b, "3", at(91), gate.ReasonRevoked) // this was theft
}

// A device that renews has not been idle, even where nothing is rotated.
func youngSessionIsSeen(t *testing.T, b gate.Book) {
	one := func(device string, at time.Time) gate.Entry {
		e := waiting(device, at)
		e.Seats = 1
		return e
	}
	enter(t, b, one("1", noon))
	renew(t, b, renewal("1", "2", minutes(10)))
	holds(t, "a moment later", renew(t, b, renewal("2", "3", minutes(10).Add(20*time.Second))), "2")
	refusesEntry(t, b, one("4", minutes(30).Add(20*time.Second)), gate.ReasonSeatsTaken)
	enter(t, b, one("4", minutes(30).Add(21*time.Second)))
}
