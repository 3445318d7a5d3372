package config

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
)

// opening checks the hours of a, whose keys begin with key: each part alone, so
// that a problem has its line, then what the calendar says of the whole.
func (c *checker) opening(key string, a Attraction) {
	o := openingChecker{c, key, a.Opening.DayEnds}
	if err := (&gate.Calendar{DayEnds: o.dayEnds}).Check(); err != nil {
		c.fail(key+".day_ends", "%s", err)
	}
	o.weekly(a.Opening.Weekly)
	for i, s := range a.Opening.Exceptions {
		o.exception(fmt.Sprintf("%s.exceptions[%d]", key, i), s)
	}
	if c.spoiled(key) || !c.good(parent(key)+".timezone") {
		return
	}
	if _, err := a.Calendar(); err != nil {
		c.fail(key, "%s", err)
	}
}

// spoiled reports whether key, what it is part of or anything below it has a
// problem.
func (c *findings) spoiled(key string) bool {
	for bad := range c.bad {
		if below, ok := strings.CutPrefix(bad, key); ok && (below == "" || below[0] == '.' || below[0] == '[') {
			return true
		}
	}
	return !c.good(key)
}

// An openingChecker checks the hours of one attraction.
type openingChecker struct {
	*checker
	key     string // attractions[0].opening
	dayEnds gate.Clock
}

func (o openingChecker) weekly(weekly []WeekHours) {
	var before [7]string // the entry that has the day
	for i, w := range weekly {
		at := fmt.Sprintf("%s.weekly[%d]", o.key, i)
		days := o.days(at+".days", w.Days)
		for _, day := range days {
			if before[day] != "" {
				o.fail(at+".days", "%s is in %s already, want all its hours in one entry", weekdays[day], before[day])
			}
			before[day] = at
		}
		o.hours(at+".hours", w.Hours, func(h gate.Hours) gate.Calendar {
			var probe gate.Calendar
			probe.Weekly[append(days, time.Monday)[0]] = []gate.Hours{h}
			return probe
		})
	}
}

func (o openingChecker) exception(key string, s SpecialDays) {
	days := gate.Calendar{Exceptions: []gate.Exception{{From: s.From, To: s.To}}}
	if err := days.Check(); err != nil && o.good(key+".from") {
		o.fail(key+".to", "%s", err)
	}
	o.days(key+".days", s.Days)
	switch closed := bool(s.Closed); {
	case closed && len(s.Hours) > 0:
		o.fail(key+".closed", "on, though there are hours; want one of the two")
	case !closed && len(s.Hours) == 0 && o.good(key+".closed"):
		o.fail(key+".hours", "missing, want opening hours, or closed: on")
	}
	o.hours(key+".hours", s.Hours, func(h gate.Hours) gate.Calendar {
		day := cmp.Or(s.From, gate.Date{Year: 2000, Month: 1, Day: 1})
		return gate.Calendar{Exceptions: []gate.Exception{{From: day, Hours: []gate.Hours{h}}}}
	})
}

// days checks days of the week and returns those that are good.
func (o openingChecker) days(key string, texts []string) []time.Weekday {
	var all []time.Weekday
	for i, s := range texts {
		days, err := parseWeekdays(s)
		if err != nil {
			o.fail(fmt.Sprintf("%s[%d]", key, i), "%s", err)
		}
		all = append(all, days...)
	}
	return all
}

// hours checks each of texts in a calendar that has nothing else.
func (o openingChecker) hours(key string, texts []string, alone func(gate.Hours) gate.Calendar) {
	for i, s := range texts {
		at := fmt.Sprintf("%s[%d]", key, i)
		h, err := gate.ParseHours(s)
		if err != nil {
			o.fail(at, "%s", err)
			continue
		}
		probe := alone(h)
		probe.DayEnds = o.dayEnds
		if err := probe.Check(); err != nil && o.good(o.key+".day_ends") {
			o.fail(at, "%s", err)
		}
	}
}
