package config_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/handstamp/handstamp/pkg/config"
	"github.com/handstamp/handstamp/pkg/gate"
)

// TestCalendar reads the opening hours of full.
func TestCalendar(t *testing.T) {
	setDeskKey(t)
	got, err := mustLoad(t, full).Attractions[0].Calendar()
	if err != nil {
		t.Fatal(err)
	}
	day := []gate.Hours{{Opens: 10 * 60, Closes: 14 * 60}, {Opens: 16 * 60, Closes: 18 * 60}}
	summer := gate.Exception{From: gate.Date{Year: 2026, Month: 6, Day: 15}, To: gate.Date{Year: 2026, Month: 9, Day: 15}}
	open, closed := summer, summer
	open.Hours = []gate.Hours{{Opens: 9 * 60, Closes: 20 * 60}}
	closed.Only = []time.Weekday{time.Monday}
	want := &gate.Calendar{
		Zone:       got.Zone,
		Weekly:     [7][]gate.Hours{day, nil, day, day, day, day, {{Opens: 18 * 60, Closes: 2 * 60}}},
		Exceptions: []gate.Exception{open, closed},
		DayEnds:    4 * 60,
		Grace:      gate.Grace{Early: 20 * time.Minute, Late: 30 * time.Minute},
	}
	if !reflect.DeepEqual(got, want) || got.Zone.String() != "Europe/Madrid" {
		t.Errorf("Calendar() = %+v, want %+v in Madrid", got, want)
	}
}

// TestCalendarAlways: without opening hours nothing closes, and days are those
// of the place.
func TestCalendarAlways(t *testing.T) {
	c, err := mustLoad(t, minimal).Attractions[0].Calendar()
	at := time.Date(2026, 7, 1, 22, 30, 0, 0, time.UTC) // past midnight in Madrid
	if err != nil || !c.OpenAt(at) || c.BusinessDay(at).String() != "2026-07-02" {
		t.Errorf("Calendar() = %+v, %v; want it open at %v, on 2026-07-02", c, err, at)
	}
	if c, err := (config.Attraction{Timezone: "nowhere"}).Calendar(); err == nil {
		t.Errorf("Calendar() in no zone = %+v, want an error", c)
	}
}

func TestWeekdays(t *testing.T) {
	for text, want := range map[string]string{
		"[mon-fri]": "mon tue wed thu fri", "[fri-mon]": "sun mon fri sat", "[sun-sat]": "sun mon tue wed thu fri sat",
		"[sat-fri]": "sun mon tue wed thu fri sat", "[wed-wed]": "wed", "[sat, mon]": "mon sat",
	} {
		cfg, err := load(edit(t, minimal, "sources: [list]", "sources: [list], opening: {weekly: [{days: "+text+", hours: [10:00-11:00]}]}"))
		if err != nil {
			t.Errorf("days: %s: %v", text, err)
			continue
		}
		c, err := cfg.Attractions[0].Calendar()
		var got []string
		for d, hours := range c.Weekly {
			if hours != nil {
				got = append(got, strings.ToLower(time.Weekday(d).String()[:3]))
			}
		}
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("days: %s is open on %q, %v; want %s", text, got, err, want)
		}
	}
}

// TestOpening breaks one rule at a time.
func TestOpening(t *testing.T) {
	setDeskKey(t)
	const weekly, exception = "attractions[0].opening.weekly", "attractions[0].opening.exceptions"
	tests := []struct {
		name string
		edit []string
		want string
	}{
		{"no day of the week", []string{"[sat]", "[sta]"}, `config.yaml:50: ` + weekly + `[1].days[0]: "sta" is not a day of the week, want one like mon, or some like mon-fri, did you mean "sat"?`},
		{"day in capitals", []string{"[sat]", "[Sat]"}, `config.yaml:50: ` + weekly + `[1].days[0]: "Sat" is not a day of the week, want one like mon, or some like mon-fri, did you mean "sat"?`},
		{"half a range", []string{"tue-fri", "tue-"}, `config.yaml:48: ` + weekly + `[0].days[0]: "" is not a day of the week, want one like mon, or some like mon-fri`},
		{"day in two entries", []string{"[sat]", "[thu-sat]"}, `config.yaml:50: ` + weekly + `[1].days: thu is in attractions[0].opening.weekly[0] already, want all its hours in one entry`},
		{"day twice in one", []string{"[tue-fri, sun]", "[tue-fri, wed]"}, `config.yaml:48: ` + weekly + `[0].days: wed is in attractions[0].opening.weekly[0] already, want all its hours in one entry`},
		{"no days", []string{"[sat]", "[]"}, `config.yaml:50: ` + weekly + `[1].days: missing (days of the week, like [mon-thu, sat])`},
		{"no hours in the week", []string{"[18:00-02:00]", "[]"}, `config.yaml:51: ` + weekly + `[1].hours: missing (opening hours, like [10:00-14:00, 18:00-02:00]; what does not close later than it opens closes the next day)`},
		{"hours without an end", []string{"[18:00-02:00]", "[18:00]"}, `config.yaml:51: ` + weekly + `[1].hours[0]: "18:00" are not opening hours, want some like "09:30-18:00"`},
		{"hour that does not exist", []string{"[18:00-02:00]", "[18:00-25:00]"}, `config.yaml:51: ` + weekly + `[1].hours[0]: opening hours "18:00-25:00": "25:00" is not a time of day, want one like "09:30", at most "24:00"`},
		{"hours as people write them", []string{"[18:00-02:00]", "[6pm-2am]"}, `config.yaml:51: ` + weekly + `[1].hours[0]: opening hours "6pm-2am": "6pm" is not a time of day, want one like "09:30", at most "24:00"`},
		{"hours from and to the same", []string{"[18:00-02:00]", "[10:00-10:00]"}, `config.yaml:51: ` + weekly + `[1].hours[0]: opening hours "10:00-10:00" do not say how long, want "00:00-24:00" for a whole day`},
		{"hours twice", []string{"16:00-18:00]", "10:00-14:00]"}, `config.yaml:49: ` + weekly + `[0].hours[1]: "10:00-14:00" is listed twice`},
		{"hours across the end of the day", []string{"[18:00-02:00]", "[18:00-04:30]"}, `config.yaml:51: ` + weekly + `[1].hours[0]: Saturday: 18:00-04:30 end after 04:00 of the next day, when the day ends`},
		{"hours before the day", []string{"[18:00-02:00]", "[03:00-09:00]"}, `config.yaml:51: ` + weekly + `[1].hours[0]: Saturday: 03:00-09:00 begin before 04:00, when the day before ends`},
		{"number for hours", []string{"[18:00-02:00]", "[18]"}, `config.yaml:51: ` + weekly + `[1].hours[0]: found a whole number, want text (hint: put it in quotes)`},
		{"text for hours", []string{"[18:00-02:00]", "18:00-02:00"}, `config.yaml:51: ` + weekly + `[1].hours: found text, want a list, like [a, b]`},
		{"hours and closed", []string{"          hours: [09:00-20:00]", "          hours: [09:00-20:00]\n          closed: on"}, `config.yaml:56: ` + exception + `[0].closed: on, though there are hours; want one of the two`},
		{"neither hours nor closed", []string{"          closed: on\n", ""}, `config.yaml:56: ` + exception + `[1].hours: missing, want opening hours, or closed: on`},
		{"empty hours are not closed", []string{"          hours: [09:00-20:00]", "          hours: []"}, `config.yaml:55: ` + exception + `[0].hours: missing, want opening hours, or closed: on`},
		{"exception's hours before the day", []string{"[09:00-20:00]", "[02:00-20:00]"}, `config.yaml:55: ` + exception + `[0].hours[0]: 2026-06-15: 02:00-20:00 begin before 04:00, when the day before ends`},
		{"exception that ends before it begins", []string{`to: "2026-09-15"`, "to: 2026-06-14"}, `config.yaml:54: ` + exception + `[0].to: exception from 2026-06-15 to 2026-06-14 has no days`},
		{"exception without a day", []string{"        - from: 2026-06-15\n          to: \"2026-09-15\"\n", "        -\n"}, `config.yaml:54: ` + exception + `[0].from: missing (the day, or the first one, like 2026-12-24)`},
		{"date that does not exist", []string{`to: "2026-09-15"`, "to: 2026-02-30"}, `config.yaml:54: ` + exception + `[0].to: "2026-02-30" is not a date, want an existing day like "2026-12-24"`},
		{"date as people write it", []string{`"2026-09-15"`, "15.9.2026"}, `config.yaml:54: ` + exception + `[0].to: "15.9.2026" is not a date, want an existing day like "2026-12-24"`},
		{"date with a time", []string{`"2026-09-15"`, "2026-09-15T10:00:00Z"}, `config.yaml:54: ` + exception + `[0].to: "2026-09-15T10:00:00Z" is not a date, want an existing day like "2026-12-24"`},
		{"number for a date", []string{`"2026-09-15"`, "20260915"}, `config.yaml:54: ` + exception + `[0].to: found a whole number, want a date, like 2026-12-24`},
		{"exception on no day of the week", []string{"days: [mon]", "days: [mondays]"}, `config.yaml:58: ` + exception + `[1].days[0]: "mondays" is not a day of the week, want one like mon, or some like mon-fri`},
		{"end of the day in the afternoon", []string{"day_ends: 04:00", "day_ends: 12:01"}, `config.yaml:60: attractions[0].opening.day_ends: the day ends at 12:01, want 00:00 to 12:00`},
		{"end of the day without minutes", []string{"day_ends: 04:00", `day_ends: "4"`}, `config.yaml:60: attractions[0].opening.day_ends: "4" is not a time of day, want one like "09:30", at most "24:00"`},
		{"number for a time of day", []string{"day_ends: 04:00", "day_ends: 4"}, `config.yaml:60: attractions[0].opening.day_ends: found a whole number, want a time of day, like 09:30`},
		{"end of the day before closing", []string{"day_ends: 04:00", "day_ends: 01:00"}, `config.yaml:51: ` + weekly + `[1].hours[0]: Saturday: 18:00-02:00 end after 01:00 of the next day, when the day ends`},
		{"grace negative", []string{"grace_early: 20m", "grace_early: -1m"}, `config.yaml:61: attractions[0].opening.grace_early: -1m is out of range, want 0s to 12h`},
		{"grace of days", []string{"grace_late: 30m", "grace_late: 13h"}, `config.yaml:62: attractions[0].opening.grace_late: 13h is out of range, want 0s to 12h`},
		{"unknown key", []string{"grace_late: 30m", "late_grace: 30m"}, `config.yaml:62: attractions[0].opening.late_grace: unknown key, want weekly, exceptions, day_ends, grace_early or grace_late`},
		{"several", []string{"[sat]", "[caturday]", "[18:00-02:00]", "[18:00-25:00]", "day_ends: 04:00", "day_ends: noon", "timezone: Europe/Madrid", "timezone: Europe/Madird"}, `config.yaml:45: attractions[0].timezone: "Europe/Madird" is not an IANA time zone, want one like Europe/Madrid
config.yaml:50: ` + weekly + `[1].days[0]: "caturday" is not a day of the week, want one like mon, or some like mon-fri
config.yaml:51: ` + weekly + `[1].hours[0]: opening hours "18:00-25:00": "25:00" is not a time of day, want one like "09:30", at most "24:00"
config.yaml:60: attractions[0].opening.day_ends: "noon" is not a time of day, want one like "09:30", at most "24:00"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := load(edit(t, full, tt.edit...))
			wantProblems(t, err, tt.want)
		})
	}
}

// TestOpeningIsSoundOrHasALine: what the calendar refuses is refused here, at
// the key that says it, and nothing else is.
func TestOpeningIsSoundOrHasALine(t *testing.T) {
	day := rapid.SampledFrom([]string{"mon", "tue-thu", "fri-sat", "sun", "sat-mon", "", "mon-", "x"})
	clock := rapid.SampledFrom([]string{"00:00", "01:30", "04:00", "09:00", "18:00", "23:59", "24:00", "24:01"})
	hours := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) string { return clock.Draw(t, "opens") + "-" + clock.Draw(t, "closes") }), 0, 3)
	date := rapid.Custom(func(t *rapid.T) gate.Date {
		return gate.Date{Year: 2026, Month: time.Month(rapid.IntRange(1, 2).Draw(t, "month")), Day: rapid.IntRange(1, 3).Draw(t, "day")}
	})
	maybe := rapid.OneOf(date, rapid.Just(gate.Date{}))
	rapid.Check(t, func(t *rapid.T) {
		cfg := config.Default()
		cfg.Attractions[0].Opening = config.Opening{
			Weekly: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) config.WeekHours {
				return config.WeekHours{Days: rapid.SliceOfN(day, 1, 2).Draw(t, "days"), Hours: hours.Draw(t, "hours")}
			}), 0, 2).Draw(t, "weekly"),
			Exceptions: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) config.SpecialDays {
				return config.SpecialDays{
					From: maybe.Draw(t, "from"), To: maybe.Draw(t, "to"), Days: rapid.SliceOfN(day, 0, 1).Draw(t, "days"),
					Closed: config.Switch(rapid.Bool().Draw(t, "closed")), Hours: hours.Draw(t, "hours"),
				}
			}), 0, 2).Draw(t, "exceptions"),
			DayEnds: gate.Clock(rapid.SampledFrom([]int{0, 90, 240, 720, 721, 1440, -1}).Draw(t, "day ends")),
		}
		c, refused := cfg.Attractions[0].Calendar()
		err := cfg.Validate()
		if err == nil && refused != nil {
			t.Fatalf("Validate() of %+v = nil, but Calendar() = %v", cfg.Attractions[0].Opening, refused)
		}
		if err != nil {
			for _, p := range err.(*config.Error).Problems {
				if !strings.HasPrefix(p.Key, "attractions[0].opening.") {
					t.Errorf("Validate() of %+v blames %q: %s", cfg.Attractions[0].Opening, p.Key, p.Text)
				}
			}
			return
		}
		if err := c.Check(); err != nil {
			t.Errorf("Check() of %+v = %v", c, err)
		}
	})
}
