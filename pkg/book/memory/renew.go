package memory

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
)

// Find implements gate.Book.
func (b *Book) Find(_ context.Context, s gate.SessionHash, at time.Time) (*gate.Admission, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	d, err := b.living(s, at)
	if err != nil {
		return nil, err
	}
	if !d.holds(s, at, gate.RotationGrace) {
		return nil, gate.Deny(gate.ReasonNoSession, errReused)
	}
	return d.answer(), nil
}

// errReused is what a session is that comes again long after it was rotated.
var errReused = errors.New("session used again after it was rotated")

// holder returns the device that has a session or once had it, or nil.
func (b *Book) holder(s gate.SessionHash) *device {
	if d := b.sessions[s]; d != nil {
		return d
	}
	return b.spent[s].device
}

// living returns the device of a session whose admission goes on.
func (b *Book) living(s gate.SessionHash, at time.Time) (*device, error) {
	d := b.holder(s)
	switch {
	case d == nil || d.visit.over(at):
		return nil, gate.Deny(gate.ReasonNoSession, nil)
	case d.revoked || d.visit.admission.State == gate.StateRevoked:
		return nil, gate.Deny(gate.ReasonRevoked, nil)
	}
	return d, nil
}

// young reports whether the device's session began by a rotation only a moment
// ago. By a clock that was set back that was a moment ahead.
func (d *device) young(at time.Time, grace time.Duration) bool {
	return !d.rotated.IsZero() && at.Sub(d.rotated).Abs() < grace
}

// holds reports whether s is the device's session, or was until a moment ago.
func (d *device) holds(s gate.SessionHash, at time.Time, grace time.Duration) bool {
	return s == d.session || s == d.previous && at.Sub(d.rotated).Abs() <= grace
}

// see notes that the device is there. A clock that was set back changes nothing.
func (d *device) see(at time.Time) {
	if d.seen.Before(at) {
		d.seen = at
	}
}

// Renew implements gate.Book.
func (b *Book) Renew(_ context.Context, r gate.Renewal) (*gate.Admission, error) {
	if (r.Next == gate.SessionHash{}) || r.Next == r.Session {
		return nil, errors.New("renew: a renewal without a new session")
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	d, err := b.living(r.Session, r.At)
	switch {
	case err != nil:
		return nil, err
	case r.Session == d.session && d.young(r.At, r.Grace):
		d.see(r.At)
	case r.Session == d.session:
		err = b.rotate(d, r)
	case d.holds(r.Session, r.At, r.Grace):
	default:
		if r.At.Sub(b.spent[r.Session].at) > r.Grace { // else nobody can tell
			b.revokeDevice(d)
		}
		err = gate.Deny(gate.ReasonNoSession, errReused)
	}
	if err != nil {
		return nil, err
	}
	d.visit.refresh(r.Fresh)
	return d.answer(), nil
}

func (b *Book) rotate(d *device, r gate.Renewal) error {
	if b.sessions[r.Next] != nil {
		return errTaken
	}
	delete(b.sessions, d.session)
	b.spent[d.session] = spent{d, r.At}
	d.spent = append(d.spent, d.session)
	d.previous, d.session, d.rotated = d.session, r.Next, r.At
	d.see(r.At)
	b.sessions[r.Next] = d
	return nil
}

// refresh replaces what the visit may open by what the source says now, if it
// was asked.
func (v *visit) refresh(fresh *gate.Verdict) {
	a := &v.admission
	if fresh != nil {
		a.VerdictAt = fresh.At
		v.entitle(slices.DeleteFunc(gate.Merge(nil, fresh.Entitlements), func(e gate.Entitlement) bool {
			return slices.Contains(v.lost, e.Attraction)
		}))
	}
	a.Revision++
}

// entitle records what the visit may open from now on.
func (v *visit) entitle(all []gate.Entitlement) {
	v.admission.Entitlements = all
	for _, e := range all {
		if !slices.Contains(v.places, e.Attraction) {
			v.places = append(v.places, e.Attraction)
		}
	}
}
