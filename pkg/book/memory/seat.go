package memory

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
)

// errTaken is a session that another device has.
var errTaken = errors.New("another device has this session")

// seat gives the device a place: the one that it has, a free one, or that of a
// device which has been idle for too long.
func (b *Book) seat(t *ticket, v *visit, e gate.Entry) (*device, error) {
	d := b.holder(e.Previous)
	same := d != nil && d.visit == v && !d.revoked && d.holds(e.Previous, e.At, gate.RotationGrace)
	if other := b.sessions[e.Session]; other != nil && (!same || other != d) {
		return nil, errTaken
	}
	if same {
		delete(b.sessions, d.session)
		d.session, d.previous, d.rotated = e.Session, gate.SessionHash{}, time.Time{}
		d.see(e.At)
		b.sessions[e.Session] = d
		return d, nil
	}
	idle, ok := t.idlest(v, e)
	if !ok {
		return nil, gate.Deny(gate.ReasonSeatsTaken, nil)
	}
	for _, d := range idle {
		t.swaps = append(t.swaps, e.At)
		b.leave(d)
	}
	d = &device{id: rand.Text(), visit: v, session: e.Session, seen: e.At}
	v.devices, v.known = append(v.devices, d), append(v.known, d)
	b.devices[d.id], b.sessions[e.Session] = d, d
	return d, nil
}

// idlest returns the devices that must lose their seats for one more to get in,
// and whether they may.
func (t *ticket) idlest(v *visit, e gate.Entry) (idle []*device, ok bool) {
	n := len(v.devices) - e.Seats + 1
	if n <= 0 {
		return nil, true
	}
	for _, at := range t.swaps {
		if e.At.Sub(at) < day {
			e.Swaps--
		}
	}
	if e.Idle <= 0 || e.Swaps < n {
		return nil, false
	}
	idle = slices.Clone(v.devices)
	slices.SortStableFunc(idle, func(a, b *device) int { return a.seen.Compare(b.seen) })
	idle = idle[:n]
	return idle, e.At.Sub(idle[n-1].seen) > e.Idle
}

// Leave implements gate.Book.
func (b *Book) Leave(_ context.Context, s gate.SessionHash, at time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if d := b.holder(s); d != nil && !d.revoked && d.holds(s, at, gate.RotationGrace) {
		b.leave(d)
		d.visit.admission.Revision++
	}
	return nil
}

// leave frees the seat of d and forgets its sessions.
func (b *Book) leave(d *device) {
	for _, s := range append(d.spent, d.session) {
		if b.sessions[s] == d {
			delete(b.sessions, s)
		}
		if b.spent[s].device == d {
			delete(b.spent, s)
		}
	}
	d.visit.free(d)
}

// free takes the seat from d.
func (v *visit) free(d *device) {
	v.devices = slices.DeleteFunc(v.devices, func(other *device) bool { return other == d })
}

// close ends a visit, unless it was revoked, and forgets its devices, those
// that were revoked as well.
func (b *Book) close(v *visit) {
	for _, d := range v.known {
		b.leave(d)
	}
	if v.admission.State == gate.StateActive {
		v.admission.State = gate.StateEnded
		v.admission.Revision++
	}
}
