// Package memory is an admission book that forgets everything when the process
// ends: for tests, the demo and a first look. A real attraction needs a book
// on disk.
package memory

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
)

// A Book implements gate.Book. The zero value is not ready; use New.
type Book struct {
	mu       sync.Mutex
	tickets  map[gate.Fingerprint]*ticket
	visits   map[string]*visit            // by admission ID
	devices  map[string]*device           // by device ID
	sessions map[gate.SessionHash]*device // that has the session
	spent    map[gate.SessionHash]*device // that had it before a rotation
	requests map[[32]byte]request
}

type ticket struct {
	visit   *visit // the last one; nil if there was none
	revoked bool
	swaps   []time.Time
}

type visit struct {
	admission gate.Admission
	devices   []*device // that have a seat
	known     []*device // those, and all that had one
	places    []string  // attractions that it ever opened
	lost      []string  // those that were revoked, closed to a fresh verdict
}

type device struct {
	id       string
	visit    *visit
	session  gate.SessionHash
	previous gate.SessionHash // zero means none
	spent    []gate.SessionHash
	rotated  time.Time
	seen     time.Time
	revoked  bool
}

type request struct {
	body   [32]byte
	device *device
	at     time.Time
}

// day is how long a request is remembered, and over which swaps are counted.
const day = 24 * time.Hour

// New returns an empty book.
func New() *Book {
	return &Book{tickets: map[gate.Fingerprint]*ticket{}, visits: map[string]*visit{}, devices: map[string]*device{},
		sessions: map[gate.SessionHash]*device{}, spent: map[gate.SessionHash]*device{}, requests: map[[32]byte]request{}}
}

// Enter implements gate.Book.
func (b *Book) Enter(_ context.Context, e gate.Entry) (*gate.Admission, error) {
	switch {
	case e.Seats < 1:
		return nil, fmt.Errorf("enter: %d seats, want at least 1", e.Seats)
	case e.Session == gate.SessionHash{}:
		return nil, errors.New("enter: an entry without a session")
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if d, err := b.repeated(e); d != nil || err != nil {
		return d.answer(), err
	}
	t, v, err := b.visit(e)
	if err != nil {
		return nil, err
	}
	d, err := b.seat(t, v, e)
	if err != nil {
		return nil, err
	}
	v.join(e)
	if e.Request.Key != [32]byte{} {
		b.requests[e.Request.Key] = request{e.Request.Body, d, e.At}
	}
	return d.answer(), nil
}

// repeated returns the device of a request that was answered before, or nil.
func (b *Book) repeated(e gate.Entry) (*device, error) {
	r, ok := b.requests[e.Request.Key]
	switch {
	case !ok || e.At.Sub(r.at) >= day:
		return nil, nil
	case r.body != e.Request.Body:
		return nil, gate.ErrOtherRequest
	case r.device.visit.over(e.At):
		return nil, nil
	case r.device.revoked || r.device.visit.admission.State == gate.StateRevoked:
		return nil, gate.Deny(gate.ReasonRevoked, nil)
	case !slices.Contains(r.device.visit.devices, r.device):
		return nil, nil
	}
	return r.device, nil
}

// visit returns the visit that goes on with this ticket, or opens one.
func (b *Book) visit(e gate.Entry) (*ticket, *visit, error) {
	t := b.tickets[e.Ticket]
	if t == nil {
		t = &ticket{}
		b.tickets[e.Ticket] = t
	}
	v := t.visit
	switch {
	case t.revoked:
		return nil, nil, gate.Deny(gate.ReasonRevoked, nil)
	case v != nil && v.admission.State == gate.StateRevoked && e.At.Before(v.admission.Ends):
		return nil, nil, gate.Deny(gate.ReasonRevoked, nil)
	case v != nil && v.admission.State == gate.StateActive && !v.over(e.At):
		return t, v, nil
	}
	firstUse := e.FirstUse
	if firstUse.IsZero() {
		firstUse = e.At
	}
	if v != nil {
		b.close(v)
		firstUse = v.admission.FirstUse
	}
	t.visit = &visit{admission: gate.Admission{ID: rand.Text(), Ticket: e.Ticket, State: gate.StateActive,
		Begins: e.At, Ends: e.Ends, FirstUse: firstUse}}
	b.visits[t.visit.admission.ID] = t.visit
	return t, t.visit, nil
}

// join puts into the visit what the entry says.
func (v *visit) join(e gate.Entry) {
	a := &v.admission
	a.Seats, a.Source, a.Ref = e.Seats, e.Source, e.Ref
	v.entitle(merge(a.Entitlements, e.Entitlements))
	if e.At.After(a.VerdictAt) {
		a.VerdictAt = e.At
	}
	v.lost = slices.DeleteFunc(v.lost, func(id string) bool {
		return slices.ContainsFunc(e.Entitlements, func(e gate.Entitlement) bool { return e.Attraction == id })
	})
	a.Revision++
}

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
	return b.spent[s]
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
	case r.Session == d.session && b.sessions[r.Next] != nil:
		return nil, errTaken
	case r.Session == d.session:
		b.rotate(d, r)
	case d.holds(r.Session, r.At, r.Grace):
	case r.At.Before(d.rotated): // the clock was set back: nobody can tell
		return nil, gate.Deny(gate.ReasonNoSession, errReused)
	default:
		b.revokeDevice(d)
		return nil, gate.Deny(gate.ReasonNoSession, errReused)
	}
	d.visit.refresh(r.Fresh)
	return d.answer(), nil
}

func (b *Book) rotate(d *device, r gate.Renewal) {
	delete(b.sessions, d.session)
	b.spent[d.session] = d
	d.spent = append(d.spent, d.session)
	d.previous, d.session, d.rotated = d.session, r.Next, r.At
	d.see(r.At)
	b.sessions[r.Next] = d
}

// refresh replaces what the visit may open by what the source says now, if it
// was asked.
func (v *visit) refresh(fresh *gate.Verdict) {
	a := &v.admission
	if fresh != nil {
		a.VerdictAt = fresh.At
		v.entitle(slices.DeleteFunc(merge(nil, fresh.Entitlements), func(e gate.Entitlement) bool {
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
		if b.spent[s] == d {
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

func (v *visit) over(at time.Time) bool {
	return v.admission.State == gate.StateEnded || !at.Before(v.admission.Ends)
}

// answer returns a copy of the admission, as d sees it.
func (d *device) answer() *gate.Admission {
	if d == nil {
		return nil
	}
	a := d.visit.admission
	a.Taken, a.Device = len(d.visit.devices), d.id
	a.Entitlements = slices.Clone(a.Entitlements)
	return &a
}

// merge returns have with the packages of next put in, or in place of their
// older selves: a pass shown at the second attraction keeps the first open.
func merge(have, next []gate.Entitlement) []gate.Entitlement {
	merged := slices.DeleteFunc(slices.Clone(have), func(old gate.Entitlement) bool {
		return slices.ContainsFunc(next, func(e gate.Entitlement) bool {
			return e.Attraction == old.Attraction && e.Package == old.Package
		})
	})
	merged = append(merged, next...)
	slices.SortFunc(merged, func(a, b gate.Entitlement) int {
		return cmp.Or(cmp.Compare(a.Attraction, b.Attraction), cmp.Compare(a.Package, b.Package))
	})
	return merged
}
