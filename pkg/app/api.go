package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"

	"github.com/handstamp/handstamp/pkg/clientip"
	"github.com/handstamp/handstamp/pkg/cloudfront"
	"github.com/handstamp/handstamp/pkg/httpapi"
	"github.com/handstamp/handstamp/pkg/throttle"
)

// refreshSpread keeps those who came in together from renewing together.
const refreshSpread = 0.1

func (a *App) buildAPI(context.Context) error {
	client, err := a.client()
	if err != nil {
		return err
	}
	opts := httpapi.Options{
		PublicOrigin: origin(a.cfg.HTTP.PublicURL), TrustedOrigins: a.cfg.HTTP.TrustedOrigins,
		SameSite: sameSite(a.cfg.Cookies.SameSite), OwnHost: ownHost(a.cfg),
		Spread: refreshSpread, Links: a.links, Objects: a.objects, Tokens: a.tokens, Client: client, Routed: takes, Key: a.secret("device cookies"), Log: a.opts.Log, Now: a.opts.Now,
		Ready: a.ready,
		Busy:  func(err error) bool { return errors.Is(err, cloudfront.ErrBusy) },
	}
	if t := a.cfg.Throttle; bool(t.Enabled) {
		if a.guard, err = a.throttle(); err != nil {
			return err
		}
		opts.Throttle = a.guard
		opts.Floor, opts.Jitter = t.Floor, t.Jitter
	}
	if opts.Canonical, err = a.canonical(); err != nil {
		return err
	}
	if a.guard != nil {
		a.keeps(a.guard, readThrottle(a.guard))
	}
	if a.api, err = httpapi.New(a.keeper, a.content, opts); err != nil {
		return err
	}
	a.keeps(a.api, readLines(a.api))
	return nil
}

// throttle returns that of the gateway before if its configuration is the same,
// so that whoever guesses does not begin anew.
func (a *App) throttle() (*throttle.Throttle, error) {
	venues, err := a.cfg.Venues()
	if err != nil {
		return nil, err
	}
	t := a.cfg.Throttle
	if old := a.opts.before; old != nil && old.guard != nil && old.shelf == a.shelf && old.cfg.Throttle == t {
		if before, err := old.cfg.Venues(); err == nil && slices.Equal(before, venues) {
			return old.guard, nil
		}
	}
	limit := throttle.Limit{Failures: t.Failures, Window: t.Window}
	return throttle.New(throttle.Options{
		Network: limit, Device: limit, Venues: venues, VenueFactor: t.VenueFactor, Store: a.counters, Now: a.opts.Now,
	}), nil
}

// client returns what tells the address behind a request, of viewers and staff:
// the other end of the connection, or whom a trusted proxy vouches for.
func (a *App) client() (func(*http.Request) netip.Addr, error) {
	proxies, err := a.proxies()
	return clientip.New(proxies).Of, err
}

// proxies returns the networks that may vouch for others.
func (a *App) proxies() ([]netip.Prefix, error) {
	var all []netip.Prefix
	for _, text := range a.cfg.HTTP.TrustedProxies {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("http.trusted_proxies: %w", err)
		}
		all = append(all, p)
	}
	return all, nil
}
