package telemetry

import (
	"context"
	"net/http"
)

// A Tracer follows requests through the gateway. Implementations are safe for
// concurrent use and never wait for whoever the traces go to.
type Tracer interface {
	// Request begins the span of a request. The traceparent that it came with
	// (W3C Trace Context) counts only if whoever sent it is trusted; otherwise
	// anybody could have traces made, or join those of others.
	Request(r *http.Request, trusted bool) (context.Context, Span)
	// Start begins a span in that of ctx. Without one there it begins none: work
	// that nobody asked for is not traced.
	Start(ctx context.Context, name string, attrs ...Attr) (context.Context, Span)
}

// A Span is a part of the work on a request. It is used by one goroutine.
type Span interface {
	// Describe names the span and adds what is known by now.
	Describe(name string, attrs ...Attr)
	// End ends the span, once. Failed marks it as an error of ours, or of whoever
	// was asked; a refusal is none.
	End(failed bool)
}

// An Attr says something about a span. What is said about metrics holds here too:
// values are bounded, and none is from a visitor.
type Attr struct{ Key, Value string }

// Untraced is a Tracer that follows nothing.
var Untraced Tracer = untraced{}

type untraced struct{}

func (untraced) Request(r *http.Request, _ bool) (context.Context, Span) {
	return r.Context(), untraced{}
}
func (untraced) Start(ctx context.Context, _ string, _ ...Attr) (context.Context, Span) {
	return ctx, untraced{}
}
func (untraced) Describe(string, ...Attr) {}
func (untraced) End(bool)                 {}
