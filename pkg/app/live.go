package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/handstamp/handstamp/pkg/config"
)

// LiveOptions tunes a Live. The zero value is ready for use.
type LiveOptions struct {
	App     Options
	File    string               // of the configuration, to be looked at; empty means none
	Every   time.Duration        // how often files are looked at; 0 means 2 s
	Applied func(*config.Config) // is told of every configuration that serves, the first too; nil means nobody is
}

// ErrRestart is returned by Reload for a change that only a restart can make.
var ErrRestart = errors.New("cannot change while the gateway runs; restart it")

// A Live is a gateway whose configuration may change while it serves. A new one
// takes the place of the old one between two requests; one that is wrong is
// refused, and the old one goes on. The book and the counts of the throttle stay
// when their configuration does.
type Live struct {
	load     func() (*config.Config, error)
	opts     LiveOptions
	log      *slog.Logger
	now      atomic.Pointer[generation]
	draining atomic.Bool

	changing sync.Mutex // held while one generation follows another
	running  context.Context
	retiring sync.WaitGroup
}

// A generation is the gateway of one configuration.
type generation struct {
	app      *App
	cfg      *config.Config
	files    fingerprints // that it was made of
	requests atomic.Int64 // being answered
	stop     context.CancelFunc
	tasks    chan struct{} // closed when its tasks have ended; nil before they begin
}

// NewLive returns the gateway for the configuration that load returns now.
func NewLive(ctx context.Context, load func() (*config.Config, error), opts LiveOptions) (*Live, error) {
	if opts.Every == 0 {
		opts.Every = 2 * time.Second
	}
	l := &Live{load: load, opts: opts, log: opts.App.Log}
	if l.log == nil {
		l.log = slog.New(slog.DiscardHandler)
	}
	g, err := l.next(ctx, nil)
	if err != nil {
		return nil, err
	}
	l.put(g)
	return l, nil
}

// next builds a generation that takes over what it can from the one before.
func (l *Live) next(ctx context.Context, old *generation) (*generation, error) {
	files := fingerprint(l.watched(&config.Config{})) // before they are read: what changes meanwhile is seen as a change
	cfg, err := l.load()
	if err != nil {
		return nil, err
	}
	maps.Copy(files, fingerprint(named(Files(cfg))))
	opts := l.opts.App
	if old != nil {
		if err := sameListeners(old.cfg, cfg); err != nil {
			return nil, err
		}
		opts.before = old.app
	}
	a, err := New(ctx, cfg, opts)
	if err != nil {
		return nil, err
	}
	return &generation{app: a, cfg: cfg, files: files}, nil
}

// sameListeners returns ErrRestart if cfg listens somewhere else than old.
func sameListeners(old, cfg *config.Config) error {
	for _, c := range []struct{ key, before, after string }{
		{"http.listen", old.HTTP.Listen, cfg.HTTP.Listen},
		{"metrics.listen", old.Metrics.Listen, cfg.Metrics.Listen},
		{"traces.endpoint", old.Traces.Endpoint, cfg.Traces.Endpoint},
		{"admin.listen", old.Admin.Listen, cfg.Admin.Listen},
		{"admin.tls_cert", old.Admin.TLSCert, cfg.Admin.TLSCert},
		{"admin.tls_key", old.Admin.TLSKey, cfg.Admin.TLSKey},
	} {
		if c.before != c.after {
			return fmt.Errorf("%s: %q instead of %q %w", c.key, c.after, c.before, ErrRestart)
		}
	}
	return nil
}

// put lets a generation answer from now on.
func (l *Live) put(g *generation) {
	if l.opts.Applied != nil {
		l.opts.Applied(g.cfg)
	}
	if l.running != nil {
		l.start(g)
	}
	l.now.Store(g)
	if l.draining.Load() {
		g.app.Drain()
	}
}

func (l *Live) start(g *generation) {
	ctx, stop := context.WithCancel(l.running)
	g.stop, g.tasks = stop, make(chan struct{})
	go func() {
		defer close(g.tasks)
		g.app.Run(ctx)
	}()
}

// enter returns the generation that answers now, which stays until leave. It
// takes no lock: a generation that is replaced meanwhile is left at once.
func (l *Live) enter() *generation {
	for {
		g := l.now.Load()
		g.requests.Add(1)
		if l.now.Load() == g {
			return g
		}
		g.requests.Add(-1)
	}
}

func (g *generation) leave() { g.requests.Add(-1) }

// ServeHTTP answers viewers.
func (l *Live) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g := l.enter()
	defer g.leave()
	g.app.Handler.ServeHTTP(w, r)
}

// Admin returns what answers staff, or nil if there is no administration.
func (l *Live) Admin() http.Handler {
	if l.now.Load().app.Admin == nil {
		return nil
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g := l.enter()
		defer g.leave()
		g.app.Admin.ServeHTTP(w, r)
	})
}

// App returns the gateway that answers now.
func (l *Live) App() *App { return l.now.Load().app }

// Drain makes the gateway report that it is not ready, whatever its
// configuration.
func (l *Live) Drain() {
	l.draining.Store(true)
	l.now.Load().app.Drain()
}

// Reload reads the configuration again, with keys, lists and settings. What is
// wrong changes nothing and is returned. If no file has changed, keys and lists
// are read again only, see App.Reload.
func (l *Live) Reload(ctx context.Context) error {
	l.changing.Lock()
	defer l.changing.Unlock()
	old := l.now.Load()
	if old.files.equal(fingerprint(l.watched(old.cfg))) {
		return old.app.Reload(ctx)
	}
	g, err := l.next(ctx, old)
	if err != nil {
		return err
	}
	l.put(g)
	l.retiring.Go(func() { l.retire(old) })
	return nil
}

// patience is how long a replaced generation waits for its requests: for
// downloads from the local edge, as all others are done sooner.
const patience = time.Minute

// retire ends a generation that answers nobody new.
func (l *Live) retire(g *generation) {
	if g.tasks != nil {
		g.stop()
		<-g.tasks
	}
	for end := time.Now().Add(patience); g.requests.Load() > 0 && time.Now().Before(end) && !l.draining.Load(); {
		time.Sleep(10 * time.Millisecond)
	}
	if err := g.app.Close(); err != nil {
		l.log.Error("the gateway before a reload is not closed cleanly", "err", err)
	}
}

// Run does what goes on beside serving, and looks for changed files, until ctx
// ends. It is called once.
func (l *Live) Run(ctx context.Context) {
	l.changing.Lock()
	l.running = ctx
	l.start(l.now.Load())
	l.changing.Unlock()
	l.watch(ctx)
	l.changing.Lock()
	defer l.changing.Unlock()
	<-l.now.Load().tasks
	l.retiring.Wait()
}

// Close ends what the gateway keeps open. It is called once, after Run.
func (l *Live) Close() error {
	l.retiring.Wait()
	return l.now.Load().app.Close()
}
