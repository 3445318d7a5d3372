package calm

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync/atomic"

	"github.com/handstamp/handstamp/pkg/gate"
)

// A caller puts questions to the source itself.
type caller struct {
	id       string
	verifier gate.Verifier
	again    gate.Rechecker // nil means that it cannot be asked again
	opts     Options

	panics atomic.Uint64
}

// An answer is what a source returned.
type answer struct {
	ticket *gate.Ticket
	err    error
}

// call asks q and waits for the answer, but not beyond the deadline. It calls
// done once the source has returned, which may be later: one that does not keep
// to its context takes away a slot, and no more.
func (c *caller) call(q question, done func()) (*gate.Ticket, error) {
	ctx, cancel := context.WithTimeout(context.Background(), c.opts.Deadline)
	defer cancel()
	answers := make(chan answer, 1)
	go func() {
		defer done()
		ticket, err := c.ask(ctx, q)
		answers <- answer{ticket, err}
	}()
	select {
	case a := <-answers:
		return a.ticket, a.err
	case <-ctx.Done():
		return nil, c.late()
	}
}

// ask turns a panic and an answer without content into errors, and every error
// into one that may be logged.
func (c *caller) ask(ctx context.Context, q question) (ticket *gate.Ticket, err error) {
	defer func() {
		if value := recover(); value != nil {
			c.panics.Add(1)
			// The value may hold anything; where it happened is known here only.
			c.opts.Log.Error("ticket source panicked", "source", c.id, "value", fmt.Sprintf("%T", value), "stack", string(debug.Stack()))
			ticket, err = nil, &Failure{what: "it panicked", cause: ErrPanic}
		}
	}()
	ticket, err = q.ask(ctx, c.verifier, c.again)
	var d *gate.Denial
	switch {
	case err == nil && ticket == nil:
		return nil, &Failure{what: "it said nothing", cause: errNothing}
	case err == nil:
		return ticket, nil
	case errors.As(err, &d) && (d == nil || d.Reason == ""):
		return nil, &Failure{what: "it refused without a reason", cause: errNothing}
	case d == nil && ctx.Err() != nil:
		return nil, c.late()
	}
	return nil, masked(err)
}

func (c *caller) late() error {
	return &Failure{what: fmt.Sprintf("no answer within %v", c.opts.Deadline), cause: context.DeadlineExceeded}
}
