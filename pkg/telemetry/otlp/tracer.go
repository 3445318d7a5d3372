package otlp

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/handstamp/handstamp/pkg/telemetry"
)

// Limits of what is sent.
const (
	maxQueue      = 2048 // spans that wait; those that come then are dropped
	maxBatch      = 512  // spans
	batchEvery    = 2 * time.Second
	exportTimeout = 5 * time.Second
	closeTimeout  = 2 * time.Second
	maxValue      = 128 // bytes of an attribute
	maxAttributes = 16  // of a span
)

// Options tunes a Tracer. The zero value traces nothing but what trusted callers
// want traced.
type Options struct {
	Percent int             // of the requests that begin a trace of their own, 0 to 100
	Version string          // of handstamp; empty means that nothing is said
	Meter   telemetry.Meter // counts what is not taken; nil means that nobody does
	Log     *slog.Logger    // nil means no log
}

// A Tracer is a telemetry.Tracer whose spans go to a collector.
type Tracer struct {
	provider *sdktrace.TracerProvider
	tracer   trace.Tracer
	sampler  *sampler
	client   *http.Client
}

// New returns a Tracer for the collector at endpoint: scheme://host:port, and a
// path in front of /v1/traces if it has one. It asks nothing: a collector that
// is not there is no error. ctx is for the making alone.
func New(ctx context.Context, endpoint string, opts Options) (*Tracer, error) {
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	if opts.Meter == nil {
		opts.Meter = telemetry.None
	}
	client := &http.Client{Timeout: exportTimeout, Transport: &http.Transport{MaxIdleConns: 2, IdleConnTimeout: time.Minute},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	sender, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(strings.TrimSuffix(endpoint, "/")+"/v1/traces"),
		otlptracehttp.WithHTTPClient(client), otlptracehttp.WithCompression(otlptracehttp.GzipCompression),
		otlptracehttp.WithRetry(otlptracehttp.RetryConfig{}))
	if err != nil {
		return nil, fmt.Errorf("traces: %w", err)
	}
	sampled := &sampler{}
	sampled.set(opts.Percent)
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithBatcher(&exporter{sender, opts.Meter, opts.Log}, sdktrace.WithMaxQueueSize(maxQueue), sdktrace.WithMaxExportBatchSize(maxBatch),
			sdktrace.WithBatchTimeout(batchEvery), sdktrace.WithExportTimeout(exportTimeout)),
		sdktrace.WithSampler(sdktrace.ParentBased(sampled)), sdktrace.WithResource(describe(opts.Version)),
		sdktrace.WithRawSpanLimits(sdktrace.SpanLimits{AttributeValueLengthLimit: maxValue, AttributeCountLimit: maxAttributes}),
	)
	return &Tracer{provider: provider, tracer: provider.Tracer("github.com/handstamp/handstamp"), sampler: sampled, client: client}, nil
}

// describe says who sends the spans.
func describe(version string) *resource.Resource {
	attrs := []attribute.KeyValue{attribute.String("service.name", "handstamp")}
	if version != "" {
		attrs = append(attrs, attribute.String("service.version", version))
	}
	return resource.NewSchemaless(attrs...)
}

// Sample changes how many of the requests are traced from now on, in percent.
func (t *Tracer) Sample(percent int) { t.sampler.set(percent) }

// Close sends what still waits, for 2 seconds at most. Spans that come later are
// dropped.
func (t *Tracer) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	err := t.provider.Shutdown(ctx)
	t.client.CloseIdleConnections()
	return err
}

// Request implements telemetry.Tracer.
func (t *Tracer) Request(r *http.Request, trusted bool) (context.Context, telemetry.Span) {
	ctx := r.Context()
	if parents := r.Header["Traceparent"]; trusted && len(parents) == 1 {
		ctx = propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{"traceparent": parents[0]}) // and no tracestate or baggage
	}
	ctx, s := t.tracer.Start(ctx, "request", trace.WithSpanKind(trace.SpanKindServer))
	return ctx, span{s}
}

// Start implements telemetry.Tracer.
func (t *Tracer) Start(ctx context.Context, name string, attrs ...telemetry.Attr) (context.Context, telemetry.Span) {
	if !trace.SpanFromContext(ctx).IsRecording() {
		return telemetry.Untraced.Start(ctx, name)
	}
	ctx, s := t.tracer.Start(ctx, name, trace.WithAttributes(values(attrs)...))
	return ctx, span{s}
}

// A span is a telemetry.Span.
type span struct{ trace.Span }

// Describe implements telemetry.Span.
func (s span) Describe(name string, attrs ...telemetry.Attr) {
	if s.IsRecording() {
		s.SetName(name)
		s.SetAttributes(values(attrs)...)
	}
}

// End implements telemetry.Span.
func (s span) End(failed bool) {
	if failed {
		s.SetStatus(codes.Error, "") // what went wrong is in the log
	}
	s.Span.End()
}

func values(attrs []telemetry.Attr) []attribute.KeyValue {
	all := make([]attribute.KeyValue, len(attrs))
	for i, a := range attrs {
		all[i] = attribute.String(a.Key, a.Value)
	}
	return all
}
