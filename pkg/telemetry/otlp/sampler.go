package otlp

import (
	"fmt"
	"sync/atomic"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// A sampler picks some of the requests, and may change its mind about how many.
type sampler struct {
	now atomic.Pointer[sdktrace.Sampler]
}

func (s *sampler) set(percent int) {
	next := sdktrace.TraceIDRatioBased(float64(percent) / 100)
	s.now.Store(&next)
}

// ShouldSample implements sdktrace.Sampler.
func (s *sampler) ShouldSample(p sdktrace.SamplingParameters) sdktrace.SamplingResult {
	return (*s.now.Load()).ShouldSample(p)
}

// Description implements sdktrace.Sampler.
func (s *sampler) Description() string {
	return fmt.Sprint("handstamp: ", (*s.now.Load()).Description())
}
