package mirror

import (
	"cmp"
	"context"
	"os"
	"sync"

	"golang.org/x/sync/errgroup"
)

// DefaultParallel is how many requests are on their way at a time.
const DefaultParallel = 8

// Options tunes a Mirror. The zero value is ready for use.
type Options struct {
	Parallel int         // requests at a time; 0 means DefaultParallel
	PartSize int64       // of files that are larger than that, in bytes, at least 5 MiB; 0 means DefaultPartSize. Another one sends these files again
	Delete   bool        // also delete what is below the prefix and not in the folder
	Cache    []CacheRule // before the rules that always hold; the first that fits a file counts

	// Sent is told how many bytes of content were sent, or need not be, one call
	// at a time.
	Sent func(bytes int64)
}

// A Mirror makes a place in a bucket the same as a folder.
type Mirror struct {
	client Client
	root   *os.Root
	to     Target
	opts   Options
	slots  chan struct{} // one for each request on its way
	mu     sync.Mutex    // held for Sent
}

// New returns a Mirror of root, which stays the caller's to close.
func New(client Client, root *os.Root, to Target, opts Options) *Mirror {
	opts.Parallel = max(0, opts.Parallel)
	opts.Parallel = cmp.Or(opts.Parallel, DefaultParallel)
	opts.PartSize = max(minPartSize, cmp.Or(opts.PartSize, DefaultPartSize))
	return &Mirror{client: client, root: root, to: to, opts: opts, slots: make(chan struct{}, opts.Parallel)}
}

// A Report says what Do did.
type Report struct {
	Put     int       // files that were sent
	Deleted int       // objects that were deleted
	Bytes   int64     // of the files that were sent
	Held    []string  // what was not done because something before it failed
	Failed  []Failure // also those of the plan
}

// Do takes the steps of a plan. A step that fails stops no other, but those that
// have to come after it. The error is the context's, if it ended before all was
// done; the report is good then, too.
func (m *Mirror) Do(ctx context.Context, p *Plan) (*Report, error) {
	d := &doing{Mirror: m, report: Report{Failed: append([]Failure(nil), p.Failed...)}}
	for steps := p.Steps; len(steps) > 0; {
		n := 1
		for n < len(steps) && steps[n].turn() == steps[0].turn() {
			n++
		}
		d.run(ctx, steps[:n])
		steps = steps[n:]
	}
	return &d.report, ctx.Err()
}

// doing is a Do that is under way.
type doing struct {
	*Mirror
	mu     sync.Mutex
	report Report
}

// run takes steps that do not depend on each other. What held one back is known
// before: it failed in an earlier turn.
func (d *doing) run(ctx context.Context, steps []Step) {
	var ready []Step
	for _, s := range steps {
		if d.report.holds(s) {
			d.report.Held = append(d.report.Held, s.Name)
		} else {
			ready = append(ready, s)
		}
	}
	var group errgroup.Group
	group.SetLimit(d.opts.Parallel)
	for _, s := range ready {
		group.Go(func() error {
			if ctx.Err() == nil {
				d.note(s, d.take(ctx, s))
			}
			return nil
		})
	}
	_ = group.Wait() // nobody returns one
}

func (d *doing) take(ctx context.Context, s Step) error {
	if s.Action == Delete {
		return d.remove(ctx, s)
	}
	return d.put(ctx, s)
}

func (d *doing) note(s Step, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case err != nil:
		d.report.Failed = append(d.report.Failed, Failure{s.Name, err})
	case s.Action == Delete:
		d.report.Deleted++
	default:
		d.report.Put++
		d.report.Bytes += s.Size
	}
}

// sent tells whoever wants to know.
func (m *Mirror) sent(n int64) {
	if m.opts.Sent == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.opts.Sent(n)
}
