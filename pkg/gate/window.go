package gate

import (
	"cmp"
	"errors"
	"fmt"
	"time"
)

// An Interval is the time from From until just before Until. A zero From means
// always, a zero Until for ever.
type Interval struct {
	From, Until time.Time
}

// Contains reports whether t is in i.
func (i Interval) Contains(t time.Time) bool {
	return !t.Before(i.From) && (i.Until.IsZero() || t.Before(i.Until))
}

// And returns the time that is in i and in j. Where there is none, Until is not
// after From.
func (i Interval) And(j Interval) Interval {
	return Interval{From: later(i.From, j.From), Until: sooner(i.Until, j.Until)}
}

// A Validity says when a ticket is good, beside its attraction being open. Its
// limits are independent and all that are set hold at once, so that the kinds
// of tickets are combinations:
//
//   - day ticket: Day
//   - timed entry: Slot, perhaps SlotOnly
//   - range, season ticket: From and Until
//   - three days from first use: Days, or Span for 72 hours
//   - annual membership: From, Until and OneDay
//
// The zero Validity has no limits.
type Validity struct {
	From     time.Time     // as sold; zero means always
	Until    time.Time     // as sold, exclusive; zero means for ever
	Day      Date          // good on this business day only, from its beginning to closing; zero means any
	Slot     Interval      // timed entry; from its beginning less Grace.Early to closing of that day; zero means none
	SlotOnly bool          // the visit ends with the slot plus Grace.Late, not at closing
	Days     int           // business days from first use, which is in the first of them; closed days count; 0 means no limit
	Span     time.Duration // time from first use; 0 means no limit
	OneDay   bool          // a visit ends with its business day even where the attraction never closes

	// EarlyAccess is how long before the visit content may be fetched, so that
	// a visitor can download it at home. It moves no end.
	EarlyAccess time.Duration
	Longest     time.Duration // of one visit, from now or its beginning, whichever is later; 0 means DefaultLongest
}

// Window returns the visit that a ticket opens at the time now: From is when
// its content opens, the NotBefore of its grants, and Until when it ends,
// the earliest of the ticket's end, closing plus late grace, and the longest
// stay; both are in UTC. A nil calendar is always open and counts days in UTC.
// firstUse is when the ticket was first used, see EarlierUse; zero means now.
//
// now is in the window, or the error is a *Denial: ReasonExpired if no visit is
// left, ReasonNotYetValid before the next one, also while the attraction is
// closed, ReasonSeeStaff if a ticket names a time at which the calendar has the
// attraction closed. Any other error means that v contradicts itself.
func Window(c *Calendar, v Validity, now, firstUse time.Time) (Interval, error) {
	if c == nil {
		c = &Calendar{}
	}
	if v.SlotOnly && (v.Slot.From.IsZero() || v.Slot.Until.IsZero()) {
		return Interval{}, errors.New("ticket is good in its slot only, but the slot has no beginning or no end")
	}
	sold := v.sold(c, now, firstUse)
	if err := within(Interval{From: v.ahead(v.From), Until: sold.Until}, now); err != nil {
		return Interval{}, err
	}
	visit, err := v.visit(c, later(now, sold.From))
	if err != nil {
		return Interval{}, err
	}
	w := sold.And(visit)
	w.Until = sooner(w.Until, later(now, w.From).Add(v.longest()))
	return v.admit(w, now)
}

// EarlierUse returns the earlier of two first uses, the source's and that on
// record here. Zero means not yet used.
func EarlierUse(a, b time.Time) time.Time { return sooner(a, b) }

// admit opens w for downloads early enough, and denies it if it is not open now.
func (v Validity) admit(w Interval, now time.Time) (Interval, error) {
	if w.From.Before(w.Until) {
		w = Interval{From: v.ahead(w.From).UTC(), Until: w.Until.UTC()}
		if err := within(w, now); err != nil {
			return Interval{}, err
		}
		return w, nil
	}
	if v.dated() && now.Before(w.Until) {
		return Interval{}, Deny(ReasonSeeStaff, fmt.Errorf("closed from %s, before it begins at %s",
			w.Until.Format(time.RFC3339), w.From.Format(time.RFC3339)))
	}
	return Interval{}, Deny(ReasonExpired, fmt.Errorf("closed for as long as it is valid, until %s", w.Until.Format(time.RFC3339)))
}

// ahead returns when downloads for something that begins at t may begin.
func (v Validity) ahead(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.Add(-v.EarlyAccess)
}

// within denies what is not good now, and says by how much.
func within(w Interval, now time.Time) error {
	switch {
	case !w.Until.IsZero() && !now.Before(w.Until):
		return Deny(ReasonExpired, fmt.Errorf("valid until %s, %s ago",
			w.Until.Format(time.RFC3339), now.Sub(w.Until).Round(time.Second)))
	case now.Before(w.From):
		return Deny(ReasonNotYetValid, fmt.Errorf("valid from %s, in %s",
			w.From.Format(time.RFC3339), w.From.Sub(now).Round(time.Second)))
	}
	return nil
}

// sold returns the limits that do not depend on when the attraction closes today.
func (v Validity) sold(c *Calendar, now, firstUse time.Time) Interval {
	sold := Interval{From: v.From, Until: v.Until}
	if !v.Slot.From.IsZero() {
		sold.From = later(sold.From, v.Slot.From.Add(-c.Grace.Early))
	}
	if v.SlotOnly {
		sold.Until = sooner(sold.Until, v.Slot.Until.Add(c.Grace.Late))
	}
	first := later(EarlierUse(firstUse, now), v.From) // a download before the visit is no use of it
	if v.Span > 0 {
		sold.Until = sooner(sold.Until, first.Add(v.Span))
	}
	if v.Days > 0 {
		sold.Until = sooner(sold.Until, lastDay(c, first, v.Days))
	}
	return sold
}

// lastDay returns the end of the last of n business days from first use. The
// first of them is the one that first use was in, or was a download for.
func lastDay(c *Calendar, first time.Time, n int) time.Time {
	d, ok := c.visitDay(first)
	if !ok {
		d = c.BusinessDay(first)
	}
	d = d.AddDays(n - 1)
	if leave, open := c.leave(d); open {
		return leave
	}
	return c.ends(d)
}

// visit returns the limits that opening hours set to a visit at t or, while the
// attraction is closed, to the next one.
func (v Validity) visit(c *Calendar, t time.Time) (Interval, error) {
	if c.always() && !v.dated() && !v.OneDay {
		return Interval{}, nil
	}
	d, err := v.visitDay(c, t)
	if err != nil {
		return Interval{}, err
	}
	begins := c.begins(d)
	switch {
	case !v.Day.IsZero(), v.OneDay:
		return Interval{From: begins, Until: c.stay(d, time.Time{})}, nil
	case !v.Slot.From.IsZero(): // sold says when it begins
		return Interval{Until: c.stay(d, v.Slot.Until.Add(c.Grace.Late))}, nil
	}
	return Interval{From: begins, Until: c.stay(d, later(t, begins).Add(v.longest()))}, nil
}

// visitDay returns the business day of a visit at t: the one that the ticket
// names, or else the first that is not over.
func (v Validity) visitDay(c *Calendar, t time.Time) (Date, error) {
	if !v.dated() {
		d, ok := c.visitDay(t)
		if !ok {
			return d, Deny(ReasonNotYetValid, fmt.Errorf("closed for %d days from %s", horizon, t.Format(time.RFC3339)))
		}
		return d, nil
	}
	d := v.Day
	if d.IsZero() {
		d = c.BusinessDay(v.Slot.From)
	}
	if _, open := c.leave(d); !open {
		return d, Deny(ReasonSeeStaff, fmt.Errorf("closed on %s, the day of the ticket", d))
	}
	return d, nil
}

// dated reports whether v names a day, or a slot on one.
func (v Validity) dated() bool { return !v.Day.IsZero() || !v.Slot.From.IsZero() }

func (v Validity) longest() time.Duration { return cmp.Or(max(v.Longest, 0), DefaultLongest) }

// later returns the later of two times; a zero one is before everything.
func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// sooner returns the earlier of two times; a zero one is after everything.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
