package config_test

import (
	"slices"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/config"
)

// TestExamples loads the examples, which deserve no warning.
func TestExamples(t *testing.T) {
	t.Setenv("PEPPER", "0123456789abcdef")
	for name, fill := range map[string]string{"TICKET_DESK_KEY": "0", "BOOKING_KEY": "1", "AUDIT_KEY": "2"} {
		t.Setenv(name, fill+"123456789abcdef0123456789abcdef")
	}
	for _, file := range []string{"museum.yaml", "group.yaml"} {
		cfg, err := config.Load("../../examples/"+file, config.Options{})
		if err != nil || len(cfg.Warnings) > 0 {
			t.Errorf("Load(%s) = %v with the warnings %q, want none", file, err, cfg.Warnings)
		}
	}
}

// TestExampleHours: the comments of the museum's hours are true.
func TestExampleHours(t *testing.T) {
	t.Setenv("PEPPER", "0123456789abcdef")
	t.Setenv("TICKET_DESK_KEY", "0123456789abcdef0123456789abcdef")
	cfg, err := config.Load("../../examples/museum.yaml", config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := cfg.Attractions[0].Calendar()
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		at   string // in Vienna
		want bool
	}{
		{"2027-06-28 12:00", false}, // a Monday
		{"2027-07-05 12:00", true},  // one of the summer
		{"2027-06-29 17:59", true},
		{"2027-06-29 18:00", false},
		{"2027-07-03 19:00", true},  // a Saturday
		{"2027-10-03 00:59", true},  // the Long Night
		{"2027-10-03 01:00", false}, //
		{"2027-10-03 10:00", true},  // the day after
		{"2026-12-26 12:00", false}, // a Saturday
		{"2026-12-27 12:00", true},
	}
	var wrong []string
	for _, tt := range tests {
		at, err := time.ParseInLocation("2006-01-02 15:04", tt.at, c.Zone)
		if err != nil {
			t.Fatal(err)
		}
		if c.OpenAt(at) != tt.want {
			wrong = append(wrong, tt.at)
		}
	}
	if slices.Sort(wrong); wrong != nil {
		t.Errorf("OpenAt() is not as the comments say at %q", wrong)
	}
}
