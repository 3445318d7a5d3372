package booktest

import (
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
)

// renewal is a device's request to go on, with its next session.
func renewal(from, to string, at time.Time) gate.Renewal {
	return gate.Renewal{Session: session(from), Next: session(to), At: at, Grace: gate.RotationGrace}
}

func renew(t *testing.T, b gate.Book, r gate.Renewal) *gate.Admission {
	t.Helper()
	a, err := b.Renew(t.Context(), r)
	if err != nil {
		t.Fatalf("Renew = %v, want an admission", err)
	}
	return a
}

func refusesRenewal(t *testing.T, b gate.Book, r gate.Renewal, reason gate.Reason) {
	t.Helper()
	a, err := b.Renew(t.Context(), r)
	if a != nil {
		t.Fatalf("Renew = %+v, want no admission", a)
	}
	refused(t, "Renew", err, reason)
}

// gone makes sure that a session finds nothing, for reason.
func gone(t *testing.T, b gate.Book, device string, at time.Time, reason gate.Reason) {
	t.Helper()
	a, err := b.Find(t.Context(), session(device), at)
	if a != nil {
		t.Fatalf("Find(%q) = %+v, want no admission", device, a)
	}
	refused(t, "Find("+device+")", err, reason)
}

// later is when the sessions of these tests are rotated.
var later = noon.Add(10 * time.Minute)

func rotates(t *testing.T, b gate.Book) {
	e := entry("1")
	e.Source, e.Ref = "boxoffice", "order 17"
	first := enter(t, b, e)
	other := enter(t, b, entry("other"))
	if first.Device == "" || other.Device == "" || first.Device == other.Device {
		t.Errorf("devices %q and %q, want two", first.Device, other.Device)
	}
	a := renew(t, b, renewal("1", "2", later))
	same(t, a, other)
	if a.Device != first.Device || a.Revision <= other.Revision {
		t.Errorf("renewed as device %q, revision %d, want %q and more than %d", a.Device, a.Revision, first.Device, other.Revision)
	}
	same(t, renew(t, b, renewal("2", "3", later.Add(time.Minute))), other)
	if a := find(t, b, "3", later.Add(time.Minute)); a.Device != first.Device || a.Taken != 2 || !a.VerdictAt.Equal(noon) {
		t.Errorf("found %+v, want device %q, 2 seats taken and the verdict of the entry", a, first.Device)
	}
	if a := find(t, b, "other", later); a.Device != other.Device {
		t.Errorf("the other device is %q now, want %q", a.Device, other.Device)
	}
}

// A lost answer: the device still has the session before, and shows it again.
func renewsAgainWithinGrace(t *testing.T, b gate.Book) {
	first := enter(t, b, entry("1"))
	renew(t, b, renewal("1", "2", later))
	for _, seconds := range []time.Duration{0, 1, 29, 30} {
		at := later.Add(seconds * time.Second)
		if a := renew(t, b, renewal("1", "2", at)); a.ID != first.ID || a.Device != first.Device || a.Taken != 1 {
			t.Errorf("renewed again after %ds as %+v, want the same seat in %s", seconds, a, first.ID)
		}
		if a := find(t, b, "1", at); a.Device != first.Device {
			t.Errorf("the session before finds %+v, want device %s", a, first.Device)
		}
	}
	// It was not rotated once more: the one that the first answer named counts.
	renew(t, b, renewal("2", "3", later.Add(10*time.Minute)))
	find(t, b, "3", later.Add(10*time.Minute))
}

// The grace is counted from the rotation, not from the last request within it.
func graceEnds(t *testing.T, b gate.Book) {
	enter(t, b, entry("1"))
	renew(t, b, renewal("1", "2", later))
	renew(t, b, renewal("1", "2", later.Add(20*time.Second)))
	gone(t, b, "1", later.Add(31*time.Second), gate.ReasonNoSession)
	find(t, b, "2", later.Add(31*time.Second)) // looking at it has revoked nothing
	short := renewal("1", "2", later.Add(6*time.Second))
	short.Grace = 5 * time.Second
	refusesRenewal(t, b, short, gate.ReasonNoSession)
	gone(t, b, "2", later.Add(7*time.Second), gate.ReasonRevoked)
}

// reuse: whoever comes second with a session has it from somebody else, or
// somebody else has it from them. Neither goes on.
func reuse(t *testing.T, b gate.Book) {
	names := []string{"1", "2", "3", "4"}
	for generations := 1; generations < len(names); generations++ {
		e := entry(names[0])
		e.Ticket, e.Seats = fingerprint(names[generations]), 2
		e.Session[0] ^= byte(generations)
		enter(t, b, e)
		bystander := e
		bystander.Session = session("bystander " + names[generations])
		enter(t, b, bystander)
		r := gate.Renewal{Session: e.Session, At: noon, Grace: gate.RotationGrace}
		for i := range generations {
			r.At, r.Next = r.At.Add(10*time.Minute), session(names[generations]+" next "+names[i])
			renew(t, b, r)
			r.Session = r.Next
		}
		stolen := gate.Renewal{Session: e.Session, Next: session("loot"), At: r.At.Add(31 * time.Second), Grace: gate.RotationGrace}
		refusesRenewal(t, b, stolen, gate.ReasonNoSession)
		r.Next, r.At = session("more loot"), stolen.At
		refusesRenewal(t, b, r, gate.ReasonRevoked)
		if _, err := b.Find(t.Context(), stolen.Next, stolen.At); err == nil {
			t.Error("the thief has a session")
		}
		// The rest of the party goes on, and the seat is free for another device.
		again := e
		again.Session, again.At = session("again "+names[generations]), stolen.At
		if a := enter(t, b, again); a.Taken != 2 {
			t.Errorf("%d seats taken, want the bystander's and the new one", a.Taken)
		}
		find(t, b, "bystander "+names[generations], stolen.At)
	}
}

func renewRefusesStrangers(t *testing.T, b gate.Book) {
	refusesRenewal(t, b, renewal("1", "2", noon), gate.ReasonNoSession)
	refusesRenewal(t, b, gate.Renewal{Next: session("2"), At: noon, Grace: gate.RotationGrace}, gate.ReasonNoSession)
	enter(t, b, entry("1"))
	refusesRenewal(t, b, renewal("2", "3", noon), gate.ReasonNoSession)
	for _, next := range []gate.SessionHash{{}, session("1")} {
		if a, err := b.Renew(t.Context(), gate.Renewal{Session: session("1"), Next: next, At: noon, Grace: gate.RotationGrace}); err == nil {
			t.Errorf("Renew without a new session = %+v, want an error", a)
		}
	}
	leave(t, b, "1")
	refusesRenewal(t, b, renewal("1", "2", noon), gate.ReasonNoSession)
	gone(t, b, "2", noon, gate.ReasonNoSession)
}

func renewEnds(t *testing.T, b gate.Book) {
	end := noon.Add(time.Hour)
	enter(t, b, entry("1"))
	renew(t, b, renewal("1", "2", end.Add(-time.Second)))
	for _, device := range []string{"1", "2"} { // within the grace, too
		refusesRenewal(t, b, renewal(device, "3", end), gate.ReasonNoSession)
		gone(t, b, device, end, gate.ReasonNoSession)
	}
	e := entry("next")
	e.At, e.Ends = end, end.Add(time.Hour)
	enter(t, b, e)
	for _, device := range []string{"1", "2"} {
		refusesRenewal(t, b, renewal(device, "3", end), gate.ReasonNoSession)
		refusesRenewal(t, b, renewal(device, "3", end.Add(-time.Second)), gate.ReasonNoSession)
	}
	find(t, b, "next", end)
}

func takesFreshVerdict(t *testing.T, b gate.Book) {
	e := entry("1")
	e.Entitlements = append(e.Entitlements, gate.Entitlement{Attraction: "zoo", Until: noon.Add(time.Hour)})
	before := enter(t, b, e)
	fresh := []gate.Entitlement{
		{Attraction: "zoo", Package: "night", From: noon, Until: noon.Add(30 * time.Minute)},
		{Attraction: "castle", Package: "premium", Until: noon.Add(2 * time.Hour)},
	}
	r := renewal("1", "2", later)
	r.Fresh = &gate.Verdict{At: later, Entitlements: slices.Clone(fresh)}
	a := renew(t, b, r)
	r.Fresh.Entitlements[0].Attraction = "everything" // the caller's copy
	sorted := []gate.Entitlement{fresh[1], fresh[0]}
	for _, a := range []*gate.Admission{a, find(t, b, "2", later)} {
		sameEntitlements(t, a.Entitlements, sorted)
		if !a.VerdictAt.Equal(later) || !a.Ends.Equal(before.Ends) || a.ID != before.ID || a.Revision <= before.Revision {
			t.Errorf("renewed as %+v, want the verdict of %v, the same visit and its end %v", a, later, before.Ends)
		}
	}
	// Without a verdict all stays as it is.
	a = renew(t, b, renewal("2", "3", later.Add(time.Minute)))
	sameEntitlements(t, a.Entitlements, sorted)
	if !a.VerdictAt.Equal(later) {
		t.Errorf("verdict of %v, want %v", a.VerdictAt, later)
	}
}

func twentyTabs(t *testing.T, b gate.Book) {
	first := enter(t, b, entry("1"))
	for _, step := range [][2]string{{"1", "2"}, {"2", "3"}} {
		at := later
		if step[0] == "2" {
			at = later.Add(10 * time.Minute)
		}
		together(20, func(i int) {
			r := renewal(step[0], step[1], at.Add(time.Duration(i)*time.Second))
			a, err := b.Renew(t.Context(), r)
			if err != nil || a.ID != first.ID || a.Device != first.Device || a.Taken != 1 {
				t.Errorf("Renew in tab %d = %+v, %v, want device %s in %s", i, a, err, first.Device, first.ID)
			}
		})
		find(t, b, step[1], at.Add(time.Hour/4))
	}
}

// twoThieves: of many who show different next sessions, one gets through, and
// what the others wanted to be called is worth nothing.
func twoThieves(t *testing.T, b gate.Book) {
	enter(t, b, entry("1"))
	names := []string{"a", "b", "c", "d", "e", "f", "g", "h"}
	together(len(names), func(i int) {
		if _, err := b.Renew(t.Context(), renewal("1", names[i], later)); err != nil {
			t.Errorf("Renew within the grace = %v, want an admission", err)
		}
	})
	var alive atomic.Int32
	together(len(names), func(i int) {
		if _, err := b.Find(t.Context(), session(names[i]), later); err == nil {
			alive.Add(1)
		}
	})
	if alive.Load() != 1 {
		t.Errorf("%d sessions live, want 1", alive.Load())
	}
}

// A session of a request that may come again is the same each time, so it can
// begin a second life.
func sessionComesBack(t *testing.T, b gate.Book) {
	enter(t, b, entry("1"))
	renew(t, b, renewal("1", "2", later))
	if err := b.Leave(t.Context(), session("2"), later); err != nil {
		t.Fatal(err)
	}
	gone(t, b, "1", later, gate.ReasonNoSession)
	e := entry("1")
	e.At = later.Add(time.Minute)
	a := enter(t, b, e)
	if a := renew(t, b, renewal("1", "2", later.Add(10*time.Minute))); a.Taken != 1 {
		t.Errorf("%d seats taken, want 1", a.Taken)
	}
	if found := find(t, b, "2", later.Add(11*time.Minute)); found.Device != a.Device {
		t.Errorf("found device %s, want %s", found.Device, a.Device)
	}
}

func leaveAfterRotation(t *testing.T, b gate.Book) {
	for _, device := range []string{"1", "2"} {
		enter(t, b, entry(device))
		renew(t, b, renewal(device, device+" next", later))
	}
	leaveAt := func(device string, at time.Time, taken int) {
		t.Helper()
		if err := b.Leave(t.Context(), session(device), at); err != nil {
			t.Fatalf("Leave = %v", err)
		}
		if a := find(t, b, "2 next", at); a.Taken != taken {
			t.Errorf("%d seats taken, want %d", a.Taken, taken)
		}
	}
	leaveAt("2", later.Add(time.Minute), 2) // after its grace it is nobody's
	leaveAt("1", later.Add(time.Second), 1) // its answer was lost
	gone(t, b, "1 next", later.Add(time.Second), gate.ReasonNoSession)
	refusesRenewal(t, b, renewal("1 next", "x", later.Add(time.Second)), gate.ReasonNoSession)
}

// The ticket is shown again: the session before the last rotation keeps the
// seat for a moment, and after that it is a stranger's.
func previousWithinGrace(t *testing.T, b gate.Book) {
	first := enter(t, b, entry("1"))
	renew(t, b, renewal("1", "2", later))
	e := entry("3")
	e.Seats, e.Previous, e.At = 1, session("1"), later.Add(31*time.Second)
	refusesEntry(t, b, e, gate.ReasonSeatsTaken)
	find(t, b, "2", e.At)
	e.At = later.Add(30 * time.Second)
	if a := enter(t, b, e); a.Device != first.Device || a.Taken != 1 {
		t.Errorf("shown again: %+v, want device %s on its seat", a, first.Device)
	}
	gone(t, b, "2", e.At, gate.ReasonNoSession)
	renew(t, b, renewal("3", "4", later.Add(10*time.Minute)))
}
