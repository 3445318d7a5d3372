package dynamodb

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
)

// FirstUse implements gate.Book.
func (b *Book) FirstUse(ctx context.Context, t gate.Fingerprint) (time.Time, error) {
	ctx, cancel := b.limit(ctx)
	defer cancel()
	it, err := b.one(ctx, ticketKey(spell(t)))
	if err != nil {
		return time.Time{}, b.explain("first use", err)
	}
	known, err := parse(it, t)
	return known.FirstUse, b.explain("first use", err)
}

// Enter implements gate.Book.
//
// A ticket that was revoked is refused for ever. One whose last admission was
// revoked alone is refused until that admission would have ended. One whose
// admission ended because an attraction was revoked begins a new one.
//
// A request that comes again gets the same admission and device while that
// device has its seat. If the device has left or lost its seat since, the
// request counts as a new one.
func (b *Book) Enter(ctx context.Context, e gate.Entry) (a *gate.Admission, err error) {
	switch {
	case e.Seats < 1:
		return nil, b.explain("enter", fmt.Errorf("%d seats, want at least 1", e.Seats))
	case e.Session == gate.SessionHash{}:
		return nil, b.explain("enter", errors.New("an entry without a session"))
	}
	err = b.change(ctx, "enter", func(w *work) error {
		a, err = w.enter(e)
		return err
	})
	if err != nil {
		return nil, err
	}
	return a, nil
}

func (w *work) enter(e gate.Entry) (*gate.Admission, error) {
	if err := w.enterLane(e.Ticket); err != nil {
		return nil, err
	}
	t, request, c, err := w.shown(e)
	if err != nil {
		return nil, err
	}
	if a, err := w.repeated(t, request, e); a != nil || err != nil {
		return a, err
	}
	v, err := w.visit(t, e)
	if err != nil {
		return nil, err
	}
	v.join(e, c)
	d, err := w.seat(t, e)
	if err != nil {
		return nil, err
	}
	if err := w.Book.open(w.ctx, c, v); err != nil {
		return nil, err
	}
	if err := w.remember(t, request, d, e); err != nil {
		return nil, err
	}
	return t.answer(v, d), w.save(t)
}

// shown reads all that an entry is about: the ticket, the request if it came
// before, and how often the attractions were closed.
func (w *work) shown(e gate.Entry) (*ticket, *item, closed, error) {
	name := spell(e.Ticket)
	keys := []key{ticketKey(name)}
	if e.Request.Key != [32]byte{} {
		keys = append(keys, requestKey(name, e.Request.Key))
	}
	c := closed{}
	where := c.draw(placesOf(e.Entitlements))
	for k := range where {
		keys = append(keys, k)
	}
	found, err := w.get(w.ctx, keys...)
	if err != nil {
		return nil, nil, nil, err
	}
	if err := c.take(found, where); err != nil {
		return nil, nil, nil, err
	}
	t, err := parse(found[ticketKey(name)], e.Ticket)
	if err == nil {
		err = w.settled(w.ctx, t, c)
	}
	return t, found[requestKey(name, e.Request.Key)], c, err
}

func placesOf(all []gate.Entitlement) (places []string) {
	for _, e := range all {
		if !slices.Contains(places, e.Attraction) {
			places = append(places, e.Attraction)
		}
	}
	return places
}

// visit returns the visit that goes on with the ticket, or opens one.
func (w *work) visit(t *ticket, e gate.Entry) (*visit, error) {
	v := t.Visit
	switch {
	case !t.Revoked.IsZero():
		return nil, gate.Deny(gate.ReasonRevoked, fmt.Errorf("ticket revoked at %s", t.Revoked.Format(time.RFC3339)))
	case v != nil && v.State == gate.StateRevoked && e.At.Before(v.Ends):
		return nil, gate.Deny(gate.ReasonRevoked, fmt.Errorf("admission %s is revoked until %s", v.ID, v.Ends.Format(time.RFC3339)))
	case v != nil && v.State == gate.StateActive && !v.over(e.At):
		return v, nil
	}
	if v != nil {
		if err := w.archive(t, e.At); err != nil {
			return nil, err
		}
	}
	if t.FirstUse.IsZero() {
		t.FirstUse = e.At.UTC()
		if !e.FirstUse.IsZero() {
			t.FirstUse = e.FirstUse.UTC()
		}
	}
	t.Visit = &visit{ID: rand.Text(), State: gate.StateActive, Begins: e.At.UTC(), Ends: e.Ends.UTC(),
		Order: w.place(), Epochs: map[string]int64{}}
	return t.Visit, w.list(t, archived{})
}

// An archived visit is all of one that another followed. Of the last one it is
// empty: that stands with its ticket.
type archived struct {
	Visit *visit `json:"visit,omitempty"`
}

// archive puts the visit aside that another follows. Its sessions are worth
// nothing from now on, so that setting the clock back brings none to life.
func (w *work) archive(t *ticket, at time.Time) error {
	v := t.Visit
	if v.State == gate.StateActive {
		v.State = gate.StateEnded
		v.Revision++
	}
	if v.Closed.IsZero() {
		v.Closed = at.UTC()
	}
	t.Past = slices.DeleteFunc(t.Past, func(p past) bool { return at.Sub(p.Ends) > keepAdmissions })
	t.Past = slices.Insert(t.Past, 0, past{v.ID, v.Ends})
	return w.list(t, archived{v})
}

// list writes the item that an admission is found and listed by.
func (w *work) list(t *ticket, a archived) error {
	v := t.Visit
	return w.claimDoc(&item{key: admissionKey(v.ID), own: t.name(), expires: w.keepUntil(v.Ends, keepAdmissions),
		listPK: shard(listAdmissions, v.ID), listSK: v.Order}, a)
}

// join puts into the visit what the entry says.
func (v *visit) join(e gate.Entry, c closed) {
	v.Seats, v.Source, v.Ref = e.Seats, e.Source, e.Ref
	for _, place := range placesOf(e.Entitlements) {
		v.Epochs[place] = max(v.Epochs[place], c[place].N)
	}
	v.entitle(gate.Merge(v.Entitlements, e.Entitlements), c)
	if e.At.After(v.VerdictAt) {
		v.VerdictAt = e.At.UTC()
	}
	v.Revision++
}

// save writes the ticket, and a place in the lists of attractions that its
// visit has not opened before.
func (w *work) save(t *ticket) error {
	if v := t.Visit; v != nil {
		for _, place := range placesOf(v.Entitlements) {
			if slices.Contains(v.Places, place) {
				continue
			}
			v.Places = append(v.Places, place)
			if err := w.claimDoc(&item{key: placeKey(v.ID, place), own: t.name(), expires: w.keepUntil(v.Ends, keepAdmissions),
				listPK: shard(listPlace(place), v.ID), listSK: v.Order}, struct{}{}); err != nil {
				return err
			}
		}
	}
	return w.putDoc(t.item, t)
}
