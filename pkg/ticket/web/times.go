package web

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"time"

	"github.com/expr-lang/expr"
)

// A clock reads the times of an API whose local times are those of zone.
type clock struct{ zone *time.Location }

// ErrTime is in the error of a text that is no time of the form that is
// configured. It does not quote the text.
var ErrTime = errors.New("not a time of the configured form")

// locals are the layouts of a local time.
var locals = []string{"2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02 15:04"}

// instant reads RFC 3339 or a local time; later picks the later one of an hour
// that clocks show twice.
func (c clock) instant(text string, later bool) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return bounded(t)
	}
	for _, layout := range locals {
		if t, err := time.ParseInLocation(layout, text, time.UTC); err == nil {
			return bounded(c.local(t, later))
		}
	}
	return time.Time{}, fmt.Errorf("%w: want RFC 3339, or a local time like 2026-07-01T10:00:00", ErrTime)
}

// local returns when clocks of the zone show what wall shows in UTC. An hour
// that they skip is moved forward by its length.
func (c clock) local(wall time.Time, later bool) time.Time {
	t := time.Date(wall.Year(), wall.Month(), wall.Day(), wall.Hour(), wall.Minute(), wall.Second(), wall.Nanosecond(), c.zone)
	best := t
	for _, shift := range []time.Duration{-2 * time.Hour, -time.Hour, -30 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour} {
		other := t.Add(shift)
		if sameWall(other, wall) && (later && other.After(best) || !later && other.Before(best) || !sameWall(best, wall)) {
			best = other
		}
	}
	if sameWall(best, wall) {
		return best
	}
	_, before := t.Add(-3 * time.Hour).Zone() // a gap: by the offset that held before it
	return wall.Add(-time.Duration(before) * time.Second).In(c.zone)
}

func sameWall(t, wall time.Time) bool {
	return t.Year() == wall.Year() && t.YearDay() == wall.YearDay() && t.Hour() == wall.Hour() && t.Minute() == wall.Minute() && t.Second() == wall.Second()
}

// day returns the beginning of a day, or of one that is some days later.
func (c clock) day(text string, days int) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	wall, err := time.ParseInLocation(time.DateOnly, text, time.UTC)
	if err != nil {
		return time.Time{}, fmt.Errorf("%w: want a day like 2026-07-01", ErrTime)
	}
	return bounded(c.local(wall.AddDate(0, 0, days), false))
}

func (c clock) layout(text, layout string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.ParseInLocation(layout, text, time.UTC)
	if err != nil {
		return time.Time{}, fmt.Errorf("%w: want one like %q", ErrTime, layout)
	}
	if zoned.MatchString(layout) {
		return bounded(t)
	}
	return bounded(c.local(t, false))
}

// zoned are the layouts that say their offset themselves.
var zoned = regexp.MustCompile(`Z0?7|-07`)

func epoch(n int, unit time.Duration) (time.Time, error) {
	if n == 0 {
		return time.Time{}, nil
	}
	if unit == time.Millisecond {
		return bounded(time.UnixMilli(int64(n)).UTC())
	}
	return bounded(time.Unix(int64(n), 0).UTC())
}

// dotnetDate is the form of ASP.NET's JSON. The number counts in UTC, whatever
// offset follows.
var dotnetDate = regexp.MustCompile(`^\\?/Date\((-?[0-9]{1,15})(?:[+-][0-9]{4})?\)\\?/$`)

func dotnet(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	found := dotnetDate.FindStringSubmatch(text)
	if found == nil {
		return time.Time{}, fmt.Errorf("%w: want one like /Date(1782900000000)/", ErrTime)
	}
	n, err := strconv.Atoi(found[1])
	if err != nil {
		return time.Time{}, ErrTime
	}
	return bounded(time.UnixMilli(int64(n)).UTC())
}

// bounded refuses times that nobody means, such as seconds that were read as
// milliseconds.
func bounded(t time.Time) (time.Time, error) {
	if t.Year() < 1990 || t.Year() > 9999 {
		return time.Time{}, fmt.Errorf("%w: the year is %d", ErrTime, t.Year())
	}
	return t.UTC(), nil
}

// pick returns the time of a list that is first by the order, without zero ones.
func pick(list []any, first func(a, b time.Time) bool) (time.Time, error) {
	var best time.Time
	for _, one := range list {
		t, ok := one.(time.Time)
		if !ok {
			return time.Time{}, fmt.Errorf("%w: want a list of times", ErrTime)
		}
		if !t.IsZero() && (best.IsZero() || first(t, best)) {
			best = t
		}
	}
	return best, nil
}

// functions returns what the expressions have beside their language.
func (c clock) functions() []expr.Option {
	ofText := func(name string, f func(string) (time.Time, error)) expr.Option {
		return expr.Function(name, func(args ...any) (any, error) { return f(args[0].(string)) }, new(func(string) time.Time))
	}
	ofNumber := func(name string, unit time.Duration) expr.Option {
		return expr.Function(name, func(args ...any) (any, error) { return epoch(args[0].(int), unit) }, new(func(int) time.Time))
	}
	ofList := func(name string, first func(a, b time.Time) bool) expr.Option {
		return expr.Function(name, func(args ...any) (any, error) { return pick(args[0].([]any), first) }, new(func([]any) time.Time))
	}
	return []expr.Option{
		ofText("time", func(s string) (time.Time, error) { return c.instant(s, false) }),
		ofText("timeEnd", func(s string) (time.Time, error) { return c.instant(s, true) }),
		ofText("day", func(s string) (time.Time, error) { return c.day(s, 0) }),
		ofText("dayEnd", func(s string) (time.Time, error) { return c.day(s, 1) }),
		ofText("dotnet", dotnet),
		expr.Function("parse", func(args ...any) (any, error) { return c.layout(args[0].(string), args[1].(string)) }, new(func(string, string) time.Time)),
		ofNumber("epoch", time.Second),
		ofNumber("millis", time.Millisecond),
		ofList("earliest", time.Time.Before),
		ofList("latest", time.Time.After),
	}
}
