package booktest

import (
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
)

// waiting is an entry that may take the seat of a device that was idle for
// more than 20 minutes, twice a day, in a visit of three days with two seats.
func waiting(device string, at time.Time) gate.Entry {
	e := entry(device)
	e.At, e.Ends, e.Seats, e.Idle, e.Swaps = at, noon.Add(72*time.Hour), 2, 20*time.Minute, 2
	return e
}

func minutes(n int) time.Time { return noon.Add(time.Duration(n) * time.Minute) }

func idleLosesSeat(t *testing.T, b gate.Book) {
	first := enter(t, b, waiting("1", noon))
	enter(t, b, waiting("2", minutes(1)))
	refusesEntry(t, b, waiting("3", minutes(20)), gate.ReasonSeatsTaken) // not before Idle
	find(t, b, "1", minutes(20))
	third := enter(t, b, waiting("3", minutes(20).Add(time.Second)))
	if third.ID != first.ID || third.Device == first.Device || third.Taken != 2 {
		t.Errorf("third device got %+v, want a seat in %s", third, first.ID)
	}
	gone(t, b, "1", minutes(21), gate.ReasonNoSession) // it was idle longest
	refusesRenewal(t, b, renewal("1", "1b", minutes(21)), gate.ReasonNoSession)
	find(t, b, "2", minutes(21))
	revoke(t, b, gate.Target{Kind: gate.TargetDevice, ID: first.Device}, minutes(21), 0)
	// Its seat is gone, but not its right to come in like anybody else.
	e := waiting("1c", minutes(22))
	e.Previous = session("1")
	if a := enter(t, b, e); a.Device == first.Device || a.Taken != 2 {
		t.Errorf("the first device again: %+v, want a new seat", a)
	}
	gone(t, b, "2", minutes(22), gate.ReasonNoSession)
}

func renewingIsNotIdle(t *testing.T, b gate.Book) {
	enter(t, b, waiting("1", noon))
	enter(t, b, waiting("2", noon))
	renew(t, b, renewal("1", "1b", minutes(15)))
	e := waiting("2b", minutes(16)) // showing the ticket again counts as well
	e.Previous = session("2")
	enter(t, b, e)
	refusesEntry(t, b, waiting("3", minutes(35)), gate.ReasonSeatsTaken)
	enter(t, b, waiting("3", minutes(35).Add(time.Second)))
	gone(t, b, "1b", minutes(36), gate.ReasonNoSession)
	find(t, b, "2b", minutes(36))
	find(t, b, "2b", minutes(50)) // looking does not count
	enter(t, b, waiting("4", minutes(50)))
	gone(t, b, "2b", minutes(50), gate.ReasonNoSession)
}

func swapsAreCounted(t *testing.T, b gate.Book) {
	enter(t, b, waiting("1", noon))
	enter(t, b, waiting("2", noon))
	enter(t, b, waiting("3", minutes(30)))
	enter(t, b, waiting("4", minutes(30)))
	day := minutes(30).Add(24 * time.Hour)
	for _, at := range []time.Time{minutes(90), day.Add(-time.Second)} {
		refusesEntry(t, b, waiting("5", at), gate.ReasonSeatsTaken)
	}
	e := waiting("B", minutes(90)) // other tickets have swaps of their own
	e.Ticket = fingerprint("B")
	enter(t, b, e)
	enter(t, b, waiting("5", day))
	enter(t, b, waiting("6", day))
	refusesEntry(t, b, waiting("7", day.Add(time.Hour)), gate.ReasonSeatsTaken)
}

// Swaps count by the ticket: a new visit does not bring new ones.
func swapsOutliveTheVisit(t *testing.T, b gate.Book) {
	visit := func(device string, begins, at int) gate.Entry {
		e := waiting(device, minutes(at))
		e.Seats, e.Swaps, e.Ends = 1, 1, minutes(begins+60)
		return e
	}
	enter(t, b, visit("1", 0, 0))
	enter(t, b, visit("2", 0, 30))
	next := enter(t, b, visit("3", 60, 60))
	if next.Taken != 1 {
		t.Fatalf("%d seats taken, want 1", next.Taken)
	}
	refusesEntry(t, b, visit("4", 60, 90), gate.ReasonSeatsTaken)
}

func idleIsOff(t *testing.T, b gate.Book) {
	enter(t, b, waiting("1", noon))
	enter(t, b, waiting("2", noon))
	for _, e := range []struct {
		idle  time.Duration
		swaps int
	}{{0, 2}, {-1, 2}, {20 * time.Minute, 0}, {20 * time.Minute, -1}, {0, 0}} {
		w := waiting("3", minutes(600))
		w.Idle, w.Swaps = e.idle, e.swaps
		refusesEntry(t, b, w, gate.ReasonSeatsTaken)
	}
	find(t, b, "1", minutes(600))
}

// With fewer seats than before, several would have to go: all of them, or none.
func idleGoTogether(t *testing.T, b gate.Book) {
	for i, device := range []string{"1", "2", "3"} {
		e := waiting(device, minutes(10*i))
		e.Seats = 3
		enter(t, b, e)
	}
	e := waiting("4", minutes(25)) // only the first is idle, and two would have to go
	refusesEntry(t, b, e, gate.ReasonSeatsTaken)
	for _, device := range []string{"1", "2", "3"} {
		find(t, b, device, minutes(25))
	}
	e.At, e.Swaps = minutes(35), 1
	refusesEntry(t, b, e, gate.ReasonSeatsTaken)
	e.Swaps = 2
	if a := enter(t, b, e); a.Taken != 2 {
		t.Errorf("%d seats taken, want 2", a.Taken)
	}
	find(t, b, "3", minutes(35))
}

// A device that was idle has its seat for as long as nobody wants it.
func idleKeepsSeat(t *testing.T, b gate.Book) {
	enter(t, b, waiting("1", noon))
	if a := renew(t, b, renewal("1", "2", noon.Add(48*time.Hour))); a.Taken != 1 {
		t.Errorf("%d seats taken, want 1", a.Taken)
	}
	if a := enter(t, b, waiting("3", noon.Add(48*time.Hour))); a.Taken != 2 {
		t.Errorf("%d seats taken, want 2", a.Taken)
	}
	find(t, b, "2", noon.Add(48*time.Hour))
}

// clockBack: the clock is set back by an hour. Nobody is thrown out for that,
// and nothing that was over comes to life.
func clockBack(t *testing.T, b gate.Book) {
	e := entry("1")
	e.Ends = noon.Add(3 * time.Hour)
	enter(t, b, e)
	at := noon.Add(2 * time.Hour)
	renew(t, b, renewal("1", "2", at))
	back := at.Add(-time.Hour)
	gone(t, b, "1", back, gate.ReasonNoSession)
	refusesRenewal(t, b, renewal("1", "x", back), gate.ReasonNoSession)
	if a := renew(t, b, renewal("2", "3", back)); a.Taken != 1 || !a.Ends.Equal(e.Ends) || !a.FirstUse.Equal(noon) {
		t.Errorf("renewed as %+v, want the visit as it was", a)
	}
	// Within the hour it was seen last later than now: it is not idle.
	w := waiting("4", at.Add(10*time.Minute))
	w.Ends, w.Seats = e.Ends, 1
	refusesEntry(t, b, w, gate.ReasonSeatsTaken)

	revoke(t, b, ticketOf("A"), at, 1)
	for _, device := range []string{"2", "3"} {
		gone(t, b, device, back, gate.ReasonRevoked)
		refusesRenewal(t, b, renewal(device, device+" x", back), gate.ReasonRevoked)
	}
}

// clockBackAfterTheEnd: a visit that another one followed does not come back.
func clockBackAfterTheEnd(t *testing.T, b gate.Book) {
	old := enter(t, b, entry("1"))
	e := entry("2")
	e.At, e.Ends = old.Ends, old.Ends.Add(time.Hour)
	next := enter(t, b, e)
	back := noon.Add(30 * time.Minute)
	gone(t, b, "1", back, gate.ReasonNoSession)
	refusesRenewal(t, b, renewal("1", "x", back), gate.ReasonNoSession)
	e = entry("3")
	e.At, e.Previous = back, session("1")
	if a := enter(t, b, e); a.ID != next.ID || a.Taken != 2 {
		t.Errorf("shown with the clock set back: %+v, want a seat in %s", a, next.ID)
	}
}

// firstUseStays: it is set once, and nothing that happens afterwards moves it.
func firstUseStays(t *testing.T, b gate.Book) {
	want := noon.Add(-time.Hour)
	check := func(what string, a *gate.Admission) {
		t.Helper()
		if !a.FirstUse.Equal(want) {
			t.Errorf("%s: first use %v, want %v", what, a.FirstUse, want)
		}
	}
	e := entry("1")
	e.FirstUse = want
	first := enter(t, b, e)
	check("entered", first)
	r := renewal("1", "2", later)
	r.Fresh = &gate.Verdict{At: later, Entitlements: e.Entitlements}
	check("renewed", renew(t, b, r))
	e.Session, e.Previous, e.FirstUse, e.At = session("3"), session("2"), noon.Add(-2*time.Hour), later
	check("shown again", enter(t, b, e))
	e.Session, e.FirstUse, e.At = session("4"), time.Time{}, noon.Add(-3*time.Hour)
	check("with the clock set back", enter(t, b, e))
	revoke(t, b, gate.Target{Kind: gate.TargetAdmission, ID: first.ID}, later, 1)
	e.Session, e.At, e.Ends = session("5"), first.Ends, first.Ends.Add(time.Hour)
	check("after a revoked visit", enter(t, b, e))
	revoke(t, b, gate.Target{Kind: gate.TargetAttraction, ID: "castle"}, e.At, 1)
	e.Session, e.At = session("6"), e.At.Add(time.Minute)
	check("after a revoked attraction", enter(t, b, e))
}
