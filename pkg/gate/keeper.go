package gate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// Defaults of Options.
const (
	DefaultLifetime = 15 * time.Minute
	DefaultWindow   = time.Minute
	DefaultSeats    = 5
)

// Options tunes a Keeper. The zero value is ready for use.
type Options struct {
	Lifetime time.Duration    // of cookies, before rounding; 0 means DefaultLifetime
	Window   time.Duration    // expiries are rounded up to it; 0 means DefaultWindow, below 0 means whole seconds only
	Seats    int              // devices per ticket when its source does not say; 0 means DefaultSeats
	Pepper   []byte           // key of ticket fingerprints; must be the same wherever the book is shared
	Now      func() time.Time // nil means time.Now
}

// A Keeper stands at the gate. It is safe for concurrent use.
type Keeper struct {
	verifier Verifier
	rules    *Rules
	book     Book
	stamper  Stamper
	opts     Options
}

// NewKeeper returns a Keeper that asks v, applies rules, records visits in
// book and stamps grants with s.
func NewKeeper(v Verifier, rules *Rules, book Book, s Stamper, opts Options) *Keeper {
	opts.Lifetime = cmp.Or(opts.Lifetime, DefaultLifetime)
	opts.Window = max(cmp.Or(opts.Window, DefaultWindow), time.Second)
	opts.Seats = cmp.Or(opts.Seats, DefaultSeats)
	if opts.Now == nil {
		opts.Now = time.Now
	}
	return &Keeper{verifier: v, rules: rules, book: book, stamper: s, opts: opts}
}

// A Pass is what an admitted viewer walks away with.
type Pass struct {
	Admission *Admission
	Stamps    []*Stamp
	Session   Session        // empty when the pass opened no new session
	Stale     []*http.Cookie // of the same attractions, for packages that the ticket does not buy
	Refresh   time.Duration  // ask for fresh cookies after this long
	Now       time.Time      // the server's clock, for viewers whose own is off
}

// Admit trades a ticket for a pass. previous is the session that the viewer
// already has, if any: the same device coming back takes no second seat.
// A refusal is a *Denial; after any other error nothing has been promised.
func (k *Keeper) Admit(ctx context.Context, c Credential, previous Session) (*Pass, error) {
	if c.Attraction != "" {
		if _, ok := k.rules.Attraction(c.Attraction); !ok {
			return nil, Deny(ReasonWrongAttraction, fmt.Errorf("no attraction %q", c.Attraction))
		}
	}
	ticket, err := k.verifier.Verify(ctx, c)
	if err != nil {
		return nil, err
	}
	now := k.opts.Now()
	entitlements, err := k.rules.Entitle(ticket, c.Attraction, now)
	if err != nil {
		return nil, err
	}
	session := NewSession()
	entry := k.entry(ticket, entitlements, now)
	entry.Session = session.Hash()
	if previous != "" {
		entry.Previous = previous.Hash()
	}
	admission, err := k.book.Enter(ctx, entry)
	if err != nil {
		return nil, proven(err, ticket.Proven)
	}
	pass, err := k.pass(ctx, admission, now)
	if err != nil {
		return nil, errors.Join(proven(err, ticket.Proven), k.giveBack(ctx, session, now))
	}
	pass.Session = session
	return pass, nil
}

// giveBack frees the seat of a viewer who gets no stamps after all and will
// never know the session, or trying again would fill the ticket's seats.
func (k *Keeper) giveBack(ctx context.Context, s Session, now time.Time) error {
	if err := k.book.Leave(context.WithoutCancel(ctx), s.Hash(), now); err != nil {
		return fmt.Errorf("give the seat back: %w", err)
	}
	return nil
}

// proven marks a denial by the book as one that the holder of a real ticket
// may hear the reason of.
func proven(err error, yes bool) error {
	var denial *Denial
	if errors.As(err, &denial) && yes {
		return &Denial{Reason: denial.Reason, Err: denial.Err, Proven: true}
	}
	return err
}

// Admission returns what a session is entitled to, without fresh cookies.
func (k *Keeper) Admission(ctx context.Context, s Session) (*Pass, error) {
	now := k.opts.Now()
	admission, err := k.book.Find(ctx, s.Hash(), now)
	if err != nil {
		return nil, err
	}
	return &Pass{Admission: admission, Now: now}, nil
}

// Leave ends a device's part in its admission and returns cookies that clear
// every stamp on every path, whether or not the session was still known.
func (k *Keeper) Leave(ctx context.Context, s Session) ([]*http.Cookie, error) {
	if s != "" {
		if err := k.book.Leave(ctx, s.Hash(), k.opts.Now()); err != nil {
			return nil, err
		}
	}
	return k.clear(func(*Attraction, string) bool { return true }), nil
}

func (k *Keeper) entry(t *Ticket, entitlements []Entitlement, now time.Time) Entry {
	ends := now
	for _, e := range entitlements {
		if e.Until.After(ends) {
			ends = e.Until
		}
	}
	return Entry{
		Ticket:       t.Fingerprint(k.opts.Pepper),
		At:           now,
		Ends:         ends,
		FirstUse:     t.FirstUse,
		Seats:        cmp.Or(t.Seats, k.opts.Seats),
		Entitlements: entitlements,
	}
}

// pass stamps all that the admission opens now: all of it, or nothing.
func (k *Keeper) pass(ctx context.Context, a *Admission, now time.Time) (*Pass, error) {
	pass := &Pass{Admission: a, Now: now, Refresh: k.opts.Lifetime * 2 / 3}
	opened, places := map[string]bool{}, map[string]bool{}
	for _, e := range a.Entitlements {
		grant, ok := k.grant(a, e, now)
		if !ok {
			continue
		}
		stamp, err := k.stamper.Stamp(ctx, grant)
		if err != nil {
			return nil, fmt.Errorf("stamp %q: %w", grant.Path, err)
		}
		opened[grant.Path], places[grant.Attraction] = true, true
		pass.Stamps = append(pass.Stamps, stamp)
		pass.Refresh = min(pass.Refresh, grant.Expires.Sub(now)*2/3)
	}
	if len(pass.Stamps) == 0 {
		return nil, Deny(ReasonExpired, fmt.Errorf("admission %s opens nothing now", a.ID))
	}
	pass.Stale = k.clear(func(a *Attraction, path string) bool { return places[a.ID] && !opened[path] })
	return pass, nil
}

// grant cuts an entitlement down to one cookie lifetime. The expiry is rounded
// up to the window so that a crowd shares a signature, but never past the end
// of the admission or of the entitlement.
func (k *Keeper) grant(a *Admission, e Entitlement, now time.Time) (Grant, bool) {
	place, ok := k.rules.Attraction(e.Attraction)
	if !ok {
		return Grant{}, false
	}
	expires := roundUp(now.Add(k.opts.Lifetime), k.opts.Window)
	for _, end := range []time.Time{a.Ends, e.Until} {
		if end.Before(expires) {
			expires = end.Truncate(time.Second)
		}
	}
	if !expires.After(now) || now.Before(e.From) {
		return Grant{}, false
	}
	return Grant{Attraction: e.Attraction, Package: e.Package, Path: place.PathOf(e.Package), Expires: expires}, true
}

// clear returns cookies that delete the stamps of every configured prefix that
// want picks.
func (k *Keeper) clear(want func(a *Attraction, path string) bool) []*http.Cookie {
	var cookies []*http.Cookie
	for _, a := range k.rules.Attractions {
		for _, pkg := range bought(a, "") {
			if path := a.PathOf(pkg); want(a, path) {
				cookies = append(cookies, k.stamper.Clear(path)...)
			}
		}
	}
	return cookies
}

// roundUp returns the first multiple of window since 1970 that is not before t.
func roundUp(t time.Time, window time.Duration) time.Time {
	seconds := int64(window / time.Second)
	up := t.Unix()
	if t.Nanosecond() > 0 {
		up++
	}
	if rest := up % seconds; rest > 0 {
		up += seconds - rest
	}
	return time.Unix(up, 0).UTC()
}
