package calm

import (
	"context"
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// maxHint is the longest that a viewer is told to stay away.
const maxHint = 2 * time.Minute

// A line is where questions wait for their turn, first come, first served. It
// keeps the source's rate, and how many it answers at a time.
type line struct {
	limiter *rate.Limiter
	slots   chan struct{}
	wait    time.Duration // the longest
	most    int64         // that wait
	waiting atomic.Int64

	mu       sync.Mutex
	promised time.Time // the last turn that was given out to somebody who was turned away
	silence  time.Time // the source wants to be left alone until then
}

func newLine(o Options) *line {
	l := &line{limiter: rate.NewLimiter(rate.Inf, 0), slots: make(chan struct{}, o.Concurrency), wait: o.Wait, most: maxLine}
	if o.Rate > 0 {
		l.limiter = rate.NewLimiter(rate.Limit(o.Rate), o.Burst)
		l.most = int64(math.Min(maxLine, float64(o.Burst)+math.Ceil(o.Rate*o.Wait.Seconds())))
	}
	return l
}

// enter waits for the question's turn. Afterwards the caller holds a slot, and
// must give it back with leave. Whoever cannot have a turn in time is told so
// at once, with when to come back. A closed channel ends all waiting.
func (l *line) enter(ctx context.Context, closed <-chan struct{}) error {
	defer l.waiting.Add(-1)
	if l.waiting.Add(1) > l.most {
		return &Failure{what: "too many wait for it", cause: ErrBusy, retry: l.hint()}
	}
	until := time.Now().Add(l.wait)
	timer := time.NewTimer(l.wait)
	defer timer.Stop()
	select {
	case l.slots <- struct{}{}:
	case <-timer.C:
		return &Failure{what: "it answers too slowly for all who ask", cause: ErrBusy, retry: l.hint()}
	case <-ctx.Done():
		return ctx.Err()
	case <-closed:
		return errClosed
	}
	if err := l.turn(ctx, closed, until); err != nil {
		l.leave()
		return err
	}
	return nil
}

// turn waits until the source wants to hear something and the rate allows it,
// if that is before until.
func (l *line) turn(ctx context.Context, closed <-chan struct{}, until time.Time) error {
	if quiet := l.quiet(); quiet > 0 {
		if time.Now().Add(quiet).After(until) {
			return &Failure{what: "it wants to be left alone", cause: ErrBusy, retry: max(jittered(quiet), l.hint())}
		}
		if err := sleep(ctx, quiet, closed); err != nil {
			return err
		}
	}
	now := time.Now()
	r := l.limiter.ReserveN(now, 1)
	delay := r.DelayFrom(now)
	if now.Add(delay).After(until) {
		r.CancelAt(now)
		return &Failure{what: "too many wait for it", cause: ErrBusy, retry: l.hint()}
	}
	if err := sleep(ctx, delay, closed); err != nil {
		r.Cancel()
		return err
	}
	return nil
}

// sleep returns early, and with an error, when ctx ends or closed is closed.
func sleep(ctx context.Context, d time.Duration, closed <-chan struct{}) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-closed:
		return errClosed
	}
}

// leave gives the slot back.
func (l *line) leave() { <-l.slots }

// A slot is given back when the last one who holds it drops it: whoever waits
// for the answer, and the source, which may take longer than anybody waits.
type slot struct {
	line    *line
	holders atomic.Int32
}

func (s *slot) hold() { s.holders.Add(1) }

func (s *slot) drop() {
	if s.holders.Add(-1) == 0 {
		s.line.leave()
	}
}

// hush makes the line stand still for a while, as the source has asked for.
func (l *line) hush(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if until := time.Now().Add(min(d, maxHint)); until.After(l.silence) {
		l.silence = until
	}
}

// quiet returns how much longer the source wants to be left alone.
func (l *line) quiet() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.Until(l.silence)
}

// hint returns when somebody who is turned away should come back. Each is given
// a time of his own behind the line, at the source's pace, so that a crowd comes
// back in the order in which it came. What is too far off is not promised.
func (l *line) hint() time.Duration {
	step := l.wait / time.Duration(max(l.most, 1))
	if limit := l.limiter.Limit(); limit != rate.Inf {
		step = time.Duration(float64(time.Second) / float64(limit))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if end := now.Add(l.wait); l.promised.Before(end) {
		l.promised = end
	}
	if l.promised.Sub(now) > maxHint-step {
		return jittered(maxHint / 3 * 2)
	}
	l.promised = l.promised.Add(step)
	return l.promised.Sub(now)
}

// jittered returns d, longer by up to a half of it.
func jittered(d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	return d + rand.N(d/2+1) // #nosec G404 -- it spreads load and guards nothing
}
