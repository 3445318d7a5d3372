package memory

import (
	"context"
	"slices"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
)

// Revoke implements gate.Book. A ticket is revoked for ever. An admission that
// is revoked alone bars its ticket until it would have ended. A device that is
// revoked leaves its seat to others. An attraction is taken out of every
// admission that goes on; those that open nothing else have ended, and their
// tickets may begin new ones.
func (b *Book) Revoke(_ context.Context, t gate.Target, at time.Time) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch t.Kind {
	case gate.TargetTicket:
		return b.revokeTicket(t.Ticket, at), nil
	case gate.TargetAdmission:
		if v := b.visits[t.ID]; v != nil {
			return v.revoke(at), nil
		}
	case gate.TargetDevice:
		if d := b.devices[t.ID]; d != nil {
			return b.revokeDevice(d), nil
		}
	case gate.TargetAttraction:
		return b.revokeAttraction(t.ID, at)
	}
	return 0, gate.ErrNoTarget
}

func (b *Book) revokeTicket(f gate.Fingerprint, at time.Time) int {
	t := b.tickets[f]
	if t == nil {
		t = &ticket{}
		b.tickets[f] = t
	}
	t.revoked = true
	if t.visit == nil {
		return 0
	}
	return t.visit.revoke(at)
}

// revoke ends a visit for good. Its sessions are kept, to be told so. One that
// is over is revoked too, as clocks can be set back, but does not count.
func (v *visit) revoke(at time.Time) int {
	if v.admission.State != gate.StateActive {
		return 0
	}
	v.admission.State = gate.StateRevoked
	v.admission.Revision++
	if v.over(at) {
		return 0
	}
	return 1
}

// revokeDevice takes the seat from a device for good.
func (b *Book) revokeDevice(d *device) int {
	if !slices.Contains(d.visit.devices, d) {
		return 0
	}
	d.revoked = true
	d.visit.free(d)
	d.visit.admission.Revision++
	return 1
}

// revokeAttraction takes away what was entitled there up to now.
func (b *Book) revokeAttraction(id string, at time.Time) (ended int, err error) {
	there := func(e gate.Entitlement) bool { return e.Attraction == id }
	known := false
	for _, v := range b.visits {
		if !slices.Contains(v.places, id) {
			continue
		}
		known = true
		a := &v.admission
		if !slices.ContainsFunc(a.Entitlements, there) || a.State != gate.StateActive || v.over(at) {
			continue
		}
		ended++
		a.Entitlements = slices.DeleteFunc(slices.Clone(a.Entitlements), there)
		a.Revision++
		v.lost = append(v.lost, id)
		if len(a.Entitlements) == 0 {
			b.close(v)
		}
	}
	if !known {
		return 0, gate.ErrNoTarget
	}
	return ended, nil
}
