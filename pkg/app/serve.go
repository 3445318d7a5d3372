package app

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// Limits of the server, those of a gateway that faces the internet.
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 10 * time.Second
	idleTimeout       = 60 * time.Second
	maxHeaderBytes    = 32 << 10
)

// DefaultPatience is how long requests may take that are open when a gateway
// stops. Most supervisors wait for 30 seconds or more before they kill it.
const DefaultPatience = 25 * time.Second

// ErrCutOff says that requests were not answered as the gateway stopped.
var ErrCutOff = errors.New("requests were still open at the end of the drain")

// A Drainer can say that it takes no new viewers.
type Drainer interface{ Drain() }

// A Farewell is how a server stops. The zero value is ready for use.
type Farewell struct {
	Drain    func() time.Duration // how long it reports not ready before it stops listening, asked as it begins to; nil means not at all
	Patience time.Duration        // how long requests may take after that; 0 means DefaultPatience
}

// Serve is ServeUntil with the default patience.
func Serve(ctx context.Context, l net.Listener, h http.Handler, d Drainer, drain time.Duration, log *slog.Logger) error {
	return ServeUntil(ctx, l, h, d, Farewell{Drain: func() time.Duration { return drain }}, log)
}

// ServeUntil answers requests on l until ctx ends. Then it reports not ready,
// waits so that load balancers notice, stops listening, and returns once open
// requests are answered. Those that are not in time are cut off, and it returns
// ErrCutOff. A listener that dies meanwhile ends the wait, and its error is returned
// once those are answered who are in. There is no timeout for writing: a handler
// that streams sets a deadline for every write.
func ServeUntil(ctx context.Context, l net.Listener, h http.Handler, d Drainer, end Farewell, log *slog.Logger) error {
	open := &counter{next: h}
	srv := &http.Server{
		Handler: open, ReadHeaderTimeout: readHeaderTimeout, ReadTimeout: readTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: maxHeaderBytes, DisableGeneralOptionsHandler: true,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(l) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	d.Drain()
	drain := end.drain()
	log.Info("stopping", "address", l.Addr().String(), "open", open.now.Load(), "drain", drain)
	err := wait(drain, failed)
	return errors.Join(err, shutdown(context.WithoutCancel(ctx), srv, cmp.Or(end.Patience, DefaultPatience), open, log))
}

func (f Farewell) drain() time.Duration {
	if f.Drain == nil {
		return 0
	}
	return f.Drain()
}

// shutdown waits for open requests, and cuts off those that are not in time.
func shutdown(ctx context.Context, srv *http.Server, patience time.Duration, open *counter, log *slog.Logger) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err := srv.Shutdown(ctx)
	if err == nil {
		return nil
	}
	log.Error("requests cut off", "open", open.now.Load(), "patience", patience)
	return errors.Join(ErrCutOff, err, srv.Close())
}

// A counter knows how many requests are being answered.
type counter struct {
	next http.Handler
	now  atomic.Int64
}

func (c *counter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.now.Add(1)
	defer c.now.Add(-1)
	c.next.ServeHTTP(w, r)
}

// wait waits for d, or returns before it the error of a listener that died.
func wait(d time.Duration, failed <-chan error) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case err := <-failed:
		return err
	}
}
