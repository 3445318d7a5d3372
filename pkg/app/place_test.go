package app // attractions are what the gate gets; from outside only visits show them

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/config"
	"github.com/handstamp/handstamp/pkg/gate"
)

func TestAttractions(t *testing.T) {
	cfg := config.Default()
	cfg.Attractions[0].Prefix = "spain/castle"
	cfg.Attractions[0].Packages[0].Seats = 4
	cfg.Attractions[0].Opening = config.Opening{
		Weekly:     []config.WeekHours{{Days: []string{"mon"}, Hours: []string{"10:00-18:00"}}},
		Exceptions: []config.SpecialDays{{From: gate.Date{Year: 2026, Month: 12, Day: 25}, Closed: true}},
		DayEnds:    240, GraceEarly: time.Minute, GraceLate: time.Hour,
	}
	places, err := attractions(cfg)
	if err != nil {
		t.Fatal(err)
	}
	madrid, err := time.LoadLocation("Europe/Madrid")
	if err != nil {
		t.Fatal(err)
	}
	want := &gate.Attraction{
		ID: "castle", Name: "Example Castle", Prefix: "spain/castle", Zone: madrid, Free: []string{"free"}, Sources: []string{"castle-list"},
		Packages: []gate.Package{{ID: "audio", Name: "Audio guide", Seats: 4}},
		Calendar: &gate.Calendar{
			Zone: madrid, DayEnds: 240, Grace: gate.Grace{Early: time.Minute, Late: time.Hour},
			Exceptions: []gate.Exception{{From: gate.Date{Year: 2026, Month: 12, Day: 25}}},
		},
	}
	want.Calendar.Weekly[time.Monday] = []gate.Hours{{Opens: 600, Closes: 1080}}
	if len(places) != 1 || !reflect.DeepEqual(places[0], want) {
		t.Errorf("attractions() = %+v, want %+v", places[0], want)
	}
}

// TestAttractionsOpen: what is configured decides who gets in. Without opening
// hours it is everybody, at any time.
func TestAttractionsOpen(t *testing.T) {
	always, hours := config.Default(), config.Default()
	hours.Attractions[0].Opening.Weekly = []config.WeekHours{{Days: []string{"mon-sun"}, Hours: []string{"10:00-18:00"}}}
	ticket := &gate.Ticket{Buys: []gate.Product{{Attraction: "castle"}}}
	noon, night := time.Date(2026, 7, 1, 10, 0, 0, 0, time.UTC), time.Date(2026, 7, 1, 19, 0, 0, 0, time.UTC)
	tests := []struct {
		name  string
		cfg   *config.Config
		at    time.Time
		until time.Time   // of the visit
		want  gate.Reason // empty means let in
	}{
		{"always open", always, night, night.Add(24 * time.Hour), ""},
		{"open", hours, noon, time.Date(2026, 7, 1, 16, 0, 0, 0, time.UTC), ""},
		{"closed", hours, night, time.Time{}, gate.ReasonNotYetValid},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			places, err := attractions(tt.cfg)
			if err != nil {
				t.Fatal(err)
			}
			got, err := (&gate.Rules{Attractions: places}).Entitle(ticket, "castle", tt.at)
			var denial *gate.Denial
			switch {
			case tt.want != "" && (!errors.As(err, &denial) || denial.Reason != tt.want):
				t.Errorf("Entitle() at %v = %v, %v; want %s", tt.at, got, err, tt.want)
			case tt.want == "" && (err != nil || len(got) != 1 || !got[0].Until.Equal(tt.until)):
				t.Errorf("Entitle() at %v = %v, %v; want it until %v", tt.at, got, err, tt.until)
			}
		})
	}
}

func TestAttractionsRefused(t *testing.T) {
	cfg := config.Default()
	cfg.Attractions[0].Opening.Weekly = []config.WeekHours{{Days: []string{"someday"}, Hours: []string{"10:00-18:00"}}}
	if got, err := attractions(cfg); err == nil {
		t.Errorf("attractions() of hours on no day = %v, want an error", got)
	}
}
