package gate_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/handstamp/handstamp/pkg/gate"
	"pgregory.net/rapid"
)

// shown writes intervals as the clocks of their zone show them, with offsets.
func shown(open []gate.Interval, z *time.Location) string {
	var all []string
	for _, i := range open {
		all = append(all, i.From.In(z).Format("2T15:04Z07:00")+" "+i.Until.In(z).Format("2T15:04Z07:00"))
	}
	return strings.Join(all, ", ")
}

func TestOpenWhereClocksChange(t *testing.T) {
	tests := []struct {
		name, zone, day, hours, want string
	}{
		{"spring, around the gap", "Europe/Madrid", "2026-03-29", "00:30-09:00", "29T00:30+01:00 29T09:00+02:00"},
		{"spring, opens in the gap", "Europe/Madrid", "2026-03-29", "02:30-09:00", "29T03:00+02:00 29T09:00+02:00"},
		{"spring, closes in the gap", "Europe/Madrid", "2026-03-28", "22:00-02:30", "28T22:00+01:00 29T03:30+02:00"},
		{"spring, opens in the gap and closes at once after it", "Europe/Madrid", "2026-03-29", "02:30-03:15", "29T03:00+02:00 29T03:15+02:00"},
		{"spring, at the edges of the gap", "Europe/Madrid", "2026-03-29", "01:00-02:00", "29T01:00+01:00 29T03:00+02:00"},
		{"spring, an hour that does not exist", "Europe/Madrid", "2026-03-29", "02:00-03:00", ""},
		{"autumn, opens in the overlap", "Europe/Madrid", "2026-10-25", "02:30-09:00", "25T02:30+02:00 25T09:00+01:00"},
		{"autumn, closes in the overlap", "Europe/Madrid", "2026-10-24", "22:00-02:30", "24T22:00+02:00 25T02:30+01:00"},
		{"autumn, inside the overlap", "Europe/Madrid", "2026-10-25", "02:15-02:30", "25T02:15+02:00 25T02:30+01:00"},
		{"autumn, two that meet by the overlap", "Europe/Madrid", "2026-10-25", "02:45-05:00,01:00-02:30", "25T01:00+02:00 25T05:00+01:00"},
		{"autumn, at the first edge", "Europe/Madrid", "2026-10-24", "22:00-02:00", "24T22:00+02:00 25T02:00+01:00"},
		{"autumn, at the last edge", "Europe/Madrid", "2026-10-24", "22:00-03:00", "24T22:00+02:00 25T03:00+01:00"},
		{"Halloween night, a week after the change", "Europe/Madrid", "2026-10-31", "20:00-02:30", "31T20:00+01:00 1T02:30+01:00"},
		{"Halloween night with the change", "Europe/Madrid", "2021-10-30", "20:00-02:30", "30T20:00+02:00 31T02:30+01:00"},
		{"winter is the exception by law, spring", "Europe/Dublin", "2026-03-29", "01:30-09:00", "29T02:00+01:00 29T09:00+01:00"},
		{"winter is the exception by law, autumn", "Europe/Dublin", "2026-10-25", "01:30-01:45", "25T01:30+01:00 25T01:45Z"},
		{"New York, opens in the gap", "America/New_York", "2026-03-08", "02:30-09:00", "8T03:00-04:00 8T09:00-04:00"},
		{"New York, closes in the gap", "America/New_York", "2026-03-07", "22:00-02:30", "7T22:00-05:00 8T03:30-04:00"},
		{"New York, opens in the overlap", "America/New_York", "2026-11-01", "01:30-09:00", "1T01:30-04:00 1T09:00-05:00"},
		{"New York, Halloween night closes in the overlap", "America/New_York", "2026-10-31", "18:00-01:30", "31T18:00-04:00 1T01:30-05:00"},
		{"half an hour back, opens", "Australia/Lord_Howe", "2026-04-05", "01:45-09:00", "5T01:45+11:00 5T09:00+10:30"},
		{"half an hour back, closes", "Australia/Lord_Howe", "2026-04-04", "20:00-01:45", "4T20:00+11:00 5T01:45+10:30"},
		{"half an hour back, closes before", "Australia/Lord_Howe", "2026-04-04", "20:00-01:15", "4T20:00+11:00 5T01:15+11:00"},
		{"half an hour on, opens", "Australia/Lord_Howe", "2026-10-04", "02:15-09:00", "4T02:30+11:00 4T09:00+11:00"},
		{"half an hour on, closes", "Australia/Lord_Howe", "2026-10-03", "20:00-02:15", "3T20:00+10:30 4T02:45+11:00"},
		{"midnight does not exist", "Africa/Cairo", "2026-04-24", "00:00-09:00", "24T01:00+03:00 24T09:00+03:00"},
		{"midnight comes twice", "America/Havana", "2026-11-01", "00:00-09:00", "1T00:00-04:00 1T09:00-05:00"},
		{"no change ever", "UTC", "2026-03-29", "02:30-09:00", "29T02:30Z 29T09:00Z"},
		{"leap day", "Europe/Madrid", "2028-02-29", "20:00-01:00", "29T20:00+01:00 1T01:00+01:00"},
		{"end of the year", "Europe/Madrid", "2026-12-31", "22:00-03:00", "31T22:00+01:00 1T03:00+01:00"},
		{"end of the day", "Europe/Madrid", "2026-12-31", "22:00-24:00", "31T22:00+01:00 1T00:00+01:00"},
		{"lunch break, out of order", "Europe/Madrid", "2026-07-01", "16:00-20:00,10:00-14:00", "1T10:00+02:00 1T14:00+02:00, 1T16:00+02:00 1T20:00+02:00"},
		{"hours that overlap", "Europe/Madrid", "2026-07-01", "10:00-14:00,12:00-13:00,14:00-20:00", "1T10:00+02:00 1T20:00+02:00"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			z := zone(t, tt.zone)
			c := &gate.Calendar{Zone: z, Weekly: every(hours(t, tt.hours))}
			if got := shown(c.Open(date(t, tt.day)), z); got != tt.want {
				t.Errorf("Open(%s) with %s in %s = %s, want %s", tt.day, tt.hours, tt.zone, got, tt.want)
			}
		})
	}
}

// castle is closed on Mondays and on 25 December, opens from 9 to 20 in the
// summer except on Mondays, and late on two nights.
func castleCalendar(t testing.TB) *gate.Calendar {
	week := every(hours(t, "10:00-18:00"))
	week[time.Monday] = nil
	return &gate.Calendar{
		Zone:   zone(t, "Europe/Madrid"),
		Weekly: week,
		Exceptions: []gate.Exception{
			{From: date(t, "2026-06-15"), To: date(t, "2026-09-15"), Hours: hours(t, "09:00-20:00")},
			{From: date(t, "2026-06-15"), To: date(t, "2026-09-15"), Only: []time.Weekday{time.Monday}},
			{From: date(t, "2026-12-25")},
			{From: date(t, "2026-10-24"), Hours: hours(t, "20:00-03:00")},
			{From: date(t, "2026-10-31"), Hours: hours(t, "10:00-14:00,20:00-01:00")},
		},
		DayEnds: 4 * 60,
		Grace:   gate.Grace{Early: 20 * time.Minute, Late: 30 * time.Minute},
	}
}

func TestOpenByWeekAndException(t *testing.T) {
	tests := []struct{ name, day, want string }{
		{"a day of the week", "2026-05-05", "5T10:00+02:00 5T18:00+02:00"},
		{"closed day of the week", "2026-05-04", ""},
		{"first day of the summer", "2026-06-16", "16T09:00+02:00 16T20:00+02:00"},
		{"last day of the summer", "2026-09-15", "15T09:00+02:00 15T20:00+02:00"},
		{"day after the summer", "2026-09-16", "16T10:00+02:00 16T18:00+02:00"},
		{"Monday in the summer", "2026-06-15", ""},
		{"Christmas", "2026-12-25", ""},
		{"Christmas next year", "2027-12-25", "25T10:00+01:00 25T18:00+01:00"},
		{"Halloween", "2026-10-31", "31T10:00+01:00 31T14:00+01:00, 31T20:00+01:00 1T01:00+01:00"},
	}
	c := castleCalendar(t)
	for _, tt := range tests {
		if got := shown(c.Open(date(t, tt.day)), c.Zone); got != tt.want {
			t.Errorf("%s: Open(%s) = %s, want %s", tt.name, tt.day, got, tt.want)
		}
	}
}

func TestBusinessDay(t *testing.T) {
	madrid := &gate.Calendar{Zone: zone(t, "Europe/Madrid"), DayEnds: 4 * 60}
	civil := &gate.Calendar{Zone: zone(t, "Europe/Madrid")}
	forgot := &gate.Calendar{Zone: zone(t, "Europe/Madrid"), Weekly: every(hours(t, "20:00-01:00"))}
	twice := &gate.Calendar{Zone: zone(t, "Europe/Madrid"), DayEnds: 2*60 + 30}
	tests := []struct {
		name     string
		calendar *gate.Calendar
		at, want string
	}{
		{"noon", madrid, "2026-07-01T12:00+02:00", "2026-07-01"},
		{"after midnight", madrid, "2026-07-02T00:30+02:00", "2026-07-01"},
		{"last minute", madrid, "2026-07-02T03:59+02:00", "2026-07-01"},
		{"roll-over", madrid, "2026-07-02T04:00+02:00", "2026-07-02"},
		{"end of the year", madrid, "2027-01-01T02:00+01:00", "2026-12-31"},
		{"leap day", madrid, "2028-03-01T03:00+01:00", "2028-02-29"},
		{"night of the gap", madrid, "2026-03-29T03:59+02:00", "2026-03-28"},
		{"night of the gap is over", madrid, "2026-03-29T04:00+02:00", "2026-03-29"},
		{"night of the overlap", madrid, "2026-10-25T03:59+01:00", "2026-10-24"},
		{"night of the overlap is over", madrid, "2026-10-25T04:00+01:00", "2026-10-25"},
		{"roll-over comes twice, first", twice, "2026-10-25T02:30+02:00", "2026-10-24"},
		{"roll-over comes twice, clocks back", twice, "2026-10-25T02:10+01:00", "2026-10-24"},
		{"roll-over comes twice, second", twice, "2026-10-25T02:30+01:00", "2026-10-25"},
		{"civil day", civil, "2026-07-01T23:59+02:00", "2026-07-01"},
		{"civil midnight", civil, "2026-07-02T00:00+02:00", "2026-07-02"},
		{"civil day elsewhere", civil, "2026-07-01T22:00Z", "2026-07-02"},
		{"zero calendar", &gate.Calendar{}, "2026-07-02T01:00+02:00", "2026-07-01"},
		{"still open at midnight", forgot, "2026-07-02T00:59+02:00", "2026-07-01"},
		{"closed after midnight", forgot, "2026-07-02T01:00+02:00", "2026-07-02"},
	}
	for _, tt := range tests {
		if got := tt.calendar.BusinessDay(at(t, tt.at)); got.String() != tt.want {
			t.Errorf("%s: BusinessDay(%s) = %s, want %s", tt.name, tt.at, got, tt.want)
		}
	}
}

// A place that never closes has days of 23, 23.5, 24.5 and 25 hours.
func TestOpenAlways(t *testing.T) {
	tests := []struct {
		zone, day string
		want      time.Duration
	}{
		{"Europe/Madrid", "2026-03-29", 23 * time.Hour},
		{"Europe/Madrid", "2026-10-25", 25 * time.Hour},
		{"Europe/Dublin", "2026-10-25", 25 * time.Hour},
		{"America/New_York", "2026-03-08", 23 * time.Hour},
		{"America/New_York", "2026-11-01", 25 * time.Hour},
		{"Australia/Lord_Howe", "2026-04-05", 24*time.Hour + 30*time.Minute},
		{"Australia/Lord_Howe", "2026-10-04", 23*time.Hour + 30*time.Minute},
		{"Europe/Madrid", "2026-07-01", 24 * time.Hour},
	}
	for _, tt := range tests {
		c := &gate.Calendar{Zone: zone(t, tt.zone)}
		open := c.Open(date(t, tt.day))
		if len(open) != 1 || open[0].Until.Sub(open[0].From) != tt.want {
			t.Errorf("%s: Open(%s) = %s, want %v", tt.zone, tt.day, shown(open, c.Zone), tt.want)
		}
	}
}

func TestOpenAtAndNextOpening(t *testing.T) {
	c := castleCalendar(t)
	tests := []struct{ name, at, want string }{
		{"before opening", "2026-05-05T09:59+02:00", "2026-05-05T10:00+02:00"},
		{"opening", "2026-05-05T10:00+02:00", ""},
		{"last minute", "2026-05-05T17:59+02:00", ""},
		{"closing, in the grace", "2026-05-05T18:00+02:00", "2026-05-06T10:00+02:00"},
		{"over a Monday", "2026-05-03T18:00+02:00", "2026-05-05T10:00+02:00"},
		{"lunch break", "2026-10-31T14:00+01:00", "2026-10-31T20:00+01:00"},
		{"after midnight", "2026-11-01T00:30+01:00", ""},
		{"after the night", "2026-11-01T01:00+01:00", "2026-11-01T10:00+01:00"},
		{"hour that comes twice, first", "2026-10-25T02:30+02:00", ""},
		{"hour that comes twice, second", "2026-10-25T02:30+01:00", ""},
		{"night of the change is over", "2026-10-25T03:00+01:00", "2026-10-25T10:00+01:00"},
		{"Christmas", "2026-12-24T20:00+01:00", "2026-12-26T10:00+01:00"},
	}
	for _, tt := range tests {
		now := at(t, tt.at)
		want := now
		if tt.want != "" {
			want = at(t, tt.want)
		}
		if got := c.OpenAt(now); got != (tt.want == "") {
			t.Errorf("%s: OpenAt(%s) = %v", tt.name, tt.at, got)
		}
		if got, ok := c.NextOpening(now); !ok || !got.Equal(want) {
			t.Errorf("%s: NextOpening(%s) = %v, %v, want %v", tt.name, tt.at, got, ok, want)
		}
	}
	never := &gate.Calendar{Exceptions: []gate.Exception{{From: date(t, "2020-01-01"), To: date(t, "2999-12-31")}}}
	if got, ok := never.NextOpening(noon); ok || never.OpenAt(noon) {
		t.Errorf("NextOpening of a place that is closed for good = %v, OpenAt %v", got, never.OpenAt(noon))
	}
	whole := &gate.Calendar{Weekly: every([]gate.Hours{{}})}
	if got := shown(whole.Open(date(t, "2026-07-01")), time.UTC); got != "1T00:00Z 2T00:00Z" {
		t.Errorf("the zero Hours are %s, want the whole day", got)
	}
	if zero := (&gate.Calendar{}); !zero.OpenAt(noon) {
		t.Error("the zero calendar is closed at noon")
	}
}

func TestCloseOf(t *testing.T) {
	c := castleCalendar(t)
	tests := []struct{ name, at, want string }{
		{"morning", "2026-05-05T08:00+02:00", "2026-05-05T18:30+02:00"},
		{"evening", "2026-05-05T23:00+02:00", "2026-05-05T18:30+02:00"},
		{"after midnight", "2026-05-06T03:00+02:00", "2026-05-05T18:30+02:00"},
		{"last closing of the day", "2026-10-31T10:00+01:00", "2026-11-01T01:30+01:00"},
		{"closed", "2026-05-04T12:00+02:00", ""},
	}
	for _, tt := range tests {
		got, ok := c.CloseOf(at(t, tt.at))
		if ok != (tt.want != "") || ok && !got.Equal(at(t, tt.want)) {
			t.Errorf("%s: CloseOf(%s) = %v, %v, want %s", tt.name, tt.at, got, ok, tt.want)
		}
	}
}

func TestCheckCalendar(t *testing.T) {
	if err := castleCalendar(t).Check(); err != nil {
		t.Errorf("Check of the castle: %v", err)
	}
	if err := (&gate.Calendar{}).Check(); err != nil {
		t.Errorf("Check of the zero calendar: %v", err)
	}
	midnight := &gate.Calendar{Weekly: every(hours(t, "20:00-00:00,00:00-24:00"))}
	if err := midnight.Check(); err != nil {
		t.Errorf("Check of hours until midnight: %v", err)
	}
	day := date(t, "2026-10-31")
	tests := []struct {
		want     string
		calendar gate.Calendar
	}{
		{"the day ends at 13:00", gate.Calendar{DayEnds: 13 * 60}},
		{"want 00:00 to 12:00", gate.Calendar{DayEnds: -1}},
		{"grace is negative", gate.Calendar{Grace: gate.Grace{Late: -1}}},
		{"grace is negative", gate.Calendar{Grace: gate.Grace{Early: -1}}},
		{"Sunday: 20:00-01:00 end after 00:00", gate.Calendar{Weekly: every(hours(t, "20:00-01:00"))}},
		{"Monday: 03:00-10:00 begin before 04:00", gate.Calendar{DayEnds: 4 * 60, Weekly: every(hours(t, "03:00-10:00"))}},
		{"2026-10-31: 20:00-01:00 end after 00:00", gate.Calendar{Exceptions: []gate.Exception{{From: day, Hours: hours(t, "20:00-01:00")}}}},
		{"are not opening hours", gate.Calendar{Weekly: every([]gate.Hours{{Opens: 600, Closes: 1500}})}},
		{"exception from 2026-10-31 to 2026-10-30", gate.Calendar{Exceptions: []gate.Exception{{From: day, To: day.AddDays(-1)}}}},
		{"has no days", gate.Calendar{Exceptions: []gate.Exception{{}}}},
	}
	for _, tt := range tests {
		if err := tt.calendar.Check(); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("Check() = %v, want %q", err, tt.want)
		}
	}
}

var zones = []string{"Europe/Madrid", "Europe/Dublin", "America/New_York", "Australia/Lord_Howe", "America/Havana",
	"Africa/Cairo", "Africa/Casablanca", "America/St_Johns", "Asia/Kathmandu", "Pacific/Chatham", "UTC"}

var changes = []string{"2026-03-08", "2026-03-29", "2026-04-05", "2026-04-24", "2026-10-04", "2026-10-25", "2026-10-29", "2026-11-01"}

// drawInstant returns a minute or a fraction of one, often near a change of clocks.
func drawInstant(r *rapid.T) time.Time {
	day, err := time.Parse(time.DateOnly, rapid.SampledFrom(changes).Draw(r, "change"))
	if err != nil {
		r.Fatal(err)
	}
	span := rapid.SampledFrom([]int{30 * 60, 400 * 24 * 60}).Draw(r, "span")
	return day.Add(time.Duration(rapid.IntRange(-span, span).Draw(r, "minute")) * time.Minute).
		Add(time.Duration(rapid.SampledFrom([]int{0, 1, 30e9}).Draw(r, "nanoseconds")))
}

func drawHours(r *rapid.T) []gate.Hours {
	return rapid.SliceOfN(rapid.Custom(func(r *rapid.T) gate.Hours {
		night := rapid.Bool().Draw(r, "night")
		span := map[bool]int{true: 210, false: 1440}[night]
		return gate.Hours{
			Opens:  gate.Clock(rapid.IntRange(0, span-1).Draw(r, "opens")),
			Closes: gate.Clock(rapid.IntRange(0, span).Draw(r, "closes")),
		}
	}), 0, 3).Draw(r, "hours")
}

// drawCalendar returns any calendar, whether or not Check likes it.
func drawCalendar(r *rapid.T) *gate.Calendar {
	z, err := time.LoadLocation(rapid.SampledFrom(zones).Draw(r, "zone"))
	if err != nil {
		r.Fatal(err)
	}
	c := &gate.Calendar{Zone: z, DayEnds: gate.Clock(rapid.IntRange(0, 360).Draw(r, "ends"))}
	if rapid.Bool().Draw(r, "weekly") {
		for i := range c.Weekly {
			c.Weekly[i] = drawHours(r)
		}
	}
	for range rapid.IntRange(0, 2).Draw(r, "exceptions") {
		from := gate.DateOf(drawInstant(r))
		c.Exceptions = append(c.Exceptions, gate.Exception{
			From: from, To: from.AddDays(rapid.IntRange(0, 9).Draw(r, "days")), Hours: drawHours(r)})
	}
	c.Grace.Early = time.Duration(rapid.IntRange(0, 60).Draw(r, "early")) * time.Minute
	c.Grace.Late = time.Duration(rapid.IntRange(0, 60).Draw(r, "late")) * time.Minute
	return c
}

func TestOpenIntervalsHoldTogether(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		c, now := drawCalendar(r), drawInstant(r)
		day := c.BusinessDay(now)
		inside := false
		for d := day.AddDays(-3); d.Compare(day.AddDays(3)) <= 0; d = d.AddDays(1) {
			open := c.Open(d)
			for i, interval := range open {
				if !interval.From.Before(interval.Until) || i > 0 && !open[i-1].Until.Before(interval.From) {
					r.Fatalf("Open(%s) = %s, want intervals in order", d, shown(open, c.Zone))
				}
				if b := c.BusinessDay(interval.Until.Add(-1)); b.Compare(d) > 0 {
					r.Fatalf("Open(%s) = %s, but its end is on %s", d, shown(open, c.Zone), b)
				}
				inside = inside || interval.Contains(now)
			}
		}
		if got := c.OpenAt(now); got != inside {
			r.Fatalf("OpenAt(%v) = %v, but the intervals say %v", now, got, inside)
		}
		if next, ok := c.NextOpening(now); ok && (next.Before(now) || !c.OpenAt(next) || inside != next.Equal(now) ||
			!next.Equal(now) && c.OpenAt(next.Add(-1)) && c.BusinessDay(next) == c.BusinessDay(next.Add(-1))) {
			r.Fatalf("NextOpening(%v) = %v", now, next)
		}
	})
}

func TestBusinessDayNeverGoesBack(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		c, first := drawCalendar(r), drawInstant(r)
		second := first.Add(time.Duration(rapid.IntRange(0, 200).Draw(r, "minutes")) * time.Minute)
		a, b := c.BusinessDay(first), c.BusinessDay(second)
		if a.Compare(b) > 0 {
			r.Fatalf("BusinessDay(%v) = %s, BusinessDay(%v) = %s", first, a, second, b)
		}
		civil := gate.DateOf(first.In(c.Zone))
		if a.Compare(civil) > 0 || a.Compare(civil.AddDays(-1)) < 0 {
			r.Fatalf("BusinessDay(%v) = %s, want %s or the day before", first, a, civil)
		}
	})
}

// Minute by minute, a clock on the wall agrees with what Open computes from
// zone rules: opening is the first minute of the day that shows at least the
// time, closing the last one that shows exactly it.
func TestOpenAgreesWithTheClockOnTheWall(t *testing.T) {
	for _, name := range zones {
		z := zone(t, name)
		for _, day := range changes {
			for opens := gate.Clock(0); opens < 300; opens += 15 {
				compareWithWall(t, z, date(t, day), opens)
			}
		}
	}
}

func compareWithWall(t *testing.T, z *time.Location, d gate.Date, c gate.Clock) {
	t.Helper()
	opens := &gate.Calendar{Zone: z, Weekly: every([]gate.Hours{{Opens: c, Closes: 12 * 60}})}
	closes := &gate.Calendar{Zone: z, Weekly: every([]gate.Hours{{Opens: 18 * 60, Closes: c}})}
	var first, last time.Time
	wall := fmt.Sprintf("%sT%s", d, c)
	midnight := time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, z)
	for now := midnight.Add(-2 * time.Hour); now.Before(midnight.Add(9 * time.Hour)); now = now.Add(time.Minute) {
		shows := now.Format("2006-01-02T15:04")
		if shows >= wall && first.IsZero() {
			first = now
		}
		if shows == wall {
			last = now
		}
	}
	if got := opens.Open(d)[0].From; !got.Equal(first) {
		t.Errorf("opens at %s in %s: got %v, want %v", wall, z, got, first)
	}
	open := closes.Open(d.AddDays(-1))
	if got := open[len(open)-1].Until; !last.IsZero() && !got.Equal(last) {
		t.Errorf("closes at %s in %s: got %v, want %v", wall, z, got, last)
	}
}

func TestIntervals(t *testing.T) {
	hour := func(n int) time.Time { return noon.Add(time.Duration(n) * time.Hour) }
	always := gate.Interval{}
	day := gate.Interval{From: hour(0), Until: hour(8)}
	if got := always.And(day); got != day {
		t.Errorf("always.And(day) = %v", got)
	}
	if got, want := day.And(gate.Interval{From: hour(2)}), (gate.Interval{From: hour(2), Until: hour(8)}); got != want {
		t.Errorf("And = %v, want %v", got, want)
	}
	in := []bool{always.Contains(noon), day.Contains(hour(0)), day.Contains(hour(8).Add(-1)), day.Contains(hour(8)), day.Contains(hour(0).Add(-1))}
	if want := []bool{true, true, true, false, false}; !slices.Equal(in, want) {
		t.Errorf("Contains = %v, want %v", in, want)
	}
}
