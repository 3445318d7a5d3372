package cloudfront

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"
)

// A press makes signatures: as many at a time as there are processors, each once
// for all who want it meanwhile, and none that our own decision refuses.
type press struct {
	ring    Ring
	hash    Hash // empty means the one that goes with the key
	check   Decider
	flights singleflight.Group
	signing chan struct{} // one slot a signature being made
	waiting atomic.Int64  // signatures that are made or wait for a slot
	queue   int64         // the most of them
	served  atomic.Uint64 // signatures that were given out again
	signs   Signing       // nil means that nobody is told
	counts  pressCounts
}

// sampleEvery is how often a shared signature is checked again before it is sent.
const sampleEvery = 1024

func newPress(ring Ring, hash Hash, queue int) *press {
	return &press{ring: ring, hash: hash, queue: int64(queue), signing: make(chan struct{}, runtime.GOMAXPROCS(0))}
}

// beside returns a press with a queue of its own that uses the same processors:
// whoever fills that queue turns nobody away from this one.
func (p *press) beside(queue int) *press {
	return &press{ring: p.ring, hash: p.hash, queue: int64(queue), signing: p.signing}
}

// signer returns what signs now.
func (p *press) signer() (*Signer, error) {
	id, key, err := p.ring.Active()
	if err != nil {
		return nil, err
	}
	return NewSigner(id, key, p.hash)
}

// sample reports whether a signature that is given out again should be checked.
func (p *press) sample() bool { return p.served.Add(1)%sampleEvery == 0 }

// enter waits for a processor, and returns how to give it back. It returns
// ErrBusy at once if too many wait already.
func (p *press) enter(ctx context.Context) (leave func(), err error) {
	if p.waiting.Add(1) > p.queue {
		p.waiting.Add(-1)
		p.counts.busy.Add(1)
		return nil, ErrBusy
	}
	select {
	case p.signing <- struct{}{}:
		// One signature after the other would keep the processor from whoever has
		// come meanwhile, if only to hear that there is no room.
		runtime.Gosched()
		return func() { <-p.signing; p.waiting.Add(-1) }, nil
	case <-ctx.Done():
		p.waiting.Add(-1)
		return nil, ctx.Err()
	}
}

// selfCheck asks our own decision about a request that a fresh signature should
// open until end.
func (p *press) selfCheck(signer *Signer, r Request, end time.Time) error {
	public, err := NewPublicKey(signer.id, signer.key.Public())
	if err != nil {
		return err
	}
	if decision := p.check.Decide(r, NewKeyGroup(public), end.Add(-time.Second)); !decision.Allowed {
		return fmt.Errorf("%w: rule %s, key %s", ErrSelfCheck, decision.Rule, signer.id)
	}
	return nil
}

// once has one of those who want the same thing make it. Whoever gives up waiting
// takes nobody else along.
func once[T any](ctx context.Context, p *press, name string, make func(context.Context) (T, error)) (T, error) {
	mine := false
	flight := p.flights.DoChan(name, func() (any, error) { mine = true; return make(context.WithoutCancel(ctx)) })
	var none T
	select {
	case result := <-flight:
		if result.Err != nil {
			return none, result.Err
		}
		if !mine {
			p.counts.shared.Add(1)
		}
		return result.Val.(T), nil
	case <-ctx.Done():
		return none, ctx.Err()
	}
}
