package sqlite_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/book/sqlite"
	"github.com/handstamp/handstamp/pkg/gate"
)

func fresh(t testing.TB) *sqlite.Book { return open(t, filepath.Join(t.TempDir(), "book.db")) }

func TestEnterGivesDeviceAndVerdict(t *testing.T) {
	t.Parallel()
	b := fresh(t)
	e := entry("1")
	e.Source, e.Ref = "boxoffice", "order 17"
	a := enter(t, b, e)
	if len(a.Device) != 26 || a.Source != "boxoffice" || a.Ref != "order 17" || !a.VerdictAt.Equal(noon) || a.Revision != 1 {
		t.Errorf("Enter = %+v, want its device, source, ref and verdict", a)
	}
	e.Session, e.At = session("2"), noon.Add(time.Minute)
	if second := enter(t, b, e); second.Device == a.Device || second.Revision <= a.Revision || !second.VerdictAt.Equal(e.At) {
		t.Errorf("Enter = %+v, want another device, a higher revision and a newer verdict", second)
	}
	e.Session, e.Previous = session("3"), session("1")
	if same := enter(t, b, e); same.Device != a.Device || same.Taken != 2 {
		t.Errorf("Enter = %+v, want device %s again", same, a.Device)
	}
}

func TestEnterRefusesNonsense(t *testing.T) {
	t.Parallel()
	b := fresh(t)
	noSeats, noSession, again := entry("1"), entry("1"), entry("2")
	noSeats.Seats, noSession.Session = 0, gate.SessionHash{}
	enter(t, b, again)
	again.Ticket = fingerprint("B") // another ticket with the same session
	var denial *gate.Denial
	for _, e := range []gate.Entry{noSeats, noSession, again} {
		if a, err := b.Enter(t.Context(), e); a != nil || err == nil || errors.As(err, &denial) {
			t.Errorf("Enter(%+v) = %v, %v, want a plain error", e, a, err)
		}
	}
}

func TestIdleDevicesLoseTheirSeats(t *testing.T) {
	t.Parallel()
	b := fresh(t)
	in := func(device string, minutes, swaps int) error {
		e := entry(device)
		e.Ends, e.Seats, e.Idle, e.Swaps, e.At = noon.Add(48*time.Hour), 2, 20*time.Minute, swaps, noon.Add(time.Duration(minutes)*time.Minute)
		_, err := b.Enter(t.Context(), e)
		return err
	}
	for i, device := range []string{"1", "2"} {
		if err := in(device, i, 2); err != nil {
			t.Fatal(err)
		}
	}
	denied(t, "Enter while both are busy", in("3", 20, 2), gate.ReasonSeatsTaken)
	renew(t, b, renewal("1", "1b", noon.Add(15*time.Minute)))
	if err := in("3", 22, 2); err != nil {
		t.Fatalf("Enter = %v, want the seat of 2", err)
	}
	at := noon.Add(22 * time.Minute)
	finds(t, b, "1b", at, "")
	finds(t, b, "2", at, gate.ReasonNoSession)
	_, err := b.Renew(t.Context(), renewal("2", "2b", at))
	denied(t, "Renew of the evicted", err, gate.ReasonNoSession)
	denied(t, "Enter with no swaps", in("4", 60, 0), gate.ReasonSeatsTaken)
	if err := in("4", 60, 2); err != nil {
		t.Fatalf("Enter = %v, want the seat of 1", err)
	}
	denied(t, "Enter after two swaps", in("5", 120, 2), gate.ReasonSeatsTaken)
	if err := in("5", 22+24*60, 2); err != nil {
		t.Fatalf("Enter a day after the first swap = %v, want a seat", err)
	}
}

func TestIdempotentEnter(t *testing.T) {
	t.Parallel()
	b := fresh(t)
	e := entry("1")
	e.Seats, e.Request = 1, gate.Idempotency{Key: session("key"), Body: session("body")}
	first := enter(t, b, e)
	e.At = noon.Add(time.Minute)
	if again := enter(t, b, e); again.ID != first.ID || again.Device != first.Device || again.Taken != 1 {
		t.Errorf("Enter again = %+v, want %+v", again, first)
	}
	other := e
	other.Request.Body[0]++
	if _, err := b.Enter(t.Context(), other); !errors.Is(err, gate.ErrOtherRequest) {
		t.Errorf("Enter with another body = %v, want ErrOtherRequest", err)
	}
	if err := b.Leave(t.Context(), e.Session, e.At); err != nil {
		t.Fatal(err)
	}
	second := enter(t, b, e) // the seat was given back: the request is a new one
	if second.Device == first.Device || second.Taken != 1 {
		t.Errorf("Enter after leaving = %+v, want a seat for a new device", second)
	}
	revoke(t, b, gate.Target{Kind: gate.TargetDevice, ID: second.Device}, noon, 1)
	_, err := b.Enter(t.Context(), e)
	denied(t, "Enter again with a revoked device", err, gate.ReasonRevoked)
	e.At, e.Ends = noon.Add(25*time.Hour), noon.Add(26*time.Hour) // the key is forgotten, the visit over
	if third := enter(t, b, e); third.ID == first.ID {
		t.Errorf("Enter a day later = %+v, want a new admission", third)
	}
}

func TestRenewRotates(t *testing.T) {
	t.Parallel()
	b := fresh(t)
	first := enter(t, b, entry("1"))
	at := noon.Add(10 * time.Minute)
	a := renew(t, b, renewal("1", "2", at))
	if a.ID != first.ID || a.Device != first.Device || a.Taken != 1 {
		t.Errorf("Renew = %+v, want %+v", a, first)
	}
	finds(t, b, "2", at, "")
	for _, late := range []time.Duration{0, 30 * time.Second} { // a lost answer
		finds(t, b, "1", at.Add(late), "")
		if a := renew(t, b, renewal("1", "2", at.Add(late))); a.Device != first.Device || a.Taken != 1 {
			t.Errorf("Renew again after %s = %+v, want the same device", late, a)
		}
	}
	finds(t, b, "1", at.Add(31*time.Second), gate.ReasonNoSession)
	finds(t, b, "2", at.Add(31*time.Second), "") // only showing it to Renew is theft
	if _, err := b.Renew(t.Context(), gate.Renewal{Session: session("2"), At: at}); err == nil {
		t.Error("Renew without a next session succeeded")
	}
	_, err := b.Renew(t.Context(), renewal("stranger", "x", at))
	denied(t, "Renew of a stranger", err, gate.ReasonNoSession)
}

func TestTwentyTabs(t *testing.T) {
	t.Parallel()
	b := fresh(t)
	first := enter(t, b, entry("1"))
	var tabs sync.WaitGroup
	for range 20 {
		tabs.Go(func() {
			a, err := b.Renew(t.Context(), renewal("1", "2", noon.Add(10*time.Minute)))
			if err != nil || a.Device != first.Device || a.Taken != 1 {
				t.Errorf("Renew = %+v, %v, want device %s", a, err, first.Device)
			}
		})
	}
	tabs.Wait()
	finds(t, b, "2", noon.Add(11*time.Minute), "")
}

// A stolen session is noticed by whoever comes second, even when the first has
// rotated it several times since.
func TestReuseRevokesTheFamily(t *testing.T) {
	t.Parallel()
	for generations := 1; generations <= 3; generations++ {
		b := fresh(t)
		a := enter(t, b, entry("0"))
		enter(t, b, entry("other"))
		at := noon
		for i := range generations {
			at = at.Add(10 * time.Minute)
			renew(t, b, renewal(fmt.Sprint(i), fmt.Sprint(i+1), at))
		}
		at = at.Add(31 * time.Second)
		_, err := b.Renew(t.Context(), renewal("0", "x", at))
		denied(t, "Renew with a used session", err, gate.ReasonNoSession)
		if got, want := err.Error(), "denied: no_session: session used again after it was rotated"; got != want {
			t.Errorf("Renew = %q, want %q", got, want)
		}
		last := fmt.Sprint(generations)
		finds(t, b, last, at, gate.ReasonRevoked)
		_, err = b.Renew(t.Context(), renewal(last, "y", at))
		denied(t, "Renew by the thief", err, gate.ReasonRevoked)
		finds(t, b, "other", at, "")
		if again := enter(t, b, entry("again")); again.ID != a.ID || again.Taken != 2 {
			t.Errorf("Enter with the ticket = %+v, want a seat in %s", again, a.ID)
		}
		events, err := b.Audit(t.Context(), 0, 0)
		if err != nil || len(events) != 1 || events[0].Target != a.Device || !events[0].At.Equal(at) {
			t.Errorf("Audit = %+v, %v, want that device %s was revoked", events, err, a.Device)
		}
	}
}

// There are no two rotations in a moment, so a tab that still shows the first
// session finds its admission, and learns of the second.
func TestNoTwoRotationsInAMoment(t *testing.T) {
	t.Parallel()
	b := fresh(t)
	enter(t, b, entry("0"))
	renew(t, b, renewal("0", "1", noon))
	if a := renew(t, b, renewal("1", "2", noon.Add(10*time.Second))); a.Held != session("1") {
		t.Errorf("Renew = %+v, want the session kept", a)
	}
	at := noon.Add(20 * time.Second)
	finds(t, b, "0", at, "")
	if a := renew(t, b, renewal("0", "x", at)); a.Held != session("1") {
		t.Errorf("Renew = %+v, want the session of the first rotation", a)
	}
	finds(t, b, "2", at, gate.ReasonNoSession)
	renew(t, b, renewal("1", "2", noon.Add(30*time.Second)))
	finds(t, b, "2", noon.Add(time.Minute), "")
}

func TestFreshVerdict(t *testing.T) {
	t.Parallel()
	b := fresh(t)
	e := entry("1")
	e.Entitlements = append(e.Entitlements, gate.Entitlement{Attraction: "zoo", Until: noon.Add(time.Hour)})
	before := enter(t, b, e)
	r := renewal("1", "2", noon.Add(10*time.Minute))
	r.Fresh = &gate.Verdict{At: r.At, Entitlements: []gate.Entitlement{{Attraction: "zoo", Package: "night", Until: noon.Add(30 * time.Minute)}}}
	a := renew(t, b, r)
	if len(a.Entitlements) != 1 || a.Entitlements[0].Package != "night" || !a.VerdictAt.Equal(r.At) || a.Revision <= before.Revision {
		t.Errorf("Renew = %+v, want what the source said at %v", a, r.At)
	}
	revoke(t, b, gate.Target{Kind: gate.TargetAttraction, ID: "zoo"}, r.At, 1)
	finds(t, b, "2", r.At, gate.ReasonNoSession)
}

// The clock is set back by an hour: nothing that was over comes to life.
func TestClockSetBack(t *testing.T) {
	t.Parallel()
	b := fresh(t)
	enter(t, b, entry("1"))
	renew(t, b, renewal("1", "2", noon.Add(30*time.Minute)))
	back := noon.Add(-30 * time.Minute)
	finds(t, b, "2", back, "")
	finds(t, b, "1", back, gate.ReasonNoSession)
	_, err := b.Renew(t.Context(), renewal("1", "x", back))
	denied(t, "Renew with the session before", err, gate.ReasonNoSession)
	renew(t, b, renewal("2", "3", back)) // nobody was revoked for that

	e := entry("next")
	e.At, e.Ends = noon.Add(time.Hour), noon.Add(2*time.Hour)
	enter(t, b, e)
	finds(t, b, "3", back, gate.ReasonNoSession)
	revoke(t, b, gate.Target{Kind: gate.TargetTicket, Ticket: e.Ticket}, noon.Add(3*time.Hour), 0)
	finds(t, b, "next", noon.Add(time.Hour), gate.ReasonRevoked)
}
