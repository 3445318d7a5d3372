package denylist

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/gate"
)

// A Source knows what was revoked. The books are sources.
type Source interface {
	// Revocations returns what was revoked at or after since and may still be
	// in somebody's hands, the newest first.
	Revocations(ctx context.Context, since time.Time) ([]book.Revocation, error)
}

// A Store is where the edge looks. Its calls end by themselves in good time.
type Store interface {
	// Read returns all that is in the store, and its version.
	Read(ctx context.Context) (values map[string]string, version string, err error)
	// Write makes all edits, at most MaxEdits, or none, and returns the new
	// version. It returns ErrChanged if the store is not at that version.
	Write(ctx context.Context, version string, edits []Edit) (next string, err error)
}

// MaxEdits is how many edits a Store takes at a time, CloudFront's limit for
// one UpdateKeys.
const MaxEdits = 50

// ErrChanged is returned for a write to a store that somebody else has changed
// since it was read.
var ErrChanged = errors.New("the store was changed by somebody else")

// Options tunes an Exporter. The zero value is ready for use.
type Options struct {
	Exposure time.Duration // longest life of a cookie, see gate.Keeper.Exposure; 0 means that of a Keeper with default options
	Window   time.Duration // to which expiries are rounded up, as in gate.Options; 0 means gate.DefaultWindow, below 0 means whole seconds
	Interval time.Duration // between two looks at the source; 0 or less means 5 s
	Slowest  time.Duration // between two tries while one fails after the other; 0 means 1 min
	Reread   time.Duration // between two looks at a store that nobody is known to have changed; 0 means 15 min

	// Sessions exports sessions too. The edge can only look for them where the
	// session cookie reaches the media, see docs/revocation.md.
	Sessions bool

	Now func() time.Time // nil means time.Now
	Log *slog.Logger     // nil means none
}

func (o Options) withDefaults() Options {
	o.Window = max(cmp.Or(o.Window, gate.DefaultWindow), time.Second)
	o.Exposure = max(cmp.Or(o.Exposure, gate.DefaultLifetime+o.Window), o.Window)
	if o.Interval <= 0 {
		o.Interval = 5 * time.Second
	}
	o.Slowest = max(cmp.Or(o.Slowest, time.Minute), o.Interval)
	o.Reread = cmp.Or(o.Reread, 15*time.Minute)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// An Exporter keeps a Store in step with a Source. It is safe for concurrent use.
type Exporter struct {
	source Source
	places Places
	store  Store
	opts   Options
	stats  counts

	mu      sync.Mutex // held during a round
	have    entries    // what the store has of ours; nil means that nobody knows
	version string     // of the store
	read    time.Time  // when the store was read
}

// NewExporter returns an Exporter from source to store that finds prefixes in
// places. Nothing happens before Run or Export.
func NewExporter(source Source, places Places, store Store, opts Options) *Exporter {
	return &Exporter{source: source, places: places, store: store, opts: opts.withDefaults()}
}

// Run exports until ctx is done: at once, then every Interval, and less often
// while that fails.
func (e *Exporter) Run(ctx context.Context) {
	wait := e.opts.Interval
	for {
		switch err := e.Export(ctx); {
		case ctx.Err() != nil:
			return
		case err != nil:
			e.opts.Log.WarnContext(ctx, "denylist not exported", "err", err, "again_in", wait)
		default:
			wait = e.opts.Interval
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		wait = min(2*wait, e.opts.Slowest)
	}
}

// Export brings the store up to date once. While nothing is revoked and nothing
// has passed, it asks the source only: calls to CloudFront are billed.
func (e *Exporter) Export(ctx context.Context) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := e.export(ctx); err != nil {
		e.stats.failed.Add(1)
		return err
	}
	e.stats.entries.Store(int64(len(e.have)))
	e.stats.exported.Store(e.opts.Now().Unix())
	return nil
}

// tries is how often a round begins again because the store has changed.
const tries = 4

func (e *Exporter) export(ctx context.Context) error {
	now := e.opts.Now()
	revoked, err := e.revoked(ctx, now)
	if err != nil {
		return fmt.Errorf("ask what was revoked: %w", err)
	}
	want, left := e.want(revoked)
	if before := e.stats.left.Swap(int64(left)); before != int64(left) && left > 0 {
		e.opts.Log.WarnContext(ctx, "revocations of attractions that the denylist cannot name", "count", left)
	}
	for range tries {
		if err = e.bring(ctx, want, now); err == nil {
			return nil
		}
		e.have = nil // a write that failed may have been made
		if !errors.Is(err, ErrChanged) {
			return err
		}
		e.stats.conflicts.Add(1)
	}
	return err
}

// slowestSource is how long a source may take to answer.
const slowestSource = 10 * time.Second

// revoked returns what was revoked while cookies from before may be alive.
func (e *Exporter) revoked(ctx context.Context, now time.Time) ([]book.Revocation, error) {
	ctx, cancel := context.WithTimeout(ctx, slowestSource)
	defer cancel()
	return e.source.Revocations(ctx, now.Add(-e.opts.Exposure-2*skew))
}

// bring writes what is missing in the store and deletes what has passed.
func (e *Exporter) bring(ctx context.Context, want entries, now time.Time) error {
	if e.have == nil || now.Sub(e.read) >= e.opts.Reread {
		if err := e.look(ctx, now); err != nil {
			return fmt.Errorf("read the store: %w", err)
		}
	}
	for batch := range slices.Chunk(edits(e.have, want, now), MaxEdits) {
		if err := e.write(ctx, batch); err != nil {
			return fmt.Errorf("write %d entries: %w", len(batch), err)
		}
	}
	return nil
}

func (e *Exporter) look(ctx context.Context, now time.Time) error {
	values, version, err := e.store.Read(ctx)
	if err != nil {
		return err
	}
	e.have, e.version, e.read = own(values), version, now
	return nil
}

func (e *Exporter) write(ctx context.Context, batch []Edit) error {
	version, err := e.store.Write(ctx, e.version, batch)
	if err != nil {
		return err
	}
	e.version = version
	e.have.apply(batch)
	e.stats.count(batch)
	e.opts.Log.InfoContext(ctx, "denylist written", "edits", len(batch), "entries", len(e.have))
	return nil
}
