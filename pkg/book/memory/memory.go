// Package memory is an admission book that forgets everything when the process
// ends: for tests, the demo and a first look. A real attraction needs a book
// on disk.
package memory

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
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
	sessions map[gate.SessionHash]*device // current and previous ones
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
}

type device struct {
	id       string
	visit    *visit
	session  gate.SessionHash
	previous gate.SessionHash // zero means none
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
	return &Book{tickets: map[gate.Fingerprint]*ticket{}, visits: map[string]*visit{},
		sessions: map[gate.SessionHash]*device{}, requests: map[[32]byte]request{}}
}

// Enter implements gate.Book.
func (b *Book) Enter(_ context.Context, e gate.Entry) (*gate.Admission, error) {
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
	a := &v.admission
	a.Seats, a.Source, a.Ref = e.Seats, e.Source, e.Ref
	a.Entitlements = merge(a.Entitlements, e.Entitlements)
	if e.At.After(a.VerdictAt) {
		a.VerdictAt = e.At
	}
	a.Revision++
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
		b.close(v, gate.StateEnded)
		firstUse = v.admission.FirstUse
	}
	t.visit = &visit{admission: gate.Admission{ID: rand.Text(), Ticket: e.Ticket, State: gate.StateActive,
		Begins: e.At, Ends: e.Ends, FirstUse: firstUse}}
	b.visits[t.visit.admission.ID] = t.visit
	return t, t.visit, nil
}

// seat gives the device a place: the one that it has, a free one, or that of a
// device which has been idle for too long.
func (b *Book) seat(t *ticket, v *visit, e gate.Entry) (*device, error) {
	if d := b.sessions[e.Previous]; d != nil && d.visit == v && d.holds(e.Previous, e.At, gate.RotationGrace) {
		b.unname(d)
		d.session, d.previous, d.rotated, d.seen = e.Session, gate.SessionHash{}, time.Time{}, e.At
		b.sessions[e.Session] = d
		return d, nil
	}
	for len(v.devices) >= e.Seats {
		idle := t.idlest(v, e)
		if idle == nil {
			return nil, gate.Deny(gate.ReasonSeatsTaken, nil)
		}
		t.swaps = append(t.swaps, e.At)
		b.leave(idle)
	}
	d := &device{id: rand.Text(), visit: v, session: e.Session, seen: e.At}
	v.devices = append(v.devices, d)
	b.sessions[e.Session] = d
	return d, nil
}

// idlest returns the device that may lose its seat, or nil.
func (t *ticket) idlest(v *visit, e gate.Entry) *device {
	t.swaps = slices.DeleteFunc(t.swaps, func(at time.Time) bool { return e.At.Sub(at) >= day })
	if e.Idle <= 0 || len(t.swaps) >= e.Swaps {
		return nil
	}
	idle := slices.MinFunc(v.devices, func(a, b *device) int { return a.seen.Compare(b.seen) })
	if e.At.Sub(idle.seen) <= e.Idle {
		return nil
	}
	return idle
}

// Find implements gate.Book.
func (b *Book) Find(_ context.Context, s gate.SessionHash, at time.Time) (*gate.Admission, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	d, err := b.living(s, at, gate.RotationGrace)
	if err != nil {
		return nil, err
	}
	return d.answer(), nil
}

// errReused is what a session is that comes again long after it was rotated.
var errReused = errors.New("session used again after it was rotated")

// living returns the device of a session whose admission goes on.
func (b *Book) living(s gate.SessionHash, at time.Time, grace time.Duration) (*device, error) {
	d := b.sessions[s]
	switch {
	case d == nil || d.visit.over(at):
		return nil, gate.Deny(gate.ReasonNoSession, nil)
	case d.revoked || d.visit.admission.State == gate.StateRevoked || b.tickets[d.visit.admission.Ticket].revoked:
		return nil, gate.Deny(gate.ReasonRevoked, nil)
	case !d.holds(s, at, grace):
		return nil, gate.Deny(gate.ReasonNoSession, errReused)
	}
	return d, nil
}

// holds reports whether s is the device's session, or was until a moment ago.
func (d *device) holds(s gate.SessionHash, at time.Time, grace time.Duration) bool {
	return s == d.session || s == d.previous && at.Sub(d.rotated).Abs() <= grace
}

// Renew implements gate.Book.
func (b *Book) Renew(_ context.Context, r gate.Renewal) (*gate.Admission, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	d, err := b.living(r.Session, r.At, r.Grace)
	if errors.Is(err, errReused) {
		b.revokeDevice(b.sessions[r.Session])
	}
	if err != nil {
		return nil, err
	}
	if d.seen.Before(r.At) {
		d.seen = r.At
	}
	if r.Session == d.session {
		delete(b.sessions, d.previous)
		d.previous, d.session, d.rotated = d.session, r.Next, r.At
		b.sessions[r.Next] = d
	}
	a := &d.visit.admission
	if r.Fresh != nil {
		a.Entitlements, a.VerdictAt = slices.Clone(r.Fresh.Entitlements), r.Fresh.At
	}
	a.Revision++
	return d.answer(), nil
}

// Leave implements gate.Book.
func (b *Book) Leave(_ context.Context, s gate.SessionHash, _ time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if d := b.sessions[s]; d != nil {
		b.leave(d)
	}
	return nil
}

// leave frees the seat of d and forgets its sessions.
func (b *Book) leave(d *device) {
	b.unname(d)
	if i := slices.Index(d.visit.devices, d); i >= 0 {
		d.visit.devices = slices.Delete(d.visit.devices, i, i+1)
	}
}

// unname forgets the sessions of d.
func (b *Book) unname(d *device) {
	delete(b.sessions, d.session)
	delete(b.sessions, d.previous)
}

// close ends a visit and forgets its devices.
func (b *Book) close(v *visit, state gate.State) {
	for len(v.devices) > 0 {
		b.leave(v.devices[0])
	}
	v.admission.State = state
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
