package booktest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
)

// together calls f in n goroutines that start at the same time.
func together(n int, f func(i int)) {
	var ready, done sync.WaitGroup
	ready.Add(n)
	for i := range n {
		done.Go(func() {
			ready.Done()
			ready.Wait()
			f(i)
		})
	}
	done.Wait()
}

// rush lets n devices in at once and returns the devices that got a seat.
func rush(t *testing.T, b gate.Book, n int, change func(*gate.Entry)) (in []string) {
	t.Helper()
	errs := make([]error, n)
	together(n, func(i int) {
		e := entry(fmt.Sprint("rush ", i))
		change(&e)
		_, errs[i] = b.Enter(t.Context(), e)
	})
	for i, err := range errs {
		if err == nil {
			in = append(in, fmt.Sprint("rush ", i))
			continue
		}
		refused(t, "Enter", err, gate.ReasonSeatsTaken)
	}
	return in
}

func crowd(t *testing.T, b gate.Book) {
	in := rush(t, b, 64, func(*gate.Entry) {})
	if len(in) != 3 {
		t.Fatalf("%d of 64 devices got in, want exactly 3", len(in))
	}
	for _, device := range in {
		if a := find(t, b, device, noon); a.Taken != 3 {
			t.Errorf("%d seats taken, want 3", a.Taken)
		}
	}
	if in = rush(t, b, 64, func(e *gate.Entry) { e.Ticket = fingerprint("B"); e.Seats = 64; e.Session[0] ^= 1 }); len(in) != 64 {
		t.Errorf("%d of 64 devices got in, want all", len(in))
	}
}

func crowdWithOnePrevious(t *testing.T, b gate.Book) {
	enter(t, b, entry("1"))
	in := rush(t, b, 64, func(e *gate.Entry) { e.Seats, e.Previous = 2, session("1") })
	if len(in) != 2 { // one in place of the session, one on the free seat
		t.Fatalf("%d of 64 devices got in, want exactly 2", len(in))
	}
	refusesSession(t, b, "1", noon)
	if a := find(t, b, in[0], noon); a.Taken != 2 {
		t.Errorf("%d seats taken, want 2", a.Taken)
	}
}

func comingAndGoing(t *testing.T, b gate.Book) {
	together(32, func(i int) {
		for round := range 10 {
			e := entry(fmt.Sprint(i, " ", round))
			a, err := b.Enter(t.Context(), e)
			var denial *gate.Denial
			switch {
			case err == nil && a.Taken > a.Seats:
				t.Errorf("%d of %d seats taken", a.Taken, a.Seats)
			case err != nil && (!errors.As(err, &denial) || denial.Reason != gate.ReasonSeatsTaken):
				t.Errorf("Enter = %v", err)
			}
			if err := b.Leave(t.Context(), e.Session, noon); err != nil {
				t.Errorf("Leave = %v", err)
			}
		}
	})
	if a := enter(t, b, entry("last")); a.Taken != 1 {
		t.Errorf("%d seats taken after all have left, want 1", a.Taken)
	}
}

// cancelled: a viewer who goes away has not been refused.
func cancelled(t *testing.T, b gate.Book) {
	enter(t, b, entry("1"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, entered := b.Enter(ctx, entry("2"))
	_, found := b.Find(ctx, session("1"), noon)
	for _, err := range []error{entered, found, b.Leave(ctx, session("1"), noon.Add(time.Minute))} {
		var denial *gate.Denial
		if errors.As(err, &denial) {
			t.Errorf("a cancelled call = %v, want success or a failure, no denial", err)
		}
	}
}
