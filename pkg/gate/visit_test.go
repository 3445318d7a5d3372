package gate_test

import (
	"errors"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
)

// A stroll is a visitor whose app asks for something every five seconds and
// renews when it was told to, or tries again when that failed.
type stroll struct {
	*world
	office *office
	pass   *gate.Pass
	next   time.Time // of the renewal
	over   time.Time // when it was denied
	reason gate.Reason

	renewals, degraded, failures int
}

// step lets five seconds pass and makes sure that a request is covered then.
func (s *stroll) step(t *testing.T) {
	t.Helper()
	s.later(5 * time.Second)
	if s.over.IsZero() && !s.now.Before(s.next) {
		s.renew(t)
	}
	for _, stamp := range s.pass.Stamps {
		g := stamp.Grant
		covered := g.NotBefore.IsZero() && s.now.Before(g.Expires)
		if !covered && s.over.IsZero() {
			t.Fatalf("at %v, renewed %d times, nothing is open: %+v", s.now, s.renewals, g)
		}
		if covered && !s.over.IsZero() && s.now.Sub(s.over) > s.Exposure() {
			t.Fatalf("at %v, %v after the end, %+v is still open", s.now, s.now.Sub(s.over), g)
		}
	}
}

func (s *stroll) renew(t *testing.T) {
	t.Helper()
	pass, err := s.Renew(t.Context(), s.pass.Session)
	var denial *gate.Denial
	switch {
	case err == nil:
		s.renewals++
		if pass.Degraded {
			s.degraded++
		}
		s.pass, s.next = pass, s.now.Add(pass.Refresh)
	case errors.As(err, &denial):
		s.over, s.reason = s.now, denial.Reason
	default: // nobody knows: the session holds, and the cookies do for a while
		s.failures++
		s.next = s.now.Add(20 * time.Second)
	}
}

// until steps to an hour of the visit.
func (s *stroll) until(t *testing.T, begin time.Time, hours float64) {
	t.Helper()
	for end := begin.Add(time.Duration(hours * float64(time.Hour))); s.now.Before(end); {
		s.step(t)
	}
}

// TestTwelveHours walks through a visit of twelve hours with cookies of fifteen
// minutes, on the days when clocks change as well: an outage of the source, a
// disk that is full, a book that nobody reaches for some minutes, and a refund
// at the end. At every instant a request is covered.
func TestTwelveHours(t *testing.T) {
	tests := []struct{ name, zone, begins string }{
		{"summer", "Europe/Madrid", "2026-07-01T08:00:07.5+02:00"},
		{"an hour on", "Europe/Madrid", "2026-03-29T00:30:00+01:00"},
		{"an hour back", "Europe/Madrid", "2026-10-25T00:30:00+02:00"},
		{"an hour on, winter is the exception by law", "Europe/Dublin", "2026-03-29T00:30:00Z"},
		{"an hour back, winter is the exception by law", "Europe/Dublin", "2026-10-25T00:30:00+01:00"},
		{"an hour on, west of Greenwich", "America/New_York", "2026-03-08T00:30:00-05:00"},
		{"an hour back, west of Greenwich", "America/New_York", "2026-11-01T00:30:00-04:00"},
		{"half an hour on", "Australia/Lord_Howe", "2026-10-04T00:30:00+10:30"},
		{"half an hour back", "Australia/Lord_Howe", "2026-04-05T00:30:00+11:00"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			begin, err := time.Parse(time.RFC3339Nano, tt.begins)
			if err != nil {
				t.Fatal(err)
			}
			w, o := newOffice(gate.Options{})
			rules := &gate.Rules{Attractions: places()}
			rules.Attractions[0].Calendar = &gate.Calendar{Zone: zone(t, tt.zone), Weekly: every(hours(t, "00:00-24:00"))}
			w.Keeper = gate.NewKeeper(o, rules, &w.book, &w.press, gate.Options{Pepper: []byte("pepper"), Now: func() time.Time { return w.now }})
			w.now = begin
			s := &stroll{world: w, office: o, pass: w.admit(t, "", "")}
			s.next = s.now.Add(s.pass.Refresh)
			s.walk(t, begin)
		})
	}
}

func (s *stroll) walk(t *testing.T, begin time.Time) {
	s.until(t, begin, 3)
	s.office.err = errDown
	s.until(t, begin, 4.5)
	if want := 9; s.degraded != want {
		t.Errorf("%d renewals on the older word in an outage of 1.5 h, want %d", s.degraded, want)
	}
	s.office.err = nil
	s.until(t, begin, 6)
	s.world.book.freeze()
	s.until(t, begin, 7)
	s.world.book.thaw()
	s.until(t, begin, 8)
	s.world.book.find, s.failures = errDown, 0
	s.until(t, begin, 8+14.0/60) // never longer than what is left of a cookie
	if s.failures == 0 {
		t.Error("the book was down, and nobody noticed")
	}
	s.world.book.find = nil
	s.until(t, begin, 11.5)
	if s.renewals < 60 || s.degraded != 9+6 {
		t.Errorf("renewed %d times in 11.5 h, %d of them degraded, want every ten minutes, and 15", s.renewals, s.degraded)
	}
	refund := s.now
	s.office.err = gate.Deny(gate.ReasonCancelled, nil)
	s.until(t, begin, 12)
	if s.reason != gate.ReasonCancelled || s.over.Sub(refund) > gate.DefaultVerdict+10*time.Minute {
		t.Errorf("the refund ended the visit with %q after %v, want cancelled at the next renewal", s.reason, s.over.Sub(refund))
	}
	if s.pass.Stamps[0].Grant.Expires.After(begin.Add(12 * time.Hour)) {
		t.Errorf("half an hour after the refund a cookie is good until %v", s.pass.Stamps[0].Grant.Expires)
	}
	if n := len(s.world.book.left); n != 0 {
		t.Errorf("%d seats were given back, want none", n)
	}
}
