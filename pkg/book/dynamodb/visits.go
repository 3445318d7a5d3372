package dynamodb

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/gate"
)

// isGone reports whether err says that something is not on record.
func isGone(err error) bool { return errors.Is(err, gate.ErrNoTarget) }

// Admissions returns a page of admissions, the newest first, and where the
// next page begins; empty means that there is none. An admission that is new
// may be missing for a moment, unless its ticket is asked for.
func (b *Book) Admissions(ctx context.Context, q book.AdmissionQuery) (admissions []gate.Admission, next string, err error) {
	ctx, cancel := b.limit(ctx)
	defer cancel()
	l := listing{list: listAdmissions, newest: true, limit: limited(q.Limit)}
	if q.Attraction != "" {
		l.list = listPlace(q.Attraction)
	}
	if q.Ticket != (gate.Fingerprint{}) {
		admissions, next, err = b.admissionsOf(ctx, l, q)
	} else {
		admissions, next, err = pages(ctx, b, l, q.After, b.showAdmissions)
	}
	return admissions, next, b.explain("list", err)
}

// showAdmissions returns listed admissions, by place.
func (b *Book) showAdmissions(ctx context.Context, listed []*item) (map[string]gate.Admission, error) {
	var keys []key
	for _, it := range listed {
		keys = append(keys, ticketKey(it.own), key{it.pk, admissionKey("").sk})
	}
	found, err := b.get(ctx, keys...)
	if err != nil {
		return nil, err
	}
	c, shown := closed{}, map[string]gate.Admission{}
	for _, it := range listed {
		t, v, err := b.visitIn(ctx, found, found[key{it.pk, admissionKey("").sk}], c)
		if err != nil && !isGone(err) {
			return nil, err
		}
		if err == nil {
			shown[v.Order] = *t.answer(v, nil)
		}
	}
	return shown, nil
}

// visitIn returns the visit that an admission's item is of, with its ticket:
// what is read already is in found. It returns gate.ErrNoTarget if there is none.
func (b *Book) visitIn(ctx context.Context, found items, it *item, c closed) (*ticket, *visit, error) {
	if it == nil || it.doc == "" {
		return nil, nil, gate.ErrNoTarget
	}
	var print hash
	if err := print.UnmarshalText([]byte(it.own)); err != nil {
		return nil, nil, err
	}
	t, err := parse(found[ticketKey(it.own)], gate.Fingerprint(print))
	if err != nil {
		return nil, nil, err
	}
	if t.Visit != nil && admissionKey(t.Visit.ID) == it.key {
		return t, t.Visit, b.settled(ctx, t, c)
	}
	var a archived
	if err := it.read(&a); err != nil {
		return nil, nil, err
	}
	if a.Visit == nil {
		return nil, nil, gate.ErrNoTarget
	}
	a.Visit.Devices = nil
	return t, a.Visit, nil
}

// admissionsOf returns a page of a ticket's admissions.
func (b *Book) admissionsOf(ctx context.Context, l listing, q book.AdmissionQuery) (all []gate.Admission, next string, err error) {
	l.list += "#" + spell(q.Ticket)
	if err := l.resume(q.After); err != nil {
		return nil, "", err
	}
	it, err := b.one(ctx, ticketKey(spell(q.Ticket)))
	if err != nil {
		return nil, "", err
	}
	t, err := parse(it, q.Ticket)
	if err != nil || t.Visit == nil {
		return nil, "", err
	}
	ids := []string{t.Visit.ID}
	for _, p := range t.Past {
		ids = append(ids, p.ID)
	}
	for _, id := range ids {
		t, v, err := b.visitByID(ctx, id)
		switch {
		case isGone(err):
			continue
		case err != nil:
			return nil, "", err
		case l.after != "" && v.Order >= l.after, q.Attraction != "" && !slices.Contains(v.Places, q.Attraction):
			continue
		case len(all) == l.limit:
			return all, l.cursor(next), nil
		}
		all, next = append(all, *t.answer(v, nil)), v.Order
	}
	return all, "", nil
}

// visitByID returns an admission and its ticket, or gate.ErrNoTarget.
func (b *Book) visitByID(ctx context.Context, id string) (*ticket, *visit, error) {
	it, err := b.one(ctx, admissionKey(id))
	if err != nil {
		return nil, nil, err
	}
	if it.doc == "" {
		return nil, nil, gate.ErrNoTarget
	}
	of, err := b.one(ctx, ticketKey(it.own))
	if err != nil {
		return nil, nil, err
	}
	return b.visitIn(ctx, items{of.key: of}, it, closed{})
}

// Admission returns the admission with an id in whatever state it is, or
// gate.ErrNoTarget.
func (b *Book) Admission(ctx context.Context, id string) (*gate.Admission, error) {
	ctx, cancel := b.limit(ctx)
	defer cancel()
	t, v, err := b.visitByID(ctx, id)
	if err != nil {
		return nil, b.explain("find an admission", err)
	}
	return t.answer(v, nil), nil
}

// Devices returns the devices of an admission, oldest first and at most 1,000,
// or gate.ErrNoTarget if there is no such admission.
func (b *Book) Devices(ctx context.Context, admission string) ([]book.Device, error) {
	ctx, cancel := b.limit(ctx)
	defer cancel()
	devices, err := b.devices(ctx, admission)
	return devices, b.explain("list devices", err)
}

func (b *Book) devices(ctx context.Context, admission string) ([]book.Device, error) {
	_, v, err := b.visitByID(ctx, admission)
	if err != nil {
		return nil, err
	}
	listed, err := b.find(ctx, query{index: true, pk: shard(listDevices(admission), admission), limit: maxLimit})
	if err != nil {
		return nil, err
	}
	var keys []key
	for _, it := range listed[:min(len(listed), maxLimit)] {
		keys = append(keys, it.key)
	}
	found, err := b.get(ctx, keys...)
	if err != nil {
		return nil, err
	}
	var devices []book.Device
	for _, k := range listed {
		if it := found[k.key]; it != nil && it.doc != "" {
			d, err := v.seating(it)
			if err != nil {
				return nil, err
			}
			devices = append(devices, d)
		}
	}
	return devices, nil
}

// seating returns what is on record of a device of the visit.
func (v *visit) seating(it *item) (book.Device, error) {
	var s seating
	if err := it.read(&s); err != nil {
		return book.Device{}, err
	}
	id := it.pk[len(deviceKey("").pk):]
	d := book.Device{ID: id, State: s.State, FirstSeen: s.First, LastSeen: cmp.Or(s.Seen, s.First), Ended: s.Ended}
	if s.State != seatTaken {
		return d, nil
	}
	if seated := v.device(id); seated != nil {
		d.LastSeen = seated.Seen
	} else {
		d.State, d.Ended = seatLeft, v.Closed
	}
	return d, nil
}
