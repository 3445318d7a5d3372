package keyring

import (
	"cmp"
	"context"
	"crypto"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"
)

// DefaultInterval is how often a Follower looks at the manifest.
const DefaultInterval = 10 * time.Second

// FollowOptions tunes a Follower. The zero value is ready for use.
type FollowOptions struct {
	Interval time.Duration     // between looks at the manifest; 0 means DefaultInterval
	Timeout  time.Duration     // of one look, keys included; 0 means DefaultInterval
	Log      *slog.Logger      // nil means no log
	Check    func(*Ring) error // refuses a ring that could not be used; nil accepts all
}

// A Follower is a ring that follows its manifest while a gateway runs. All
// gateways sign with the new key at most Interval plus Timeout after a manifest
// was saved. A manifest that cannot be read, or whose active key cannot be
// fetched, changes nothing: the keys that are known go on. It is safe for
// concurrent use.
type Follower struct {
	store   Store
	openers Openers
	opts    FollowOptions
	ring    atomic.Pointer[Ring]
	seen    atomic.Int64 // revision of the manifest that ring is from
	failed  atomic.Int64
}

// Follow reads the manifest and returns the ring that it describes. Run keeps
// it up to date.
func Follow(ctx context.Context, store Store, openers Openers, opts FollowOptions) (*Follower, error) {
	opts.Interval = cmp.Or(opts.Interval, DefaultInterval)
	opts.Timeout = cmp.Or(opts.Timeout, DefaultInterval)
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	f := &Follower{store: store, openers: openers, opts: opts}
	f.seen.Store(-1)
	if err := f.Reload(ctx); err != nil {
		return nil, err
	}
	return f, nil
}

// Reload looks at the manifest now.
func (f *Follower) Reload(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, f.opts.Timeout)
	defer cancel()
	m, err := f.store.Load(ctx)
	if err != nil {
		return err
	}
	if int64(m.Revision) == f.seen.Load() {
		return nil
	}
	var known []Key
	old := f.ring.Load()
	if old != nil {
		known = old.keys
	}
	ring, err := m.Build(ctx, f.openers, known, func(err error) {
		f.opts.Log.Warn("a key that is not active is not to be had", "err", err)
	})
	if err != nil {
		return err
	}
	if f.opts.Check != nil {
		if err := f.opts.Check(ring); err != nil {
			return err
		}
	}
	f.ring.Store(ring)
	f.seen.Store(int64(m.Revision))
	f.opts.Log.Info("keys read", "revision", m.Revision, "active", ring.active.ID)
	return nil
}

// Run looks at the manifest again and again until ctx ends.
func (f *Follower) Run(ctx context.Context) {
	ticker := time.NewTicker(f.opts.Interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if err := f.Reload(ctx); err != nil && !errors.Is(err, context.Canceled) {
			f.failed.Add(1)
			f.opts.Log.Error("keys not read, the known ones go on", "err", err)
		}
	}
}

// Ring returns the ring as of now.
func (f *Follower) Ring() *Ring { return f.ring.Load() }

// Active returns the key that signs now.
func (f *Follower) Active() (keyPairID string, key crypto.Signer, err error) {
	return f.ring.Load().Active()
}

// Keys returns all keys of the ring as of now, ordered by ID.
func (f *Follower) Keys() []Key { return f.ring.Load().Keys() }

// Failures returns how many looks at the manifest have failed.
func (f *Follower) Failures() int64 { return f.failed.Load() }
