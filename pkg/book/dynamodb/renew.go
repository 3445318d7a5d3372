package dynamodb

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/gate"
)

// Renew implements gate.Book.
//
// Whoever shows a session that was rotated away more than r.Grace ago has
// stolen it, or has shown that somebody else did: the device is revoked, its
// seat is free, the audit says so, and the denial has ReasonNoSession.
//
// What an attraction's revocation took away is not given back by a verdict,
// only by Enter.
func (b *Book) Renew(ctx context.Context, r gate.Renewal) (a *gate.Admission, err error) {
	if (r.Next == gate.SessionHash{}) || r.Next == r.Session {
		return nil, b.explain("renew", errors.New("a renewal without a new session"))
	}
	err = b.change(ctx, "renew", func(w *work) error {
		a, err = w.renew(r)
		return err
	})
	if err != nil {
		return nil, err
	}
	return a, nil
}

func (w *work) renew(r gate.Renewal) (*gate.Admission, error) {
	h, err := w.living(r.Session, r.At)
	if err != nil {
		return nil, err
	}
	seen := h.Seen
	switch current := h.Session == hash(r.Session); {
	case current && !h.resting(r):
		err = w.rotate(h, r)
	case current:
		h.see(r.At)
	case h.holds(r.Session, r.At, r.Grace):
	case h.Spent.IsZero(): // it was rotated after it was read
		err = errConflict
	case r.At.Sub(h.Spent) > r.Grace:
		return nil, w.stolen(h, r)
	default: // a moment ago, or the clock was set back: nobody can tell
		err = gate.Deny(gate.ReasonNoSession, errReused)
	}
	if err == nil {
		err = w.refresh(h, r.Fresh)
	}
	if err != nil {
		return nil, err
	}
	if len(w.puts) == 0 && r.Fresh == nil && h.Seen.Equal(seen) {
		return h.answer(h.Visit, h.device), nil
	}
	h.Visit.Revision++
	return h.answer(h.Visit, h.device), w.save(h.ticket)
}

// resting reports whether the device's session began by a rotation so lately
// that it is not rotated again.
func (d *device) resting(r gate.Renewal) bool {
	return !d.Rotated.IsZero() && r.At.Sub(d.Rotated).Abs() < r.Grace
}

// rotate gives the device its next session. The one that it had is spent.
func (w *work) rotate(h *holding, r gate.Renewal) error {
	if h.Visit.holder(r.Next) != nil {
		return errTaken
	}
	d := h.device
	d.Previous, d.Session, d.Rotated = d.Session, hash(r.Next), r.At.UTC()
	d.see(r.At)
	if err := w.point(h.ticket, d, r.Session, r.At); err != nil {
		return err
	}
	return w.point(h.ticket, d, r.Next, time.Time{})
}

// refresh replaces what the visit may open by what the source says now, if it
// was asked.
func (w *work) refresh(h *holding, fresh *gate.Verdict) error {
	if fresh == nil {
		return nil
	}
	if err := w.closingsOf(w.ctx, h.closed, placesOf(fresh.Entitlements)...); err != nil {
		return err
	}
	v := h.Visit
	v.VerdictAt = fresh.At.UTC()
	v.entitle(slices.DeleteFunc(gate.Merge(nil, fresh.Entitlements), func(e gate.Entitlement) bool {
		return v.lost(e.Attraction, h.closed)
	}), h.closed)
	return w.open(w.ctx, h.closed, v)
}

// stolen revokes a device of whose sessions somebody has a copy.
func (w *work) stolen(h *holding, r gate.Renewal) error {
	id := h.device.ID
	if err := w.revokeDevice(h.ticket, h.device, r.At); err != nil {
		return err
	}
	w.after = gate.Deny(gate.ReasonNoSession, errReused)
	return w.sign(book.AuditEvent{At: r.At, Actor: "book", Action: "device.revoke", Target: id, Detail: errReused.Error()})
}
