package calm_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/ticket/calm"
)

// A verdict is remembered for as long as it may be, counted from the time at
// which it was asked for, and an error not at all.
func TestRemembers(t *testing.T) {
	tests := []struct {
		name   string
		answer func(context.Context, gate.Credential) (*gate.Ticket, error)
		opts   calm.Options
		within time.Duration // the last moment without another question; below 0 none
	}{
		{"ticket", yes, calm.Options{}, calm.DefaultAllow - 1},
		{"ticket for a minute", yes, calm.Options{Allow: time.Minute}, time.Minute - 1},
		{"ticket that took a second", slowly(time.Second), calm.Options{Allow: time.Minute}, time.Minute - time.Second - 1},
		{"ticket for no time", yes, calm.Options{Allow: -1}, -1},
		{"refusal", no, calm.Options{Allow: -1, Deny: 40 * time.Second}, 40*time.Second - 1},
		{"refusal for no time", no, calm.Options{Deny: -1}, -1},
		{"failure", down, calm.Options{}, -1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := &desk{answer: tt.answer}
				s := wrap(t, d, tt.opts)
				first := show(t.Context(), s, "A1")
				check := func(after time.Duration, want int) {
					t.Helper()
					time.Sleep(after)
					if again := show(t.Context(), s, "A1"); fmt.Sprint(again) != fmt.Sprint(first) || d.asked() != want {
						t.Errorf("after %v: Verify = %v with %d questions, want %v with %d", after, again, d.asked(), first, want)
					}
				}
				if tt.within < 0 {
					check(0, 2)
					return
				}
				check(tt.within, 1)
				check(1, 2)
			})
		})
	}
}

// What is forgotten is asked for again, and nothing else is counted: not what is
// over, and not an error.
func TestPurge(t *testing.T) {
	verify := func(s *calm.Source) {
		_, _ = s.Verify(context.Background(), gate.Credential{Code: "A1", Attraction: "castle"})
	}
	recheck := func(s *calm.Source) { _, _ = s.Recheck(context.Background(), "box", "A1") }
	tests := []struct {
		name   string
		answer func(context.Context, gate.Credential) (*gate.Ticket, error)
		ask    func(*calm.Source)
		after  time.Duration
		want   int // verdicts that are forgotten
	}{
		{"ticket", yes, verify, 0, 1},
		{"refusal", no, verify, 0, 1},
		{"asked again", yes, recheck, 0, 1},
		{"refused again", no, recheck, 0, 1},
		{"failure", down, verify, 0, 0},
		{"over", yes, verify, calm.DefaultAllow, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := &desk{answer: tt.answer}
				s := wrap(t, d, calm.Options{})
				tt.ask(s)
				time.Sleep(tt.after)
				if got := s.PurgeAll(); got != tt.want || s.Stats().Remembered != 0 {
					t.Errorf("PurgeAll forgot %d and left %d, want %d and 0", got, s.Stats().Remembered, tt.want)
				}
				tt.ask(s)
				if d.asked() != 2 {
					t.Errorf("asked %d times, want 2", d.asked())
				}
			})
		})
	}
}

// An answer that was on its way when the ticket was taken back is neither
// remembered nor given to anybody who comes after.
func TestPurgeWhileAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var refunded atomic.Bool
		d := &desk{answer: func(ctx context.Context, c gate.Credential) (*gate.Ticket, error) {
			good := !refunded.Load()
			time.Sleep(time.Second)
			if good {
				return yes(ctx, c)
			}
			return no(ctx, c)
		}}
		s := wrap(t, d, calm.Options{})
		before := make(chan error, 1)
		go func() { before <- show(t.Context(), s, "A1") }()
		time.Sleep(time.Millisecond)
		refunded.Store(true)
		s.PurgeAll()
		if err := show(t.Context(), s, "A1"); !denied(err, gate.ReasonCancelled) {
			t.Errorf("Verify after a refund = %v, want a denial", err)
		}
		if err := <-before; err != nil {
			t.Errorf("Verify before the refund = %v, want a ticket", err)
		}
		if err := show(t.Context(), s, "A1"); !denied(err, gate.ReasonCancelled) || d.asked() != 2 {
			t.Errorf("Verify again = %v with %d questions, want a denial with 2", err, d.asked())
		}
	})
}

// However many codes are tried, memory has an end, and those who try them do
// not push out the tickets.
func TestBounded(t *testing.T) {
	const most = 640
	d := &desk{answer: func(ctx context.Context, c gate.Credential) (*gate.Ticket, error) {
		if strings.HasPrefix(c.Code.Reveal(), "GOOD") {
			return yes(ctx, c)
		}
		return no(ctx, c)
	}}
	s := wrap(t, d, calm.Options{Entries: most})
	if err := show(t.Context(), s, "GOOD"); err != nil {
		t.Fatal(err)
	}
	for i := range 5 * most {
		if err := show(t.Context(), s, fmt.Sprint("BAD", i)); !denied(err, gate.ReasonCancelled) {
			t.Fatalf("Verify = %v, want a denial", err)
		}
	}
	if held := s.Stats().Remembered; held > most+1 || held < most/2 {
		t.Errorf("%d verdicts in memory, want about %d", held, most)
	}
	before := d.asked()
	if err := show(t.Context(), s, "GOOD"); err != nil || d.asked() != before {
		t.Errorf("Verify = %v with %d more questions, want the ticket and none", err, d.asked()-before)
	}
	if got := s.PurgeAll(); got < most/2 || s.Stats().Remembered != 0 {
		t.Errorf("PurgeAll forgot %d and left %d, want about %d and 0", got, s.Stats().Remembered, most)
	}
	for i := range 5 * most {
		_ = show(t.Context(), s, fmt.Sprint("BAD", i))
		if i%3 == 0 {
			s.PurgeAll()
		}
	}
	for i := range 5 * most {
		_ = show(t.Context(), s, fmt.Sprint("BAD", i))
	}
	if held := s.Stats().Remembered; held > most || held < most/2 {
		t.Errorf("%d verdicts in memory after many purges, want about %d", held, most)
	}
}
