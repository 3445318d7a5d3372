package gate

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
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
	Seats    int              // devices per ticket when neither its source nor its packages say; 0 means DefaultSeats
	Pepper   []byte           // key of ticket fingerprints and of sessions, the same wherever the book is shared; empty means a random one, and fingerprints that die with the process
	Verdict  time.Duration    // how old a source's word may be before it is asked again at a renewal; 0 means DefaultVerdict
	Outage   time.Duration    // how much longer visitors go on while their source does not answer; 0 means DefaultOutage, below 0 not at all
	Idle     time.Duration    // a device that has not renewed for so long may lose its seat to a new one; 0 means DefaultIdle
	Swaps    int              // seats of a ticket that may change hands like that in 24 hours; 0 means DefaultSwaps, below 0 none
	Now      func() time.Time // nil means time.Now
	Watch    func(Event)      // is told what became of every act, before the caller is; it must not wait. Nil means that nobody is
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
	if len(opts.Pepper) == 0 {
		opts.Pepper = make([]byte, sha256.Size)
		_, _ = rand.Read(opts.Pepper) // never fails
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	return &Keeper{verifier: v, rules: rules, book: book, stamper: s, opts: opts}
}

// Admit trades a ticket for a pass. previous are the sessions that the viewer
// already has: the same device coming back takes no second seat. A refusal is a
// *Denial; after any other error nothing has been promised.
func (k *Keeper) Admit(ctx context.Context, c Credential, previous ...Session) (*Pass, error) {
	return k.AdmitOnce(ctx, "", c, previous...)
}

// AdmitOnce is Admit for a request that the caller may send again, under the
// same key, when the answer was lost: the device that the first one admitted is
// admitted again and takes no second seat. After that device has renewed, the
// request is a new one. It returns ErrOtherRequest if the key came with the same
// ticket at another attraction before; with another ticket it is another key.
func (k *Keeper) AdmitOnce(ctx context.Context, key Secret, c Credential, previous ...Session) (*Pass, error) {
	pass, err := k.admit(ctx, c, key, previous)
	k.tellPass(ActAdmit, c.Attraction, pass, err)
	return pass, err
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
	if ticket, err = k.used(ctx, ticket); err != nil {
		return nil, err
	}
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

// used puts into a ticket that ends some time after its first use what the book
// knows of that. Sources need not know about it, or hear of it late.
func (k *Keeper) used(ctx context.Context, t *Ticket) (*Ticket, error) {
	if !t.countsFromUse() {
		return t, nil
	}
	first, err := k.book.FirstUse(ctx, t.Fingerprint(k.opts.Pepper))
	if err != nil {
		return nil, err
	}
	return t.usedBy(first), nil
}

// newSession puts a session into e: a random one or, for a request that may
// come again, one that follows from its key.
func (k *Keeper) newSession(e *Entry, key Secret, attraction string) Session {
	session := NewSession()
	if key != "" {
		e.Request.Key = k.mac("request key", key.Reveal())
		e.Request.Body = k.mac("request body", attraction)
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
	if err != nil || a.Held == e.Session {
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
		err := k.book.Leave(ctx, s.Hash(), k.opts.Now())
		k.tell(Event{Act: ActLeave, Err: err})
		if err != nil {
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
		Seats:        cmp.Or(t.Seats, k.rules.seats(t), k.opts.Seats),
		Entitlements: entitlements,
		Source:       t.Source,
		Ref:          t.Ref,
		Idle:         k.opts.Idle,
		Swaps:        k.opts.Swaps,
	}
}
