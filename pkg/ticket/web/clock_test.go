package web

import (
	"errors"
	"testing"
	"time"
)

func TestClock(t *testing.T) {
	madrid, err := time.LoadLocation("Europe/Madrid")
	if err != nil {
		t.Fatal(err)
	}
	lord, err := time.LoadLocation("Australia/Lord_Howe") // changes by half an hour
	if err != nil {
		t.Fatal(err)
	}
	instant := func(zone *time.Location, text string, later bool) func() (time.Time, error) {
		return func() (time.Time, error) { return clock{zone}.instant(text, later) }
	}
	day := func(text string, n int) func() (time.Time, error) {
		return func() (time.Time, error) { return clock{madrid}.day(text, n) }
	}
	layout := func(text, layout string) func() (time.Time, error) {
		return func() (time.Time, error) { return clock{madrid}.layout(text, layout) }
	}
	tests := []struct {
		name string
		call func() (time.Time, error)
		want string // "" is the zero time, "-" an error
	}{
		{"RFC 3339", instant(madrid, "2026-07-01T10:00:00+02:00", false), "2026-07-01T08:00:00Z"},
		{"fraction", instant(madrid, "2026-07-01T10:00:00.5Z", false), "2026-07-01T10:00:00.5Z"},
		{"local", instant(madrid, "2026-07-01T10:00:00", false), "2026-07-01T08:00:00Z"},
		{"local fraction", instant(madrid, "2026-07-01T10:00:00.123", false), "2026-07-01T08:00:00.123Z"},
		{"local short", instant(madrid, "2026-01-01 10:00", false), "2026-01-01T09:00:00Z"},
		{"twice, earlier", instant(madrid, "2026-10-25T02:30:00", false), "2026-10-25T00:30:00Z"},
		{"twice, later", instant(madrid, "2026-10-25T02:30:00", true), "2026-10-25T01:30:00Z"},
		{"skipped", instant(madrid, "2026-03-29T02:30:00", false), "2026-03-29T01:30:00Z"},
		{"twice, half an hour, earlier", instant(lord, "2026-04-05T01:45:00", false), "2026-04-04T14:45:00Z"},
		{"twice, half an hour, later", instant(lord, "2026-04-05T01:45:00", true), "2026-04-04T15:15:00Z"},
		{"empty", instant(madrid, "", false), ""},
		{"none", instant(madrid, "soon", false), "-"},
		{"date only", instant(madrid, "2026-07-01", false), "-"},
		{"day", day("2026-07-01", 0), "2026-06-30T22:00:00Z"},
		{"end of day", day("2026-07-01", 1), "2026-07-01T22:00:00Z"},
		{"end of a long day", day("2026-10-25", 1), "2026-10-25T23:00:00Z"},
		{"no day", day("2026-02-30", 0), "-"},
		{"layout", layout("01/07/2026 10:00", "02/01/2006 15:04"), "2026-07-01T08:00:00Z"},
		{"layout with offset", layout("20260701T1000+0000", "20060102T1504-0700"), "2026-07-01T10:00:00Z"},
		{"seconds", func() (time.Time, error) { return epoch(1782900000, time.Second) }, "2026-07-01T10:00:00Z"},
		{"milliseconds", func() (time.Time, error) { return epoch(1782900000123, time.Millisecond) }, "2026-07-01T10:00:00.123Z"},
		{"no seconds", func() (time.Time, error) { return epoch(0, time.Second) }, ""},
		{"milliseconds as seconds", func() (time.Time, error) { return epoch(1782900000123, time.Second) }, "-"},
		{"seconds as milliseconds", func() (time.Time, error) { return epoch(1782900000, time.Millisecond) }, "-"},
		{".NET", func() (time.Time, error) { return dotnet("/Date(1782900000000)/") }, "2026-07-01T10:00:00Z"},
		{".NET with offset", func() (time.Time, error) { return dotnet("/Date(1782900000000+0200)/") }, "2026-07-01T10:00:00Z"},
		{".NET cut", func() (time.Time, error) { return dotnet("/Date(1782900000000") }, "-"},
		{"year 1", instant(madrid, "0001-01-01T00:00:00Z", false), "-"},
	}
	for _, tt := range tests {
		got, err := tt.call()
		text := ""
		if !got.IsZero() {
			text = got.Format(time.RFC3339Nano)
		}
		if err != nil {
			text = "-"
		}
		if text != tt.want || err != nil && !errors.Is(err, ErrTime) {
			t.Errorf("%s: %q, %v, want %q", tt.name, text, err, tt.want)
		}
	}
}
