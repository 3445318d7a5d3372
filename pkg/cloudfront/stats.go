package cloudfront

import (
	"context"
	"sync/atomic"
)

// Signing is told that a signature begins to be made, with the context of a viewer
// who wants it, and then of its end: nil if it was made and our own decision
// accepts it. It must not wait.
type Signing func(ctx context.Context, keyPairID string) (done func(error))

// Stats are counts since the start, but for Waiting.
type Stats struct {
	Made    uint64 // signatures
	Shared  uint64 // times that somebody got a signature which was made for another
	Older   uint64 // the same, of one that ends sooner than was wanted, as none could be made
	Busy    uint64 // times that too many waited
	Failed  uint64 // signatures that could not be made, or that our own decision refused
	Waiting int    // that are being made now, or wait for a processor
}

type pressCounts struct{ made, shared, older, busy, failed atomic.Uint64 }

// Stats returns what was counted. The numbers are each right, but not of one
// moment.
func (s *Stamper) Stats() Stats { return s.press.stats() }

// Stats is that of Stamper, for URLs.
func (l *Linker) Stats() Stats { return l.press.stats() }

func (p *press) stats() Stats {
	return Stats{Made: p.counts.made.Load(), Shared: p.counts.shared.Load(), Older: p.counts.older.Load(),
		Busy: p.counts.busy.Load(), Failed: p.counts.failed.Load(), Waiting: int(p.waiting.Load())}
}

// begin notes that a signature is being made, and returns how to note its end.
func (p *press) begin(ctx context.Context, signer *Signer) (done func(error)) {
	told := func(error) {}
	if p.signs != nil {
		told = p.signs(ctx, signer.id)
	}
	return func(err error) {
		if err == nil {
			p.counts.made.Add(1)
		} else {
			p.counts.failed.Add(1)
		}
		told(err)
	}
}
