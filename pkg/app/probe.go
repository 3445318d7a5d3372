package app

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/handstamp/handstamp/pkg/cloudfront"
	"github.com/handstamp/handstamp/pkg/config"
	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/keyring"
	"github.com/handstamp/handstamp/pkg/probe"
)

// ProbeTarget returns what to probe for one attraction of cfg: its first paid
// and free files, those of the other attractions, and signers for all keys
// whose private half is here. site is where the distribution is; empty means
// media.url.
func ProbeTarget(ctx context.Context, cfg *config.Config, site, attraction string) (*probe.Target, error) {
	a := newApp(cfg, Options{})
	if site != "" && site != cfg.Media.URL {
		return nil, fmt.Errorf("%q is not media.url, %q: a policy names the host that browsers ask for, so cookies for one open nothing at the other", site, cfg.Media.URL)
	}
	if err := a.buildSite(ctx); err != nil {
		return nil, err
	}
	if err := a.buildContent(ctx); err != nil {
		return nil, err
	}
	t := &probe.Target{Site: a.site, API: origin(cfg.HTTP.PublicURL)}
	free, paid := a.Content()
	for _, place := range a.places {
		p := probe.Place{ID: place.ID}
		if len(paid[place.ID]) > 0 {
			p.Paid = paid[place.ID][0]
		}
		if i := slices.IndexFunc(free, func(path string) bool { return strings.HasPrefix(path, "/"+place.Prefix+"/") }); i >= 0 {
			p.Free = free[i]
		}
		p.Path = place.Prefix
		for _, pkg := range place.Packages {
			if strings.HasPrefix(p.Paid, "/"+place.PathOf(pkg.ID)+"/") {
				p.Path = place.PathOf(pkg.ID)
			}
		}
		switch {
		case place.ID == attraction:
			t.Place = p
		default:
			if p.Paid == "" { // a refusal needs no file
				p.Paid = "/" + unknownPath(place)
			}
			t.Others = append(t.Others, p)
		}
	}
	if t.Place.ID == "" {
		return nil, fmt.Errorf("attraction %q is not configured", attraction)
	}
	return t, a.probeSigners(ctx, t)
}

// unknownPath returns a path of an attraction that needs a ticket, where there
// is no file.
func unknownPath(place *gate.Attraction) string {
	if len(place.Packages) == 0 {
		return place.Prefix + "/handstamp-probe"
	}
	return place.PathOf(place.Packages[0].ID) + "/handstamp-probe"
}

// probeSigners adds the signers.
func (a *App) probeSigners(ctx context.Context, t *probe.Target) error {
	ring, err := LoadRing(ctx, a.cfg)
	if err != nil {
		return err
	}
	id, key, err := ring.Active()
	if err != nil {
		return err
	}
	if t.Signer, err = cloudfront.NewSigner(id, key, cloudfront.Hash(a.cfg.Cookies.Hash)); err != nil {
		return err
	}
	other := cloudfront.SHA1
	if t.Signer.Hash() == cloudfront.SHA1 {
		other = cloudfront.SHA256
	}
	t.OtherHash, _ = cloudfront.NewSigner(id, key, other) // nil if the key cannot
	if a.cfg.Keys.Manifest == "" {
		return nil
	}
	store, openers, err := Keys(ctx, a.cfg)
	if err != nil {
		return err
	}
	m, err := store.Load(ctx)
	if err != nil {
		return err
	}
	for i := range m.Keys {
		a.addProbeSigner(ctx, t, &m.Keys[i], openers)
	}
	return nil
}

// addProbeSigner adds the signer of a key that does not sign now, if its private
// half can still be had.
func (a *App) addProbeSigner(ctx context.Context, t *probe.Target, e *keyring.Entry, openers keyring.Openers) {
	over := e.State == keyring.StateRetired || e.State == keyring.StateRevoked
	if e.ID == "" || !over && e.State != keyring.StateUpcoming {
		return
	}
	key, err := openers.Open(ctx, e.From)
	if err != nil {
		return
	}
	s, err := cloudfront.NewSigner(e.ID, key, cloudfront.Hash(a.cfg.Cookies.Hash))
	if err != nil {
		return
	}
	if over {
		t.Untrusted = append(t.Untrusted, s)
	} else {
		t.Unready = append(t.Unready, s)
	}
}
