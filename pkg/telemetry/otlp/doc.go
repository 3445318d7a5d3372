// Package otlp sends traces to an OpenTelemetry collector, by OTLP over http
// (https://opentelemetry.io/docs/specs/otlp/).
//
//	tracer, err := otlp.New(ctx, "http://127.0.0.1:4318", otlp.Options{Percent: 10})
//	defer tracer.Close()
//
// Spans wait in a queue of bounded length and go out in batches, each within a
// deadline. When the collector does not take them they are dropped: no request
// waits for it or fails by it.
package otlp
