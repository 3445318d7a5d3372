package gate_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
	"pgregory.net/rapid"
)

// span reads "2026-05-05T10:00+02:00 2026-05-05T18:00+02:00"; "-" is a zero time.
func span(t testing.TB, s string) gate.Interval {
	t.Helper()
	var i gate.Interval
	from, until, _ := strings.Cut(s, " ")
	if from != "-" {
		i.From = at(t, from)
	}
	if until != "-" {
		i.Until = at(t, until)
	}
	return i
}

type windowTest struct {
	name     string
	validity gate.Validity
	now      string
	first    string // use; "" means not yet
	want     string
	reason   gate.Reason // instead of want
}

func testWindows(t *testing.T, c *gate.Calendar, tests []windowTest) {
	t.Helper()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var first time.Time
			if tt.first != "" {
				first = at(t, tt.first)
			}
			got, err := gate.Window(c, tt.validity, at(t, tt.now), first)
			if tt.reason != "" {
				var denial *gate.Denial
				if !errors.As(err, &denial) || denial.Reason != tt.reason || denial.Err == nil {
					t.Errorf("Window(%+v, %s) = %v, %v, want %s", tt.validity, tt.now, got, err, tt.reason)
				}
				return
			}
			want := span(t, tt.want)
			if err != nil || !got.From.Equal(want.From) || !got.Until.Equal(want.Until) {
				t.Errorf("Window(%+v, %s) = %v, %v, want %s", tt.validity, tt.now, got, err, tt.want)
			}
			if got.From.Location() != time.UTC || got.Until.Location() != time.UTC {
				t.Errorf("Window(%+v, %s) = %v, want it in UTC", tt.validity, tt.now, got)
			}
		})
	}
}

func TestDayTicket(t *testing.T) {
	on := func(day string) gate.Validity { return gate.Validity{Day: date(t, day)} }
	testWindows(t, castleCalendar(t), []windowTest{
		{name: "at breakfast", validity: on("2026-05-05"), now: "2026-05-05T07:00+02:00", want: "2026-05-05T04:00+02:00 2026-05-05T18:30+02:00"},
		{name: "in the grace", validity: on("2026-05-05"), now: "2026-05-05T18:29+02:00", want: "2026-05-05T04:00+02:00 2026-05-05T18:30+02:00"},
		{name: "after the grace", validity: on("2026-05-05"), now: "2026-05-05T18:30+02:00", reason: gate.ReasonExpired},
		{name: "the night before", validity: on("2026-05-05"), now: "2026-05-05T03:59+02:00", reason: gate.ReasonNotYetValid},
		{name: "next day", validity: on("2026-05-05"), now: "2026-05-06T12:00+02:00", reason: gate.ReasonExpired},
		{name: "closed day", validity: on("2026-12-25"), now: "2026-12-25T12:00+01:00", reason: gate.ReasonSeeStaff},
		{name: "Halloween after midnight", validity: on("2026-10-31"), now: "2026-11-01T00:45+01:00", want: "2026-10-31T04:00+01:00 2026-11-01T01:30+01:00"},
		{name: "Halloween over", validity: on("2026-10-31"), now: "2026-11-01T01:30+01:00", reason: gate.ReasonExpired},
		{name: "the day after Halloween", validity: on("2026-11-01"), now: "2026-11-01T00:45+01:00", reason: gate.ReasonNotYetValid},
		{name: "night of the change, second time around", validity: on("2026-10-24"), now: "2026-10-25T02:30+01:00", want: "2026-10-24T04:00+02:00 2026-10-25T03:30+01:00"},
		{name: "sold until noon", validity: gate.Validity{Day: date(t, "2026-05-05"), Until: at(t, "2026-05-05T12:00+02:00")}, now: "2026-05-05T11:00+02:00", want: "2026-05-05T04:00+02:00 2026-05-05T12:00+02:00"},
		{name: "longest stay", validity: gate.Validity{Day: date(t, "2026-05-05"), Longest: 2 * time.Hour}, now: "2026-05-05T11:00+02:00", want: "2026-05-05T04:00+02:00 2026-05-05T13:00+02:00"},
		{name: "early access, too early", validity: gate.Validity{Day: date(t, "2026-05-05"), EarlyAccess: 12 * time.Hour}, now: "2026-05-04T15:59+02:00", reason: gate.ReasonNotYetValid},
		{name: "early access, on a closed day", validity: gate.Validity{Day: date(t, "2026-05-05"), EarlyAccess: 12 * time.Hour}, now: "2026-05-04T16:00+02:00", want: "2026-05-04T16:00+02:00 2026-05-05T18:30+02:00"},
		{name: "early access does not eat the longest stay", validity: gate.Validity{Day: date(t, "2026-05-05"), EarlyAccess: 12 * time.Hour, Longest: 14 * time.Hour}, now: "2026-05-04T16:00+02:00", want: "2026-05-04T16:00+02:00 2026-05-05T18:00+02:00"},
	})
	edge := &gate.Calendar{Zone: zone(t, "Europe/Madrid"), DayEnds: 2*60 + 30, Weekly: every(hours(t, "02:30-09:00"))}
	testWindows(t, edge, []windowTest{
		{name: "opens while the day before goes on", validity: on("2026-10-25"), now: "2026-10-25T02:30+02:00", want: "2026-10-25T02:30+02:00 2026-10-25T09:00+01:00"},
	})
	always := &gate.Calendar{Zone: zone(t, "Europe/Madrid"), DayEnds: 4 * 60}
	testWindows(t, always, []windowTest{
		{name: "never closes", validity: on("2026-05-05"), now: "2026-05-06T03:00+02:00", want: "2026-05-05T04:00+02:00 2026-05-06T04:00+02:00"},
		{name: "never closes, next day", validity: on("2026-05-05"), now: "2026-05-06T04:00+02:00", reason: gate.ReasonExpired},
	})
}

func TestTimedEntry(t *testing.T) {
	slot := func(s string) gate.Validity { return gate.Validity{Slot: span(t, s)} }
	only := func(s string) gate.Validity { return gate.Validity{Slot: span(t, s), SlotOnly: true} }
	const eleven, halloween = "2026-05-05T11:00+02:00 2026-05-05T11:30+02:00", "2026-10-31T23:30+01:00 2026-11-01T00:30+01:00"
	testWindows(t, castleCalendar(t), []windowTest{
		{name: "first minute of the grace", validity: slot(eleven), now: "2026-05-05T10:40+02:00", want: "2026-05-05T10:40+02:00 2026-05-05T18:30+02:00"},
		{name: "before the grace", validity: slot(eleven), now: "2026-05-05T10:39+02:00", reason: gate.ReasonNotYetValid},
		{name: "long after the slot", validity: slot(eleven), now: "2026-05-05T18:00+02:00", want: "2026-05-05T10:40+02:00 2026-05-05T18:30+02:00"},
		{name: "after closing", validity: slot(eleven), now: "2026-05-05T18:30+02:00", reason: gate.ReasonExpired},
		{name: "next day", validity: slot(eleven), now: "2026-05-06T11:00+02:00", reason: gate.ReasonExpired},
		{name: "slot only", validity: only(eleven), now: "2026-05-05T11:45+02:00", want: "2026-05-05T10:40+02:00 2026-05-05T12:00+02:00"},
		{name: "slot only, over", validity: only(eleven), now: "2026-05-05T12:00+02:00", reason: gate.ReasonExpired},
		{name: "slot only, last of the day", validity: only("2026-05-05T17:30+02:00 2026-05-05T18:30+02:00"), now: "2026-05-05T18:00+02:00", want: "2026-05-05T17:10+02:00 2026-05-05T18:30+02:00"},
		{name: "over midnight", validity: only(halloween), now: "2026-11-01T00:15+01:00", want: "2026-10-31T23:10+01:00 2026-11-01T01:00+01:00"},
		{name: "over midnight, until closing", validity: slot(halloween), now: "2026-11-01T01:15+01:00", want: "2026-10-31T23:10+01:00 2026-11-01T01:30+01:00"},
		{name: "begins after midnight", validity: slot("2026-11-01T00:15+01:00 2026-11-01T00:30+01:00"), now: "2026-11-01T00:05+01:00", want: "2026-10-31T23:55+01:00 2026-11-01T01:30+01:00"},
		{name: "without an end", validity: slot("2026-05-05T11:00+02:00 -"), now: "2026-05-05T11:00+02:00", want: "2026-05-05T10:40+02:00 2026-05-05T18:30+02:00"},
		{name: "after closing time", validity: slot("2026-05-05T19:00+02:00 2026-05-05T20:00+02:00"), now: "2026-05-05T12:00+02:00", reason: gate.ReasonSeeStaff},
		{name: "after closing time, in the past", validity: slot("2026-05-05T19:00+02:00 2026-05-05T20:00+02:00"), now: "2026-05-05T19:30+02:00", reason: gate.ReasonExpired},
		{name: "closed day", validity: slot("2026-05-04T11:00+02:00 2026-05-04T12:00+02:00"), now: "2026-05-04T11:00+02:00", reason: gate.ReasonSeeStaff},
		{name: "download at breakfast", validity: gate.Validity{Slot: span(t, eleven), EarlyAccess: 4 * time.Hour}, now: "2026-05-05T06:40+02:00", want: "2026-05-05T06:40+02:00 2026-05-05T18:30+02:00"},
		{name: "slot through the change of clocks", validity: only("2026-10-24T23:00+02:00 2026-10-25T02:30+01:00"), now: "2026-10-25T02:30+01:00", want: "2026-10-24T22:40+02:00 2026-10-25T03:00+01:00"},
	})
	always := &gate.Calendar{Zone: time.UTC}
	testWindows(t, always, []windowTest{
		{name: "never closes, beginning of the day", validity: slot("2026-05-05T00:10Z 2026-05-05T00:30Z"), now: "2026-05-05T00:10Z", want: "2026-05-05T00:10Z 2026-05-06T00:00Z"},
	})
	testWindows(t, nil, []windowTest{
		{name: "never closes, until the day ends", validity: slot("2026-05-05T11:00Z 2026-05-05T12:00Z"), now: "2026-05-05T23:59Z", want: "2026-05-05T11:00Z 2026-05-06T00:00Z"},
		{name: "never closes, over midnight", validity: slot("2026-05-05T23:30Z 2026-05-06T00:30Z"), now: "2026-05-06T00:15Z", want: "2026-05-05T23:30Z 2026-05-06T00:30Z"},
	})
	for _, v := range []gate.Validity{{SlotOnly: true}, slot(eleven)} {
		v.SlotOnly, v.Slot.Until = true, time.Time{}
		var denial *gate.Denial
		if got, err := gate.Window(nil, v, noon, time.Time{}); err == nil || errors.As(err, &denial) {
			t.Errorf("Window(%+v) = %v, %v, want an error that blames nobody", v, got, err)
		}
	}
}

func TestRangeAndMembership(t *testing.T) {
	year := gate.Validity{From: at(t, "2026-01-01T00:00+01:00"), Until: at(t, "2027-01-01T00:00+01:00")}
	member, early, week := year, year, year
	member.Longest = 25 * time.Hour
	member.OneDay, early.EarlyAccess, week.Longest = true, 12*time.Hour, 7*24*time.Hour
	testWindows(t, castleCalendar(t), []windowTest{
		{name: "one business day", validity: year, now: "2026-05-05T12:00+02:00", want: "2026-05-05T04:00+02:00 2026-05-05T18:30+02:00"},
		{name: "member", validity: member, now: "2026-05-05T12:00+02:00", want: "2026-05-05T04:00+02:00 2026-05-05T18:30+02:00"},
		{name: "after closing", validity: year, now: "2026-05-05T18:30+02:00", reason: gate.ReasonNotYetValid},
		{name: "closed day", validity: year, now: "2026-05-04T12:00+02:00", reason: gate.ReasonNotYetValid},
		{name: "closed day, for the next", validity: early, now: "2026-05-04T20:00+02:00", want: "2026-05-04T16:00+02:00 2026-05-05T18:30+02:00"},
		{name: "open day with early access", validity: early, now: "2026-05-05T17:00+02:00", want: "2026-05-04T16:00+02:00 2026-05-05T18:30+02:00"},
		{name: "closing comes before the longest stay", validity: week, now: "2026-05-05T12:00+02:00", want: "2026-05-05T04:00+02:00 2026-05-05T18:30+02:00"},
		{name: "not begun", validity: year, now: "2025-12-31T12:00+01:00", reason: gate.ReasonNotYetValid},
		{name: "last evening", validity: year, now: "2026-12-31T12:00+01:00", want: "2026-12-31T04:00+01:00 2026-12-31T18:30+01:00"},
		{name: "over", validity: year, now: "2027-01-01T00:00+01:00", reason: gate.ReasonExpired},
		{name: "no opening left in it", validity: gate.Validity{Until: at(t, "2026-05-05T00:00+02:00")}, now: "2026-05-04T12:00+02:00", reason: gate.ReasonExpired},
		{name: "ends where it begins, tomorrow", validity: gate.Validity{From: at(t, "2026-05-06T12:00+02:00"), Until: at(t, "2026-05-06T12:00+02:00")}, now: "2026-05-05T12:00+02:00", reason: gate.ReasonNotYetValid},
		{name: "starts tomorrow, download today", validity: gate.Validity{From: at(t, "2026-05-06T00:00+02:00"), EarlyAccess: 24 * time.Hour}, now: "2026-05-05T12:00+02:00", want: "2026-05-05T04:00+02:00 2026-05-06T18:30+02:00"},
		{name: "starts at noon", validity: gate.Validity{From: at(t, "2026-05-05T12:00+02:00")}, now: "2026-05-05T12:00+02:00", want: "2026-05-05T12:00+02:00 2026-05-05T18:30+02:00"},
		{name: "starts at noon, shown before", validity: gate.Validity{From: at(t, "2026-05-05T12:00+02:00")}, now: "2026-05-05T11:59+02:00", reason: gate.ReasonNotYetValid},
		{name: "no limits", validity: gate.Validity{}, now: "2026-11-01T00:45+01:00", want: "2026-10-31T04:00+01:00 2026-11-01T01:30+01:00"},
	})
	testWindows(t, &gate.Calendar{Zone: zone(t, "Europe/Madrid")}, []windowTest{
		{name: "never closes", validity: year, now: "2026-05-05T12:00+02:00", want: "2026-01-01T00:00+01:00 2026-05-06T12:00+02:00"},
		{name: "never closes, member", validity: member, now: "2026-05-05T12:00+02:00", want: "2026-05-05T00:00+02:00 2026-05-06T00:00+02:00"},
		{name: "never closes, member on a long day", validity: member, now: "2026-10-25T00:30+02:00", want: "2026-10-25T00:00+02:00 2026-10-26T00:00+01:00"},
		{name: "no calendar would say more", validity: gate.Validity{}, now: "2026-05-05T12:00+02:00", want: "- 2026-05-06T12:00+02:00"},
	})
	holiday := &gate.Calendar{Exceptions: []gate.Exception{{From: date(t, "2026-12-25")}}}
	testWindows(t, holiday, []windowTest{
		{name: "closed one day a year", validity: year, now: "2026-12-23T12:00Z", want: "2026-12-23T00:00Z 2026-12-24T12:00Z"},
		{name: "the day before", validity: year, now: "2026-12-24T12:00Z", want: "2026-12-24T00:00Z 2026-12-25T00:00Z"},
		{name: "a longer stay", validity: week, now: "2026-12-22T12:00Z", want: "2026-12-22T00:00Z 2026-12-25T00:00Z"},
		{name: "that day", validity: year, now: "2026-12-25T12:00Z", reason: gate.ReasonNotYetValid},
	})
	nights := &gate.Calendar{Weekly: [7][]gate.Hours{time.Saturday: hours(t, "20:00-24:00")}, Grace: gate.Grace{Late: time.Hour}}
	testWindows(t, nights, []windowTest{
		{name: "grace into a closed day", validity: year, now: "2026-05-03T00:59Z", want: "2026-05-02T00:00Z 2026-05-03T01:00Z"},
		{name: "grace is over", validity: year, now: "2026-05-03T01:00Z", reason: gate.ReasonNotYetValid},
	})
	nested := &gate.Calendar{Weekly: [7][]gate.Hours{time.Wednesday: {{Opens: 180, Closes: 180}}, time.Thursday: hours(t, "00:00-00:01")}}
	testWindows(t, nested, []windowTest{
		{name: "a day that is over before the one before", validity: gate.Validity{}, now: "2026-10-28T12:00Z", want: "2026-10-28T00:00Z 2026-10-29T03:00Z"},
	})
	closed := &gate.Calendar{Exceptions: []gate.Exception{{From: date(t, "2026-01-01"), To: date(t, "2999-12-31")}}}
	testWindows(t, closed, []windowTest{
		{name: "closed for good", validity: gate.Validity{}, now: "2026-05-05T12:00Z", reason: gate.ReasonNotYetValid},
		{name: "closed for good since first use", validity: gate.Validity{Days: 2}, first: "2026-05-03T12:00Z", now: "2026-05-05T12:00Z", reason: gate.ReasonExpired},
		{name: "closed for good and over", validity: year, now: "2027-05-05T12:00Z", reason: gate.ReasonExpired},
	})
}

func TestDaysFromFirstUse(t *testing.T) {
	three, one := gate.Validity{Days: 3}, gate.Validity{Days: 1, EarlyAccess: 12 * time.Hour}
	hours := gate.Validity{Span: 48 * time.Hour}
	season := gate.Validity{Days: 3, Until: at(t, "2026-05-07T12:00+02:00")}
	dated := gate.Validity{Days: 1, From: at(t, "2026-05-06T00:00+02:00"), EarlyAccess: 24 * time.Hour}
	testWindows(t, castleCalendar(t), []windowTest{
		{name: "first day", validity: three, now: "2026-05-05T12:00+02:00", want: "2026-05-05T04:00+02:00 2026-05-05T18:30+02:00"},
		{name: "third day", validity: three, first: "2026-05-05T12:00+02:00", now: "2026-05-07T18:15+02:00", want: "2026-05-07T04:00+02:00 2026-05-07T18:30+02:00"},
		{name: "fourth day", validity: three, first: "2026-05-05T12:00+02:00", now: "2026-05-08T10:00+02:00", reason: gate.ReasonExpired},
		{name: "last day is closed", validity: gate.Validity{Days: 2}, first: "2026-05-03T12:00+02:00", now: "2026-05-04T12:00+02:00", reason: gate.ReasonExpired},
		{name: "closed days count", validity: three, first: "2026-05-03T12:00+02:00", now: "2026-05-06T12:00+02:00", reason: gate.ReasonExpired},
		{name: "first use after midnight", validity: gate.Validity{Days: 2}, first: "2026-11-01T00:30+01:00", now: "2026-11-01T12:00+01:00", want: "2026-11-01T04:00+01:00 2026-11-01T18:30+01:00"},
		{name: "sold with a last day", validity: season, first: "2026-05-06T12:00+02:00", now: "2026-05-07T11:00+02:00", want: "2026-05-07T04:00+02:00 2026-05-07T12:00+02:00"},
		{name: "first use ahead of our clock", validity: gate.Validity{Days: 1}, first: "2026-05-06T12:00+02:00", now: "2026-05-05T12:00+02:00", want: "2026-05-05T04:00+02:00 2026-05-05T18:30+02:00"},
		{name: "download the evening before is no day", validity: one, first: "2026-05-05T22:00+02:00", now: "2026-05-06T12:00+02:00", want: "2026-05-05T16:00+02:00 2026-05-06T18:30+02:00"},
		{name: "download before the first day sold", validity: dated, first: "2026-05-05T12:00+02:00", now: "2026-05-06T12:00+02:00", want: "2026-05-05T04:00+02:00 2026-05-06T18:30+02:00"},
		{name: "hours", validity: hours, first: "2026-05-05T12:00+02:00", now: "2026-05-07T11:59+02:00", want: "2026-05-07T04:00+02:00 2026-05-07T12:00+02:00"},
		{name: "hours are over", validity: hours, first: "2026-05-05T12:00+02:00", now: "2026-05-07T12:00+02:00", reason: gate.ReasonExpired},
		{name: "hours that end on a closed day", validity: hours, first: "2026-10-24T20:00+02:00", now: "2026-10-26T12:00+01:00", reason: gate.ReasonExpired},
	})
	testWindows(t, &gate.Calendar{Zone: zone(t, "Europe/Madrid")}, []windowTest{
		{name: "civil days over the change of clocks", validity: three, first: "2026-10-24T12:00+02:00", now: "2026-10-26T12:00+01:00", want: "- 2026-10-27T00:00+01:00"},
		{name: "48 hours over the change of clocks", validity: hours, first: "2026-10-24T12:00+02:00", now: "2026-10-26T10:00+01:00", want: "- 2026-10-26T11:00+01:00"},
		{name: "leap day", validity: gate.Validity{Days: 2}, first: "2028-02-28T12:00+01:00", now: "2028-02-29T12:00+01:00", want: "- 2028-03-01T00:00+01:00"},
		{name: "end of the year", validity: gate.Validity{Days: 2}, first: "2026-12-31T12:00+01:00", now: "2027-01-01T12:00+01:00", want: "- 2027-01-02T00:00+01:00"},
	})
}

func TestEarlierUse(t *testing.T) {
	before := noon.Add(-time.Hour)
	tests := []struct{ a, b, want time.Time }{
		{noon, before, before}, {before, noon, before}, {time.Time{}, noon, noon}, {noon, time.Time{}, noon}, {},
	}
	for _, tt := range tests {
		if got := gate.EarlierUse(tt.a, tt.b); !got.Equal(tt.want) {
			t.Errorf("EarlierUse(%v, %v) = %v, want %v", tt.a, tt.b, got, tt.want)
		}
	}
}

func drawValidity(r *rapid.T, now time.Time) gate.Validity {
	near := func(name string) time.Time {
		if rapid.Bool().Draw(r, name+" unset") {
			return time.Time{}
		}
		return now.Add(time.Duration(rapid.IntRange(-3000, 3000).Draw(r, name)) * time.Minute)
	}
	v := gate.Validity{
		From: near("from"), Until: near("until"), Slot: gate.Interval{From: near("slot from"), Until: near("slot until")},
		SlotOnly:    rapid.Bool().Draw(r, "slot only"),
		Days:        rapid.IntRange(0, 4).Draw(r, "days"),
		Span:        time.Duration(rapid.IntRange(0, 72).Draw(r, "span")) * time.Hour,
		OneDay:      rapid.Bool().Draw(r, "one day"),
		EarlyAccess: time.Duration(rapid.IntRange(0, 48).Draw(r, "early access")) * time.Hour,
		Longest:     time.Duration(rapid.IntRange(0, 100).Draw(r, "longest")) * time.Hour,
	}
	if rapid.Bool().Draw(r, "has day") {
		v.Day = gate.DateOf(now).AddDays(rapid.IntRange(-2, 2).Draw(r, "day"))
	}
	return v
}

// Whatever the calendar and the ticket, a window contains now and ends no later
// than any of its limits.
func TestWindowKeepsEveryLimit(t *testing.T) {
	admitted := 0
	rapid.Check(t, func(r *rapid.T) {
		c, now := drawCalendar(r), drawInstant(r)
		v := drawValidity(r, now)
		first := now.Add(-time.Duration(rapid.IntRange(0, 100).Draw(r, "first use")) * time.Hour)
		w, err := gate.Window(c, v, now, first)
		var denial *gate.Denial
		switch {
		case errors.As(err, &denial) && w == gate.Interval{}:
			return
		case err != nil:
			if !v.SlotOnly || !v.Slot.From.IsZero() && !v.Slot.Until.IsZero() {
				r.Fatalf("Window = %v, %v", w, err)
			}
			return
		}
		admitted++
		longest := v.Longest
		if longest == 0 {
			longest = gate.DefaultLongest
		}
		used := first
		if used.Before(v.From) {
			used = v.From
		}
		limits := map[string]bool{
			"contains now":   w.Contains(now),
			"begins":         w.From.IsZero() || !w.From.Before(v.From.Add(-v.EarlyAccess)),
			"ends":           v.Until.IsZero() || !w.Until.After(v.Until),
			"slot begins":    v.Slot.From.IsZero() || !w.From.Before(v.Slot.From.Add(-c.Grace.Early-v.EarlyAccess)),
			"slot ends":      !v.SlotOnly || !w.Until.After(v.Slot.Until.Add(c.Grace.Late)),
			"time from use":  v.Span == 0 || !w.Until.After(used.Add(v.Span)),
			"longest stay":   !w.Until.After(now.Add(v.EarlyAccess + longest)),
			"day of the end": v.Day.IsZero() || c.BusinessDay(w.Until.Add(-1-c.Grace.Late)).Compare(v.Day) <= 0,
			"closing":        v.From.After(now) || v.Slot.From.After(now) || !v.Day.IsZero() || !closesBefore(c, now, w.Until),
		}
		for name, kept := range limits {
			if !kept {
				r.Fatalf("Window(%+v, %v, first use %v) = %v breaks the limit %q", v, now, first, w, name)
			}
		}
		again, err := gate.Window(c, v, w.Until.Add(-1), first)
		if err != nil || again.Until.Before(w.Until) {
			r.Fatalf("Window(%+v) = %v, but at its end it is %v, %v", v, w, again, err)
		}
	})
	if admitted == 0 {
		t.Error("no window was ever open")
	}
}

// closesBefore reports whether the visitors of now's business day have to leave
// after now and before until.
func closesBefore(c *gate.Calendar, now, until time.Time) bool {
	leave, open := c.CloseOf(now)
	next := c.Open(c.BusinessDay(now).AddDays(1))
	through := len(next) > 0 && !next[0].From.After(leave.Add(-c.Grace.Late))
	return open && !through && now.Before(leave) && leave.Before(until)
}

// What a ticket's day, slot, days and hours mean where clocks change: by an hour
// or a half, forwards or back, in a zone where winter is the exception by law,
// and with the change in the night of the visit.
func TestWindowsWhereClocksChange(t *testing.T) {
	day := func(s string) gate.Validity { return gate.Validity{Day: date(t, s)} }
	slot := func(s string) gate.Validity { return gate.Validity{Slot: span(t, s), SlotOnly: true} }
	tests := []struct {
		zone, hours string
		windows     []windowTest
	}{
		{"Europe/Madrid", "20:00-03:00", []windowTest{
			{name: "night of 6 hours", validity: day("2026-03-28"), now: "2026-03-28T23:00+01:00", want: "2026-03-28T04:00+01:00 2026-03-29T03:30+02:00"},
			{name: "night of 8 hours", validity: day("2026-10-24"), now: "2026-10-25T02:59+01:00", want: "2026-10-24T04:00+02:00 2026-10-25T03:30+01:00"},
			{name: "slot in the overlap, first time round", validity: slot("2026-10-25T02:00+02:00 2026-10-25T02:30+02:00"), now: "2026-10-25T02:10+02:00", want: "2026-10-25T01:50+02:00 2026-10-25T02:00+01:00"},
			{name: "slot in the overlap, second time round", validity: slot("2026-10-25T02:00+01:00 2026-10-25T02:30+01:00"), now: "2026-10-25T02:10+02:00", reason: gate.ReasonNotYetValid},
			{name: "two days of which one is short", validity: gate.Validity{Days: 2}, first: "2026-03-28T21:00+01:00", now: "2026-03-30T02:00+02:00", want: "2026-03-29T04:00+02:00 2026-03-30T03:30+02:00"},
			{name: "24 hours are 24 hours", validity: gate.Validity{Span: 24 * time.Hour}, first: "2026-03-28T21:00+01:00", now: "2026-03-29T21:00+02:00", want: "2026-03-29T04:00+02:00 2026-03-29T22:00+02:00"},
		}},
		{"Europe/Dublin", "10:00-18:00", []windowTest{
			{name: "first day of summer time", validity: day("2026-03-29"), now: "2026-03-29T10:00+01:00", want: "2026-03-29T04:00+01:00 2026-03-29T18:30+01:00"},
			{name: "first day of winter time", validity: day("2026-10-25"), now: "2026-10-25T10:00Z", want: "2026-10-25T04:00Z 2026-10-25T18:30Z"},
			{name: "two days", validity: gate.Validity{Days: 2}, first: "2026-10-24T12:00+01:00", now: "2026-10-25T18:29Z", want: "2026-10-25T04:00Z 2026-10-25T18:30Z"},
			{name: "24 hours are 24 hours", validity: gate.Validity{Span: 24 * time.Hour}, first: "2026-10-24T12:00+01:00", now: "2026-10-25T11:00Z", reason: gate.ReasonExpired},
		}},
		{"America/New_York", "18:00-01:30", []windowTest{
			{name: "night with the second half past one", validity: day("2026-10-31"), now: "2026-11-01T01:45-04:00", want: "2026-10-31T04:00-04:00 2026-11-01T02:00-05:00"},
			{name: "night before the gap", validity: day("2026-03-07"), now: "2026-03-08T01:00-05:00", want: "2026-03-07T04:00-05:00 2026-03-08T03:00-04:00"},
			{name: "three days with a change", validity: gate.Validity{Days: 3}, first: "2026-10-30T19:00-04:00", now: "2026-11-02T01:00-05:00", want: "2026-11-01T04:00-05:00 2026-11-02T02:00-05:00"},
		}},
		{"Australia/Lord_Howe", "20:00-01:45", []windowTest{
			{name: "night with half an hour more", validity: day("2026-04-04"), now: "2026-04-05T01:40+10:30", want: "2026-04-04T04:00+11:00 2026-04-05T02:15+10:30"},
			{name: "night with half an hour less", validity: day("2026-10-03"), now: "2026-10-03T23:00+10:30", want: "2026-10-03T04:00+10:30 2026-10-04T02:45+11:00"},
			{name: "the day after", validity: gate.Validity{Days: 2}, first: "2026-04-04T21:00+11:00", now: "2026-04-05T21:00+10:30", want: "2026-04-05T04:00+10:30 2026-04-06T02:15+10:30"},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.zone, func(t *testing.T) {
			c := &gate.Calendar{Zone: zone(t, tt.zone), Weekly: every(hours(t, tt.hours)), DayEnds: 4 * 60,
				Grace: gate.Grace{Early: 10 * time.Minute, Late: 30 * time.Minute}}
			testWindows(t, c, tt.windows)
		})
	}
}
