package dynamodb

import (
	"context"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
)

// remembered is how many closings of one attraction are told apart. What was
// entitled before the oldest of them is closed.
const remembered = 100

// closings are how often an attraction was revoked. A visit notes the number
// when it is entitled there; whoever reads the visit compares.
//
// It is asked with every request for the attraction, so it stands in several
// items that are always written together and of which each request reads one.
// A copy that is kept for a moment would be cheaper, but a renewal could then
// succeed after the revocation has returned.
type closings struct {
	N  int64       `json:"n"`
	At []time.Time `json:"at,omitempty"` // of the last ones, in their order

	known bool // the attraction was open once
}

// closed are the closings of some attractions.
type closed map[string]*closings

// since reports whether the attraction was closed after so many closings, at a
// time before ends.
func (c *closings) since(epoch int64, ends time.Time) bool {
	if c == nil {
		return false
	}
	known := c.N - int64(len(c.At))
	if epoch < known {
		return true
	}
	later := c.At[min(epoch-known, int64(len(c.At))):]
	return slices.ContainsFunc(later, func(at time.Time) bool { return at.Before(ends) })
}

// closingsOf reads those of the attractions that have been open, each from any
// of its copies.
func (b *Book) closingsOf(ctx context.Context, c closed, places ...string) error {
	where := c.draw(places)
	if len(where) == 0 {
		return nil
	}
	found, err := b.get(ctx, slices.Collect(maps.Keys(where))...)
	if err != nil {
		return err
	}
	return c.take(found, where)
}

// draw returns which copies to read of places that are not known yet.
func (c closed) draw(places []string) map[key]string {
	where := map[key]string{}
	for _, place := range places {
		if _, ok := c[place]; !ok {
			where[closingKey(place, rand.IntN(copies))] = place // #nosec G404 -- spreads load
		}
	}
	return where
}

// take reads closings from items, of places by key. What is not there was never open.
func (c closed) take(found items, where map[key]string) error {
	for k, place := range where {
		c[place] = &closings{}
		if it := found[k]; it != nil && it.doc != "" {
			c[place].known = true
			if err := it.read(c[place]); err != nil {
				return err
			}
		}
	}
	return nil
}

// open puts attractions on record that were never open.
func (b *Book) open(ctx context.Context, c closed, v *visit) error {
	for place, known := range c {
		if known.known || !v.opens(place) {
			continue
		}
		err := b.change(ctx, "open an attraction", func(w *work) error {
			it, err := b.one(w.ctx, closingKey(place, 0))
			if err != nil || it.rev > 0 {
				return err
			}
			for i := range copies {
				if err := w.putDoc(&item{key: closingKey(place, i)}, closings{}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// settle takes away from the visit what was closed since it was entitled. One
// that opens nothing else has ended.
func (v *visit) settle(c closed) {
	before := len(v.Entitlements)
	for place, epoch := range v.Epochs {
		if v.opens(place) && c[place].since(epoch, v.Ends) {
			v.Entitlements = slices.DeleteFunc(v.Entitlements, func(e gate.Entitlement) bool { return e.Attraction == place })
			v.Revision++
		}
	}
	if before > 0 && len(v.Entitlements) == 0 && v.State == gate.StateActive {
		v.State, v.Devices, v.Closed = gate.StateEnded, nil, c.last(v.Epochs)
		v.Revision++
	}
}

// lost reports whether an attraction was closed since the visit was entitled
// there: no verdict opens it again, only the ticket itself.
func (v *visit) lost(place string, c closed) bool {
	epoch, ok := v.Epochs[place]
	return ok && c[place].since(epoch, v.Ends)
}

// settled reads the closings that matter to a ticket and applies them.
func (b *Book) settled(ctx context.Context, t *ticket, c closed) error {
	if t.Visit == nil || t.Visit.State != gate.StateActive {
		return nil
	}
	if err := b.closingsOf(ctx, c, slices.Collect(maps.Keys(t.Visit.Epochs))...); err != nil {
		return err
	}
	t.Visit.settle(c)
	return nil
}

// last returns when one of the places was closed last.
func (c closed) last(places map[string]int64) (at time.Time) {
	for place := range places {
		for _, closing := range c[place].At {
			if closing.After(at) {
				at = closing
			}
		}
	}
	return at
}
