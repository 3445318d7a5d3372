package otlp

import (
	"context"
	"log/slog"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/handstamp/handstamp/pkg/telemetry"
)

// An exporter says here what is not taken, instead of the OpenTelemetry library's
// global handler, which would write to standard error.
type exporter struct {
	sdktrace.SpanExporter
	meter telemetry.Meter
	log   *slog.Logger
}

// ExportSpans implements sdktrace.SpanExporter.
func (e *exporter) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	if err := e.SpanExporter.ExportSpans(ctx, spans); err != nil {
		e.meter.Add(telemetry.TraceErrors, 1)
		e.log.WarnContext(ctx, "traces not sent", "spans", len(spans), "err", err)
	}
	return nil
}
