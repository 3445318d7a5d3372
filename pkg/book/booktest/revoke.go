package booktest

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
)

// revoke revokes a target and makes sure of how many it affected.
func revoke(t *testing.T, b gate.Book, target gate.Target, at time.Time, want int) {
	t.Helper()
	if n, err := b.Revoke(t.Context(), target, at); n != want || err != nil {
		t.Fatalf("Revoke(%+v) = %d, %v, want %d", target, n, err, want)
	}
}

func ticketOf(name string) gate.Target {
	return gate.Target{Kind: gate.TargetTicket, Ticket: fingerprint(name)}
}

// isOut makes sure that a device is out for good: neither Find nor Renew nor
// leaving and coming back helps.
func isOut(t *testing.T, b gate.Book, device string, at time.Time, reason gate.Reason) {
	t.Helper()
	gone(t, b, device, at, reason)
	for range 2 {
		refusesRenewal(t, b, renewal(device, device+" in vain", at), reason)
	}
	gone(t, b, device+" in vain", at, gate.ReasonNoSession)
}

func revokesTicket(t *testing.T, b gate.Book) {
	enter(t, b, entry("1"))
	enter(t, b, entry("2"))
	renew(t, b, renewal("2", "2b", later))
	e := entry("other")
	e.Ticket = fingerprint("B")
	other := enter(t, b, e)
	revoke(t, b, ticketOf("A"), later, 1)
	for _, device := range []string{"1", "2", "2b"} { // even the one in its grace
		isOut(t, b, device, later.Add(time.Second), gate.ReasonRevoked)
	}
	revoke(t, b, ticketOf("A"), later.Add(time.Minute), 0)
	isOut(t, b, "1", later.Add(time.Minute), gate.ReasonRevoked)
	same(t, find(t, b, "other", later), other)

	again := entry("3")
	again.Previous = session("1")
	refusesEntry(t, b, again, gate.ReasonRevoked)
	again.At, again.Ends = noon.Add(1000*time.Hour), noon.Add(1001*time.Hour) // for ever
	refusesEntry(t, b, again, gate.ReasonRevoked)
	gone(t, b, "1", noon.Add(time.Hour), gate.ReasonNoSession) // the visit would be over
}

func revokesTicketThatNobodyHasShown(t *testing.T, b gate.Book) {
	revoke(t, b, ticketOf("A"), noon, 0)
	revoke(t, b, ticketOf("A"), noon, 0)
	refusesEntry(t, b, entry("1"), gate.ReasonRevoked)
	gone(t, b, "1", noon, gate.ReasonNoSession)
	e := entry("2")
	e.Ticket = fingerprint("B")
	enter(t, b, e)
}

// A visit that is over is revoked with its ticket, but it did not live: the
// clock may be set back to a time when it had not ended.
func revokesWhatIsOver(t *testing.T, b gate.Book) {
	a := enter(t, b, entry("1"))
	e := entry("2")
	e.Ticket = fingerprint("B")
	second := enter(t, b, e)
	revoke(t, b, ticketOf("A"), a.Ends, 0)
	revoke(t, b, gate.Target{Kind: gate.TargetAdmission, ID: second.ID}, a.Ends, 0)
	for _, device := range []string{"1", "2"} {
		isOut(t, b, device, a.Ends.Add(-time.Minute), gate.ReasonRevoked)
	}
}

func revokesAdmission(t *testing.T, b gate.Book) {
	a := enter(t, b, entry("1"))
	enter(t, b, entry("2"))
	target := gate.Target{Kind: gate.TargetAdmission, ID: a.ID}
	revoke(t, b, target, later, 1)
	for _, device := range []string{"1", "2"} {
		isOut(t, b, device, later, gate.ReasonRevoked)
	}
	revoke(t, b, target, later, 0)
	e := entry("3")
	e.At = a.Ends.Add(-time.Second)
	refusesEntry(t, b, e, gate.ReasonRevoked)
	e.At, e.Ends = a.Ends, a.Ends.Add(time.Hour) // the ticket itself was not revoked
	next := enter(t, b, e)
	if next.ID == a.ID || next.State != gate.StateActive || next.Taken != 1 || !next.FirstUse.Equal(a.FirstUse) {
		t.Errorf("after its end: %+v, want a visit of its own", next)
	}
	revoke(t, b, target, e.At, 0) // Revoked is final, and nothing to the next visit
	find(t, b, "3", e.At)
}

func revokesDevice(t *testing.T, b gate.Book) {
	e := entry("1")
	e.Seats = 2
	first := enter(t, b, e)
	e.Session = session("2")
	enter(t, b, e)
	before := renew(t, b, renewal("1", "1b", later))
	target := gate.Target{Kind: gate.TargetDevice, ID: first.Device}
	revoke(t, b, target, later, 1)
	revoke(t, b, target, later, 0)
	for _, device := range []string{"1", "1b"} {
		isOut(t, b, device, later, gate.ReasonRevoked)
	}
	if err := b.Leave(t.Context(), session("1b"), later); err != nil { // leaving is no way out
		t.Fatalf("Leave = %v", err)
	}
	isOut(t, b, "1b", later, gate.ReasonRevoked)
	if a := find(t, b, "2", later); a.Taken != 1 || a.State != gate.StateActive || a.Revision <= before.Revision {
		t.Errorf("found %+v, want one seat taken and a higher revision than %d", a, before.Revision)
	}
	e.Session, e.Previous = session("3"), session("1b") // the ticket is good, and the seat is free
	if a := enter(t, b, e); a.Device == first.Device || a.Taken != 2 {
		t.Errorf("shown again: %+v, want another device than %s", a, first.Device)
	}
}

// A device that has left is still on record, so its revocation affects nothing.
func revokesDeviceThatLeft(t *testing.T, b gate.Book) {
	a := enter(t, b, entry("1"))
	leave(t, b, "1")
	revoke(t, b, gate.Target{Kind: gate.TargetDevice, ID: a.Device}, noon, 0)
	gone(t, b, "1", noon, gate.ReasonNoSession)
}

func revokesAttraction(t *testing.T, b gate.Book) {
	zoo := gate.Entitlement{Attraction: "zoo", Until: noon.Add(time.Hour)}
	e := entry("castle")
	only := enter(t, b, e)
	e.Ticket, e.Session = fingerprint("B"), session("zoo")
	e.Entitlements = []gate.Entitlement{zoo}
	elsewhere := enter(t, b, e)
	both := entry("both")
	both.Ticket = fingerprint("C")
	both.Entitlements = append(both.Entitlements, zoo)
	pass := enter(t, b, both)

	target := gate.Target{Kind: gate.TargetAttraction, ID: "castle"}
	revoke(t, b, target, later, 2)
	revoke(t, b, target, later, 0)
	isOut(t, b, "castle", later, gate.ReasonNoSession)
	same(t, find(t, b, "zoo", later), elsewhere)
	a := find(t, b, "both", later)
	sameEntitlements(t, a.Entitlements, []gate.Entitlement{zoo})
	if a.ID != pass.ID || a.State != gate.StateActive || a.Revision <= pass.Revision {
		t.Errorf("found %+v, want the same visit with a higher revision than %d", a, pass.Revision)
	}
	// The source knows nothing of it, and its word does not bring the castle back.
	r := renewal("both", "both 2", later)
	r.Fresh = &gate.Verdict{At: later, Entitlements: both.Entitlements}
	sameEntitlements(t, renew(t, b, r).Entitlements, []gate.Entitlement{zoo})
	sameEntitlements(t, find(t, b, "both 2", later).Entitlements, []gate.Entitlement{zoo})

	// What is shown later is another matter.
	both.Session, both.Previous, both.At = session("both 3"), session("both 2"), later.Add(time.Minute)
	if a := enter(t, b, both); a.ID != pass.ID || len(a.Entitlements) != 2 {
		t.Errorf("shown again: %+v, want both places in %s", a, pass.ID)
	}
	again := entry("castle 2")
	again.Previous, again.At = session("castle"), later.Add(time.Minute)
	if a := enter(t, b, again); a.ID == only.ID || a.Taken != 1 || a.State != gate.StateActive {
		t.Errorf("shown again: %+v, want a new visit", a)
	}
	revoke(t, b, target, later.Add(2*time.Minute), 2)
}

func revokesWhatIsOnRecord(t *testing.T, b gate.Book) {
	enter(t, b, entry("1"))
	for _, target := range []gate.Target{
		{Kind: gate.TargetAdmission, ID: "nobody's"}, {Kind: gate.TargetAdmission},
		{Kind: gate.TargetDevice, ID: "nobody's"}, {Kind: gate.TargetDevice},
		{Kind: gate.TargetAttraction, ID: "moon"}, {Kind: gate.TargetAttraction},
		{Kind: "kind", ID: "castle"}, {},
	} {
		if n, err := b.Revoke(t.Context(), target, noon); n != 0 || !errors.Is(err, gate.ErrNoTarget) {
			t.Errorf("Revoke(%+v) = %d, %v, want ErrNoTarget", target, n, err)
		}
	}
	find(t, b, "1", noon)
}

// renewAmidRevoke: once Revoke has returned, no renewal succeeds.
func renewAmidRevoke(t *testing.T, b gate.Book) {
	for round, kind := range []gate.TargetKind{gate.TargetTicket, gate.TargetAdmission, gate.TargetDevice, gate.TargetAttraction} {
		const devices = 8
		name := func(i, generation int) string { return fmt.Sprint("amid ", round, " ", i, " ", generation) }
		target := gate.Target{Kind: kind, Ticket: fingerprint(fmt.Sprint("amid ", round))}
		for i := range devices {
			e := entry(name(i, 0))
			e.Ticket, e.Seats, e.Ends = target.Ticket, devices, noon.Add(10_000*time.Hour)
			if kind == gate.TargetDevice { // each of its own, as one is revoked
				e.Ticket = fingerprint(name(i, 0))
			}
			a := enter(t, b, e)
			target.ID = map[gate.TargetKind]string{gate.TargetAdmission: a.ID, gate.TargetDevice: a.Device, gate.TargetAttraction: "castle"}[kind]
		}
		watched := 0
		if kind == gate.TargetDevice {
			watched = devices - 1
		}
		raceRevoke(t, b, target, devices-watched, func(i, generation int) gate.Renewal {
			r := renewal(name(watched+i, generation), name(watched+i, generation+1), noon.Add(time.Duration(generation)*time.Second))
			r.Grace = time.Second // as far apart as they must be
			return r
		})
	}
}

// raceRevoke lets n devices renew without end while target is revoked.
func raceRevoke(t *testing.T, b gate.Book, target gate.Target, n int, next func(i, generation int) gate.Renewal) {
	t.Helper()
	var revoked atomic.Bool
	var renewals atomic.Int32
	together(n+1, func(i int) {
		if i == n {
			for renewals.Load() < int32(4*n) && !t.Failed() { // in the middle of it
				time.Sleep(time.Millisecond)
			}
			if _, err := b.Revoke(t.Context(), target, noon); err != nil {
				t.Errorf("Revoke(%+v) = %v", target, err)
			}
			revoked.Store(true)
			return
		}
		for generation := 0; ; generation++ {
			over := revoked.Load()
			_, err := b.Renew(t.Context(), next(i, generation))
			var denial *gate.Denial
			switch {
			case err == nil && over:
				t.Errorf("Renew succeeds after Revoke(%+v) has returned", target)
				return
			case err == nil:
				renewals.Add(1)
			case !errors.As(err, &denial) || denial.Reason != gate.ReasonRevoked && target.Kind != gate.TargetAttraction:
				t.Errorf("Renew amid Revoke(%+v) = %v, want a denial", target, err)
				return
			default:
				return
			}
		}
	})
}
