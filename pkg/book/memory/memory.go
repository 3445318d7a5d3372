// Package memory is an admission book that forgets everything when the process
// ends: for tests, the demo and a first look. A real attraction needs a book
// on disk.
package memory

import (
	"cmp"
	"context"
	"crypto/rand"
	"slices"
	"sync"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
)

// A Book implements gate.Book. The zero value is not ready; use New.
type Book struct {
	mu       sync.Mutex
	visits   map[gate.Fingerprint]*visit
	sessions map[gate.SessionHash]*visit
}

type visit struct {
	admission gate.Admission
	sessions  []gate.SessionHash
}

// New returns an empty book.
func New() *Book {
	return &Book{visits: map[gate.Fingerprint]*visit{}, sessions: map[gate.SessionHash]*visit{}}
}

// Enter implements gate.Book.
func (b *Book) Enter(_ context.Context, e gate.Entry) (*gate.Admission, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	v := b.visits[e.Ticket]
	switch {
	case v == nil:
		v = b.open(e, e.FirstUse)
	case v.admission.State == gate.StateRevoked:
		return nil, gate.Deny(gate.ReasonRevoked, nil)
	case v.over(e.At):
		b.close(v)
		v = b.open(e, v.admission.FirstUse)
	}
	if i := slices.Index(v.sessions, e.Previous); i >= 0 {
		b.forget(v, i)
	} else if len(v.sessions) >= e.Seats {
		return nil, gate.Deny(gate.ReasonSeatsTaken, nil)
	}
	v.sessions = append(v.sessions, e.Session)
	b.sessions[e.Session] = v
	v.admission.Seats = e.Seats
	v.admission.Entitlements = merge(v.admission.Entitlements, e.Entitlements)
	return v.copy(), nil
}

// Find implements gate.Book.
func (b *Book) Find(_ context.Context, s gate.SessionHash, at time.Time) (*gate.Admission, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	v := b.sessions[s]
	switch {
	case v == nil || v.over(at):
		return nil, gate.Deny(gate.ReasonNoSession, nil)
	case v.admission.State == gate.StateRevoked:
		return nil, gate.Deny(gate.ReasonRevoked, nil)
	}
	return v.copy(), nil
}

// Leave implements gate.Book.
func (b *Book) Leave(_ context.Context, s gate.SessionHash, _ time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if v := b.sessions[s]; v != nil {
		b.forget(v, slices.Index(v.sessions, s))
	}
	return nil
}

func (b *Book) open(e gate.Entry, firstUse time.Time) *visit {
	if firstUse.IsZero() {
		firstUse = e.At
	}
	v := &visit{admission: gate.Admission{ID: rand.Text(), Ticket: e.Ticket, State: gate.StateActive,
		Begins: e.At, Ends: e.Ends, FirstUse: firstUse}}
	b.visits[e.Ticket] = v
	return v
}

func (b *Book) close(v *visit) {
	for len(v.sessions) > 0 {
		b.forget(v, 0)
	}
	v.admission.State = gate.StateEnded
}

func (b *Book) forget(v *visit, i int) {
	delete(b.sessions, v.sessions[i])
	v.sessions = slices.Delete(v.sessions, i, i+1)
}

func (v *visit) over(at time.Time) bool {
	return v.admission.State == gate.StateEnded || !at.Before(v.admission.Ends)
}

func (v *visit) copy() *gate.Admission {
	a := v.admission
	a.Taken = len(v.sessions)
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
