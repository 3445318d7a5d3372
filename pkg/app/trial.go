package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/handstamp/handstamp/pkg/config"
	"github.com/handstamp/handstamp/pkg/gate"
)

// A Trial is one credential shown to one source, for whoever connects it.
type Trial struct {
	Trace        *Trace             // the exchange, for a source of kind web
	Ticket       *gate.Ticket       // what the source says; nil if it refused, or nobody knows
	Entitlements []gate.Entitlement // what the ticket opens now
	Err          error              // why not: a *gate.Denial, or nobody knows
	Took         time.Duration
}

// Try shows c to the source of cfg with an id. It asks for real: a source that
// consumes tickets consumes this one. The error says that the source could not
// even be built.
func Try(ctx context.Context, cfg *config.Config, id string, c gate.Credential) (_ *Trial, err error) {
	a := newApp(cfg, Options{})
	defer func() { err = errors.Join(err, a.Close()) }()
	i := slices.IndexFunc(cfg.Sources, func(s config.Source) bool { return s.ID == id })
	if i < 0 {
		return nil, fmt.Errorf("no source %q is configured", id)
	}
	if err := a.buildSite(ctx); err != nil {
		return nil, err
	}
	if err := a.buildBook(ctx); err != nil {
		return nil, err
	}
	source, err := a.source(ctx, cfg.Sources[i])
	if err != nil {
		return nil, fmt.Errorf("source %q: %w", id, err)
	}
	if bare := a.bare[id]; bare != nil {
		source = bare
	}
	began := time.Now()
	t := &Trial{}
	var traced bool
	if t.Trace, traced, t.Err = trace(ctx, source, c); traced {
		t.Ticket = t.Trace.Ticket
	} else {
		t.Ticket, t.Err = source.Verify(ctx, c)
	}
	t.Took = time.Since(began)
	if t.Err == nil {
		t.Entitlements, t.Err = a.rules.Entitle(t.Ticket, c.Attraction, a.opts.Now())
	}
	return t, nil
}

// probeTimeout is how long one source has to answer a probe.
const probeTimeout = 10 * time.Second

// ProbeSources asks every source that can tell without a ticket whether its
// configuration works, and returns what it found by id: nil is fine. Sources
// that cannot tell are left out.
func (a *App) ProbeSources(ctx context.Context) map[string]error {
	found := map[string]error{}
	for id, source := range a.bare {
		probe, ok := source.(interface{ Probe(context.Context) error })
		if !ok {
			continue
		}
		ctx, cancel := context.WithTimeout(ctx, probeTimeout)
		found[id] = probe.Probe(ctx)
		cancel()
	}
	return found
}
