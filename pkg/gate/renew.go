package gate

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"
)

// RotationGrace is how long the session before the current one still counts:
// an answer can get lost, and twenty tabs can renew at once. For as long, the
// current one is not rotated again.
const RotationGrace = 30 * time.Second

// A Rechecker is a Verifier that can be asked about a ticket again, without
// the code that was shown.
type Rechecker interface {
	// Recheck is Verify for the ticket that the source named ref. An error that
	// wraps errors.ErrUnsupported means that this source cannot be asked again,
	// and what it said at first holds.
	Recheck(ctx context.Context, source, ref string) (*Ticket, error)
}

// Renew returns fresh stamps for an admission, and the session that replaces s,
// or s again if that is younger than RotationGrace. When the source's word has
// aged, it is asked again: a refusal ends the visit, and without an answer
// visitors who are in go on for a while. While the book takes no entries, see
// ErrReadOnly, those whom it still finds go on with the session that they have.
// A Denial says that the admission is over; after any other error the old
// session still holds.
func (k *Keeper) Renew(ctx context.Context, s Session) (*Pass, error) {
	pass, err := k.renew(ctx, s)
	k.tellPass(ActRenew, "", pass, err)
	return pass, err
}

func (k *Keeper) renew(ctx context.Context, s Session) (*Pass, error) {
	now := k.opts.Now()
	next := k.derive("next session", s.Reveal())
	renewal := Renewal{Session: s.Hash(), Next: next.Hash(), At: now, Grace: RotationGrace}
	found, err := k.found(ctx, renewal)
	if err != nil {
		return nil, proven(err, true)
	}
	fresh, degraded, err := k.recheck(ctx, found, now)
	var pass *Pass
	if err == nil {
		// The old session holds for RotationGrace only once it is rotated, so
		// see first that there is an answer to give.
		pass, err = k.pass(ctx, fresh.of(found), now)
	}
	if err != nil {
		return nil, k.dismiss(ctx, found, s, err, now)
	}
	renewal.Fresh = fresh
	renewed, recorded, err := k.record(ctx, renewal)
	if err != nil {
		return nil, proven(err, true)
	}
	session, err := handed(renewed, s, next)
	if err != nil {
		return nil, err
	}
	if !slices.Equal(k.grants(renewed, now), k.grants(pass.Admission, now)) {
		if pass, err = k.pass(ctx, renewed, now); err != nil {
			return nil, proven(err, true)
		}
	}
	pass.Admission, pass.Session, pass.Degraded = bound(renewed), session, degraded || !recorded
	return pass, nil
}

// record renews in the book. While that takes no entries, a visit that it has
// goes on as it is, with no more than the source says now; a visit that it has
// not, or has revoked meanwhile, does not.
func (k *Keeper) record(ctx context.Context, r Renewal) (a *Admission, recorded bool, err error) {
	a, err = k.book.Renew(ctx, r)
	if !errors.Is(err, ErrReadOnly) {
		return a, true, err
	}
	if a, err = k.book.Find(ctx, r.Session, r.At); err != nil {
		return nil, false, err
	}
	return r.Fresh.of(a), false, nil
}

// handed returns the session that a device is to show from now on: next, or s
// again. It denies a session whose successor was made by somebody else, with
// another pepper: to hand out next would be to hand out nothing.
func handed(a *Admission, s, next Session) (Session, error) {
	switch a.Held {
	case next.Hash():
		return next, nil
	case s.Hash():
		return s, nil
	}
	return "", &Denial{Reason: ReasonNoSession, Proven: true, Err: errors.New("the session was replaced by one that does not follow from it")}
}

// found returns the admission of a session. Finding changes nothing, so a
// session that is none is shown to the book's Renew too: that one knows a
// stolen session when it sees it. While it cannot write that down, the session
// is none all the same.
func (k *Keeper) found(ctx context.Context, r Renewal) (*Admission, error) {
	a, unknown := k.book.Find(ctx, r.Session, r.At)
	var denial *Denial
	if !errors.As(unknown, &denial) || denial.Reason != ReasonNoSession {
		return a, unknown
	}
	a, err := k.book.Renew(ctx, r)
	if errors.Is(err, ErrReadOnly) {
		return nil, unknown
	}
	return a, err
}

// of returns the admission as the verdict has it, without places that it is not
// for any more. A nil verdict changes nothing.
func (v *Verdict) of(a *Admission) *Admission {
	if v == nil {
		return a
	}
	changed := *a
	changed.Entitlements = a.keep(v.Entitlements)
	return &changed
}

// keep returns those of all that are for an attraction which a is for.
func (a *Admission) keep(all []Entitlement) []Entitlement {
	return slices.DeleteFunc(slices.Clone(all), func(e Entitlement) bool {
		return !slices.ContainsFunc(a.Entitlements, func(had Entitlement) bool { return had.Attraction == e.Attraction })
	})
}

// recheck asks the source again if its word has aged.
func (k *Keeper) recheck(ctx context.Context, a *Admission, now time.Time) (fresh *Verdict, degraded bool, err error) {
	source, ok := k.verifier.(Rechecker)
	age := now.Sub(a.VerdictAt)
	if !ok || a.Ref == "" || age < k.opts.Verdict {
		return nil, false, nil
	}
	var entitlements []Entitlement
	ticket, err := source.Recheck(ctx, a.Source, a.Ref)
	if err == nil {
		entitlements, err = k.stillEntitled(ticket, a, now)
	}
	var denial *Denial
	switch {
	case err == nil:
		return &Verdict{At: now, Entitlements: entitlements}, false, nil
	case errors.Is(err, errors.ErrUnsupported): // its first word has to do
		return nil, false, nil
	case errors.As(err, &denial) || ctx.Err() != nil: // refused, or the viewer has gone away
		return nil, false, err
	case age < k.opts.Verdict+k.opts.Outage:
		return nil, true, nil
	}
	return nil, false, fmt.Errorf("the source has not answered for %s: %w", age.Round(time.Second), err)
}

// final are the reasons for which a ticket does not come back to life.
var final = []Reason{ReasonCancelled, ReasonBlocked, ReasonReplaced, ReasonRevoked, ReasonUnknown}

// dismiss ends the visit of somebody whose ticket is no longer accepted: for
// the whole party if the ticket is dead, else for this device, which may show
// the ticket again. It must not go on with the source's older word when the
// source is down next time. An error that is no Denial ends nothing.
func (k *Keeper) dismiss(ctx context.Context, a *Admission, s Session, refusal error, now time.Time) error {
	var denial *Denial
	if !errors.As(refusal, &denial) {
		return refusal
	}
	var err error
	if slices.Contains(final, denial.Reason) {
		_, err = k.book.Revoke(ctx, Target{Kind: TargetAdmission, ID: a.ID}, now)
	} else {
		err = k.book.Leave(ctx, s.Hash(), now)
	}
	if err != nil {
		return fmt.Errorf("end a visit that was refused with %q: %w", denial.Reason, err)
	}
	return proven(denial, true)
}

// stillEntitled is Entitle for the attractions that the admission is for.
func (k *Keeper) stillEntitled(t *Ticket, a *Admission, now time.Time) ([]Entitlement, error) {
	all, err := k.rules.Entitle(t.usedBy(a.FirstUse), "", now)
	if err != nil {
		return nil, err
	}
	still := a.keep(all)
	if len(still) == 0 {
		return nil, Deny(ReasonNotIncluded, fmt.Errorf("the ticket buys nothing any more of what admission %s is for", a.ID))
	}
	return still, nil
}

// A Revocation says what taking something back did.
type Revocation struct {
	Affected int           // admissions or devices that were alive
	Exposure time.Duration // how long cookies that are out may still open something
}

// Revoke takes a ticket, an admission, a device or an attraction back. No
// renewal succeeds after it has returned; cookies that are out live on for at
// most Exposure, as CloudFront cannot recall them.
func (k *Keeper) Revoke(ctx context.Context, t Target) (Revocation, error) {
	affected, err := k.book.Revoke(ctx, t, k.opts.Now())
	k.tell(Event{Act: ActRevoke, Target: t.Kind, Affected: affected, Err: err})
	if err != nil {
		return Revocation{}, err
	}
	return Revocation{Affected: affected, Exposure: k.Exposure()}, nil
}

// Exposure returns the longest life of a cookie: the lifetime, rounded up to
// the window.
func (k *Keeper) Exposure() time.Duration { return k.opts.Lifetime + k.opts.Window }

// derive returns the session that follows from parts. Who has no pepper cannot
// tell it, and asking twice gives the same one: a renewal whose answer was lost
// can be sent again.
func (k *Keeper) derive(purpose string, parts ...string) Session {
	sum := k.mac(purpose, parts...)
	return Session(base32.StdEncoding.EncodeToString(sum[:])[:26])
}

// mac is HMAC-SHA-256 under the pepper, each part with its length in front.
func (k *Keeper) mac(purpose string, parts ...string) [sha256.Size]byte {
	mac := hmac.New(sha256.New, k.opts.Pepper)
	for _, part := range append([]string{purpose}, parts...) {
		var size [8]byte
		binary.BigEndian.PutUint64(size[:], uint64(len(part)))
		mac.Write(size[:])
		mac.Write([]byte(part))
	}
	return [sha256.Size]byte(mac.Sum(nil))
}
