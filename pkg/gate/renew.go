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
// an answer can get lost, and twenty tabs can renew at once.
const RotationGrace = 30 * time.Second

// A Rechecker is a Verifier that can be asked about a ticket again, without
// the code that was shown.
type Rechecker interface {
	// Recheck is Verify for the ticket that the source named ref.
	Recheck(ctx context.Context, source, ref string) (*Ticket, error)
}

// Renew returns fresh stamps for an admission, and the session that replaces s.
// When the source's word has aged, it is asked again: a refusal ends the visit,
// and without an answer visitors who are in go on for a while. A Denial says
// that the admission is over; after any other error the old session still holds.
func (k *Keeper) Renew(ctx context.Context, s Session) (*Pass, error) {
	now := k.opts.Now()
	admission, err := k.book.Find(ctx, s.Hash(), now)
	if err != nil {
		return nil, proven(err, true)
	}
	fresh, degraded, err := k.recheck(ctx, admission, now)
	if err != nil {
		return nil, err
	}
	next := k.derive("next session", s.Reveal())
	admission, err = k.book.Renew(ctx, Renewal{Session: s.Hash(), Next: next.Hash(), At: now, Grace: RotationGrace, Fresh: fresh})
	if err != nil {
		return nil, proven(err, true)
	}
	pass, err := k.pass(ctx, admission, now)
	if err != nil {
		return nil, err
	}
	pass.Session, pass.Degraded = next, degraded
	return pass, nil
}

// recheck asks the source again if its word has aged.
func (k *Keeper) recheck(ctx context.Context, a *Admission, now time.Time) (fresh *Verdict, degraded bool, err error) {
	source, ok := k.verifier.(Rechecker)
	age := now.Sub(a.VerdictAt)
	if !ok || a.Ref == "" || age < k.opts.Verdict {
		return nil, false, nil
	}
	ticket, err := source.Recheck(ctx, a.Source, a.Ref)
	var denial *Denial
	switch {
	case errors.As(err, &denial):
		return nil, false, k.takeBack(ctx, a, denial, now)
	case err != nil && age < k.opts.Verdict+k.opts.Outage:
		return nil, true, nil
	case err != nil:
		return nil, false, fmt.Errorf("the source has not answered for %s: %w", age.Round(time.Second), err)
	}
	entitlements, err := k.stillEntitled(ticket, a, now)
	if err != nil {
		return nil, false, err
	}
	return &Verdict{At: now, Entitlements: entitlements}, false, nil
}

// final are the reasons for which a ticket does not come back to life.
var final = []Reason{ReasonCancelled, ReasonBlocked, ReasonReplaced, ReasonRevoked, ReasonUnknown}

// takeBack ends the visit of somebody whose ticket its source no longer accepts.
func (k *Keeper) takeBack(ctx context.Context, a *Admission, denial *Denial, now time.Time) error {
	if slices.Contains(final, denial.Reason) {
		if _, err := k.book.Revoke(ctx, Target{Kind: TargetAdmission, ID: a.ID}, now); err != nil {
			return err
		}
	}
	return &Denial{Reason: denial.Reason, Proven: true, Err: denial.Err}
}

// stillEntitled is Entitle for the attractions that the admission is for.
func (k *Keeper) stillEntitled(t *Ticket, a *Admission, now time.Time) ([]Entitlement, error) {
	all, err := k.rules.Entitle(t, "", now)
	if err != nil {
		return nil, proven(err, true)
	}
	return slices.DeleteFunc(all, func(e Entitlement) bool {
		return !slices.ContainsFunc(a.Entitlements, func(had Entitlement) bool { return had.Attraction == e.Attraction })
	}), nil
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
