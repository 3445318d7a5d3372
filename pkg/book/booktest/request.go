package booktest

import (
	"errors"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
)

// request is an entry that may come again, under a key and with what it asks for.
func request(device, key, body string) gate.Entry {
	e := entry(device)
	e.Seats = 2
	e.Request = gate.Idempotency{Key: session("key " + key), Body: session("body " + body)}
	return e
}

func comesAgain(t *testing.T, b gate.Book) {
	e := request("1", "K", "A")
	first := enter(t, b, e)
	for _, after := range []time.Duration{0, time.Second, 50 * time.Minute} {
		e.At = noon.Add(after)
		if a := enter(t, b, e); a.ID != first.ID || a.Device != first.Device || a.Taken != 1 {
			t.Errorf("again after %v: %+v, want device %s in %s", after, a, first.Device, first.ID)
		}
	}
	if a := find(t, b, "1", noon); a.Device != first.Device || a.Taken != 1 {
		t.Errorf("found %+v, want device %s alone", a, first.Device)
	}
	e = request("2", "another K", "A")
	if a := enter(t, b, e); a.Device == first.Device || a.Taken != 2 {
		t.Errorf("under another key: %+v, want a seat of its own", a)
	}
	e = request("3", "K", "A") // it takes no seat, so it needs no free one
	if a := enter(t, b, e); a.Device != first.Device || a.Taken != 2 {
		t.Errorf("again with all seats taken: %+v, want device %s", a, first.Device)
	}
}

func comesWithOtherBody(t *testing.T, b gate.Book) {
	enter(t, b, request("1", "K", "A"))
	for _, other := range []gate.Entry{request("2", "K", "B"), request("1", "K", "")} {
		if a, err := b.Enter(t.Context(), other); a != nil || !errors.Is(err, gate.ErrOtherRequest) {
			t.Errorf("Enter = %+v, %v, want ErrOtherRequest", a, err)
		}
	}
	gone(t, b, "2", noon, gate.ReasonNoSession)
	if a := find(t, b, "1", noon); a.Taken != 1 {
		t.Errorf("%d seats taken, want 1", a.Taken)
	}
	if a := enter(t, b, request("2", "another K", "B")); a.Taken != 2 {
		t.Errorf("under another key: %+v, want the second seat", a)
	}
}

// A key belongs to its ticket, whatever others call their requests.
func keyBelongsToTicket(t *testing.T, b gate.Book) {
	first := enter(t, b, request("1", "K", "A"))
	for _, body := range []string{"A", "B"} {
		e := request("2 "+body, "K", body)
		e.Ticket = fingerprint("B" + body)
		other := enter(t, b, e)
		if other.ID == first.ID || other.Device == first.Device || other.Taken != 1 {
			t.Errorf("the same key with another ticket: %+v, want a visit of its own", other)
		}
		if again := enter(t, b, e); again.Device != other.Device || again.Taken != 1 {
			t.Errorf("again: %+v, want device %s", again, other.Device)
		}
	}
	if again := enter(t, b, request("1", "K", "A")); again.Device != first.Device || again.Taken != 1 {
		t.Errorf("again: %+v, want device %s", again, first.Device)
	}
}

func isForgottenAfterADay(t *testing.T, b gate.Book) {
	long := func(device, body string, after time.Duration) gate.Entry {
		e := request(device, "K", body)
		e.At, e.Ends = noon.Add(after), noon.Add(72*time.Hour)
		e.Entitlements[0].Until = e.Ends
		return e
	}
	const day = 24 * time.Hour
	first := enter(t, b, long("1", "A", 0))
	if a := enter(t, b, long("2", "A", day-time.Second)); a.Device != first.Device {
		t.Errorf("a second before a day is over: device %s, want %s", a.Device, first.Device)
	}
	if a := enter(t, b, long("2", "B", day)); a.Device == first.Device || a.Taken != 2 {
		t.Errorf("after a day: %+v, want another device", a)
	}
	// From now on the key is the second request's.
	if a, err := b.Enter(t.Context(), long("3", "A", day+time.Hour)); !errors.Is(err, gate.ErrOtherRequest) {
		t.Errorf("Enter = %+v, %v, want ErrOtherRequest", a, err)
	}
}

// A request that was refused has not been answered: it may come again with
// better luck, or for something else.
func refusalIsNotRemembered(t *testing.T, b gate.Book) {
	full := request("1", "first", "A")
	full.Seats = 1
	enter(t, b, full)
	e := request("2", "K", "A")
	e.Seats = 1
	refusesEntry(t, b, e, gate.ReasonSeatsTaken)
	leave(t, b, "1")
	enter(t, b, e)

	e = request("3", "another K", "A")
	e.Seats = 1
	refusesEntry(t, b, e, gate.ReasonSeatsTaken)
	leave(t, b, "2")
	e = request("3", "another K", "B")
	e.Seats = 1
	enter(t, b, e)
}

// What became of the device decides what the same request is worth.
func comesAgainTooLate(t *testing.T, b gate.Book) {
	e := request("1", "K", "A")
	first := enter(t, b, e)
	leave(t, b, "1")
	second := enter(t, b, e) // it has left, so it comes in again
	if second.Device == first.Device || second.Taken != 1 {
		t.Errorf("after leaving: %+v, want a seat for a new device", second)
	}
	revoke(t, b, gate.Target{Kind: gate.TargetDevice, ID: second.Device}, noon, 1)
	refusesEntry(t, b, e, gate.ReasonRevoked)

	e = request("2", "another K", "A")
	third := enter(t, b, e)
	e.At, e.Ends = third.Ends, third.Ends.Add(time.Hour)
	if a := enter(t, b, e); a.ID == third.ID {
		t.Errorf("after the end of its visit: %+v, want a new one", a)
	}
	revoke(t, b, ticketOf("A"), e.At, 1)
	refusesEntry(t, b, e, gate.ReasonRevoked)
}

func comesManyTimesAtOnce(t *testing.T, b gate.Book) {
	devices := make([]string, 64)
	together(len(devices), func(i int) {
		e := request("1", "K", "A")
		if i%2 == 1 { // with a session of its own, like another process would
			e.Session[0] ^= byte(i)
		}
		a, err := b.Enter(t.Context(), e)
		if err != nil {
			t.Errorf("Enter = %v, want an admission", err)
			return
		}
		devices[i] = a.Device
	})
	for _, device := range devices {
		if device != devices[0] {
			t.Fatalf("admitted devices %s and %s, want one", devices[0], device)
		}
	}
	if a := enter(t, b, request("2", "another K", "A")); a.Taken != 2 {
		t.Errorf("%d seats taken, want one for all, and this one", a.Taken)
	}
}
