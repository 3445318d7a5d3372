package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
)

// Opening says when an attraction is open. The zero value is always open.
type Opening struct {
	Weekly     []WeekHours   `mapstructure:"weekly" doc:"opening hours by day of the week; days in no entry are closed, but without any entry every day is open without end"`
	Exceptions []SpecialDays `mapstructure:"exceptions" doc:"days with other hours than the week's; of several for a day the last one counts"`
	DayEnds    gate.Clock    `mapstructure:"day_ends" default:"00:00" doc:"until then it is still the business day before, 00:00 to 12:00; no hours reach across it"`
	GraceEarly time.Duration `mapstructure:"grace_early" default:"0s" min:"0s" max:"12h" doc:"how long before their time visitors with a timed ticket are let in"`
	GraceLate  time.Duration `mapstructure:"grace_late" default:"0s" min:"0s" max:"12h" doc:"how long a visit goes on after closing, or after a slot that limits it"`
}

// WeekHours are the hours of some days of the week.
type WeekHours struct {
	Days  []string `mapstructure:"days" required:"true" doc:"days of the week, like [mon-thu, sat]"`
	Hours []string `mapstructure:"hours" required:"true" doc:"opening hours, like [10:00-14:00, 18:00-02:00]; what does not close later than it opens closes the next day"`
}

// SpecialDays are days with other hours than the week's.
type SpecialDays struct {
	From   gate.Date `mapstructure:"from" required:"true" doc:"the day, or the first one, like 2026-12-24"`
	To     gate.Date `mapstructure:"to" default:"" doc:"the last day; empty is from alone"`
	Days   []string  `mapstructure:"days" default:"" doc:"just these days of the week, like [sat-sun]; empty is all"`
	Closed Switch    `mapstructure:"closed" default:"off" doc:"on is closed all day"`
	Hours  []string  `mapstructure:"hours" default:"" doc:"opening hours as in weekly; needed unless closed is on"`
}

// Calendar returns when a is open, in its time zone. The error is nil for an
// Attraction that Load returned.
func (a Attraction) Calendar() (*gate.Calendar, error) {
	zone, err := a.Location()
	if err != nil {
		return nil, err
	}
	o := a.Opening
	c := &gate.Calendar{Zone: zone, DayEnds: o.DayEnds, Grace: gate.Grace{Early: o.GraceEarly, Late: o.GraceLate}}
	for _, w := range o.Weekly {
		days, hours, err := w.parse()
		if err != nil {
			return nil, err
		}
		for _, day := range days {
			c.Weekly[day] = hours
		}
	}
	for _, s := range o.Exceptions {
		e, err := s.parse()
		if err != nil {
			return nil, err
		}
		c.Exceptions = append(c.Exceptions, e)
	}
	if err := c.Check(); err != nil {
		return nil, err
	}
	return c, nil
}

func (w WeekHours) parse() ([]time.Weekday, []gate.Hours, error) {
	days, err := parseAll(w.Days, parseWeekdays)
	hours, err2 := parseAll(w.Hours, parseHours)
	return days, hours, errors.Join(err, err2)
}

func (s SpecialDays) parse() (gate.Exception, error) {
	only, err := parseAll(s.Days, parseWeekdays)
	hours, err2 := parseAll(s.Hours, parseHours)
	return gate.Exception{From: s.From, To: s.To, Only: only, Hours: hours}, errors.Join(err, err2)
}

// parseAll returns what parse makes of all texts, nil if there are none.
func parseAll[T any](texts []string, parse func(string) ([]T, error)) ([]T, error) {
	var all []T
	for _, s := range texts {
		some, err := parse(s)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}

func parseHours(s string) ([]gate.Hours, error) {
	h, err := gate.ParseHours(s)
	return []gate.Hours{h}, err
}

// weekdays are the days of the week by time.Weekday.
var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// parseWeekdays reads a day of the week or a range of them: mon, fri-mon.
func parseWeekdays(s string) ([]time.Weekday, error) {
	from, to, ranged := strings.Cut(s, "-")
	if !ranged {
		to = from
	}
	first, err := parseWeekday(from)
	if err != nil {
		return nil, err
	}
	last, err := parseWeekday(to)
	if err != nil {
		return nil, err
	}
	days := []time.Weekday{first}
	for day := first; day != last; {
		day = (day + 1) % 7
		days = append(days, day)
	}
	return days, nil
}

func parseWeekday(s string) (time.Weekday, error) {
	i := slices.Index(weekdays, s)
	if i < 0 {
		return 0, fmt.Errorf("%s is not a day of the week, want one like mon, or some like mon-fri%s", quote(s), didYouMean(s, weekdays))
	}
	return time.Weekday(i), nil
}
