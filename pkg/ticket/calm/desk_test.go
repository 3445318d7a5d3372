package calm_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/ticket/calm"
)

var (
	_ gate.Verifier  = (*calm.Source)(nil)
	_ gate.Rechecker = (*calm.Source)(nil)
)

// errDown is what a desk that is out of order returns. It says too much.
var errDown = errors.New("POST https://box.test/v1?key=CANARYKEY: 503: CANARYCODE of Mrs CANARYNAME")

// A desk is a box office whose answers the test decides.
type desk struct {
	answer func(ctx context.Context, c gate.Credential) (*gate.Ticket, error)

	mu    sync.Mutex
	times []time.Time // of every question
}

func (d *desk) Verify(ctx context.Context, c gate.Credential) (*gate.Ticket, error) {
	d.mu.Lock()
	d.times = append(d.times, time.Now())
	d.mu.Unlock()
	return d.answer(ctx, c)
}

// Recheck answers as for a code that is the ref.
func (d *desk) Recheck(ctx context.Context, _, ref string) (*gate.Ticket, error) {
	return d.Verify(ctx, gate.Credential{Code: gate.Secret(ref)})
}

// asked returns how often the desk was.
func (d *desk) asked() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.times)
}

// yes is the answer of a desk that likes every code; its name for a ticket is
// the code.
func yes(_ context.Context, c gate.Credential) (*gate.Ticket, error) {
	return &gate.Ticket{Kind: "code", Normal: c.Code, Ref: c.Code.Reveal(), Buys: []gate.Product{{Attraction: "castle"}}}, nil
}

func no(context.Context, gate.Credential) (*gate.Ticket, error) {
	return nil, gate.Deny(gate.ReasonCancelled, nil)
}

func down(context.Context, gate.Credential) (*gate.Ticket, error) { return nil, errDown }

// hangs answers when the viewer has gone.
func hangs(ctx context.Context, _ gate.Credential) (*gate.Ticket, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// slowly is yes after a while, whether or not anybody still waits.
func slowly(d time.Duration) func(context.Context, gate.Credential) (*gate.Ticket, error) {
	return func(ctx context.Context, c gate.Credential) (*gate.Ticket, error) {
		time.Sleep(d)
		return yes(ctx, c)
	}
}

func wrap(t *testing.T, v gate.Verifier, opts calm.Options) *calm.Source {
	t.Helper()
	s, err := calm.Wrap("box", v, opts)
	if err != nil {
		t.Fatalf("Wrap = %v", err)
	}
	return s
}

func code(text string) gate.Credential { return gate.Credential{Code: gate.Secret(text)} }

// show returns why a code is not taken: nil, a reason of gate, or the error.
func show(ctx context.Context, s *calm.Source, text string) error {
	_, err := s.Verify(ctx, code(text))
	return err
}

func denied(err error, reason gate.Reason) bool {
	var d *gate.Denial
	return errors.As(err, &d) && d.Reason == reason
}

// unknown reports whether err says that nobody knows.
func unknown(err error) bool {
	var f *calm.Failure
	var d *gate.Denial
	return errors.As(err, &f) && !errors.As(err, &d)
}
