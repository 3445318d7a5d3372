package pretix

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
)

// An office decides about signed codes by itself, with what it fetched last.
type office struct {
	s     *Source
	extra []ed25519.PublicKey // from the configuration, for every event
	dates dates

	fetching chan struct{} // of one, held during a refresh
	mu       sync.Mutex    // of what follows
	shelves  map[string]*shelf
	at       time.Time // of the last refresh that succeeded; zero means none
	tried    time.Time // of the last one at all
	failure  error     // of that one
}

// A shelf is what was fetched of one event.
type shelf struct {
	keys    []ed25519.PublicKey
	revoked list
	blocked list
}

func newOffice(s *Source, extra []ed25519.PublicKey) *office {
	o := &office{s: s, extra: extra, fetching: make(chan struct{}, 1), shelves: map[string]*shelf{}}
	for _, e := range s.cfg.Events {
		o.shelves[e.Slug] = &shelf{}
	}
	return o
}

// pause is how long a failed refresh is not tried again by those who wait for
// it, and how often a signature that fits no key causes one.
const pause = 5 * time.Second

// watch refreshes until ctx ends.
func (o *office) watch(ctx context.Context) {
	ticker := time.NewTicker(o.s.opts.Refresh)
	defer ticker.Stop()
	for {
		if err := o.refresh(ctx); err != nil && ctx.Err() == nil {
			o.s.opts.Log.ErrorContext(ctx, "pretix keys and lists not refreshed, the ones before serve until they are stale", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// verify judges a code.
func (o *office) verify(ctx context.Context, code gate.Secret) (*gate.Ticket, error) {
	f, err := parseFrame(code.Reveal())
	if err != nil {
		return nil, gate.Deny(gate.ReasonUnknown, err)
	}
	if err := o.younger(ctx, o.s.opts.Stale); err != nil {
		return nil, err
	}
	event, ok := o.signer(f)
	if !ok { // perhaps there is a new key
		if err := o.younger(ctx, DefaultRefresh); err != nil {
			return nil, err
		}
		if event, ok = o.signer(f); !ok {
			return nil, gate.Deny(gate.ReasonUnknown, errors.New("signed by nobody who may"))
		}
	}
	c, err := parseClaim(f.payload)
	if err != nil {
		return nil, gate.Deny(gate.ReasonMalformed, err)
	}
	return o.judge(ctx, event, code, c)
}

// signer returns the event whose key signed f.
func (o *office) signer(f frame) (Event, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, e := range o.s.cfg.Events {
		if f.signedBy(o.shelves[e.Slug].keys) {
			return e, true
		}
	}
	return Event{}, false
}

// stopped returns why a code that was signed is not good any more.
func (o *office) stopped(event string, code gate.Secret) gate.Reason {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch shelf := o.shelves[event]; {
	case shelf.revoked.has(code):
		return gate.ReasonReplaced
	case shelf.blocked.has(code):
		return gate.ReasonBlocked
	}
	return ""
}

func (o *office) judge(ctx context.Context, e Event, code gate.Secret, c claim) (*gate.Ticket, error) {
	deny := func(reason gate.Reason) error {
		return &gate.Denial{Reason: reason, Proven: true, Err: fmt.Errorf("signed for item %d of %q", c.Item, e.Slug)}
	}
	if reason := o.anywhere(code); reason != "" {
		return nil, deny(reason)
	}
	product, ok := find(o.s.cfg.Products, c.Item, c.Variation)
	if !ok {
		return nil, deny(gate.ReasonNotIncluded)
	}
	if !c.Until.IsZero() && !c.From.Before(c.Until) {
		return nil, deny(gate.ReasonExpired)
	}
	var d *date
	if c.Subevent != 0 && o.s.cfg.Dates != DatesIgnore {
		var err error
		if d, err = o.date(ctx, e, c.Subevent); err != nil {
			return nil, err
		}
	}
	var b basket
	b.add(product)
	return &gate.Ticket{
		Kind: KindSigned, Normal: code, Proven: true, Ref: o.s.ref(code),
		Buys: b.buys, Seats: b.seats, ValidFrom: c.From, ValidUntil: c.Until,
		Terms: o.s.on(o.s.opts.Terms, d, e.Zone),
	}, nil
}

// anywhere asks all lists: two events may share a key from the configuration.
func (o *office) anywhere(code gate.Secret) gate.Reason {
	for _, e := range o.s.cfg.Events {
		if reason := o.stopped(e.Slug, code); reason != "" {
			return reason
		}
	}
	return ""
}

// younger returns nil once keys and lists are younger than age, fetching them
// if they are not. Many who wait cause one refresh, and one failure is told to
// all of them.
func (o *office) younger(ctx context.Context, age time.Duration) error {
	if fresh, err := o.state(age); fresh || err != nil {
		return err
	}
	if err := o.hold(ctx); err != nil {
		return err
	}
	defer o.release()
	if fresh, err := o.state(age); fresh || err != nil {
		return err
	}
	return o.fetch(ctx)
}

// state says whether nothing has to be fetched, or cannot be at the moment.
func (o *office) state(age time.Duration) (fresh bool, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := o.s.opts.Now()
	if !o.at.IsZero() && now.Sub(o.at) < age {
		return true, nil
	}
	if o.failure != nil && now.Sub(o.tried) < pause {
		return false, o.failure
	}
	return false, nil
}

// refresh fetches keys and lists now.
func (o *office) refresh(ctx context.Context) error {
	if err := o.hold(ctx); err != nil {
		return err
	}
	defer o.release()
	return o.fetch(ctx)
}

// hold waits for its turn to fetch, as long as ctx lasts.
func (o *office) hold(ctx context.Context) error {
	select {
	case o.fetching <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (o *office) release() { <-o.fetching }

// fetch notes a failure, unless it is only that the one who asked has gone.
func (o *office) fetch(ctx context.Context) error {
	begun := o.s.opts.Now() // what happens meanwhile is younger
	err := o.fetchAll(ctx)
	if err != nil && ctx.Err() != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.tried, o.failure = begun, err
	if err == nil {
		o.at = begun
	}
	return err
}

func (o *office) fetchAll(ctx context.Context) error {
	for _, e := range o.s.cfg.Events {
		if err := o.fetchKeys(ctx, e); err != nil {
			return err
		}
		for _, l := range []remote{revokedList, blockedList} {
			if err := o.fetchList(ctx, e, l); err != nil {
				return err
			}
		}
	}
	return nil
}
