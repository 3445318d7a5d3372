// Package app builds the whole gateway from a configuration. It is the only
// place that sees every part; the parts do not see each other.
package app

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/handstamp/handstamp/pkg/book/memory"
	"github.com/handstamp/handstamp/pkg/book/sqlite"
	"github.com/handstamp/handstamp/pkg/cloudfront"
	"github.com/handstamp/handstamp/pkg/config"
	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/httpapi"
	"github.com/handstamp/handstamp/pkg/keyring"
	"github.com/handstamp/handstamp/pkg/ticket"
	"github.com/handstamp/handstamp/pkg/ticket/roll"
)

// Options replace parts that would otherwise be built from the configuration,
// for the demo and for tests. The zero value replaces nothing.
type Options struct {
	Ring    *keyring.Ring            // nil means the folder keys.dir
	Sources map[string]gate.Verifier // by source id; a source that is missing is built
	Media   fs.FS                    // what the local edge serves; nil means the folder edge.root
	Extra   map[string]http.Handler  // further paths of the local edge
	Log     *slog.Logger             // nil means no log
	Now     func() time.Time         // nil means time.Now
}

// An App is a gateway that is ready to serve.
type App struct {
	// Handler answers the API, the visitor app and, if there is media, the
	// local edge.
	Handler http.Handler

	cfg     *config.Config
	opts    Options
	api     *httpapi.Server
	ring    *keyring.Ring
	site    cloudfront.Site
	places  []*gate.Attraction
	content []httpapi.Place
	book    gate.Book
}

// New builds the gateway inside out: keys, sources, book, keeper, handlers.
// Nothing listens and nothing is written before it returns.
func New(ctx context.Context, cfg *config.Config, opts Options) (_ *App, err error) {
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	a := &App{cfg: cfg, opts: opts}
	if a.site, err = cloudfront.ParseSite(cfg.Media.URL); err != nil {
		return nil, fmt.Errorf("media.url: %w", err)
	}
	if a.ring, err = a.loadRing(); err != nil {
		return nil, err
	}
	if a.places, err = attractions(cfg); err != nil {
		return nil, err
	}
	if a.book, err = a.openBook(ctx); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = a.Close() // the first error says more
		}
	}()
	keeper, err := a.keeper()
	if err != nil {
		return nil, err
	}
	if a.content, err = a.catalogues(); err != nil {
		return nil, err
	}
	a.api, err = httpapi.New(keeper, a.content, httpapi.Options{
		PublicOrigin: strings.TrimSuffix(cfg.HTTP.PublicURL, "/"), TrustedOrigins: cfg.HTTP.TrustedOrigins,
		SameSite: sameSite(cfg.Cookies.SameSite), OwnHost: host(cfg.HTTP.PublicURL) != host(cfg.Media.URL), Log: opts.Log, Now: opts.Now,
	})
	if err != nil {
		return nil, err
	}
	a.Handler, err = a.frontDoor()
	return a, err
}

// Close ends what the gateway keeps open. It is called once, after Serve.
func (a *App) Close() error {
	if closer, ok := a.book.(io.Closer); ok {
		return closer.Close()
	}
	return nil
}

// openBook opens the book of admissions. In production a file that is missing
// is not made anew: it would let everybody in again whom it had kept out.
func (a *App) openBook(ctx context.Context) (gate.Book, error) {
	if a.cfg.Book.Kind != "sqlite" {
		return memory.New(), nil
	}
	book, err := sqlite.Open(ctx, a.cfg.Book.File, sqlite.Options{Create: !a.cfg.Production(), Now: a.opts.Now, Log: a.opts.Log})
	if err != nil {
		return nil, err
	}
	return book, nil
}

// Drain makes the gateway report that it is not ready, before it stops.
func (a *App) Drain() { a.api.Drain() }

// Ring returns the signing keys.
func (a *App) Ring() *keyring.Ring { return a.ring }

func (a *App) loadRing() (*keyring.Ring, error) {
	if a.opts.Ring != nil {
		return a.opts.Ring, nil
	}
	ring, err := keyring.Load(a.cfg.Keys.Dir, a.cfg.Keys.Active, keyring.Options{InsecureAllowExample: !a.cfg.Production()})
	if err != nil {
		return nil, fmt.Errorf("keys: %w", err)
	}
	return ring, nil
}

func (a *App) keeper() (*gate.Keeper, error) {
	sources, err := a.sources()
	if err != nil {
		return nil, err
	}
	chooser, err := ticket.NewChooser(sources, a.places)
	if err != nil {
		return nil, err
	}
	c := a.cfg.Cookies
	stamper, err := cloudfront.NewStamper(a.site, a.ring, cloudfront.StamperOptions{
		Hash: cloudfront.Hash(c.Hash), Alone: !bool(c.Sharing), Now: a.opts.Now,
		Cookies: cloudfront.Attributes{Domain: c.Domain, SameSite: sameSite(c.SameSite)},
	})
	if err != nil {
		return nil, fmt.Errorf("cookies: %w", err)
	}
	pepper, err := pepper(a.cfg.Book.Pepper)
	if err != nil {
		return nil, err
	}
	window := c.Window
	if !bool(c.Sharing) {
		window = -1 // a crowd that shares nothing gains nothing from rounding
	}
	rules := &gate.Rules{Attractions: a.places, Longest: a.cfg.Admission.Longest}
	return gate.NewKeeper(chooser, rules, a.book, stamper, gate.Options{
		Lifetime: c.Lifetime, Window: window, Seats: a.cfg.Admission.Devices, Pepper: pepper, Now: a.opts.Now,
	}), nil
}

// sources builds every configured ticket source, and reports all that cannot
// be built.
func (a *App) sources() ([]ticket.Source, error) {
	var sources []ticket.Source
	var problems []error
	for _, s := range a.cfg.Sources {
		pattern, err := s.Pattern()
		if err != nil {
			return nil, err
		}
		verifier := a.opts.Sources[s.ID]
		if verifier == nil {
			list, err := roll.Load(s.File, roll.Options{Check: a.checkProduct})
			if err != nil {
				problems = append(problems, fmt.Errorf("source %q: %w", s.ID, err))
				continue
			}
			a.opts.Log.Info("ticket list read", "source", s.ID, "tickets", list.Len())
			verifier = list
		}
		sources = append(sources, ticket.Source{ID: s.ID, Match: pattern, Verifier: verifier})
	}
	return sources, errors.Join(problems...)
}

// checkProduct returns an error for a product that no configured attraction has.
func (a *App) checkProduct(p gate.Product) error {
	for _, place := range a.places {
		if place.ID != p.Attraction {
			continue
		}
		if _, ok := place.Package(p.Package); !ok && p.Package != "" {
			return fmt.Errorf("packages: attraction %q has no package %q", p.Attraction, p.Package)
		}
		return nil
	}
	return fmt.Errorf("attraction: %q is not configured", p.Attraction)
}

func attractions(cfg *config.Config) ([]*gate.Attraction, error) {
	var all []*gate.Attraction
	for _, c := range cfg.Attractions {
		zone, err := c.Location()
		if err != nil {
			return nil, err
		}
		place := &gate.Attraction{ID: c.ID, Name: c.Name, Prefix: cmp.Or(c.Prefix, c.ID), Zone: zone, Free: c.Free, Sources: c.Sources}
		for _, p := range c.Packages {
			place.Packages = append(place.Packages, gate.Package{ID: p.ID, Name: p.Name})
		}
		all = append(all, place)
	}
	return all, nil
}

// pepper resolves the configured pepper, or makes one that lasts as long as
// the process.
func pepper(s config.Secret) ([]byte, error) {
	if s.IsZero() {
		return []byte(rand.Text()), nil
	}
	text, err := s.Resolve()
	if err != nil {
		return nil, fmt.Errorf("book.pepper: %w", err)
	}
	return text, nil
}

func sameSite(name string) http.SameSite {
	switch name {
	case "strict":
		return http.SameSiteStrictMode
	case "none":
		return http.SameSiteNoneMode
	}
	return http.SameSiteLaxMode
}

func host(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Host
}
