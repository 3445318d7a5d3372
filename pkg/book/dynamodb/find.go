package dynamodb

import (
	"context"
	"errors"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
)

// errReused is what a session is that comes again long after it was rotated.
var errReused = errors.New("session used again after it was rotated")

// A holding is a session with the device whose it is, or was.
type holding struct {
	*ticket
	*device
	pointer
	closed closed
}

// Find implements gate.Book. For gate.RotationGrace after a rotation the
// session before finds the admission too.
func (b *Book) Find(ctx context.Context, s gate.SessionHash, at time.Time) (*gate.Admission, error) {
	ctx, cancel := b.limit(ctx)
	defer cancel()
	h, err := (&work{Book: b, ctx: ctx}).living(s, at)
	if err == nil && !h.holds(s, at, gate.RotationGrace) {
		err = gate.Deny(gate.ReasonNoSession, errReused)
	}
	if err != nil {
		return nil, b.explain("find", err)
	}
	return h.answer(h.Visit, h.device), nil
}

// living returns what a session leads to if it is a device with a seat in a
// visit that goes on, or else a denial.
func (w *work) living(s gate.SessionHash, at time.Time) (*holding, error) {
	h, err := w.holding(s)
	switch {
	case err != nil:
		return nil, err
	case h == nil, h.Visit == nil, h.Visit.ID != h.Admission, h.Visit.over(at):
		return nil, gate.Deny(gate.ReasonNoSession, nil)
	case h.Visit.State == gate.StateRevoked && h.device != nil:
		return nil, gate.Deny(gate.ReasonRevoked, nil)
	case h.device == nil:
		return nil, w.whyGone(h.pointer.Device, gate.Deny(gate.ReasonNoSession, nil))
	}
	return h, nil
}

// holding reads what a session leads to: nil if nothing, and without a device
// if that has no seat.
func (w *work) holding(s gate.SessionHash) (*holding, error) {
	it, err := w.one(w.ctx, sessionKey(s))
	if err != nil || it.doc == "" {
		return nil, err
	}
	h := &holding{closed: closed{}}
	if err := it.read(&h.pointer); err != nil || h.Admission == "" {
		return nil, err
	}
	if h.ticket, err = w.load(it.own, h.closed, h.Places); err != nil || h.Visit == nil || h.Visit.ID != h.Admission {
		return h, err
	}
	h.device = h.Visit.device(h.pointer.Device)
	return h, nil
}

// load reads a ticket by its name, with the closings of places, and what is
// more in its visit.
func (w *work) load(name string, c closed, places []string) (*ticket, error) {
	var print hash
	if err := print.UnmarshalText([]byte(name)); err != nil {
		return nil, err
	}
	if w.owners != nil { // it is for a change, and a reader needs no lane
		if err := w.enterLane(gate.Fingerprint(print)); err != nil {
			return nil, err
		}
	}
	where, keys := c.draw(places), []key{ticketKey(name)}
	for k := range where {
		keys = append(keys, k)
	}
	found, err := w.get(w.ctx, keys...)
	if err != nil {
		return nil, err
	}
	if err := c.take(found, where); err != nil {
		return nil, err
	}
	t, err := parse(found[ticketKey(name)], gate.Fingerprint(print))
	if err != nil {
		return nil, err
	}
	return t, w.settled(w.ctx, t, c)
}

// Leave implements gate.Book. For gate.RotationGrace after a rotation the
// session before leaves too.
func (b *Book) Leave(ctx context.Context, s gate.SessionHash, at time.Time) error {
	return b.change(ctx, "leave", func(w *work) error {
		h, err := w.holding(s)
		if err != nil || h == nil || h.device == nil || !h.holds(s, at, gate.RotationGrace) {
			return err
		}
		if err := w.note(h.ticket, h.device, seatLeft, at); err != nil {
			return err
		}
		h.Visit.free(h.device.ID)
		return w.save(h.ticket)
	})
}
