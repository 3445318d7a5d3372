package app

import (
	"context"
	"errors"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/telemetry"
	"github.com/handstamp/handstamp/pkg/ticket/calm"
)

// asked returns a source whose answers are timed, to stand inside what a crowd
// needs around it: what is remembered takes no time of a source.
func (a *App) asked(id string, v gate.Verifier) gate.Verifier {
	if !a.watched {
		return v
	}
	return watchSource(id, v, a.opts.Meter, telemetry.Untraced)
}

// shown returns a source that is seen in traces, with the time that a viewer
// waits for it, and that is timed if it is not yet.
func (a *App) shown(id string, v gate.Verifier) gate.Verifier {
	if !a.watched {
		return v
	}
	meter := a.opts.Meter
	if _, ok := v.(interface{ Stats() calm.Stats }); ok {
		meter = telemetry.None
	}
	return watchSource(id, v, meter, a.opts.Tracer)
}

// watchSource keeps what v can do: a source that cannot be asked again does not
// seem to.
func watchSource(id string, v gate.Verifier, meter telemetry.Meter, tracer telemetry.Tracer) gate.Verifier {
	w := watchedSource{id, v, meter, tracer}
	if again, ok := v.(gate.Rechecker); ok {
		return recheckedSource{w, again}
	}
	return w
}

// A watchedSource is a gate.Verifier that is timed and traced.
type watchedSource struct {
	id       string
	verifier gate.Verifier
	meter    telemetry.Meter
	tracer   telemetry.Tracer
}

// Verify implements gate.Verifier.
func (s watchedSource) Verify(ctx context.Context, c gate.Credential) (*gate.Ticket, error) {
	ctx, q := s.begin(ctx, "source.verify")
	t, err := s.verifier.Verify(ctx, c)
	q.end(err)
	return t, err
}

// A recheckedSource is a gate.Rechecker too.
type recheckedSource struct {
	watchedSource
	again gate.Rechecker
}

// Recheck implements gate.Rechecker.
func (s recheckedSource) Recheck(ctx context.Context, source, ref string) (*gate.Ticket, error) {
	ctx, q := s.begin(ctx, "source.recheck")
	t, err := s.again.Recheck(ctx, source, ref)
	q.end(err)
	return t, err
}

// A question is under way to a source.
type question struct {
	source watchedSource
	span   telemetry.Span
	name   string
	began  time.Time
}

func (s watchedSource) begin(ctx context.Context, name string) (context.Context, question) {
	ctx, span := s.tracer.Start(ctx, name)
	return ctx, question{s, span, name, time.Now()}
}

func (q question) end(err error) {
	if errors.Is(err, errors.ErrUnsupported) { // nobody was asked
		q.span.End(false)
		return
	}
	outcome := verdictOf(err)
	q.source.meter.Observe(telemetry.SourceSeconds, time.Since(q.began).Seconds(), q.source.id, outcome)
	q.span.Describe(q.name, telemetry.Attr{Key: "handstamp.source", Value: q.source.id}, telemetry.Attr{Key: "handstamp.outcome", Value: outcome})
	q.span.End(outcome == failed)
}

// failed is the outcome of what nobody knows.
const failed = "failed"

// verdictOf returns the label for what a source said.
func verdictOf(err error) string {
	var denial *gate.Denial
	switch {
	case err == nil:
		return "answered"
	case errors.As(err, &denial):
		return "refused"
	case errors.Is(err, context.Canceled):
		return gone
	}
	return failed
}
