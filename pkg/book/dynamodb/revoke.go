package dynamodb

import (
	"context"
	"fmt"
	"time"

	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/gate"
)

// Revoke implements gate.Book: it is TakeBack without an event.
func (b *Book) Revoke(ctx context.Context, target gate.Target, at time.Time) (affected int, err error) {
	return b.TakeBack(ctx, target, at, book.AuditEvent{})
}

// TakeBack takes back what target names and returns how many admissions, or
// devices, had been good until then. Doing it again affects none. It returns
// gate.ErrNoTarget for an admission, device or attraction that is not on
// record; a ticket is put on record, so that one can be revoked before it is
// ever shown. The event is written with the change, or neither is; the zero
// event means that none is wanted.
//
// A ticket is revoked for ever, here and among the records. An admission that
// is revoked alone bars its ticket until it would have ended. A device that is
// revoked leaves its seat to others. An attraction is taken out of every
// admission that goes on; those that open nothing else have ended, and their
// tickets may begin new ones.
//
// When it returns, no renewal succeeds any more. The admissions that an
// attraction's revocation affects are counted after that, from an index that
// may be a moment behind; if the budget does not last for counting, the count
// is of those that were reached.
func (b *Book) TakeBack(ctx context.Context, target gate.Target, at time.Time, by book.AuditEvent) (affected int, err error) {
	if target.Kind == gate.TargetAttraction {
		return b.revokeAttraction(ctx, target.ID, at, by)
	}
	err = b.change(ctx, "revoke", func(w *work) error {
		affected, err = w.takeBack(target, at)
		if err != nil {
			return err
		}
		return w.sign(by)
	})
	if err != nil {
		return 0, err
	}
	return affected, nil
}

func (w *work) takeBack(target gate.Target, at time.Time) (int, error) {
	switch target.Kind {
	case gate.TargetTicket:
		return w.revokeTicket(target.Ticket, at)
	case gate.TargetAdmission:
		t, err := w.owner(admissionKey(target.ID))
		if err != nil || t.Visit == nil || t.Visit.ID != target.ID {
			return 0, err // one that another followed has ended
		}
		return w.revokeVisit(t, at)
	case gate.TargetDevice:
		t, err := w.owner(deviceKey(target.ID))
		if err != nil || t.Visit == nil || t.Visit.device(target.ID) == nil {
			return 0, err
		}
		return 1, w.revokeDevice(t, t.Visit.device(target.ID), at)
	}
	return 0, fmt.Errorf("a target of kind %q: %w", target.Kind, gate.ErrNoTarget)
}

// owner returns the ticket that an item belongs to, or gate.ErrNoTarget.
func (w *work) owner(k key) (*ticket, error) {
	it, err := w.one(w.ctx, k)
	if err != nil {
		return nil, err
	}
	if it.doc == "" {
		return nil, gate.ErrNoTarget
	}
	return w.load(it.own, closed{}, nil)
}

// revokeTicket revokes a ticket and, if there is one, the record of it.
func (w *work) revokeTicket(print gate.Fingerprint, at time.Time) (int, error) {
	t, err := w.load(spell(print), closed{}, nil)
	if err != nil {
		return 0, err
	}
	if err := w.revokeRecord(t, at); err != nil || !t.Revoked.IsZero() {
		return 0, err
	}
	t.Revoked = at.UTC()
	if t.Visit == nil || t.Visit.State != gate.StateActive {
		return 0, w.save(t)
	}
	return w.revokeVisit(t, at)
}

// revokeVisit ends the ticket's visit for good, if it has not ended. Its devices are kept, to be
// told so. One that is over is revoked too, as clocks can be set back, but
// does not count.
func (w *work) revokeVisit(t *ticket, at time.Time) (int, error) {
	v := t.Visit
	if v.State != gate.StateActive {
		return 0, nil
	}
	living := 0
	if !v.over(at) {
		living = 1
		if err := w.noteSessions(v.Devices, v.Ends, at); err != nil {
			return 0, err
		}
	}
	v.State = gate.StateRevoked
	v.Revision++
	return living, w.save(t)
}

// revokeDevice takes the seat from a device for good.
func (w *work) revokeDevice(t *ticket, d *device, at time.Time) error {
	if t.Visit.State == gate.StateActive && !t.Visit.over(at) {
		if err := w.noteSessions([]device{*d}, t.Visit.Ends, at); err != nil {
			return err
		}
	}
	if err := w.note(t, d, seatRevoked, at); err != nil {
		return err
	}
	t.Visit.free(d.ID)
	return w.save(t)
}

// revokeAttraction closes an attraction for all that were let in up to now:
// one more closing, in all copies. Then it counts who was.
func (b *Book) revokeAttraction(ctx context.Context, place string, at time.Time, by book.AuditEvent) (int, error) {
	var c closings
	err := b.change(ctx, "revoke", func(w *work) error {
		found, err := w.copies(place)
		if err != nil {
			return err
		}
		c = closings{}
		if err := found[closingKey(place, 0)].read(&c); err != nil {
			return err
		}
		c.close(at)
		for _, it := range found {
			if err := w.putDoc(it, c); err != nil {
				return err
			}
		}
		if err := w.noteAttraction(place, at); err != nil {
			return err
		}
		return w.sign(by)
	})
	if err != nil {
		return 0, err
	}
	return b.countClosed(ctx, place, &c, at), nil
}

// copies reads all copies of an attraction's closings, or returns gate.ErrNoTarget.
func (w *work) copies(place string) (items, error) {
	var keys []key
	for i := range copies {
		keys = append(keys, closingKey(place, i))
	}
	found, err := w.get(w.ctx, keys...)
	if err == nil && found[closingKey(place, 0)].doc == "" {
		err = gate.ErrNoTarget
	}
	return found, err
}

// close adds a closing.
func (c *closings) close(at time.Time) {
	c.N++
	c.At = append(c.At, at.UTC())
	c.At = c.At[max(0, len(c.At)-remembered):]
}

// countClosed returns how many visits went on that the last closing affects.
func (b *Book) countClosed(ctx context.Context, place string, c *closings, at time.Time) (n int) {
	ctx, cancel := b.limit(ctx)
	defer cancel()
	before := &closings{N: c.N - 1, At: c.At[:len(c.At)-1]}
	for s := range shards {
		page, err := b.find(ctx, query{index: true, pk: shardAt(listPlace(place), s)})
		if err != nil {
			return n
		}
		var keys []key
		for _, it := range page {
			keys = append(keys, ticketKey(it.own))
		}
		found, err := b.get(ctx, keys...)
		if err != nil {
			return n
		}
		for _, it := range page {
			v := found[ticketKey(it.own)].lastVisit()
			if v != nil && placeKey(v.ID, place) == it.key && v.State == gate.StateActive && !v.over(at) &&
				!v.lost(place, closed{place: before}) && v.lost(place, closed{place: c}) {
				n++
			}
		}
	}
	return n
}

// lastVisit returns that of a ticket's item, or nil.
func (it *item) lastVisit() *visit {
	var t ticket
	if it.doc == "" || it.read(&t) != nil {
		return nil
	}
	return t.Visit
}
