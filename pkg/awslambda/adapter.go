package awslambda

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/handstamp/handstamp/pkg/urlpath"
)

// Defaults of Options.
const (
	DefaultReserve = 150 * time.Millisecond
	DefaultMaxBody = 1 << 20
)

// Options tunes an Adapter. The zero value is ready for use.
type Options struct {
	// Host is what viewers call the gateway, host[:port]. A request that names
	// the API's own domain, as everything does that comes through CloudFront,
	// is for it. Empty leaves the header Host as it is.
	Host string
	// BasePath is the path by which a custom domain or a distribution leads
	// here and that the handler does not know, like "/gate". Empty means none.
	BasePath string
	// Reserve is how long before the end of an invocation the handler's context
	// ends. A third of it later its answer comes too late. 0 means
	// DefaultReserve.
	Reserve time.Duration
	// MaxBody is the largest body of a request, in bytes. 0 means DefaultMaxBody.
	MaxBody int
	// MaxReply is the largest reply as Lambda takes it, in bytes, base64 and
	// headers included. 0 means what the form of the event allows: 1 MiB behind
	// a load balancer, 6 MiB otherwise.
	MaxReply int
	// Log gets what was refused and why. Nil means no log.
	Log *slog.Logger
}

// An Adapter hands events to a handler. It is safe for concurrent use.
type Adapter struct {
	handler http.Handler
	opts    Options
}

// New returns an Adapter for h. It returns an error for a base path that is not
// canonical.
func New(h http.Handler, opts Options) (*Adapter, error) {
	opts.Reserve = cmp.Or(opts.Reserve, DefaultReserve)
	opts.MaxBody = cmp.Or(opts.MaxBody, DefaultMaxBody)
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	if opts.BasePath = strings.TrimSuffix(opts.BasePath, "/"); opts.BasePath != "" {
		if path, err := urlpath.Canonical(opts.BasePath); err != nil || path != opts.BasePath || strings.HasSuffix(path, "/") {
			return nil, fmt.Errorf("base path %q, want one like /gate", opts.BasePath)
		}
	}
	return &Adapter{handler: h, opts: opts}, nil
}

// Invoke answers one event. The error is always nil: what goes wrong is a reply,
// so that nothing about it gets into an error envelope of Lambda's.
func (a *Adapter) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	e, err := parse(payload)
	if err != nil {
		return a.refuse(ctx, &event{}, err), nil
	}
	r, err := a.request(ctx, e)
	if err != nil {
		return a.refuse(ctx, e, err), nil
	}
	w := a.serve(ctx, r, a.maxReply(e))
	text, err := w.encode(e.form)
	if err == nil && len(text) > a.maxReply(e) {
		err = errTooLarge
	}
	if err != nil {
		return a.refuse(ctx, e, err), nil
	}
	return text, nil
}

// serve has the handler answer. It returns before the invocation ends, also if
// the handler does not.
func (a *Adapter) serve(ctx context.Context, r *http.Request, limit int) *recorder {
	last := time.Hour
	if end, ok := ctx.Deadline(); ok {
		last = time.Until(end) - a.opts.Reserve
	}
	if last <= 0 || ctx.Err() != nil {
		return a.tooLate(ctx)
	}
	within, cancel := context.WithTimeout(ctx, last)
	defer cancel()
	done := make(chan *recorder, 1)
	go func() { done <- a.answer(r.WithContext(within), limit) }()
	select {
	case w := <-done:
		return w
	case <-within.Done():
	}
	// What the handler was doing is undone or done now, and its answer says
	// which; it is worth a moment.
	moment := time.NewTimer(a.opts.Reserve / 3)
	defer moment.Stop()
	select {
	case w := <-done:
		return w
	case <-moment.C:
		return a.tooLate(ctx)
	}
}

// answer calls the handler and turns a panic into a 500. What was panicked with
// is not logged: it may be anything.
func (a *Adapter) answer(r *http.Request, limit int) (w *recorder) {
	w = newRecorder(r.Method, limit)
	defer func() {
		if p := recover(); p != nil {
			a.opts.Log.ErrorContext(r.Context(), "panic in a handler", "panic", fmt.Sprintf("%T", p), "stack", string(debug.Stack()))
			w = errPanic.recorder()
		}
	}()
	a.handler.ServeHTTP(w, r)
	w.finish()
	return w
}

func (a *Adapter) tooLate(ctx context.Context) *recorder {
	a.opts.Log.WarnContext(ctx, "request given up", "err", errTooLate)
	return errTooLate.recorder()
}

// maxReply returns the largest reply to e, in bytes. What Lambda and API Gateway
// call 6 MB and load balancers 1 MB is taken for MiB, less a little.
func (a *Adapter) maxReply(e *event) int {
	if a.opts.MaxReply > 0 {
		return a.opts.MaxReply
	}
	if e.form == loadBalancer || e.form == loadBalancerSingle {
		return 1<<20 - 1<<10
	}
	return 6<<20 - 1<<10
}
