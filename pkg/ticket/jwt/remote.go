package jwt

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/handstamp/handstamp/pkg/ticket/outbound"
)

const (
	retryAfter   = time.Minute     // between two fetches for a key that is not there
	fetchTimeout = 5 * time.Second // for one fetch, all in all
	maxHeld      = 64              // keys, those that have gone included
)

// remote is a keySet at a URL. It is fetched when it is needed, by one request
// for all who wait; nobody's going away ends that.
type remote struct {
	url                      string
	client                   *outbound.Client
	refresh, overlap, outage time.Duration
	now                      func() time.Time
	log                      *slog.Logger
	ctx                      context.Context
	stop                     context.CancelFunc
	running                  sync.WaitGroup

	mu      sync.Mutex
	keys    []held
	fetched time.Time     // when the set was last read; zero means never
	tried   time.Time     // when a fetch last began
	err     error         // of the last fetch
	flight  chan struct{} // closed when the fetch under way has ended; nil means none
}

// held is a key of the set, or one that was there until gone.
type held struct {
	*key
	gone time.Time // when it was first missed; zero means it is there
}

func newRemote(cfg Config, opts Options) (*remote, error) {
	if err := checkURL(cfg.KeySet, len(cfg.Allow) > 0); err != nil {
		return nil, fmt.Errorf("key_set: %w", err)
	}
	client, err := outbound.New(outbound.Options{Allow: cfg.Allow, Timeout: fetchTimeout, MaxBody: maxSet, CA: opts.CA})
	if err != nil {
		return nil, fmt.Errorf("key_set: %w", err)
	}
	r := &remote{url: cfg.KeySet, client: client, refresh: cfg.Refresh, overlap: cfg.Overlap, outage: cfg.Outage, now: opts.Now, log: opts.Log}
	r.ctx, r.stop = context.WithCancel(context.Background())
	return r, nil
}

func (r *remote) close() {
	r.stop()
	r.running.Wait()
	r.client.Close()
}

// find waits for a fetch only if it has no key for the token. A set that was
// read within retryAfter is taken for complete.
func (r *remote) find(ctx context.Context, kid, alg string) ([]*key, error) {
	if found := r.ready(kid, alg); len(found) > 0 {
		return found, nil
	}
	if err := r.wait(ctx, false); err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	found := r.matching(kid, alg)
	if len(found) == 0 && r.err != nil {
		return nil, r.err
	}
	if !r.usable() {
		return nil, errors.Join(errors.New("the key set is too old"), r.err)
	}
	return found, nil
}

// ready returns the keys that need no fetch. If the set has grown old it is
// fetched for those who come later.
func (r *remote) ready(kid, alg string) []*key {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.usable() {
		return nil
	}
	if r.now().Sub(r.fetched).Abs() >= r.refresh {
		r.start(false)
	}
	return r.matching(kid, alg)
}

func (r *remote) probe(ctx context.Context) error {
	if err := r.wait(ctx, true); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

// trusts says yes before the set was first read, after a restart: the ticket
// was good when it was shown, and nobody has said otherwise since.
func (r *remote) trusts(print string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fetched.IsZero() {
		return true
	}
	for _, k := range r.keys {
		if k.print == print && r.counts(k) {
			return true
		}
	}
	return false
}

// usable reports whether the set was read at all, and lately enough. mu is held.
func (r *remote) usable() bool {
	return !r.fetched.IsZero() && r.now().Sub(r.fetched) < r.outage
}

func (r *remote) counts(k held) bool {
	return k.gone.IsZero() || r.now().Sub(k.gone) < r.overlap
}

// matching returns the keys for a token. mu is held.
func (r *remote) matching(kid, alg string) (found []*key) {
	for _, k := range r.keys {
		if k.is(kid, alg) && r.counts(k) {
			found = append(found, k.key)
		}
	}
	return found
}

// wait starts a fetch, unless there was one just now, and waits for the one
// under way.
func (r *remote) wait(ctx context.Context, force bool) error {
	r.mu.Lock()
	r.start(force)
	flight := r.flight
	r.mu.Unlock()
	if flight == nil {
		return nil
	}
	select {
	case <-flight:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// start begins a fetch unless one is under way, or was begun within
// retryAfter. mu is held.
func (r *remote) start(force bool) {
	now := r.now()
	if r.flight != nil || !force && !r.tried.IsZero() && now.Sub(r.tried).Abs() < retryAfter {
		return
	}
	r.tried, r.flight = now, make(chan struct{})
	r.running.Go(func() {
		keys, err := r.fetch()
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.err = err; err == nil {
			r.fetched = r.now()
			r.merge(keys)
		} else {
			r.log.Error("key set not read, the one before counts", "url", r.url, "err", err)
		}
		close(r.flight)
		r.flight = nil
	})
}

// merge takes the keys of the set, and keeps those that have just gone from it.
// mu is held.
func (r *remote) merge(keys []*key) {
	var list []held
	there := map[string]bool{}
	for _, k := range keys {
		list = append(list, held{key: k})
		there[k.id+"\x00"+k.print] = true
	}
	for _, k := range r.keys {
		if there[k.id+"\x00"+k.print] {
			continue
		}
		if k.gone.IsZero() {
			k.gone = r.now()
		}
		if r.counts(k) && len(list) < maxHeld {
			list = append(list, k)
		}
	}
	r.keys = list
}

func (r *remote) fetch() ([]*key, error) {
	req, err := http.NewRequestWithContext(r.ctx, http.MethodGet, r.url, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/jwk-set+json, application/json")
	answer, err := r.client.Do(req)
	if err != nil {
		return nil, err
	}
	if answer.Status != http.StatusOK {
		return nil, fmt.Errorf("get the key set: status %d, want 200", answer.Status)
	}
	keys, left, err := parseSet(answer.Body)
	for _, why := range left {
		r.log.Warn("key of a key set is not used", "url", r.url, "why", why)
	}
	return keys, err
}
