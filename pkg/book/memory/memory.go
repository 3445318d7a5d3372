// Package memory is an admission book that forgets everything when the process
// ends: for tests, the demo and a first look. A real attraction needs a book
// on disk.
package memory

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/gate"
)

// A Book implements gate.Book and book.Files. The zero value is not ready; use New.
type Book struct {
	mu       sync.Mutex
	tickets  map[gate.Fingerprint]*ticket
	visits   map[string]*visit            // by admission ID
	devices  map[string]*device           // by device ID
	sessions map[gate.SessionHash]*device // that has the session
	spent    map[gate.SessionHash]spent   // that was rotated away
	requests map[requestKey]request
	files    map[string]book.File // by key
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
	rotated  time.Time // when session took the place of previous; zero if Enter gave it out
	seen     time.Time
	revoked  bool
}

// A spent session was device's until it was rotated away.
type spent struct {
	device *device
	at     time.Time
}

// A requestKey is one that belongs to a ticket.
type requestKey struct {
	ticket gate.Fingerprint
	key    [32]byte
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
		sessions: map[gate.SessionHash]*device{}, spent: map[gate.SessionHash]spent{}, requests: map[requestKey]request{},
		files: map[string]book.File{}}
}

// FirstUse implements gate.Book.
func (b *Book) FirstUse(_ context.Context, f gate.Fingerprint) (time.Time, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if t := b.tickets[f]; t != nil && t.visit != nil {
		return t.visit.admission.FirstUse, nil
	}
	return time.Time{}, nil
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
		b.requests[requestKey{e.Ticket, e.Request.Key}] = request{e.Request.Body, d, e.At}
	}
	return d.answer(), nil
}

// repeated returns the device of a request that was answered before, or nil.
func (b *Book) repeated(e gate.Entry) (*device, error) {
	r, ok := b.requests[requestKey{e.Ticket, e.Request.Key}]
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
	if other := b.sessions[e.Session]; other != nil && other.visit != v {
		return nil, nil, errTaken // before anything has changed
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
	v.entitle(gate.Merge(a.Entitlements, e.Entitlements))
	if e.At.After(a.VerdictAt) {
		a.VerdictAt = e.At
	}
	v.lost = slices.DeleteFunc(v.lost, func(id string) bool {
		return slices.ContainsFunc(e.Entitlements, func(e gate.Entitlement) bool { return e.Attraction == id })
	})
	a.Revision++
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
	a.Taken, a.Device, a.Held = len(d.visit.devices), d.id, d.session
	a.Entitlements = slices.Clone(a.Entitlements)
	return &a
}
