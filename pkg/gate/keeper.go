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
	DefaultVerdict  = 10 * time.Minute
	DefaultOutage   = 2 * time.Hour
	DefaultIdle     = 45 * time.Minute
	DefaultSwaps    = 3
)

// Options tunes a Keeper. The zero value is ready for use.
type Options struct {
	Lifetime time.Duration    // of cookies, before rounding; 0 means DefaultLifetime
	Window   time.Duration    // expiries are rounded up to it; 0 means DefaultWindow, below 0 means whole seconds only
	Seats    int              // devices per ticket when its source does not say; 0 means DefaultSeats
	Pepper   []byte           // key of ticket fingerprints and of renewed sessions; must be the same wherever the book is shared
	Verdict  time.Duration    // how old a source's word may be before it is asked again at a renewal; 0 means DefaultVerdict
	Outage   time.Duration    // how much longer visitors go on while their source does not answer; 0 means DefaultOutage, below 0 not at all
	Idle     time.Duration    // a device that has not renewed for so long may lose its seat to a new one; 0 means DefaultIdle
	Swaps    int              // seats of a ticket that may change hands like that in 24 hours; 0 means DefaultSwaps, below 0 none
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
	opts.Verdict = cmp.Or(opts.Verdict, DefaultVerdict)
	opts.Outage = max(cmp.Or(opts.Outage, DefaultOutage), 0)
	opts.Idle = cmp.Or(opts.Idle, DefaultIdle)
	opts.Swaps = max(cmp.Or(opts.Swaps, DefaultSwaps), 0)
	if opts.Now == nil {
		opts.Now = time.Now
	}
	return &Keeper{verifier: v, rules: rules, book: book, stamper: s, opts: opts}
}

// A Pass is what an admitted viewer walks away with.
type Pass struct {
	Admission *Admission
	Stamps    []*Stamp
	Session   Session        // what the device shows from now on; empty from Admission
	Replaced  Session        // the one among its sessions that Session takes the place of, if any
	Stale     []*http.Cookie // of the same attractions, for packages that the ticket does not buy
	Refresh   time.Duration  // ask for fresh cookies after this long
	Now       time.Time      // the server's clock, for viewers whose own is off
	Degraded  bool           // renewed on the source's older word, as it does not answer
}

// Admit trades a ticket for a pass. previous are the sessions that the viewer
// already has: the same device coming back takes no second seat. A refusal is a
// *Denial; after any other error nothing has been promised.
func (k *Keeper) Admit(ctx context.Context, c Credential, previous ...Session) (*Pass, error) {
	return k.admit(ctx, c, "", previous)
}

// AdmitOnce is Admit for a request that the caller may send again, under the
// same key, when the answer was lost: the device that the first one admitted is
// admitted again and takes no second seat. After that device has renewed, the
// request is a new one. It returns ErrOtherRequest if the key came with another
// ticket, or at another attraction, before.
func (k *Keeper) AdmitOnce(ctx context.Context, key Secret, c Credential, previous ...Session) (*Pass, error) {
	return k.admit(ctx, c, key, previous)
}

func (k *Keeper) admit(ctx context.Context, c Credential, key Secret, previous []Session) (*Pass, error) {
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
	entry := k.entry(ticket, entitlements, now)
	session := k.newSession(&entry, key, c.Attraction)
	replaced, err := k.recognise(ctx, &entry, previous)
	if err != nil {
		return nil, err
	}
	admission, session, err := k.enter(ctx, entry, session)
	if err != nil {
		return nil, proven(err, ticket.Proven)
	}
	pass, err := k.pass(ctx, admission, now)
	if err != nil {
		return nil, errors.Join(proven(err, ticket.Proven), k.giveBack(ctx, session, now))
	}
	pass.Session, pass.Replaced = session, replaced
	return pass, nil
}

// newSession puts a session into e: a random one or, for a request that may
// come again, one that follows from its key.
func (k *Keeper) newSession(e *Entry, key Secret, attraction string) Session {
	session := NewSession()
	if key != "" {
		e.Request.Key = k.mac("request key", key.Reveal())
		e.Request.Body = k.mac("request body", string(e.Ticket[:]), attraction)
		session = k.derive("request session", key.Reveal(), string(e.Ticket[:]), attraction)
	}
	e.Session = session.Hash()
	return session
}

// recognise finds among the sessions that a device shows the one of this
// ticket's admission.
func (k *Keeper) recognise(ctx context.Context, e *Entry, previous []Session) (Session, error) {
	for _, s := range previous {
		if s == "" {
			continue
		}
		admission, err := k.book.Find(ctx, s.Hash(), e.At)
		var denial *Denial
		switch {
		case errors.As(err, &denial):
		case err != nil:
			return "", err
		case admission.Ticket == e.Ticket:
			e.Previous = s.Hash()
			return s, nil
		}
	}
	return "", nil
}

// enter lets the device in, with the session that it gets. A request that comes
// again when the device has renewed since is a new one: the session that it was
// answered with is worth nothing any more.
func (k *Keeper) enter(ctx context.Context, e Entry, s Session) (*Admission, Session, error) {
	a, err := k.book.Enter(ctx, e)
	if err != nil || e.Request == (Idempotency{}) {
		return a, s, err
	}
	_, err = k.book.Find(ctx, e.Session, e.At)
	var denial *Denial
	if !errors.As(err, &denial) {
		return a, s, err
	}
	s = NewSession()
	e.Session, e.Request = s.Hash(), Idempotency{}
	a, err = k.book.Enter(ctx, e)
	return a, s, err
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
		return nil, proven(err, true)
	}
	return &Pass{Admission: bound(admission), Now: now}, nil
}

// Leave ends a device's part in its admissions and returns cookies that clear
// every stamp on every path, whether or not the sessions were still known.
func (k *Keeper) Leave(ctx context.Context, sessions ...Session) ([]*http.Cookie, error) {
	for _, s := range sessions {
		if s == "" {
			continue
		}
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
		Source:       t.Source,
		Ref:          t.Ref,
		Idle:         k.opts.Idle,
		Swaps:        k.opts.Swaps,
	}
}

// pass stamps all that the admission opens now: all of it, or nothing.
func (k *Keeper) pass(ctx context.Context, a *Admission, now time.Time) (*Pass, error) {
	pass := &Pass{Admission: bound(a), Now: now, Refresh: k.opts.Lifetime * 2 / 3}
	opened, places := map[string]bool{}, map[string]bool{}
	for _, grant := range k.grants(a, now) {
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

// bound returns the admission as it ends with the last thing that it opens: its
// ticket may have been shortened, or one of its attractions revoked.
func bound(a *Admission) *Admission {
	var last time.Time
	for _, e := range a.Entitlements {
		if e.Until.After(last) {
			last = e.Until
		}
	}
	if last.IsZero() || !last.Before(a.Ends) {
		return a
	}
	shorter := *a
	shorter.Ends = last
	return &shorter
}

// grants are what the admission opens now.
func (k *Keeper) grants(a *Admission, now time.Time) []Grant {
	var grants []Grant
	for _, e := range a.Entitlements {
		if grant, ok := k.grant(a, e, now); ok {
			grants = append(grants, grant)
		}
	}
	return grants
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
