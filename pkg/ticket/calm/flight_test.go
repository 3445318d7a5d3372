package calm_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/ticket/calm"
)

// The first of a hundred goes away while the source is asked for all of them.
func TestLeaderLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &desk{answer: slowly(time.Second)}
		s := wrap(t, d, calm.Options{})
		leader, cancel := context.WithCancel(t.Context())
		left := make(chan error, 1)
		go func() { left <- show(leader, s, "A1") }()
		synctest.Wait()
		var all sync.WaitGroup
		for range 99 {
			all.Go(func() {
				if err := show(t.Context(), s, "A1"); err != nil {
					t.Errorf("Verify of a follower = %v, want a ticket", err)
				}
			})
		}
		synctest.Wait()
		cancel()
		if err := <-left; !unknown(err) || !errors.Is(err, context.Canceled) {
			t.Errorf("Verify of the leader = %v, want context.Canceled", err)
		}
		all.Wait()
		if got := s.Stats(); d.asked() != 1 || got.Joined != 99 {
			t.Errorf("asked %d times, stats %+v, want one question that 99 joined", d.asked(), got)
		}
	})
}

// Followers get tickets and refusals of their own.
func TestFollowersGetCopies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, answer := range []func(context.Context, gate.Credential) (*gate.Ticket, error){yes, no} {
			s := wrap(t, &desk{answer: func(ctx context.Context, c gate.Credential) (*gate.Ticket, error) {
				time.Sleep(time.Second)
				return answer(ctx, c)
			}}, calm.Options{})
			var all sync.WaitGroup
			for range 20 {
				all.Go(func() {
					ticket, err := s.Verify(t.Context(), code("A1"))
					var d *gate.Denial
					switch {
					case err == nil && (ticket.Seats != 0 || ticket.Buys[0].Attraction != "castle"):
						t.Errorf("Verify = %+v, which somebody else has changed", ticket)
					case err == nil:
						ticket.Seats, ticket.Buys[0].Attraction = 1000, "everything"
					case errors.As(err, &d):
						if d.Reason != gate.ReasonCancelled {
							t.Errorf("Verify = %v, which somebody else has changed", err)
						}
						d.Reason = "other"
					default:
						t.Errorf("Verify = %v", err)
					}
				})
			}
			all.Wait()
		}
	})
}

// A question that nobody waits for any longer leaves the line.
func TestEverybodyLeavesTheLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &desk{answer: yes}
		s := wrap(t, d, calm.Options{Rate: 1})
		_ = show(t.Context(), s, "A0")
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if err := show(ctx, s, "A1"); !unknown(err) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Verify = %v, want context.DeadlineExceeded", err)
		}
		synctest.Wait()
		if got := s.Stats(); got.Waiting != 0 || got.Answering != 0 {
			t.Errorf("stats %+v, want an empty line", got)
		}
		if err := show(t.Context(), s, "A2"); err != nil || d.asked() != 2 {
			t.Errorf("Verify = %v with %d questions, want a ticket with 2", err, d.asked())
		}
		if at := d.times[1].Sub(d.times[0]); at != time.Second {
			t.Errorf("asked again after %v, want 1s: the turn of the one who left", at)
		}
	})
}

// What has been asked is not asked again because the viewer came back: it may
// have used the ticket up.
func TestAskedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &desk{answer: slowly(time.Second)}
		s := wrap(t, d, calm.Options{})
		for range 5 {
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			if err := show(ctx, s, "A1"); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Verify = %v, want context.DeadlineExceeded", err)
			}
			cancel()
		}
		if err := show(t.Context(), s, "A1"); err != nil || d.asked() != 1 {
			t.Errorf("Verify = %v with %d questions, want a ticket with 1", err, d.asked())
		}
	})
}

// Who has gone already does not make anybody ask.
func TestGoneAlready(t *testing.T) {
	d := &desk{answer: yes}
	s := wrap(t, d, calm.Options{Allow: -1})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 100 {
		if err := show(ctx, s, "A1"); !unknown(err) || !errors.Is(err, context.Canceled) {
			t.Errorf("Verify = %v, want context.Canceled", err)
		}
	}
	if d.asked() != 0 {
		t.Errorf("asked %d times, want not at all", d.asked())
	}
}

// A viewer who has gone may do with the factors what they like.
func TestFactorsAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		heard := make(chan string, 1)
		s := wrap(t, &desk{answer: func(ctx context.Context, c gate.Credential) (*gate.Ticket, error) {
			time.Sleep(time.Second)
			heard <- c.Factors["surname"].Reveal()
			return yes(ctx, c)
		}}, calm.Options{})
		c := gate.Credential{Code: "A1", Factors: map[string]gate.Secret{"surname": "Müller"}}
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		_, _ = s.Verify(ctx, c)
		c.Factors["surname"] = "Schmidt"
		if got := <-heard; got != "Müller" {
			t.Errorf("the source was asked about %s, want Müller", got)
		}
	})
}

// A source that uses tickets up is asked once for every attraction, and never
// again because it failed.
func TestConsumes(t *testing.T) {
	var used []string
	d := &desk{answer: func(ctx context.Context, c gate.Credential) (*gate.Ticket, error) {
		used = append(used, c.Attraction)
		if c.Attraction == "zoo" {
			return nil, errDown
		}
		return &gate.Ticket{Kind: "code", Normal: c.Code, Buys: []gate.Product{{Attraction: c.Attraction}}}, nil
	}}
	s := wrap(t, d, calm.Options{})
	for _, where := range []string{"castle", "castle", "tower", "", "castle", "zoo"} {
		ticket, err := s.Verify(t.Context(), gate.Credential{Code: "A1", Attraction: where})
		if (err != nil) != (where == "zoo") || err == nil && ticket.Buys[0].Attraction != where {
			t.Errorf("Verify at %q = %+v, %v", where, ticket, err)
		}
	}
	if len(used) != 4 {
		t.Errorf("used up at %q, want castle, tower, everywhere and zoo, once each", used)
	}
}
