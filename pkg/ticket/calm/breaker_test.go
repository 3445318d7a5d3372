package calm_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/ticket/calm"
)

// A switchboard is a desk whose answers are exchanged while it works.
type switchboard struct {
	desk
	now atomic.Pointer[func(context.Context, gate.Credential) (*gate.Ticket, error)]
}

func newSwitchboard(first func(context.Context, gate.Credential) (*gate.Ticket, error)) *switchboard {
	b := &switchboard{}
	b.now.Store(&first)
	b.answer = func(ctx context.Context, c gate.Credential) (*gate.Ticket, error) { return (*b.now.Load())(ctx, c) }
	return b
}

func (b *switchboard) say(answer func(context.Context, gate.Credential) (*gate.Ticket, error)) {
	b.now.Store(&answer)
}

// ask shows n codes side by side and counts the answers, as words.
func ask(t *testing.T, s *calm.Source, n int, prefix string) map[string]int {
	var mu sync.Mutex
	var all sync.WaitGroup
	said := map[string]int{}
	for i := range n {
		all.Go(func() {
			err := show(t.Context(), s, fmt.Sprint(prefix, i))
			var d *gate.Denial
			word := "failed"
			switch {
			case err == nil:
				word = "ticket"
			case errors.As(err, &d):
				word = "denied"
			case errors.Is(err, calm.ErrOpen):
				word = "open"
			case errors.Is(err, context.DeadlineExceeded):
				word = "late"
			}
			mu.Lock()
			defer mu.Unlock()
			said[word]++
		})
	}
	all.Wait()
	return said
}

// A source that hangs makes a few viewers wait, and the others fail at once.
// After the pause one question is let through, and one only.
func TestHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newSwitchboard(hangs)
		s := wrap(t, d, calm.Options{Concurrency: 8, Wait: time.Minute})
		start := time.Now()
		said := ask(t, s, 1000, "A")
		// Whoever gets the slot of one of the first failures is late, too.
		const most = 8 + calm.DefaultFailures - 1
		late := said["late"]
		if took := time.Since(start); took > 2*calm.DefaultDeadline || late < 8 || late > most || said["open"] != 1000-late || d.asked() != late {
			t.Errorf("a thousand: %v with %d questions in %v, want 8 to %d late and the others open", said, d.asked(), took, most)
		}
		start = time.Now()
		said = ask(t, s, 1000, "B")
		if took := time.Since(start); took > 5*time.Millisecond || said["open"] != 1000 || d.asked() != late {
			t.Errorf("while open: %v with %d questions in %v, want open at once", said, d.asked(), took)
		}

		time.Sleep(calm.DefaultPause + 1)
		if said = ask(t, s, 100, "C"); said["late"] != 1 || said["open"] != 99 || d.asked() != late+1 {
			t.Errorf("half open: %v with %d questions, want one probe", said, d.asked())
		}
		d.say(slowly(100 * time.Millisecond))
		if said = ask(t, s, 100, "D"); said["open"] != 100 {
			t.Errorf("after a failed probe: %v, want open", said)
		}
		time.Sleep(calm.DefaultPause + 1)
		if said = ask(t, s, 100, "E"); said["ticket"] == 0 || said["ticket"]+said["open"] != 100 || d.asked() != late+1+said["ticket"] {
			t.Errorf("recovery: %v with %d questions, want tickets", said, d.asked())
		}
		if said = ask(t, s, 100, "F"); said["ticket"] != 100 || s.Stats().Breaker != "closed" {
			t.Errorf("after a good probe: %v, stats %+v, want tickets", said, s.Stats())
		}
	})
}

// While a probe is under way nobody else gets through, even if they wait in the
// line.
func TestOneProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newSwitchboard(down)
		s := wrap(t, d, calm.Options{Failures: 3})
		ask(t, s, 3, "A")
		time.Sleep(calm.DefaultPause + 1)
		d.say(slowly(time.Second))
		go func() { _ = show(t.Context(), s, "probe") }()
		synctest.Wait()
		if said := ask(t, s, 50, "B"); said["open"] != 50 || d.asked() != 4 || s.Stats().Breaker != "half-open" {
			t.Errorf("beside a probe: %v with %d questions, %s, want open, 4 and half-open", said, d.asked(), s.Stats().Breaker)
		}
		time.Sleep(time.Second + 1)
		if said := ask(t, s, 50, "C"); said["ticket"] != 50 {
			t.Errorf("after the probe: %v, want tickets", said)
		}
	})
}

// Five thousand were turned away, the source is back: they do not come at once,
// and the source is not asked faster than it likes.
func TestNoHerd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newSwitchboard(down)
		s := wrap(t, d, calm.Options{Rate: 50, Burst: 5, Wait: 5 * time.Second})
		ask(t, s, 5, "A")
		d.say(yes)
		seconds := map[time.Duration]int{}
		for i := range 5000 {
			err := show(t.Context(), s, fmt.Sprint("B", i))
			seconds[hint(t, err)]++
		}
		for second, n := range seconds {
			if second < calm.DefaultPause || n > 1000 {
				t.Errorf("%d viewers come back after %v, want them spread over %v after the pause", n, second, calm.DefaultPause)
			}
		}
		var all sync.WaitGroup
		for i := range 5000 {
			all.Go(func() {
				for err := errors.New("not yet"); err != nil; {
					if err = show(t.Context(), s, fmt.Sprint("B", i)); err != nil {
						time.Sleep(hint(t, err))
					}
				}
			})
		}
		all.Wait()
		for i := 55; i < len(d.times); i++ {
			if took := d.times[i].Sub(d.times[i-55]); took < time.Second-time.Microsecond {
				t.Fatalf("56 questions within %v, want at most 50 a second after 5", took)
			}
		}
		if d.asked() != 5005 {
			t.Errorf("asked %d times, want 5005", d.asked())
		}
	})
}

// Refusals are answers. What is no answer is never taken for a refusal, however
// much of it there is between the answers.
func TestWhatCounts(t *testing.T) {
	mixed := func() func(context.Context, gate.Credential) (*gate.Ticket, error) {
		var n atomic.Int64
		return func(ctx context.Context, c gate.Credential) (*gate.Ticket, error) {
			if n.Add(1)%2 == 0 {
				return nil, errDown
			}
			return yes(ctx, c)
		}
	}
	unsupported := func(context.Context, gate.Credential) (*gate.Ticket, error) { return nil, errors.ErrUnsupported }
	tests := []struct {
		name    string
		answer  func(context.Context, gate.Credential) (*gate.Ticket, error)
		breaker string
		denied  int
	}{
		{"tickets", yes, "closed", 0},
		{"refusals", no, "closed", 40},
		{"cannot be asked", unsupported, "closed", 0},
		{"failures", down, "open", 0},
		{"brown-out", mixed(), "open", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := &desk{answer: tt.answer}
				s := wrap(t, d, calm.Options{})
				denials := 0
				for i := range 40 {
					if err := show(t.Context(), s, fmt.Sprint("A", i)); denied(err, gate.ReasonCancelled) {
						denials++
					} else if err != nil && !unknown(err) {
						t.Errorf("Verify = %v, want a failure", err)
					}
				}
				if got := s.Stats(); got.Breaker != tt.breaker || denials != tt.denied {
					t.Errorf("breaker %s after %d denials, want %s after %d; stats %+v", got.Breaker, denials, tt.breaker, tt.denied, got)
				}
			})
		})
	}
}

// Whoever stands in line when the breaker opens is sent away then, also where
// the source never comes back.
func TestLineCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		end := make(chan struct{})
		defer close(end)
		d := &desk{answer: func(context.Context, gate.Credential) (*gate.Ticket, error) { <-end; return nil, errDown }}
		s := wrap(t, d, calm.Options{Concurrency: 2, Failures: 2, Wait: time.Minute})
		start := time.Now()
		said := ask(t, s, 50, "A")
		if took := time.Since(start); took != calm.DefaultDeadline || said["late"] != 2 || said["open"] != 48 {
			t.Errorf("%v after %v, want 2 late and 48 open after %v", said, took, calm.DefaultDeadline)
		}
		if got := s.Stats(); got.Waiting != 0 {
			t.Errorf("stats %+v, want nobody waiting", got)
		}
	})
}

// A source that does not even notice that nobody waits takes up its slots, and
// no more than those.
func TestGoroutinesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		end := make(chan struct{})
		d := &desk{answer: func(context.Context, gate.Credential) (*gate.Ticket, error) {
			<-end
			return nil, errDown
		}}
		s := wrap(t, d, calm.Options{Concurrency: 4, Failures: 100, Wait: 3 * time.Second})
		for round := range 5 {
			if said := ask(t, s, 100, fmt.Sprint("A", round, "x")); said["ticket"]+said["denied"] != 0 {
				t.Errorf("round %d: %v, want failures", round, said)
			}
		}
		if got := s.Stats(); d.asked() != 4 || got.Answering != 4 || got.Waiting != 0 {
			t.Errorf("asked %d times, stats %+v, want 4 and nobody waiting", d.asked(), got)
		}
		close(end)
		synctest.Wait()
		if got := s.Stats(); got.Answering != 0 {
			t.Errorf("stats %+v, want all slots free", got)
		}
	})
}
