package booktest

import (
	"errors"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
)

func opens(t *testing.T, b gate.Book) {
	e := entry("1")
	madrid := time.FixedZone("CEST", 2*60*60)
	e.At, e.Ends = e.At.In(madrid), e.Ends.In(madrid)
	e.Entitlements[0].From = noon.Add(-time.Hour)
	a := enter(t, b, e)
	if len(a.ID) < 26 {
		t.Errorf("ID %q has %d characters, want 26 for 128 bits", a.ID, len(a.ID))
	}
	want := &gate.Admission{ID: a.ID, Ticket: e.Ticket, State: gate.StateActive, Begins: noon, Ends: noon.Add(time.Hour),
		FirstUse: noon, Seats: 3, Taken: 1, Entitlements: e.Entitlements}
	same(t, a, want)
	same(t, find(t, b, "1", noon.Add(time.Minute)), want)
}

func keepsFirstUse(t *testing.T, b gate.Book) {
	e := entry("1")
	e.FirstUse = noon.Add(-3 * time.Hour) // at the turnstile, this morning
	if a := enter(t, b, e); !a.FirstUse.Equal(e.FirstUse) {
		t.Errorf("first use %v, want %v as the source says", a.FirstUse, e.FirstUse)
	}
	e = entry("2")
	e.FirstUse = noon.Add(-2 * time.Hour)
	if a := enter(t, b, e); !a.FirstUse.Equal(noon.Add(-3 * time.Hour)) {
		t.Errorf("first use moved to %v, want it where it was", a.FirstUse)
	}
}

func joins(t *testing.T, b gate.Book) {
	first := enter(t, b, entry("1"))
	e := entry("2")
	e.At, e.Ends = noon.Add(10*time.Minute), noon.Add(70*time.Minute)
	second := enter(t, b, e)
	if second.ID != first.ID || second.Taken != 2 {
		t.Errorf("second device got %+v, want a seat in admission %s", second, first.ID)
	}
	if !second.Begins.Equal(first.Begins) || !second.Ends.Equal(first.Ends) || !second.FirstUse.Equal(first.FirstUse) {
		t.Errorf("second device moved the admission to %v until %v, want %v until %v", second.Begins, second.Ends, first.Begins, first.Ends)
	}
	for _, device := range []string{"1", "2"} {
		same(t, find(t, b, device, noon.Add(11*time.Minute)), second)
	}
}

func countsSeats(t *testing.T, b gate.Book) {
	for i, device := range []string{"1", "2", "3"} {
		if a := enter(t, b, entry(device)); a.Taken != i+1 || a.Seats != 3 {
			t.Errorf("device %s: %d of %d seats taken, want %d of 3", device, a.Taken, a.Seats, i+1)
		}
	}
	refusesEntry(t, b, entry("4"), gate.ReasonSeatsTaken)
	refusesSession(t, b, "4", noon)
}

func refusalChangesNothing(t *testing.T, b gate.Book) {
	e := entry("1")
	e.Seats = 1
	before := enter(t, b, e)
	refusal := entry("2")
	refusal.Seats, refusal.Previous = 1, session("nobody")
	refusal.Entitlements = []gate.Entitlement{{Attraction: "zoo", Until: noon.Add(time.Minute)}}
	refusesEntry(t, b, refusal, gate.ReasonSeatsTaken)
	same(t, find(t, b, "1", noon), before)
	refusesSession(t, b, "2", noon)
}

func previousKeepsSeat(t *testing.T, b gate.Book) {
	e := entry("1")
	e.Seats = 1
	first := enter(t, b, e)
	for _, step := range [][2]string{{"1", "2"}, {"2", "3"}, {"3", "4"}} {
		e := entry(step[1])
		e.Seats, e.Previous = 1, session(step[0])
		if a := enter(t, b, e); a.ID != first.ID || a.Taken != 1 {
			t.Errorf("the same device again got %+v, want its one seat in %s", a, first.ID)
		}
		refusesSession(t, b, step[0], noon)
	}
	find(t, b, "4", noon)
	e = entry("5")
	e.Seats = 1
	refusesEntry(t, b, e, gate.ReasonSeatsTaken)
}

func previousKeepsSeatWhenSeatsShrink(t *testing.T, b gate.Book) {
	for _, device := range []string{"1", "2", "3"} {
		enter(t, b, entry(device))
	}
	e := entry("1 again")
	e.Seats, e.Previous = 2, session("1")
	if a := enter(t, b, e); a.Taken != 3 || a.Seats != 2 {
		t.Errorf("%d of %d seats, want all 3 devices to stay although there are 2 seats now", a.Taken, a.Seats)
	}
	e = entry("4")
	e.Seats = 2
	refusesEntry(t, b, e, gate.ReasonSeatsTaken)
	for _, device := range []string{"1 again", "2", "3"} {
		find(t, b, device, noon)
	}
}

// A session that was replaced is worth nothing: it neither keeps a seat nor
// throws out the session that replaced it.
func previousIsUsedOnce(t *testing.T, b gate.Book) {
	e := entry("1")
	e.Seats = 1
	enter(t, b, e)
	e = entry("2")
	e.Seats, e.Previous = 1, session("1")
	enter(t, b, e)
	e = entry("3")
	e.Seats, e.Previous = 1, session("1")
	refusesEntry(t, b, e, gate.ReasonSeatsTaken)
	find(t, b, "2", noon)
}

func previousOfAnotherTicket(t *testing.T, b gate.Book) {
	enter(t, b, entry("1"))
	e := entry("2")
	e.Ticket, e.Seats = fingerprint("B"), 1
	enter(t, b, e)
	e = entry("3") // of ticket B, which is full, with a session of ticket A
	e.Ticket, e.Seats, e.Previous = fingerprint("B"), 1, session("1")
	refusesEntry(t, b, e, gate.ReasonSeatsTaken)
	find(t, b, "1", noon)
	find(t, b, "2", noon)
}

func seatsMayGrow(t *testing.T, b gate.Book) {
	e := entry("1")
	e.Seats = 1
	enter(t, b, e)
	e = entry("2")
	e.Seats = 2
	if a := enter(t, b, e); a.Seats != 2 || a.Taken != 2 {
		t.Errorf("%d of %d seats, want 2 of 2", a.Taken, a.Seats)
	}
}

func mergesEntitlements(t *testing.T, b gate.Book) {
	until := func(attraction, pkg string, minutes int) gate.Entitlement {
		return gate.Entitlement{Attraction: attraction, Package: pkg, Until: noon.Add(time.Duration(minutes) * time.Minute)}
	}
	e := entry("1")
	e.Entitlements = []gate.Entitlement{until("castle", "premium", 60), until("castle", "audio", 60)}
	sameEntitlements(t, enter(t, b, e).Entitlements, []gate.Entitlement{until("castle", "audio", 60), until("castle", "premium", 60)})

	e = entry("2") // with a longer audio, and the zoo
	e.Entitlements = []gate.Entitlement{until("zoo", "", 50), until("castle", "audio", 40)}
	want := []gate.Entitlement{until("castle", "audio", 40), until("castle", "premium", 60), until("zoo", "", 50)}
	sameEntitlements(t, enter(t, b, e).Entitlements, want)
	for _, device := range []string{"1", "2"} {
		sameEntitlements(t, find(t, b, device, noon).Entitlements, want)
	}
}

// ticketsDoNotMeet: what happens to one ticket is nothing to another.
func ticketsDoNotMeet(t *testing.T, b gate.Book) {
	e := entry("1")
	e.Seats = 1
	a := enter(t, b, e)
	e = entry("2")
	e.Ticket, e.Seats, e.Ends = fingerprint("B"), 1, noon.Add(time.Minute)
	e.Entitlements = []gate.Entitlement{{Attraction: "zoo", Until: noon.Add(time.Minute)}}
	other := enter(t, b, e)
	if other.ID == a.ID || other.Taken != 1 {
		t.Errorf("second ticket got %+v, want an admission of its own", other)
	}
	same(t, find(t, b, "1", noon), a)
	leave(t, b, "2")
	same(t, find(t, b, "1", noon), a)
}

// Nonsense is no refusal: the viewer has done nothing wrong.
func refusesNonsense(t *testing.T, b gate.Book) {
	enter(t, b, entry("1"))
	noSeats, lessThanNone, noSession, taken := entry("2"), entry("2"), entry("2"), entry("1")
	noSeats.Seats, lessThanNone.Seats, noSession.Session = 0, -1, gate.SessionHash{}
	noSeats.Idle, noSeats.Swaps = time.Minute, 9
	lessThanNone.Idle, lessThanNone.Swaps = time.Minute, 9
	taken.Ticket = fingerprint("B") // another ticket with a session that a device has
	for _, e := range []gate.Entry{noSeats, lessThanNone, noSession, taken, entry("1")} {
		var denial *gate.Denial
		if a, err := b.Enter(t.Context(), e); a != nil || err == nil || errors.As(err, &denial) {
			t.Errorf("Enter(%+v) = %+v, %v, want an error that is no denial", e, a, err)
		}
	}
	enter(t, b, entry("2"))
	r := renewal("1", "2", noon) // to a session that another device has
	if a, err := b.Renew(t.Context(), r); a != nil || err == nil {
		t.Errorf("Renew = %+v, %v, want an error", a, err)
	}
	for _, device := range []string{"1", "2"} {
		if a := find(t, b, device, noon); a.Taken != 2 {
			t.Errorf("%d seats taken, want 2", a.Taken)
		}
	}
}
