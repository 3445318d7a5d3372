package gate

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// A Calendar says when an attraction is open. It has no clock of its own. The
// zero Calendar is always open and counts the civil days of UTC.
//
// What happens after midnight still belongs to the evening before: a business
// day ends at DayEnds of the next civil day, or at its own last closing if that
// is later. Where clocks change, openings take the earlier instant and closings
// the later one.
type Calendar struct {
	Zone       *time.Location // of all its dates and times; nil means UTC
	Weekly     [7][]Hours     // by time.Weekday; a day without any is closed, but no hours on any day mean always open
	Exceptions []Exception    // from the week; of several for a day the last one counts
	DayEnds    Clock          // until then it is still yesterday's business day; 0 means midnight
	Grace      Grace
}

// An Exception gives some days other hours than the week does.
type Exception struct {
	From, To Date           // first and last day; a zero To means From only
	Only     []time.Weekday // just these days of the week; none means all
	Hours    []Hours        // none means closed
}

// Grace is what visitors get beyond the letter of a ticket. Zero means nothing.
type Grace struct {
	Early time.Duration // before a timed entry
	Late  time.Duration // after closing, and after the end of a slot
}

// BusinessDay returns the business day that t belongs to. It never goes back
// while t goes forward, not even when the clocks do.
func (c *Calendar) BusinessDay(t time.Time) Date {
	d := DateOf(t.In(c.zone())).AddDays(-1) // may not be over yet
	for !t.Before(c.ends(d)) {
		d = d.AddDays(1)
	}
	return d
}

// Open returns when the attraction is open on the business day d: intervals in
// their order, with time between them. None means closed.
func (c *Calendar) Open(d Date) []Interval {
	if hours, listed := c.hours(d); listed {
		return c.intervals(d, hours)
	}
	return merge([]Interval{{From: c.ends(d.AddDays(-1)), Until: c.ends(d)}})
}

// OpenAt reports whether the attraction is open at t. Grace does not count.
func (c *Calendar) OpenAt(t time.Time) bool {
	next, ok := c.next(t, 1)
	return ok && next.Equal(t)
}

// NextOpening returns the first instant from t on at which the attraction is
// open, so t itself if it is. It is false if there is none in about 400 days.
func (c *Calendar) NextOpening(t time.Time) (time.Time, bool) {
	return c.next(t, horizon)
}

// CloseOf returns when visitors of t's business day have to leave: its last
// closing and the late grace. It is false if all of the day is closed. For one
// that is open without end it is the end of the business day.
func (c *Calendar) CloseOf(t time.Time) (time.Time, bool) {
	return c.leave(c.BusinessDay(t))
}

// Check returns what is wrong with c, all of it: times that do not exist, hours
// that do not fit between one DayEnds and the next, exceptions that end before
// they begin, negative grace. The other methods work on any Calendar.
func (c *Calendar) Check() error {
	var errs []error
	if c.DayEnds < 0 || c.DayEnds > endOfDay/2 {
		errs = append(errs, fmt.Errorf("the day ends at %s, want 00:00 to 12:00", c.DayEnds))
	}
	if c.Grace.Early < 0 || c.Grace.Late < 0 {
		errs = append(errs, errors.New("grace is negative"))
	}
	for day, hours := range c.Weekly {
		errs = append(errs, c.checkHours(time.Weekday(day).String(), hours))
	}
	for _, e := range c.Exceptions {
		if e.From.IsZero() || e.last().Compare(e.From) < 0 {
			errs = append(errs, fmt.Errorf("exception from %s to %s has no days", e.From, e.last()))
		}
		errs = append(errs, c.checkHours(e.From.String(), e.Hours))
	}
	return errors.Join(errs...)
}

func (c *Calendar) checkHours(day string, hours []Hours) error {
	var errs []error
	for _, h := range hours {
		switch {
		case h.Opens < 0 || h.Opens >= endOfDay || h.Closes < 0 || h.Closes > endOfDay:
			errs = append(errs, fmt.Errorf("%s: %s are not opening hours", day, h))
		case h.Opens < c.DayEnds:
			errs = append(errs, fmt.Errorf("%s: %s begin before %s, when the day before ends", day, h, c.DayEnds))
		case h.overnight() && h.Closes > c.DayEnds:
			errs = append(errs, fmt.Errorf("%s: %s end after %s of the next day, when the day ends", day, h, c.DayEnds))
		}
	}
	return errors.Join(errs...)
}

// horizon is how many days ahead openings are looked for: a season that is over
// comes again within it.
const horizon = 400

// next looks for the first instant from t on that is open, on the business day
// of t and days more.
func (c *Calendar) next(t time.Time, days int) (time.Time, bool) {
	for d, left := c.BusinessDay(t), days; left >= 0; d, left = d.AddDays(1), left-1 {
		for _, open := range c.Open(d) {
			if t.Before(open.Until) {
				return later(t, open.From), true
			}
		}
	}
	return time.Time{}, false
}

// hours returns the hours of d, and false if d is open without end.
func (c *Calendar) hours(d Date) ([]Hours, bool) {
	for _, e := range slices.Backward(c.Exceptions) {
		if e.covers(d) {
			return e.Hours, true
		}
	}
	return c.Weekly[d.Weekday()], c.weekly()
}

// weekly reports whether the week has any hours.
func (c *Calendar) weekly() bool {
	return slices.ContainsFunc(c.Weekly[:], func(hours []Hours) bool { return len(hours) > 0 })
}

// always reports whether c never closes.
func (c *Calendar) always() bool { return len(c.Exceptions) == 0 && !c.weekly() }

func (c *Calendar) intervals(d Date, hours []Hours) []Interval {
	var all []Interval
	for _, h := range hours {
		all = append(all, h.on(d, c.zone()))
	}
	return merge(all)
}

// begins returns when the business day d begins: with the end of the one
// before, or with its first opening if that is earlier.
func (c *Calendar) begins(d Date) time.Time {
	begins := c.ends(d.AddDays(-1))
	if open := c.Open(d); len(open) > 0 {
		begins = sooner(begins, open[0].From)
	}
	return begins
}

// ends returns when the business day d is over.
func (c *Calendar) ends(d Date) time.Time {
	_, ends := d.AddDays(1).instants(c.DayEnds, c.zone())
	hours, _ := c.hours(d)
	for _, open := range c.intervals(d, hours) {
		ends = later(ends, open.Until)
	}
	return ends
}

// leave returns when visitors of the business day d have to leave, and false if
// it is closed.
func (c *Calendar) leave(d Date) (time.Time, bool) {
	open := c.Open(d)
	if len(open) == 0 {
		return time.Time{}, false
	}
	return open[len(open)-1].Until.Add(c.Grace.Late), true
}

// stay is like leave, but goes on, up to limit, for as long as one business day
// is open right into the next.
func (c *Calendar) stay(d Date, limit time.Time) time.Time {
	stay, _ := c.leave(d)
	if !stay.Before(limit) {
		return stay
	}
	for ; stay.Before(limit) && c.through(d); d = d.AddDays(1) {
		longer, _ := c.leave(d.AddDays(1))
		stay = later(stay, longer)
	}
	return sooner(stay, limit)
}

// through reports whether the business day d is open right into the next.
func (c *Calendar) through(d Date) bool {
	open, next := c.Open(d), c.Open(d.AddDays(1))
	return len(open) > 0 && len(next) > 0 && !next[0].From.After(open[len(open)-1].Until)
}

// visitDay returns the business day that somebody visits at t: that of t, else
// the one before as long as its grace lasts, else the next one that is not
// closed. It is false if there is none in sight.
func (c *Calendar) visitDay(t time.Time) (Date, bool) {
	d := c.BusinessDay(t)
	if leave, open := c.leave(d); !open || !t.Before(leave) {
		d = d.AddDays(-1) // whose grace may last until after it
	}
	for range horizon {
		if leave, open := c.leave(d); open && t.Before(leave) {
			return d, true
		}
		d = d.AddDays(1)
	}
	return Date{}, false
}

func (c *Calendar) zone() *time.Location {
	if c.Zone == nil {
		return time.UTC
	}
	return c.Zone
}

func (e Exception) covers(d Date) bool {
	return e.From.Compare(d) <= 0 && d.Compare(e.last()) <= 0 &&
		(len(e.Only) == 0 || slices.Contains(e.Only, d.Weekday()))
}

func (e Exception) last() Date {
	if e.To.IsZero() {
		return e.From
	}
	return e.To
}

// merge puts intervals in order, joins those that meet and drops empty ones.
func merge(all []Interval) []Interval {
	slices.SortFunc(all, func(a, b Interval) int { return a.From.Compare(b.From) })
	var merged []Interval
	for _, i := range all {
		last := len(merged) - 1
		switch {
		case !i.From.Before(i.Until):
		case last >= 0 && !i.From.After(merged[last].Until):
			merged[last].Until = later(merged[last].Until, i.Until)
		default:
			merged = append(merged, i)
		}
	}
	return merged
}
