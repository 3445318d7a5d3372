package calm

import (
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/handstamp/handstamp/pkg/gate"
)

// The window in which a source that fails every other time opens the breaker.
const (
	window = 30 * time.Second
	bucket = 5 * time.Second
)

// errClosed says that the line was closed, as the breaker opened.
var errClosed = errors.New("the breaker has opened")

// A breaker leaves a source alone that has failed too often in a row, or for
// half of many questions. After the pause one question is let through, and its
// answer decides.
type breaker struct {
	circuit *gobreaker.CircuitBreaker[*gate.Ticket]
	pause   time.Duration
	log     *slog.Logger

	mu     sync.Mutex
	opened chan struct{} // closed while the breaker is open
	until  time.Time     // the end of the pause
}

func newBreaker(id string, o Options) *breaker {
	b := &breaker{pause: o.Pause, log: o.Log, opened: make(chan struct{})}
	failures := uint32(o.Failures)
	b.circuit = gobreaker.NewCircuitBreaker[*gate.Ticket](gobreaker.Settings{
		Name: id, MaxRequests: 1, Timeout: o.Pause, Interval: window, BucketPeriod: bucket,
		ReadyToTrip: func(c gobreaker.Counts) bool {
			return c.ConsecutiveFailures >= failures || c.TotalFailures >= 2*failures && 2*c.TotalFailures >= c.Requests
		},
		IsSuccessful:  answered,
		OnStateChange: b.changed,
	})
	return b
}

// answered reports whether the source did: a refusal is an answer, and so is
// that it cannot be asked again.
func answered(err error) bool {
	return err == nil || denial(err) != nil || errors.Is(err, errors.ErrUnsupported)
}

// changed runs under the lock of the circuit.
func (b *breaker) changed(id string, from, to gobreaker.State) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case to == gobreaker.StateOpen:
		b.until = time.Now().Add(b.pause)
		close(b.opened)
	case from == gobreaker.StateOpen:
		b.opened = make(chan struct{})
	}
	b.log.Warn("ticket source breaker changed", "source", id, "from", from.String(), "to", to.String())
}

// isOpen reports whether nothing gets through at the moment.
func (b *breaker) isOpen() bool { return b.circuit.State() == gobreaker.StateOpen }

// opens returns a channel that is closed when the breaker opens.
func (b *breaker) opens() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.opened
}

// do puts a question, unless the source is to be left alone.
func (b *breaker) do(ask func() (*gate.Ticket, error)) (*gate.Ticket, error) {
	t, err := b.circuit.Execute(ask)
	if errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests) {
		return nil, b.failure()
	}
	return t, err
}

// failure is what a viewer gets who comes while the source is left alone. Those
// who are sent away do not come back together.
func (b *breaker) failure() *Failure {
	b.mu.Lock()
	defer b.mu.Unlock()
	left := max(0, time.Until(b.until))
	return &Failure{what: "it has failed too often and is left alone", cause: ErrOpen, retry: left + 1 + rand.N(b.pause)} // #nosec G404 -- it spreads load and guards nothing
}
