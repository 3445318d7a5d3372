package calm_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/ticket/calm"
)

const crowd = 400 // at opening time

// keepsRate reports questions that came faster than one a second.
func keepsRate(t *testing.T, d *desk) {
	t.Helper()
	for i := 1; i < len(d.times); i++ {
		if gap := d.times[i].Sub(d.times[i-1]); gap < time.Second-time.Microsecond {
			t.Errorf("question %d came %v after the one before, want 1s", i, gap)
		}
	}
}

// A crowd that has time waits, in the order in which it came, and nobody sees
// an error. Every ticket is shown by two devices and asked about once.
func TestCrowdWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var served []string
		d := &desk{answer: func(ctx context.Context, c gate.Credential) (*gate.Ticket, error) {
			served = append(served, c.Code.Reveal()) // one at a time: the rate is slower than the answer
			return yes(ctx, c)
		}}
		s := wrap(t, d, calm.Options{Rate: 1, Wait: crowd * time.Second})
		var all sync.WaitGroup
		want := make([]string, crowd)
		for i := range crowd {
			want[i] = fmt.Sprintf("A%03d", i)
			for range 2 {
				all.Go(func() {
					if err := show(t.Context(), s, want[i]); err != nil {
						t.Errorf("Verify of visitor %d = %v, want a ticket", i, err)
					}
				})
			}
			synctest.Wait() // so that the order is known
		}
		all.Wait()
		keepsRate(t, d)
		if !slices.Equal(served, want) {
			t.Errorf("served in the order %v, want that in which they came", served)
		}
		if got := s.Stats(); got.Asked != crowd || got.Joined+got.Hits != crowd || got.Busy != 0 || got.Waiting != 0 || got.Answering != 0 {
			t.Errorf("stats %+v, want %d asked and as many joined, none busy or waiting", got, crowd)
		}
	})
}

// A crowd that does not fit into the line is told when to come back, and comes
// in soon after its share of the source's time has passed.
func TestCrowdComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &desk{answer: yes}
		s := wrap(t, d, calm.Options{Rate: 1, Wait: 10 * time.Second})
		var all sync.WaitGroup
		var most atomic.Int64
		start := time.Now()
		for i := range crowd {
			all.Go(func() {
				tries := int64(0)
				for err := errors.New("not yet"); err != nil; tries++ {
					if err = show(t.Context(), s, fmt.Sprint("A", i)); err != nil {
						time.Sleep(hint(t, err))
					}
				}
				for old := most.Load(); tries > old && !most.CompareAndSwap(old, tries); old = most.Load() {
				}
			})
			synctest.Wait()
		}
		all.Wait()
		keepsRate(t, d)
		if took := time.Since(start); d.asked() != crowd || took > crowd*time.Second*5/4 {
			t.Errorf("%d questions in %v, want %d in little more than %ds", d.asked(), took, crowd, crowd)
		}
		t.Logf("the last came in after %v, nobody tried more than %d times", time.Since(start), most.Load())
		if most.Load() > 10 {
			t.Errorf("somebody tried %d times", most.Load())
		}
	})
}

// hint returns how long somebody who is turned away is told to wait, in the
// whole seconds of a Retry-After header.
func hint(t *testing.T, err error) time.Duration {
	t.Helper()
	var later interface{ RetryAfter() time.Duration }
	if !unknown(err) || !errors.As(err, &later) || later.RetryAfter() <= 0 || later.RetryAfter() > 3*time.Minute {
		t.Errorf("Verify = %v, want a failure with a hint", err)
		return time.Hour
	}
	return (later.RetryAfter() + time.Second - 1).Truncate(time.Second)
}

// Who cannot have a turn in time is told so at once.
func TestFullLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := wrap(t, &desk{answer: yes}, calm.Options{Rate: 1, Burst: 2, Wait: 3 * time.Second})
		for i := range 20 {
			go func() { _ = show(t.Context(), s, fmt.Sprint("A", i)) }()
		}
		synctest.Wait()
		if got := s.Stats(); got.Asked != 2 || got.Waiting != 3 || got.Busy != 15 {
			t.Errorf("stats %+v, want 2 asked, 3 waiting and 15 turned away", got)
		}
		start := time.Now()
		if err := show(t.Context(), s, "B1"); !errors.Is(err, calm.ErrBusy) || time.Since(start) != 0 {
			t.Errorf("Verify = %v after %v, want ErrBusy at once", err, time.Since(start))
		}
		time.Sleep(4 * time.Second)
		if err := show(t.Context(), s, "B1"); err != nil {
			t.Errorf("Verify later = %v, want a ticket", err)
		}
	})
}

// A tenth of the answers takes three seconds, and the others do not wait for
// them.
func TestSlowTenth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &desk{answer: func(ctx context.Context, c gate.Credential) (*gate.Ticket, error) {
			wait := 20 * time.Millisecond
			if text := c.Code.Reveal(); text[len(text)-1] == '7' {
				wait = 3 * time.Second
			}
			select {
			case <-time.After(wait):
				return yes(ctx, c)
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}}
		s := wrap(t, d, calm.Options{})
		var all sync.WaitGroup
		var slow atomic.Int64
		for i := range 3000 {
			all.Go(func() {
				start := time.Now()
				err := show(t.Context(), s, fmt.Sprint("A", i))
				switch took := time.Since(start); {
				case i%10 == 7 && (!errors.Is(err, context.DeadlineExceeded) || took > calm.DefaultDeadline+100*time.Millisecond):
					t.Errorf("Verify of a slow one = %v after %v, want no answer after %v", err, took, calm.DefaultDeadline)
				case i%10 != 7 && err != nil:
					t.Errorf("Verify = %v", err)
				case i%10 != 7 && took > 100*time.Millisecond:
					slow.Add(1)
				}
			})
			time.Sleep(10 * time.Millisecond) // 100 a second
		}
		all.Wait()
		if slow.Load() > 27 {
			t.Errorf("%d of 2700 took more than 100 ms, want less than 1%%", slow.Load())
		}
		if got := s.Stats(); got.Late != 300 || got.Spared != 0 {
			t.Errorf("stats %+v, want 300 late and a breaker that has not opened for anybody", got)
		}
	})
}

// busy is an error of a source that wants to be left alone.
type busy struct{ error }

func (busy) RetryAfter() time.Duration { return 5 * time.Second }
func (busy) Summary() string           { return "status 429" }

// A source that says so is left alone for as long as it wants.
func TestSourceWantsToBeLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var angry atomic.Bool
		angry.Store(true)
		d := &desk{answer: func(ctx context.Context, c gate.Credential) (*gate.Ticket, error) {
			if angry.Swap(false) {
				return nil, busy{errDown}
			}
			return yes(ctx, c)
		}}
		s := wrap(t, d, calm.Options{Rate: 1})
		if err := show(t.Context(), s, "A0"); !unknown(err) || err.Error() != "status 429" || hint(t, err) < 5*time.Second {
			t.Errorf("Verify = %v, want status 429 and 5s", err)
		}
		var all sync.WaitGroup
		for i := range 3 {
			all.Go(func() {
				if err := show(t.Context(), s, fmt.Sprint("B", i)); err != nil {
					t.Errorf("Verify in the line = %v, want a ticket", err)
				}
			})
		}
		all.Wait()
		if gap := d.times[1].Sub(d.times[0]); gap < 5*time.Second {
			t.Errorf("asked again after %v, want 5s", gap)
		}
		keepsRate(t, d)
	})
}
