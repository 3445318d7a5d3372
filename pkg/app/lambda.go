package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/handstamp/handstamp/pkg/config"
	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/keyring"
	"github.com/handstamp/handstamp/pkg/ticket/roll"
)

// ErrFunctionBook is returned for a book that the environments of a function
// cannot share.
var ErrFunctionBook = errors.New("every environment of a function has a disk and a memory of its own, want dynamodb")

// What a look at keys and lists before a request may take, and how long one that
// failed is not repeated.
const (
	lookTimeout = 2 * time.Second
	lookAgain   = 5 * time.Second
)

// A Function is a gateway in an environment that may stand still between two
// requests, for an hour if nobody comes, as those of AWS Lambda do. Nothing goes
// on beside its requests: a request that finds the keys older than keys.interval
// has them looked at before it is answered. It answers the API, what ticketing
// systems report and the visitor app; it has no administration, exports no
// revocations and serves no media.
type Function struct {
	app  *App
	door http.Handler

	mu    sync.Mutex
	looks []*look
}

// A look is what has to be looked at again when it has grown old.
type look struct {
	what  string
	every time.Duration
	again func(context.Context) error
	next  time.Time // when it is due, by the clock on the wall: others stand still too
}

// NewFunction builds the gateway of a function. It returns ErrFunctionBook for a
// book in a file and, in production, for one in memory.
func NewFunction(ctx context.Context, cfg *config.Config, opts Options) (_ *Function, err error) {
	if err := checkFunction(cfg); err != nil {
		return nil, err
	}
	a := newApp(cfg, opts)
	defer func() {
		if err != nil {
			_ = a.Close() // the first error says more
		}
	}()
	for _, build := range []func(context.Context) error{
		a.buildSite, a.buildFunctionRing, a.buildFunctionBook, a.buildKeeper, a.buildContent, a.buildObjects, a.buildAPI,
	} {
		if err := build(ctx); err != nil {
			return nil, err
		}
	}
	a.warnFunction(ctx)
	f := &Function{app: a, door: a.door()}
	f.looks = a.looks()
	return f, nil
}

func checkFunction(cfg *config.Config) error {
	if k := cfg.Book.Kind; k != "dynamodb" && (k != "memory" || cfg.Production()) {
		return fmt.Errorf("book.kind: %q: %w", k, ErrFunctionBook)
	}
	if cfg.Edge.Root != "" {
		return errors.New("edge.root: a function serves no media, want none")
	}
	return nil
}

// warnFunction says what is configured for another process.
func (a *App) warnFunction(ctx context.Context) {
	if a.cfg.Admin.Listen != "" {
		a.opts.Log.WarnContext(ctx, "a function has no administration; run it elsewhere on the same book", "key", "admin.listen")
	}
	if a.cfg.Denylist.KeyValueStore != "" {
		a.opts.Log.WarnContext(ctx, "a function exports no revocations; run a gateway elsewhere on the same book", "key", "denylist.key_value_store")
	}
}

// looks returns what grows old: the keys of a manifest, and lists that are
// fetched. Sources that ask others look at the age of what they know themselves.
func (a *App) looks() []*look {
	var all []*look
	add := func(what string, every time.Duration, again func(context.Context) error) {
		all = append(all, &look{what: what, every: every, again: again, next: a.wall().Add(every)})
	}
	if keys, ok := a.ring.(*keyring.Follower); ok {
		add("keys", a.cfg.Keys.Interval, keys.Reload)
	}
	for id, source := range a.bare {
		if list, ok := source.(interface{ Reload(context.Context) error }); ok {
			add("list "+id, roll.DefaultURLPoll, list.Reload)
		}
	}
	return all
}

// wall returns the time without the clock that may stand still.
func (a *App) wall() time.Time { return a.opts.Now().Round(0) }

// ServeHTTP answers viewers, with keys and lists that are as young as configured
// or, if they cannot be had, as they were.
func (f *Function) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.refresh(r.Context())
	f.door.ServeHTTP(w, r)
}

func (f *Function) refresh(ctx context.Context) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, l := range f.looks {
		now := f.app.wall()
		if now.Before(l.next) && l.next.Sub(now) <= l.every { // and no clock was set back
			continue
		}
		l.next = now.Add(l.every)
		within, cancel := context.WithTimeout(ctx, lookTimeout)
		err := l.again(within)
		cancel()
		if err != nil {
			l.next = now.Add(min(l.every, lookAgain))
			f.app.opts.Log.ErrorContext(ctx, "not looked at again, what is known goes on", "what", l.what, "err", err)
		}
	}
}

// Keeper returns the gate itself.
func (f *Function) Keeper() *gate.Keeper { return f.app.Keeper() }

// Ring returns the signing keys.
func (f *Function) Ring() Ring { return f.app.Ring() }

// Close ends what the gateway keeps open.
func (f *Function) Close() error { return f.app.Close() }
