package gate

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// A Pass is what an admitted viewer walks away with.
type Pass struct {
	Admission *Admission
	Stamps    []*Stamp
	Session   Session        // what the device shows from now on; empty from Admission
	Replaced  Session        // the one among its sessions that Session takes the place of, if any
	Stale     []*http.Cookie // of the same attractions, for packages that the ticket does not buy
	Refresh   time.Duration  // ask for fresh cookies after this long
	Now       time.Time      // the server's clock, for viewers whose own is off
	Degraded  bool           // renewed on the source's older word, as it does not answer, or off the record, as the book takes no entries
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
		pass.Refresh = min(pass.Refresh, stamp.Grant.Expires.Sub(now)*2/3)
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
//
// What opens within that lifetime, such as downloads before a visit, is granted
// from then on. What is open already has no NotBefore: the clock of those who
// check it may be behind ours. It was open when the source last said yes, even
// if our clock was set back since.
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
	var opens time.Time
	if later(now, a.VerdictAt).Before(e.From) {
		opens = e.From.UTC().Truncate(time.Second)
	}
	if !expires.After(later(now, opens.Add(time.Second))) { // both ends are exclusive
		return Grant{}, false
	}
	return Grant{Attraction: e.Attraction, Package: e.Package, Path: place.PathOf(e.Package), NotBefore: opens, Expires: expires}, true
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
