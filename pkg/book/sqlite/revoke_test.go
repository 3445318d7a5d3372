package sqlite_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
)

func TestRevokeTicket(t *testing.T) {
	t.Parallel()
	b := fresh(t)
	e := entry("1")
	enter(t, b, e)
	target := gate.Target{Kind: gate.TargetTicket, Ticket: e.Ticket}
	revoke(t, b, target, noon, 1)
	revoke(t, b, target, noon.Add(time.Minute), 0)
	finds(t, b, "1", noon, gate.ReasonRevoked)
	_, err := b.Renew(t.Context(), renewal("1", "2", noon))
	denied(t, "Renew", err, gate.ReasonRevoked)
	e = entry("3")
	e.At, e.Ends = noon.Add(1000*time.Hour), noon.Add(1001*time.Hour)
	_, err = b.Enter(t.Context(), e)
	denied(t, "Enter much later", err, gate.ReasonRevoked)

	never := entry("4")
	never.Ticket = fingerprint("never shown")
	revoke(t, b, gate.Target{Kind: gate.TargetTicket, Ticket: never.Ticket}, noon, 0)
	_, err = b.Enter(t.Context(), never)
	denied(t, "Enter with a ticket that was revoked before", err, gate.ReasonRevoked)
}

func TestRevokeAdmission(t *testing.T) {
	t.Parallel()
	b := fresh(t)
	a := enter(t, b, entry("1"))
	target := gate.Target{Kind: gate.TargetAdmission, ID: a.ID}
	revoke(t, b, target, noon, 1)
	revoke(t, b, target, noon, 0)
	finds(t, b, "1", noon, gate.ReasonRevoked)
	e := entry("2")
	e.At = a.Ends.Add(-time.Second)
	_, err := b.Enter(t.Context(), e)
	denied(t, "Enter before it would have ended", err, gate.ReasonRevoked)
	e.At, e.Ends = a.Ends, a.Ends.Add(time.Hour)
	if next := enter(t, b, e); next.ID == a.ID || !next.FirstUse.Equal(noon) {
		t.Errorf("Enter afterwards = %+v, want a new admission", next)
	}
	finds(t, b, "1", noon, gate.ReasonNoSession)
}

func TestRevokeDevice(t *testing.T) {
	t.Parallel()
	b := fresh(t)
	e := entry("1")
	e.Seats = 1
	a := enter(t, b, e)
	target := gate.Target{Kind: gate.TargetDevice, ID: a.Device}
	revoke(t, b, target, noon, 1)
	revoke(t, b, target, noon, 0)
	finds(t, b, "1", noon, gate.ReasonRevoked)
	_, err := b.Renew(t.Context(), renewal("1", "2", noon))
	denied(t, "Renew", err, gate.ReasonRevoked)
	e.Session = session("3") // the seat is free
	enter(t, b, e)
	if err := b.Leave(t.Context(), session("1"), noon); err != nil {
		t.Errorf("Leave = %v", err)
	}
	finds(t, b, "1", noon, gate.ReasonRevoked)
}

func TestRevokeAttraction(t *testing.T) {
	t.Parallel()
	b := fresh(t)
	pass := entry("pass")
	pass.Ticket = fingerprint("B")
	pass.Entitlements = append(pass.Entitlements, gate.Entitlement{Attraction: "zoo", Until: noon.Add(time.Hour)})
	only, both := enter(t, b, entry("only")), enter(t, b, pass)
	renew(t, b, renewal("only", "only 2", noon.Add(time.Second)))
	target := gate.Target{Kind: gate.TargetAttraction, ID: "castle"}
	at := noon.Add(time.Minute)
	revoke(t, b, target, at, 2)
	revoke(t, b, target, at, 0)
	finds(t, b, "only 2", at, gate.ReasonNoSession)
	_, err := b.Renew(t.Context(), renewal("only", "x", at.Add(time.Minute)))
	denied(t, "Renew", err, gate.ReasonNoSession)

	r := renewal("pass", "pass 2", at)
	r.Fresh = &gate.Verdict{At: at, Entitlements: pass.Entitlements} // the source knows nothing of it
	a := renew(t, b, r)
	if a.ID != both.ID || len(a.Entitlements) != 1 || a.Entitlements[0].Attraction != "zoo" {
		t.Errorf("Renew = %+v, want the zoo alone", a)
	}
	pass.Session, pass.At = session("pass 3"), at
	if a := enter(t, b, pass); a.ID != both.ID || len(a.Entitlements) != 2 {
		t.Errorf("Enter = %+v, want both again", a)
	}
	e := entry("again")
	e.At = at
	if a := enter(t, b, e); a.ID == only.ID || a.Taken != 1 || len(a.Entitlements) != 1 {
		t.Errorf("Enter = %+v, want a new admission", a)
	}
	revoke(t, b, target, at, 2)
}

func TestRevokeUnknown(t *testing.T) {
	t.Parallel()
	b := fresh(t)
	for _, target := range []gate.Target{{Kind: gate.TargetAdmission, ID: "x"}, {Kind: gate.TargetDevice, ID: "x"},
		{Kind: gate.TargetAttraction, ID: "x"}, {Kind: "x", ID: "x"}, {}} {
		if n, err := b.Revoke(t.Context(), target, noon); n != 0 || !errors.Is(err, gate.ErrNoTarget) {
			t.Errorf("Revoke(%+v) = %d, %v, want ErrNoTarget", target, n, err)
		}
	}
}

// Renewals run while the ticket is revoked: none succeeds that began after
// Revoke had returned.
func TestRevokeAmongRenewals(t *testing.T) {
	t.Parallel()
	b := fresh(t)
	const devices = 8
	for i := range devices {
		e := entry(name(i, 0))
		e.Seats, e.Ends = devices, noon.Add(1000*time.Hour)
		enter(t, b, e)
	}
	revoked := make(chan struct{})
	var renewals sync.WaitGroup
	for i := range devices {
		renewals.Go(func() {
			for round := 0; ; round++ {
				over := false
				select {
				case <-revoked:
					over = true
				default:
				}
				r := renewal(name(i, round), name(i, round+1), noon.Add(time.Duration(round)*time.Second))
				r.Grace = time.Second // as far apart as they must be
				_, err := b.Renew(t.Context(), r)
				if over && err == nil {
					t.Error("Renew succeeded after Revoke had returned")
				}
				if err != nil {
					var denial *gate.Denial
					if !errors.As(err, &denial) || denial.Reason != gate.ReasonRevoked {
						t.Errorf("Renew = %v, want revoked", err)
					}
					return
				}
			}
		})
	}
	time.Sleep(50 * time.Millisecond)
	revoke(t, b, gate.Target{Kind: gate.TargetTicket, Ticket: fingerprint("A")}, noon, 1)
	close(revoked)
	renewals.Wait()
}
