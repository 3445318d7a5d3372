package calm

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
)

// A Source is a ticket source that a crowd may ask. It implements
// gate.Verifier and gate.Rechecker, and is safe for concurrent use. An error
// that is no *gate.Denial is a *Failure.
type Source struct {
	id      string
	opts    Options
	caller  caller
	sealer  *sealer
	allow   *cache
	deny    *cache
	tower   tower
	line    *line
	breaker *breaker
	age     atomic.Uint64 // of what is remembered, see cache
	counts  counts
}

// counts are what Stats reports and nothing else does.
type counts struct {
	hits, refusals, asked, joined, busy, spared, failures, late atomic.Uint64
}

// Wrap returns the source that is configured as id and asks v. A v that is no
// gate.Rechecker cannot be asked again then either: its tickets have no Ref,
// and Recheck returns an error that is errors.ErrUnsupported.
func Wrap(id string, v gate.Verifier, opts Options) (*Source, error) {
	opts = opts.filled()
	if err := opts.check(); err != nil {
		return nil, fmt.Errorf("ticket source %q: %w", id, err)
	}
	again, _ := v.(gate.Rechecker)
	s := &Source{
		id: id, opts: opts, caller: caller{id: id, verifier: v, again: again, opts: opts}, sealer: newSealer(),
		tower: tower{flights: map[key]*flight{}}, line: newLine(opts), breaker: newBreaker(id, opts),
	}
	s.allow, s.deny = newCache(opts.Allow, opts.Entries, &s.age), newCache(opts.Deny, opts.Entries, &s.age)
	return s, nil
}

// Verify implements gate.Verifier.
func (s *Source) Verify(ctx context.Context, c gate.Credential) (*gate.Ticket, error) {
	if s.opts.Normalise != nil {
		normal, err := s.opts.Normalise(c.Code)
		if err != nil {
			return nil, err
		}
		c.Code = normal
	}
	return s.answer(ctx, question{credential: c})
}

// Recheck implements gate.Rechecker. A ticket that was asked about again is
// remembered like one that was shown.
func (s *Source) Recheck(ctx context.Context, source, ref string) (*gate.Ticket, error) {
	if s.caller.again == nil {
		return nil, masked(errors.ErrUnsupported)
	}
	return s.answer(ctx, question{source: source, ref: ref, again: true})
}

// answer finds the answer to q: a verdict that is remembered, one that is on
// its way, or a new one.
func (s *Source) answer(ctx context.Context, q question) (*gate.Ticket, error) {
	k := s.sealer.question(q)
	if v, ok := s.known(k); ok {
		return v.answer(q)
	}
	if err := ctx.Err(); err != nil {
		return nil, masked(err)
	}
	if s.breaker.isOpen() {
		s.counts.spared.Add(1)
		return nil, s.breaker.failure()
	}
	var v verdict
	f, isNew := s.tower.board(k, func() (ok bool) { v, ok = s.known(k); return ok })
	switch {
	case f == nil:
		return v.answer(q)
	case isNew:
		go s.fly(f, q.kept())
	default:
		s.counts.joined.Add(1)
	}
	defer s.tower.leave(f)
	select {
	case <-f.done:
	case <-ctx.Done():
		return nil, masked(ctx.Err())
	}
	return f.answer()
}

// known returns the verdict that is remembered. The two caches never hold one
// question both: a verdict outlives none that is asked for later.
func (s *Source) known(k key) (verdict, bool) {
	now := time.Now()
	if v, ok := s.allow.get(k, now); ok {
		s.counts.hits.Add(1)
		return v, true
	}
	v, ok := s.deny.get(k, now)
	if ok {
		s.counts.refusals.Add(1)
	}
	return v, ok
}

// fly takes a question through line and breaker to the source and back.
func (s *Source) fly(f *flight, q question) {
	ticket, err := s.ask(f, q)
	if err == nil && s.caller.again == nil {
		ticket = copied(ticket)
		ticket.Ref = ""
	}
	s.keep(f, q, ticket, err)
	s.tower.land(f, ticket, err)
}

// ask waits for the question's turn and puts it.
func (s *Source) ask(f *flight, q question) (*gate.Ticket, error) {
	if err := s.line.enter(f.line, s.breaker.opens()); err != nil {
		return nil, s.turned(err)
	}
	if !s.tower.depart(f, s.age.Load()) {
		s.line.leave()
		return nil, masked(context.Canceled)
	}
	slot := &slot{line: s.line}
	defer slot.drop() // not before the breaker knows, or the next would go the same way
	slot.hold()
	called := false
	ticket, err := s.breaker.do(func() (*gate.Ticket, error) {
		called = true
		s.counts.asked.Add(1)
		slot.hold()
		return s.caller.call(q, slot.drop)
	})
	switch {
	case !called:
		s.counts.spared.Add(1)
	case !answered(err):
		s.failed(err)
	}
	return ticket, err
}

// turned words why a question had no turn.
func (s *Source) turned(err error) error {
	switch {
	case errors.Is(err, ErrBusy):
		s.counts.busy.Add(1)
		return err
	case errors.Is(err, errClosed):
		s.counts.spared.Add(1)
		return s.breaker.failure()
	}
	return masked(err) // everybody has left
}

// failed counts a failure, and does what the source asked for with it.
func (s *Source) failed(err error) {
	s.counts.failures.Add(1)
	if errors.Is(err, context.DeadlineExceeded) {
		s.counts.late.Add(1)
	}
	var f *Failure
	if errors.As(err, &f) && f.quiet > 0 {
		s.line.hush(f.quiet)
	}
}

// keep remembers a verdict, from the time at which it was asked for.
func (s *Source) keep(f *flight, q question, ticket *gate.Ticket, err error) {
	d := denial(err)
	if err != nil && d == nil {
		return
	}
	v, c := newVerdict(q, ticket, d), s.deny
	if ticket != nil {
		c = s.allow
	}
	c.put(f.key, v, f.asked, f.age)
}
