package main

import (
	"context"
	"log/slog"
	"net"
	"time"

	"github.com/handstamp/handstamp/pkg/app"
	"github.com/handstamp/handstamp/pkg/config"
	"github.com/handstamp/handstamp/pkg/telemetry/otlp"
	"github.com/handstamp/handstamp/pkg/telemetry/prom"
)

// A watch is how a gateway is seen from outside. It lasts as long as the process,
// whatever becomes of the configuration.
type watch struct {
	metrics *prom.Registry // nil if nobody may ask for them
	tracer  *otlp.Tracer   // nil if traces go nowhere
	log     *slog.Logger
}

func newWatch(ctx context.Context, cfg *config.Config, log *slog.Logger) (*watch, error) {
	w := &watch{log: log}
	if cfg.Metrics.Listen != "" {
		w.metrics = prom.New(version(), log)
	}
	if cfg.Traces.Endpoint == "" {
		return w, nil
	}
	opts := otlp.Options{Percent: cfg.Traces.Percent, Version: version(), Log: log}
	if w.metrics != nil {
		opts.Meter = w.metrics
	}
	var err error
	w.tracer, err = otlp.New(ctx, cfg.Traces.Endpoint, opts)
	return w, err
}

// options returns those of a gateway that is seen.
func (w *watch) options() app.Options {
	opts := app.Options{Log: w.log}
	if w.metrics != nil {
		opts.Meter = w.metrics
	}
	if w.tracer != nil {
		opts.Tracer = w.tracer
	}
	return opts
}

// applied takes on what may change while a gateway serves.
func (w *watch) applied(cfg *config.Config) {
	if w.tracer != nil {
		w.tracer.Sample(cfg.Traces.Percent)
	}
}

// listen listens for those who ask for metrics, or returns nil if nobody may. It
// is a listener of their own, which viewers do not reach.
func (w *watch) listen(cfg *config.Config) (net.Listener, error) {
	if w.metrics == nil {
		return nil, nil
	}
	return listen(cfg.Metrics.Listen)
}

// serve answers those who ask for metrics until the gateway has drained.
func (w *watch) serve(ctx context.Context, l net.Listener, drain time.Duration) error {
	if l == nil {
		return nil
	}
	w.log.Info("metrics listening", "address", l.Addr().String())
	return app.Serve(ctx, l, w.metrics, nobody{}, drain, w.log)
}

// close sends the traces that still wait.
func (w *watch) close() {
	if w.tracer == nil {
		return
	}
	if err := w.tracer.Close(); err != nil {
		w.log.Warn("some traces were not sent", "err", err)
	}
}
