package app

import (
	"context"
	"fmt"
	"time"

	"github.com/handstamp/handstamp/pkg/cloudfront"
	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/ticket"
)

func (a *App) buildKeeper(ctx context.Context) error {
	sources, err := a.sources(ctx)
	if err != nil {
		return err
	}
	chooser, err := ticket.NewChooser(sources, a.places)
	if err != nil {
		return err
	}
	c := a.cfg.Cookies
	stamper, err := cloudfront.NewStamper(a.site, a.ring, cloudfront.StamperOptions{
		Hash: cloudfront.Hash(c.Hash), Alone: !bool(c.Sharing), Now: a.opts.Now, Signing: a.signing("cookies"),
		Cookies: cloudfront.Attributes{Domain: c.Domain, SameSite: sameSite(c.SameSite)},
	})
	if err != nil {
		return fmt.Errorf("cookies: %w", err)
	}
	a.links = cloudfront.NewLinker(stamper, cloudfront.LinkerOptions{Signing: a.signing("links")})
	a.keeps(stamper, readSignatures("cookies", stamper.Stats))
	a.keeps(a.links, readSignatures("links", a.links.Stats))
	opts := a.cfg.Admission.Options()
	opts.Lifetime, opts.Window, opts.Pepper, opts.Now = c.Lifetime, a.window(), a.pepper, a.opts.Now
	if a.watched {
		opts.Watch = a.count
	}
	a.keeper = gate.NewKeeper(chooser, a.rules, a.timed(a.book), stamper, opts)
	return nil
}

// window returns what expiries are rounded up to, as gate.Options has it. A
// crowd that shares nothing gains nothing from rounding.
func (a *App) window() time.Duration {
	if !bool(a.cfg.Cookies.Sharing) {
		return -1
	}
	return a.cfg.Cookies.Window
}
