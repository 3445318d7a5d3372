package dynamodb

import (
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
)

// The states of a device. A seat that was left, lost or taken back is free.
const (
	seatTaken   = "seated"
	seatLeft    = "left"
	seatEvicted = "evicted"
	seatRevoked = "revoked"
)

// errTaken is a session that another device has.
var errTaken = errors.New("another device has this session")

// A pointer says whose a session is, or was.
type pointer struct {
	Admission string    `json:"admission,omitempty"` // empty means that it is nobody's any more
	Device    string    `json:"device,omitempty"`
	Spent     time.Time `json:"spent,omitzero"`   // when it was rotated away
	Places    []string  `json:"places,omitempty"` // attractions of the admission when the pointer was written, to save a request
}

// A seating is where a device has, or had, its seat.
type seating struct {
	Admission string    `json:"admission"`
	State     string    `json:"state"` // a device that is seated here may have left, if its visit was followed
	First     time.Time `json:"first"`
	Seen      time.Time `json:"seen,omitzero"` // the last time; of a seated one it stands with the ticket
	Ended     time.Time `json:"ended,omitzero"`
}

// seat gives the device a place in the ticket's visit: the one that it has, a
// free one, or that of a device which has been idle for too long.
func (w *work) seat(t *ticket, e gate.Entry) (*device, error) {
	v := t.Visit
	d := v.shown(e)
	if other := v.holder(e.Session); other != nil && other != d {
		return nil, errTaken
	}
	if d != nil {
		return d, w.move(t, d, e)
	}
	if err := w.evict(t, e); err != nil {
		return nil, err
	}
	v.Devices = append(v.Devices, device{ID: rand.Text(), Order: w.place(), Session: hash(e.Session), First: e.At.UTC(), Seen: e.At.UTC()})
	d = &v.Devices[len(v.Devices)-1]
	if err := w.point(t, d, e.Session, time.Time{}); err != nil {
		return nil, err
	}
	return d, w.note(t, d, seatTaken, time.Time{})
}

// shown returns the device of the session that the entry came with, or nil.
func (v *visit) shown(e gate.Entry) *device {
	for i := range v.Devices {
		if d := &v.Devices[i]; (e.Previous != gate.SessionHash{}) && d.holds(e.Previous, e.At, gate.RotationGrace) {
			return d
		}
	}
	return nil
}

// move gives a device the session of an entry. The one that it had is nobody's.
func (w *work) move(t *ticket, d *device, e gate.Entry) error {
	if d.Session != hash(e.Session) {
		if err := w.forget(t, d); err != nil {
			return err
		}
	}
	d.Session, d.Previous, d.Rotated = hash(e.Session), hash{}, time.Time{}
	d.see(e.At)
	return w.point(t, d, e.Session, time.Time{})
}

// evict frees a seat for one more device, if there is none: those that were
// idle for too long lose theirs, if they may.
func (w *work) evict(t *ticket, e gate.Entry) error {
	v := t.Visit
	n := len(v.Devices) - e.Seats + 1
	if n <= 0 {
		return nil
	}
	full := gate.Deny(gate.ReasonSeatsTaken, fmt.Errorf("%d of %d seats of admission %s", len(v.Devices), e.Seats, v.ID))
	idle := slices.Clone(v.Devices)
	slices.SortStableFunc(idle, func(a, b device) int { return a.Seen.Compare(b.Seen) })
	idle = idle[:n]
	if e.Idle <= 0 || e.Swaps-t.swaps(e.At) < n || e.At.Sub(idle[n-1].Seen) <= e.Idle {
		return full
	}
	for _, d := range idle {
		t.Swaps = append(slices.DeleteFunc(t.Swaps, func(at time.Time) bool { return e.At.Sub(at) > keepSessions }), e.At.UTC())
		if err := w.note(t, &d, seatEvicted, e.At); err != nil {
			return err
		}
		v.free(d.ID)
	}
	return nil
}

// swaps counts the seats that changed hands on the day before at.
func (t *ticket) swaps(at time.Time) (n int) {
	for _, swap := range t.Swaps {
		if at.Sub(swap) < day {
			n++
		}
	}
	return n
}

// point makes a session lead to a device; spent is when it was rotated away.
func (w *work) point(t *ticket, d *device, s gate.SessionHash, spent time.Time) error {
	return w.aim(t, s, pointer{Admission: t.Visit.ID, Device: d.ID, Spent: spent.UTC(), Places: placesOf(t.Visit.Entitlements)})
}

// forget makes the session of a device nobody's.
func (w *work) forget(t *ticket, d *device) error {
	return w.aim(t, gate.SessionHash(d.Session), pointer{})
}

func (w *work) aim(t *ticket, s gate.SessionHash, p pointer) error {
	return w.claimDoc(&item{key: sessionKey(s), own: t.name(), expires: w.keepUntil(t.Visit.Ends, keepSessions)}, p)
}

// note records where a device is; ended is when it lost its seat.
func (w *work) note(t *ticket, d *device, state string, ended time.Time) error {
	s := seating{Admission: t.Visit.ID, State: state, First: d.First, Ended: ended.UTC()}
	if state != seatTaken {
		s.Seen = d.Seen
	}
	return w.claimDoc(&item{key: deviceKey(d.ID), own: t.name(), expires: w.keepUntil(t.Visit.Ends, keepAdmissions),
		listPK: shard(listDevices(t.Visit.ID), t.Visit.ID), listSK: d.Order}, s)
}
