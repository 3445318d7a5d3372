package gate_test

import (
	"strings"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
)

func TestParseClock(t *testing.T) {
	good := map[string]gate.Clock{"00:00": 0, "09:30": 570, "23:59": 1439, "24:00": 1440}
	for s, want := range good {
		if got, err := gate.ParseClock(s); err != nil || got != want {
			t.Errorf("ParseClock(%q) = %d, %v, want %d", s, got, err, want)
		}
	}
	bad := []string{"", "9:30", "09.30", "09:60", "24:01", "25:00", "-1:00", "09:3", "09:300", " 09:30", "09:30 ", "０9:30", "1e:00"}
	for _, s := range bad {
		got, err := gate.ParseClock(s)
		if err == nil {
			t.Errorf("ParseClock(%q) = %v, want an error", s, got)
		} else if !strings.Contains(err.Error(), `want one like "09:30"`) {
			t.Errorf("ParseClock(%q): %v, want it to say what is wanted", s, err)
		}
	}
}

func TestParseHours(t *testing.T) {
	good := map[string]gate.Hours{
		"09:30-18:00": {Opens: 570, Closes: 1080},
		"20:00-01:00": {Opens: 1200, Closes: 60},
		"00:00-24:00": {Opens: 0, Closes: 1440},
		"20:00-00:00": {Opens: 1200, Closes: 0},
	}
	for s, want := range good {
		if got, err := gate.ParseHours(s); err != nil || got != want {
			t.Errorf("ParseHours(%q) = %v, %v, want %v", s, got, err, want)
		}
	}
	bad := map[string]string{
		"":                        "not opening hours",
		"09:30":                   "not opening hours",
		"09:30-":                  "not a time of day",
		"-09:30":                  "not a time of day",
		"09:30 - 18:00":           "not a time of day",
		"09:30–18:00":             "not opening hours",
		"09:30-18:00-19:00":       "not a time of day",
		"10:00-10:00":             "do not say how long",
		"24:00-01:00":             "do not say how long",
		strings.Repeat("x", 1000): "xxx...",
	}
	for s, want := range bad {
		if got, err := gate.ParseHours(s); err == nil || !strings.Contains(err.Error(), want) || len(err.Error()) > 250 {
			t.Errorf("ParseHours(%q) = %v, %v, want an error with %q", s, got, err, want)
		}
	}
}

func TestParseDate(t *testing.T) {
	if got, err := gate.ParseDate("2028-02-29"); err != nil || got != (gate.Date{Year: 2028, Month: 2, Day: 29}) {
		t.Errorf(`ParseDate("2028-02-29") = %v, %v`, got, err)
	}
	for _, s := range []string{"", "2026-02-29", "2100-02-29", "2026-13-01", "2026-1-1", "24.12.2026", "2026-12-24T00:00:00Z", "tomorrow"} {
		if got, err := gate.ParseDate(s); err == nil || !strings.Contains(err.Error(), "not a date") {
			t.Errorf("ParseDate(%q) = %v, %v, want an error", s, got, err)
		}
	}
}

func TestDate(t *testing.T) {
	tests := []struct {
		from string
		add  int
		want string
		day  time.Weekday
	}{
		{"2026-12-31", 1, "2027-01-01", time.Friday},
		{"2027-01-01", -1, "2026-12-31", time.Thursday},
		{"2028-02-28", 1, "2028-02-29", time.Tuesday},
		{"2027-02-28", 1, "2027-03-01", time.Monday},
		{"2026-10-24", 2, "2026-10-26", time.Monday},
	}
	for _, tt := range tests {
		got := date(t, tt.from).AddDays(tt.add)
		if got.String() != tt.want || got.Weekday() != tt.day {
			t.Errorf("%s.AddDays(%d) = %s, a %s, want %s, a %s", tt.from, tt.add, got, got.Weekday(), tt.want, tt.day)
		}
		if order := got.Compare(date(t, tt.from)); order*tt.add <= 0 || got.Compare(got) != 0 {
			t.Errorf("%s.Compare(%s) = %d", got, tt.from, order)
		}
	}
}

// Every parser takes one spelling only: what it reads is written alike.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"09:30", "24:00", "09:30-18:00", "20:00-01:00", "2026-12-24", "2028-02-29", "0000-01-01", "99:99", "-"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if c, err := gate.ParseClock(s); err == nil && (c.String() != s || c < 0 || c > 1440) {
			t.Errorf("ParseClock(%q) = %d, which is %q", s, c, c)
		}
		if h, err := gate.ParseHours(s); err == nil && (h.String() != s || h.Opens == h.Closes) {
			t.Errorf("ParseHours(%q) = %+v, which is %q", s, h, h)
		}
		if d, err := gate.ParseDate(s); err == nil && d.String() != s {
			t.Errorf("ParseDate(%q) = %+v, which is %q", s, d, d)
		}
	})
}

func date(t testing.TB, s string) gate.Date {
	t.Helper()
	d, err := gate.ParseDate(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// hours reads "09:30-13:00,15:00-18:00"; "" means closed.
func hours(t testing.TB, s string) []gate.Hours {
	t.Helper()
	var all []gate.Hours
	for _, part := range strings.FieldsFunc(s, func(r rune) bool { return r == ',' }) {
		h, err := gate.ParseHours(part)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, h)
	}
	return all
}

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// at reads an instant with its offset: "2026-10-25T02:30+01:00".
func at(t testing.TB, s string) time.Time {
	t.Helper()
	instant, err := time.Parse("2006-01-02T15:04Z07:00", s)
	if err != nil {
		t.Fatal(err)
	}
	return instant
}

func every(hours []gate.Hours) [7][]gate.Hours {
	return [7][]gate.Hours{hours, hours, hours, hours, hours, hours, hours}
}
