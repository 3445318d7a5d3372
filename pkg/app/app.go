// Package app builds the whole gateway from a configuration. It is the only
// place that sees every part; the parts do not see each other.
package app

import (
	"context"
	"crypto"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/handstamp/handstamp/pkg/admin"
	"github.com/handstamp/handstamp/pkg/cloudfront"
	"github.com/handstamp/handstamp/pkg/config"
	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/httpapi"
	"github.com/handstamp/handstamp/pkg/keyring"
	"github.com/handstamp/handstamp/pkg/objects"
	"github.com/handstamp/handstamp/pkg/telemetry"
	"github.com/handstamp/handstamp/pkg/throttle"
)

// A Ring has the signing keys: a *keyring.Ring, or a *keyring.Follower, whose
// keys change.
type Ring interface {
	Active() (keyPairID string, key crypto.Signer, err error)
	Keys() []keyring.Key
}

// Options replace parts that would otherwise be built from the configuration,
// for the demo and for tests. The zero value replaces nothing.
type Options struct {
	Ring      Ring                     // nil means what cfg.Keys says
	Sources   map[string]gate.Verifier // by source id; a source that is missing is built
	Media     fs.FS                    // what the local edge serves; nil means the folder edge.root
	Extra     map[string]http.Handler  // further paths of the local edge
	AdminKeys []admin.Key              // beside those of cfg.Admin; any makes an administration API
	Log       *slog.Logger             // nil means no log
	Now       func() time.Time         // nil means time.Now
	Meter     telemetry.Meter          // takes what is counted and measured; nil means that nobody does
	Tracer    telemetry.Tracer         // follows requests; nil means that nobody does

	existing bool         // a book that is missing is not made, during development either
	before   *App         // whose book and counts are taken over; nil means none
	files    fingerprints // takes the files that are read because settings name them; nil means that nobody asks
}

// An App is a gateway that is ready to serve.
type App struct {
	// Handler answers the API, the visitor app and, if there is media, the
	// local edge.
	Handler http.Handler
	// Admin answers the administration API, on a listener of its own. It is nil
	// if there is none.
	Admin http.Handler

	cfg      *config.Config
	opts     Options
	api      *httpapi.Server
	ring     Ring
	site     cloudfront.Site
	places   []*gate.Attraction
	rules    *gate.Rules
	content  []httpapi.Place
	pepper   []byte
	shelf    *shelf // where book and counters are from
	book     gate.Book
	counters throttle.Store // of the throttle, shared through the book; nil means in memory
	guard    *throttle.Throttle
	media    http.Handler // of the local edge
	keeper   *gate.Keeper
	links    *cloudfront.Linker
	objects  *objects.Desk            // nil if there are no private files
	tokens   *objects.Tokens          // likewise
	bare     map[string]gate.Verifier // sources by id, without what a crowd needs around them
	hooks    []webhook                // where ticketing systems report changes
	tasks    []func(context.Context)  // what goes on beside serving, until the context ends
	closers  []func() error           // in the order in which things were opened
	watched  bool                     // somebody wants numbers or traces
	parts    []kept                   // that have numbers to be read
	manifest *seenManifest            // of the keys
	built    time.Time                // when it began

	certificate *tls.Certificate // of the administration; nil means plain http
}

// New builds the gateway inside out: keys, book, sources, keeper, handlers.
// Nothing listens and nothing runs before Run.
func New(ctx context.Context, cfg *config.Config, opts Options) (_ *App, err error) {
	a := newApp(cfg, opts)
	defer func() {
		if err != nil {
			_ = a.Close() // the first error says more
		}
	}()
	for _, build := range []func(context.Context) error{
		a.buildSite, a.buildRing, a.buildBook, a.buildKeeper, a.buildContent, a.buildObjects, a.buildAPI, a.buildAdmin, a.buildDenylist,
	} {
		if err := build(ctx); err != nil {
			return nil, err
		}
	}
	if err := a.open(); err != nil {
		return nil, err
	}
	a.show()
	return a, nil
}

// open opens the doors of viewers and staff.
func (a *App) open() (err error) {
	if a.Handler, err = a.frontDoor(); err != nil {
		return err
	}
	if a.Admin != nil {
		if a.Admin, err = a.through(a.via("/admin/v1/", a.Admin)); err != nil {
			return err
		}
	}
	a.Handler, err = a.through(a.Handler)
	return err
}

func newApp(cfg *config.Config, opts Options) *App {
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	watched := opts.watching()
	if opts.Meter == nil {
		opts.Meter = telemetry.None
	}
	if opts.Tracer == nil {
		opts.Tracer = telemetry.Untraced
	}
	return &App{cfg: cfg, opts: opts, watched: watched, bare: map[string]gate.Verifier{}, manifest: &seenManifest{}, built: opts.Now()}
}

func (a *App) buildSite(context.Context) (err error) {
	if a.site, err = cloudfront.ParseSite(a.cfg.Media.URL); err != nil {
		return fmt.Errorf("media.url: %w", err)
	}
	if a.places, err = attractions(a.cfg); err != nil {
		return err
	}
	a.rules = &gate.Rules{Attractions: a.places, Longest: a.cfg.Admission.Longest}
	if old := a.opts.before; old != nil && old.cfg.Book.Pepper.IsZero() && a.cfg.Book.Pepper.IsZero() {
		a.pepper = old.pepper // a random one, that lasts as long as the process
		return nil
	}
	a.pepper, err = pepper(a.cfg.Book.Pepper)
	return err
}

func (a *App) buildContent(context.Context) (err error) {
	a.content, err = a.catalogues()
	return err
}

// Close ends what the gateway keeps open. It is called once, after Run.
func (a *App) Close() error {
	var problems []error
	for i := len(a.closers) - 1; i >= 0; i-- {
		problems = append(problems, a.closers[i]())
	}
	if a.shelf != nil {
		problems = append(problems, a.shelf.release())
	}
	return errors.Join(problems...)
}

// Drain makes the gateway report that it is not ready, before it stops.
func (a *App) Drain() { a.api.Drain() }

// Ring returns the signing keys.
func (a *App) Ring() Ring { return a.ring }

// Keeper returns the gate itself, for commands that revoke.
func (a *App) Keeper() *gate.Keeper { return a.keeper }

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

// ownHost reports whether the API has a host for itself, apart from the media.
func ownHost(cfg *config.Config) bool { return host(cfg.HTTP.PublicURL) != host(cfg.Media.URL) }

func origin(address string) string { return strings.TrimSuffix(address, "/") }
