package memory

import (
	"context"
	"slices"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
)

// Revoke implements gate.Book.
func (b *Book) Revoke(_ context.Context, t gate.Target, at time.Time) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch t.Kind {
	case gate.TargetTicket:
		return b.revokeTicket(t.Ticket, at), nil
	case gate.TargetAdmission:
		v := b.visits[t.ID]
		if v == nil {
			return 0, gate.ErrNoTarget
		}
		return v.revoke(at), nil
	case gate.TargetDevice:
		d := b.device(t.ID)
		if d == nil {
			return 0, gate.ErrNoTarget
		}
		return b.revokeDevice(d), nil
	case gate.TargetAttraction:
		return b.revokeAttraction(t.ID, at), nil
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

// revoke ends a visit for good. Its sessions are kept, to be told so.
func (v *visit) revoke(at time.Time) int {
	if v.admission.State != gate.StateActive || v.over(at) {
		return 0
	}
	v.admission.State = gate.StateRevoked
	v.admission.Revision++
	return 1
}

// revokeDevice takes the seat from a device for good.
func (b *Book) revokeDevice(d *device) int {
	if d.revoked {
		return 0
	}
	d.revoked = true
	d.visit.devices = slices.DeleteFunc(d.visit.devices, func(other *device) bool { return other == d })
	return 1
}

// revokeAttraction takes away what was entitled there up to now.
func (b *Book) revokeAttraction(id string, at time.Time) int {
	ended := 0
	for _, v := range b.visits {
		kept := slices.DeleteFunc(slices.Clone(v.admission.Entitlements), func(e gate.Entitlement) bool { return e.Attraction == id })
		if len(kept) == len(v.admission.Entitlements) || v.admission.State != gate.StateActive || v.over(at) {
			continue
		}
		ended++
		v.admission.Entitlements = kept
		v.admission.Revision++
		if len(kept) == 0 {
			b.close(v, gate.StateEnded)
		}
	}
	return ended
}

// device returns the seated device with an ID, or nil.
func (b *Book) device(id string) *device {
	for _, v := range b.visits {
		for _, d := range v.devices {
			if d.id == id {
				return d
			}
		}
	}
	return nil
}
