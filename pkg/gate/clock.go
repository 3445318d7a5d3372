package gate

import (
	"cmp"
	"fmt"
	"strings"
	"time"
)

// A Date is a day of the calendar, in no time zone. The zero Date is no day.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// ParseDate reads a date like "2026-12-24" and refuses days that do not exist.
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return Date{}, fmt.Errorf("%q is not a date, want an existing day like \"2026-12-24\"", short(s))
	}
	return DateOf(t), nil
}

// DateOf returns the day that a calendar in t's own location shows.
func DateOf(t time.Time) Date {
	year, month, day := t.Date()
	return Date{year, month, day}
}

// String returns d like "2026-12-24".
func (d Date) String() string { return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day) }

// IsZero reports whether d is no day at all.
func (d Date) IsZero() bool { return d == Date{} }

// AddDays returns the day that is n days after d, or before it if n is negative.
func (d Date) AddDays(n int) Date { return DateOf(d.utc(0).AddDate(0, 0, n)) }

// Weekday returns the day of the week.
func (d Date) Weekday() time.Weekday { return d.utc(0).Weekday() }

// Compare returns -1 if d is before other, +1 if it is after it, else 0.
func (d Date) Compare(other Date) int {
	return cmp.Or(cmp.Compare(d.Year, other.Year), cmp.Compare(d.Month, other.Month), cmp.Compare(d.Day, other.Day))
}

// utc returns the instant at which clocks in UTC show c on d.
func (d Date) utc(c Clock) time.Time {
	return time.Date(d.Year, d.Month, d.Day, 0, int(c), 0, 0, time.UTC)
}

// instants returns when something begins in zone if it begins at c on d, and
// when it ends if it ends then. The two differ only where the clocks change:
//
//   - a time that comes twice begins something the first time, and ends
//     something the second time;
//   - a time that is skipped begins something as soon as the clocks have passed
//     it, so at the end of the gap, and ends something as long after it as the
//     gap is wide: 02:30 in a gap from 02:00 to 03:00 begins at 03:00 and ends
//     at 03:30.
//
// So visitors never lose time to a change of clocks, and what begins is never
// later than what ends. time.Date alone "does not guarantee which" it returns.
func (d Date) instants(c Clock, zone *time.Location) (begins, ends time.Time) {
	wall := d.utc(c)
	guess := time.Date(d.Year, d.Month, d.Day, 0, int(c), 0, 0, zone)
	start, end := guess.ZoneBounds()
	for _, near := range []time.Time{start.Add(-1), guess, end} {
		t := wall.Add(-offset(near)).In(zone)
		if offset(t) != offset(near) {
			continue // zone never shows c with this offset
		}
		if begins.IsZero() || t.Before(begins) {
			begins = t
		}
		ends = later(ends, t)
	}
	if !begins.IsZero() {
		return begins, ends
	}
	gap := start
	if guess.Add(offset(guess)).Before(wall) {
		gap = end // guess is the reading before the gap
	}
	return gap, wall.Add(-offset(gap.Add(-1))).In(zone)
}

// offset returns how far ahead of UTC clocks are at t in its location.
func offset(t time.Time) time.Duration {
	_, seconds := t.Zone()
	return time.Duration(seconds) * time.Second
}

// A Clock is a time of day: minutes after midnight as clocks show them, from 0
// to 1440. The zero Clock is midnight at the beginning of a day, 1440 ("24:00")
// that at its end.
type Clock int

const endOfDay Clock = 24 * 60

// ParseClock reads a time of day from "00:00" to "24:00".
func ParseClock(s string) (Clock, error) {
	hours, ok1 := twoDigits(s, 0)
	minutes, ok2 := twoDigits(s, 3)
	c := Clock(hours*60 + minutes)
	if len(s) != len("09:30") || !ok1 || !ok2 || s[2] != ':' || minutes > 59 || c > endOfDay {
		return 0, fmt.Errorf("%q is not a time of day, want one like \"09:30\", at most \"24:00\"", short(s))
	}
	return c, nil
}

// twoDigits returns the number that s has at i.
func twoDigits(s string, i int) (int, bool) {
	if len(s) < i+2 || s[i] < '0' || s[i] > '9' || s[i+1] < '0' || s[i+1] > '9' {
		return 0, false
	}
	return int(s[i]-'0')*10 + int(s[i+1]-'0'), true
}

// String returns c like "09:30".
func (c Clock) String() string { return fmt.Sprintf("%02d:%02d", int(c)/60, int(c)%60) }

// Hours are a stretch of one day. When they do not close later than they open
// they close on the next civil day, so the zero Hours are a whole day.
type Hours struct {
	Opens  Clock
	Closes Clock
}

// ParseHours reads hours like "09:30-18:00". "20:00-01:00" ends on the next
// civil day, "00:00-24:00" is a whole day; two equal times are refused, for
// they could mean either all day or never.
func ParseHours(s string) (Hours, error) {
	from, to, ok := strings.Cut(s, "-")
	if !ok {
		return Hours{}, fmt.Errorf("%q are not opening hours, want some like \"09:30-18:00\"", short(s))
	}
	opens, err := ParseClock(from)
	if err != nil {
		return Hours{}, fmt.Errorf("opening hours %q: %w", short(s), err)
	}
	closes, err := ParseClock(to)
	if err != nil {
		return Hours{}, fmt.Errorf("opening hours %q: %w", short(s), err)
	}
	if opens == closes || opens == endOfDay {
		return Hours{}, fmt.Errorf("opening hours %q do not say how long, want \"00:00-24:00\" for a whole day", short(s))
	}
	return Hours{opens, closes}, nil
}

// String returns h like "09:30-18:00".
func (h Hours) String() string { return h.Opens.String() + "-" + h.Closes.String() }

// overnight reports whether h ends on the next civil day.
func (h Hours) overnight() bool { return h.Closes <= h.Opens }

// on returns h as instants in zone when they begin on d. The interval is empty
// where the clocks skip all of h.
func (h Hours) on(d Date, zone *time.Location) Interval {
	begins, _ := d.instants(h.Opens, zone)
	if h.overnight() {
		d = d.AddDays(1)
	}
	_, ends := d.instants(h.Closes, zone)
	return Interval{From: begins, Until: ends}
}

// short cuts what somebody wrote down to what fits into an error.
func short(s string) string {
	if len(s) > 80 {
		return s[:80] + "..."
	}
	return s
}
