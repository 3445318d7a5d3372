package web

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
)

// maxSeats is the most that a ticket may have.
const maxSeats = 1000

// forever is the latest end of a ticket; systems write 9999-12-31.
var forever = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)

func (h *hearing) ticket(proven bool) (*gate.Ticket, error) {
	t := &gate.Ticket{Kind: Kind, Normal: h.asked.normal, Proven: proven, Terms: h.source.opts.Terms}
	if err := errors.Join(h.seats(t), h.times(t)); err != nil {
		return nil, err
	}
	for _, g := range h.source.rules.grants {
		holds := g.when == nil
		if !holds {
			var err error
			if holds, err = run[bool](h, g.when); err != nil {
				return nil, err
			}
		}
		if holds && !slices.Contains(t.Buys, g.buys) {
			t.Buys = append(t.Buys, g.buys)
		}
	}
	if len(t.Buys) == 0 {
		return nil, &gate.Denial{Reason: gate.ReasonNotIncluded, Proven: proven}
	}
	return t, nil
}

func (h *hearing) seats(t *gate.Ticket) (err error) {
	if t.Seats, err = run[int](h, h.source.rules.seats); err != nil {
		return err
	}
	if t.Seats < 0 || t.Seats > maxSeats {
		return fmt.Errorf("%w: seats: %d, want 0 to %d", ErrExpression, t.Seats, maxSeats)
	}
	return nil
}

func (h *hearing) times(t *gate.Ticket) error {
	at := map[string]time.Time{}
	for _, name := range []string{"from", "until", "first_use", "day", "slot_from", "slot_until"} {
		var err error
		if at[name], err = run[time.Time](h, h.source.rules.times[name]); err != nil {
			return err
		}
	}
	t.ValidFrom, t.ValidUntil, t.FirstUse = at["from"], atMost(at["until"], forever), at["first_use"]
	if now := h.asked.now; t.FirstUse.After(now) { // their clock is not ours
		t.FirstUse = now
	}
	if day := at["day"]; !day.IsZero() {
		t.Terms.Day = gate.DateOf(day.In(h.source.opts.Zone))
	}
	if from := at["slot_from"]; !from.IsZero() {
		t.Terms.Slot = gate.Interval{From: from, Until: atMost(at["slot_until"], forever)}
	}
	return checkTimes(t)
}

func atMost(t, limit time.Time) time.Time {
	if t.After(limit) {
		return limit
	}
	return t
}

// checkTimes returns an error for a ticket that ends before it begins.
func checkTimes(t *gate.Ticket) error {
	slot := t.Terms.Slot
	if !t.ValidUntil.IsZero() && !t.ValidFrom.Before(t.ValidUntil) || !slot.Until.IsZero() && !slot.From.Before(slot.Until) {
		return fmt.Errorf("%w: the ticket ends before it begins", ErrTime)
	}
	return nil
}

// join adds to t what another item of the same ticket buys, and takes the time
// away that they do not have in common. It denies a ticket that has none left.
func join(t, other *gate.Ticket) error {
	for _, p := range other.Buys {
		if !slices.Contains(t.Buys, p) {
			t.Buys = append(t.Buys, p)
		}
	}
	t.Seats = max(t.Seats, other.Seats)
	t.FirstUse = gate.EarlierUse(t.FirstUse, other.FirstUse)
	both := gate.Interval{From: t.ValidFrom, Until: t.ValidUntil}.And(gate.Interval{From: other.ValidFrom, Until: other.ValidUntil})
	t.ValidFrom, t.ValidUntil = both.From, both.Until
	t.Terms.Slot = t.Terms.Slot.And(other.Terms.Slot)
	apart := checkTimes(t) != nil
	switch day := other.Terms.Day; {
	case t.Terms.Day.IsZero():
		t.Terms.Day = day
	case !day.IsZero() && day != t.Terms.Day:
		apart = true
	}
	if apart {
		return &gate.Denial{Reason: gate.ReasonSeeStaff, Proven: t.Proven, Err: errApart}
	}
	return nil
}

var errApart = errors.New("the parts of the ticket have no time in common")
