package app

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Limits of the server, those of a gateway that faces the internet.
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 10 * time.Second
	idleTimeout       = 60 * time.Second
	maxHeaderBytes    = 32 << 10
	shutdownTimeout   = 25 * time.Second
)

// A Drainer can say that it takes no new viewers.
type Drainer interface{ Drain() }

// Serve answers requests on l until ctx ends. Then it reports not ready, waits
// for drain so that load balancers notice, and returns once open requests are
// answered, or with an error after 25 seconds. There is no timeout for writing:
// a handler that streams sets a deadline for every write.
func Serve(ctx context.Context, l net.Listener, h http.Handler, d Drainer, drain time.Duration, log *slog.Logger) error {
	srv := &http.Server{
		Handler: h, ReadHeaderTimeout: readHeaderTimeout, ReadTimeout: readTimeout, IdleTimeout: idleTimeout,
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
	wait(drain, failed)
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	if err := srv.Shutdown(stop); err != nil {
		return errors.Join(errors.New("requests were still open at the end of the drain"), err)
	}
	return nil
}

func wait(d time.Duration, failed <-chan error) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-failed:
	}
}
