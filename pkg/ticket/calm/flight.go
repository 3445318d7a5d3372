package calm

import (
	"context"
	"sync"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
)

// A flight is a question on its way, and all who wait for its answer.
type flight struct {
	key  key
	line context.Context // ends when everybody has left before it was asked
	stop context.CancelFunc
	done chan struct{} // closed when the answer is there

	// mu of the tower guards these.
	waiters int
	asked   time.Time // zero means that it is still in line
	age     uint64    // of the cache, when it was asked

	ticket *gate.Ticket // set before done is closed, and not to be changed then
	err    error
}

// answer returns what f has brought, once it is done, as each viewer's own.
func (f *flight) answer() (*gate.Ticket, error) {
	if d := denial(f.err); d != nil {
		refused := *d
		return nil, &refused
	}
	if f.err != nil {
		return nil, f.err
	}
	return copied(f.ticket), nil
}

// A tower knows every question that is on its way.
type tower struct {
	mu      sync.Mutex
	flights map[key]*flight
}

// board returns the flight that asks the question of k, and whether it is new
// and waits for somebody to fly it. Whoever boards has to leave. Under the lock
// known may find that the answer has just come in, and then there is none.
func (t *tower) board(k key, known func() bool) (f *flight, isNew bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if f = t.flights[k]; f != nil {
		f.waiters++
		return f, false
	}
	if known() {
		return nil, false
	}
	f = &flight{key: k, done: make(chan struct{}), waiters: 1}
	f.line, f.stop = context.WithCancel(context.Background())
	t.flights[k] = f
	return f, true
}

// leave is for one who does not wait any longer. A question that nobody waits
// for is not asked any more. One that has been asked goes on to its end: it may
// have used the ticket up, and the viewer may come back for the answer.
func (t *tower) leave(f *flight) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if f.waiters--; f.waiters == 0 && f.asked.IsZero() {
		f.stop()
		t.remove(f)
	}
}

// depart marks f as asked, at that age of what is remembered, and reports
// whether anybody waits for it.
func (t *tower) depart(f *flight, age uint64) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if f.waiters == 0 {
		return false
	}
	f.asked, f.age = time.Now(), age
	return true
}

// land hands the answer to all who wait.
func (t *tower) land(f *flight, ticket *gate.Ticket, err error) {
	f.ticket, f.err = ticket, err
	f.stop()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.remove(f)
	close(f.done)
}

// divert lets whoever comes from now on ask anew. Those who are on board get
// the answer that they asked for.
func (t *tower) divert() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, f := range t.flights {
		if !f.asked.IsZero() {
			t.remove(f)
		}
	}
}

// remove takes f off the board, unless another one has its place.
func (t *tower) remove(f *flight) {
	if t.flights[f.key] == f {
		delete(t.flights, f.key)
	}
}
