package app_test

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/handstamp/handstamp/pkg/config"
	"github.com/handstamp/handstamp/pkg/telemetry/otlp"
)

// A collector keeps the spans that come.
type collector struct {
	mu    sync.Mutex
	spans []*v1.Span
	raw   string
}

func (c *collector) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	body, err := gzip.NewReader(r.Body)
	if err != nil {
		return
	}
	text, _ := io.ReadAll(body)
	var traces v1.TracesData
	_ = proto.Unmarshal(text, &traces)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.raw += string(text)
	for _, of := range traces.ResourceSpans {
		for _, in := range of.ScopeSpans {
			c.spans = append(c.spans, in.Spans...)
		}
	}
}

// traced opens a venue whose requests are all traced, and returns how to get
// what was sent.
func traced(t *testing.T, change func(*config.Config)) (*venue, func() ([]*v1.Span, string)) {
	t.Helper()
	c := &collector{}
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	tracer, err := otlp.New(t.Context(), server.URL, otlp.Options{Percent: 100})
	if err != nil {
		t.Fatal(err)
	}
	v := newVenue(t, "sqlite", change)
	v.opts.Tracer = tracer
	v.restart()
	return v, func() ([]*v1.Span, string) {
		if err := tracer.Close(); err != nil {
			t.Errorf("Close of the tracer = %v", err)
		}
		return c.spans, c.raw
	}
}

func attr(s *v1.Span, key string) string {
	for _, a := range s.Attributes {
		if a.Key == key {
			return a.Value.GetStringValue()
		}
	}
	return ""
}

// TestTrace follows one visitor from the request to the signature.
func TestTrace(t *testing.T) {
	v, sent := traced(t, nil)
	v.enter(nil).verify(code)
	spans, _ := sent()
	if len(spans) == 0 {
		t.Fatal("no spans came")
	}
	request := spans[len(spans)-1]
	if want := "POST /v1/tickets/verify"; request.Name != want || attr(request, "handstamp.status") != "2xx" {
		t.Errorf("the last span is %q with %v, want %q and 2xx", request.Name, request.Attributes, want)
	}
	var names []string
	for _, s := range spans[:len(spans)-1] {
		names = append(names, s.Name)
		if string(s.ParentSpanId) != string(request.SpanId) {
			t.Errorf("span %q is a part of %x, want of the request %x", s.Name, s.ParentSpanId, request.SpanId)
		}
		if s.Name == "source.verify" && attr(s, "handstamp.source") != "booth" || s.Name == "sign" && attr(s, "handstamp.key_pair_id") != "KTEST0000001" {
			t.Errorf("span %q has %v", s.Name, s.Attributes)
		}
	}
	slices.Sort(names)
	if want := []string{"book.enter", "sign", "sign", "sign", "source.verify"}; !slices.Equal(names, want) {
		t.Errorf("spans %q, want %q: three packages are signed for", names, want)
	}
}

// Only what the configured proxies say of a trace counts.
func TestTraceOfProxies(t *testing.T) {
	const parent = "0af7651916cd43dd8448eb211c80319c"
	for peer, want := range map[string]bool{"10.1.2.3:4000": true, "192.0.2.7:40000": false} {
		v, sent := traced(t, func(c *config.Config) { c.HTTP.TrustedProxies = []string{"10.0.0.0/8"} })
		b := v.enter(nil)
		b.addr = peer
		b.ask("GET", "/v1/attractions", "", "Traceparent", "00-"+parent+"-b7ad6b7169203331-01")
		spans, _ := sent()
		if len(spans) != 1 || (fmt.Sprintf("%x", spans[0].TraceId) == parent) != want {
			t.Errorf("spans for %s = %v, want one in the trace of the header: %v", peer, spans, want)
		}
	}
}

// No span says what a visitor showed, got or asked for.
func TestTracesKeepSecrets(t *testing.T) {
	v, sent := traced(t, nil)
	b := v.enter(nil)
	a := b.verify(code, "Baggage", "CANARY=CANARY", "Tracestate", "x=CANARY")
	secrets := []string{code, "CANARY", a.Admission.ID, "192.0.2.7", "hall.m4a"}
	for _, c := range a.header["Set-Cookie"] {
		_, value, _ := strings.Cut(c, "=")
		if value, _, _ = strings.Cut(value, ";"); len(value) > 8 && value != "KTEST0000001" {
			secrets = append(secrets, value)
		}
	}
	b.verifyAt("CANARY-TICKET", "canary-place")
	b.ask("GET", "/castle/audio/hall.m4a?Policy=CANARY", "")
	b.ask("GET", "/v1/attractions/CANARY/content", "", "Authorization", "Bearer CANARY")
	b.ask("CANARY", "/CANARY", "")
	b.ask("GET", "/v1/CANARY", "")
	b.renew()
	v.booth.away.Store(true)
	v.enter(nil).verify("CANARY-TICKET-0002")
	spans, raw := sent()
	if len(spans) < 10 {
		t.Fatalf("%d spans came, want those of 7 requests", len(spans))
	}
	for _, secret := range secrets {
		if strings.Contains(strings.ToLower(raw), strings.ToLower(secret)) {
			t.Errorf("the traces have %q in them", secret)
		}
	}
}
