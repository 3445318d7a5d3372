package booktest

import (
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
)

func leaveFreesSeat(t *testing.T, b gate.Book) {
	for _, device := range []string{"1", "2", "3"} {
		enter(t, b, entry(device))
	}
	leave(t, b, "2")
	refusesSession(t, b, "2", noon)
	if a := find(t, b, "1", noon); a.Taken != 2 {
		t.Errorf("%d seats taken, want 2", a.Taken)
	}
	enter(t, b, entry("4"))
	refusesEntry(t, b, entry("5"), gate.ReasonSeatsTaken)
}

func leaveForgives(t *testing.T, b gate.Book) {
	leave(t, b, "nobody")
	if err := b.Leave(t.Context(), gate.SessionHash{}, noon); err != nil {
		t.Errorf("Leave without a session = %v, want nil", err)
	}
	first := enter(t, b, entry("1"))
	enter(t, b, entry("2"))
	leave(t, b, "1")
	leave(t, b, "1")
	if a := find(t, b, "2", noon); a.Taken != 1 {
		t.Errorf("%d seats taken after leaving twice, want 1", a.Taken)
	}
	leave(t, b, "2")
	if a := enter(t, b, entry("3")); a.ID != first.ID || a.Taken != 1 {
		t.Errorf("after everybody left: %+v, want the same visit %s", a, first.ID)
	}
}

func findRefusesStrangers(t *testing.T, b gate.Book) {
	refusesSession(t, b, "1", noon)
	enter(t, b, entry("1"))
	refusesSession(t, b, "2", noon)
	_, err := b.Find(t.Context(), gate.SessionHash{}, noon)
	refused(t, "Find without a session", err, gate.ReasonNoSession)
}

func ends(t *testing.T, b gate.Book) {
	enter(t, b, entry("1"))
	end := noon.Add(time.Hour)
	find(t, b, "1", end.Add(-time.Second))
	refusesSession(t, b, "1", end)
	refusesSession(t, b, "1", end.Add(24*time.Hour))
	find(t, b, "1", noon) // looking at it has ended nothing
}

// endsNoLater is for books that store less than nanoseconds.
func endsNoLater(t *testing.T, b gate.Book) {
	e := entry("1")
	e.Ends = noon.Add(time.Hour + 123456789)
	a := enter(t, b, e)
	if a.Ends.After(e.Ends) || e.Ends.Sub(a.Ends) >= time.Second {
		t.Errorf("ends %v, want %v or less than a second earlier", a.Ends, e.Ends)
	}
	refusesSession(t, b, "1", e.Ends)
}

func reopens(t *testing.T, b gate.Book) {
	old := enter(t, b, entry("1"))
	e := entry("2")
	e.Seats, e.At, e.Ends = 1, old.Ends, old.Ends.Add(time.Hour)
	e.Entitlements = []gate.Entitlement{{Attraction: "zoo", Until: e.Ends}}
	fresh := enter(t, b, e)
	if fresh.ID == old.ID || fresh.State != gate.StateActive || fresh.Taken != 1 || !fresh.Begins.Equal(e.At) || !fresh.Ends.Equal(e.Ends) {
		t.Errorf("reopened as %+v, want a visit of its own from %v until %v", fresh, e.At, e.Ends)
	}
	if !fresh.FirstUse.Equal(old.FirstUse) {
		t.Errorf("first use moved to %v, want %v", fresh.FirstUse, old.FirstUse)
	}
	sameEntitlements(t, fresh.Entitlements, e.Entitlements)
	refusesSession(t, b, "1", e.At)

	// A session of the visit that ended keeps no seat in the new one.
	e = entry("3")
	e.Seats, e.At, e.Ends, e.Previous = 1, old.Ends, old.Ends.Add(time.Hour), session("1")
	refusesEntry(t, b, e, gate.ReasonSeatsTaken)
	same(t, find(t, b, "2", old.Ends), fresh)
}

func handsOutCopies(t *testing.T, b gate.Book) {
	e := entry("1")
	until := e.Entitlements[0].Until
	a := enter(t, b, e)
	e.Entitlements[0].Until = noon.Add(1000 * time.Hour)
	a.Entitlements[0].Attraction, a.Ends, a.State = "everything", noon.Add(1000*time.Hour), gate.StateRevoked
	found := find(t, b, "1", noon)
	sameEntitlements(t, found.Entitlements, []gate.Entitlement{{Attraction: "castle", Package: "audio", Until: until}})
	found.Entitlements[0].Attraction = "everything"
	sameEntitlements(t, find(t, b, "1", noon).Entitlements, []gate.Entitlement{{Attraction: "castle", Package: "audio", Until: until}})
	if found.State != gate.StateActive || !found.Ends.Equal(noon.Add(time.Hour)) {
		t.Errorf("found %+v, want what was entered", found)
	}
}
