package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
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
	draining chan struct{} // closed when the gateway is about to stop
	drain    sync.Once     // closes draining

	changing sync.Mutex // held while one generation follows another
	running  context.Context
	retiring sync.WaitGroup
}

// A generation is the gateway of one configuration.
type generation struct {
	app      *App
	cfg      *config.Config
	files    fingerprints  // that it was made of
	requests atomic.Int64  // being answered
	replaced atomic.Bool   // answers nobody new
	left     chan struct{} // closed when it is replaced and answers nobody any more
	leaving  sync.Once     // closes left
	stop     context.CancelFunc
	tasks    chan struct{} // closed when its tasks have ended; nil before they begin
}

// NewLive returns the gateway for the configuration that load returns now.
func NewLive(ctx context.Context, load func() (*config.Config, error), opts LiveOptions) (*Live, error) {
	if opts.Every == 0 {
		opts.Every = 2 * time.Second
	}
	l := &Live{load: load, opts: opts, log: opts.App.Log, draining: make(chan struct{})}
	if l.log == nil {
		l.log = slog.New(slog.DiscardHandler)
	}
	g, err := l.next(ctx, nil, fingerprints{})
	if err != nil {
		return nil, err
	}
	l.put(g)
	return l, nil
}

// next builds a generation that takes over what it can from the one before, and
// notes the files that it is made of, even if it cannot be.
func (l *Live) next(ctx context.Context, old *generation, files fingerprints) (*generation, error) {
	files.add(l.opts.File) // before it is read: what changes meanwhile is seen as a change
	cfg, err := l.load()
	if err != nil {
		return nil, err
	}
	files.add(named(cfg)...)
	opts := l.opts.App
	opts.files = files
	if old != nil {
		if err := canFollow(old.cfg, cfg); err != nil {
			return nil, err
		}
		opts.before = old.app
	}
	a, err := New(ctx, cfg, opts)
	if err != nil {
		return nil, err
	}
	return &generation{app: a, cfg: cfg, files: files, left: make(chan struct{})}, nil
}

// canFollow returns ErrRestart if cfg differs from old in what lasts as long as
// the process: where it listens and whether with TLS, what its log looks like,
// where traces go.
func canFollow(old, cfg *config.Config) error {
	for _, c := range []struct{ key, before, after string }{
		{"http.listen", old.HTTP.Listen, cfg.HTTP.Listen},
		{"log.format", old.Log.Format, cfg.Log.Format},
		{"metrics.listen", old.Metrics.Listen, cfg.Metrics.Listen},
		{"traces.endpoint", old.Traces.Endpoint, cfg.Traces.Endpoint},
		{"admin.listen", old.Admin.Listen, cfg.Admin.Listen},
	} {
		if c.before != c.after {
			return fmt.Errorf("%s: %q instead of %q %w", c.key, c.after, c.before, ErrRestart)
		}
	}
	if before, after := old.Admin.TLSCert, cfg.Admin.TLSCert; (before == "") != (after == "") {
		return fmt.Errorf("admin.tls_cert: %q instead of %q %w", after, before, ErrRestart)
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
	select {
	case <-l.draining:
		g.app.Drain()
	default:
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
		g.leave()
	}
}

func (g *generation) leave() {
	if g.requests.Add(-1) == 0 && g.replaced.Load() {
		g.leaving.Do(func() { close(g.left) })
	}
}

// replace closes left as soon as everybody has left. It is called once another
// generation answers.
func (g *generation) replace() {
	g.requests.Add(1) // so that there is one who leaves
	g.replaced.Store(true)
	g.leave()
}

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

// Config returns the configuration that serves now.
func (l *Live) Config() *config.Config { return l.now.Load().cfg }

// Certificate returns what the administration shows now. It is a
// tls.Config.GetCertificate.
func (l *Live) Certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	if c := l.now.Load().app.certificate; c != nil {
		return c, nil
	}
	return nil, errors.New("admin.tls_cert is empty")
}

// App returns the gateway that answers now.
func (l *Live) App() *App { return l.now.Load().app }

// Drain makes the gateway report that it is not ready, whatever its
// configuration.
func (l *Live) Drain() {
	l.drain.Do(func() { close(l.draining) })
	l.now.Load().app.Drain()
}

// Reload reads the configuration again, with keys, lists and settings. What is
// wrong changes nothing and is returned. If no file has changed, keys and lists
// are read again only, see App.Reload.
func (l *Live) Reload(ctx context.Context) error {
	_, _, err := l.reload(ctx)
	return err
}

// reload is Reload, and returns the files that it looked at and whether any has
// changed.
func (l *Live) reload(ctx context.Context) (files fingerprints, changed bool, err error) {
	l.changing.Lock()
	defer l.changing.Unlock()
	old := l.now.Load()
	if files = old.files.again(); old.files.equal(files) {
		return files, false, old.app.Reload(ctx)
	}
	files = fingerprints{}
	g, err := l.next(ctx, old, files)
	if err != nil {
		return files, true, err
	}
	l.put(g)
	l.retiring.Go(func() { l.retire(old) })
	return files, true, nil
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
	g.replace()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-g.left:
	case <-timer.C:
	case <-l.draining:
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
