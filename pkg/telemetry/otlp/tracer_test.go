package otlp_test

import (
	"compress/gzip"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/proto/otlp/trace/v1"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"

	"github.com/handstamp/handstamp/pkg/telemetry"
	"github.com/handstamp/handstamp/pkg/telemetry/otlp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A collector takes traces.
type collector struct {
	*httptest.Server
	mu    sync.Mutex
	spans []*v1.Span
	raw   strings.Builder // all that came, headers too
}

func newCollector(t *testing.T) *collector {
	c := &collector{}
	c.Server = httptest.NewServer(c)
	t.Cleanup(c.Close)
	return c
}

func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := gzip.NewReader(r.Body)
	if err != nil || r.URL.Path != "/v1/traces" {
		http.Error(w, "want OTLP", http.StatusBadRequest)
		return
	}
	text, _ := io.ReadAll(body)
	var traces v1.TracesData
	if err := proto.Unmarshal(text, &traces); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = r.Header.Write(&c.raw)
	c.raw.Write(text)
	for _, of := range traces.ResourceSpans {
		for _, in := range of.ScopeSpans {
			c.spans = append(c.spans, in.Spans...)
		}
	}
}

func (c *collector) got() (spans []*v1.Span, raw string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.spans, c.raw.String()
}

func newTracer(t *testing.T, endpoint string, percent int) *otlp.Tracer {
	t.Helper()
	tracer, err := otlp.New(t.Context(), endpoint, otlp.Options{Percent: percent, Version: "v1"})
	if err != nil {
		t.Fatal(err)
	}
	return tracer
}

const (
	parentTrace = "0af7651916cd43dd8448eb211c80319c"
	parentSpan  = "b7ad6b7169203331"
)

func request(flags string) *http.Request {
	r := httptest.NewRequest("POST", "/v1/tickets/verify?ticket=CANARY", nil)
	r.Header.Set("Traceparent", "00-"+parentTrace+"-"+parentSpan+"-"+flags)
	r.Header.Set("Tracestate", "vendor=CANARY")
	r.Header.Set("Baggage", "ticket=CANARY")
	return r
}

func TestSpans(t *testing.T) {
	c := newCollector(t)
	tracer := newTracer(t, c.URL, 100)
	ctx, whole := tracer.Request(request("01"), false)
	_, part := tracer.Start(ctx, "book", telemetry.Attr{Key: "handstamp.source", Value: strings.Repeat("x", 1000)})
	part.Describe("book.enter", telemetry.Attr{Key: "handstamp.outcome", Value: "failed"})
	part.End(true)
	whole.Describe("POST /v1/tickets/verify")
	whole.End(false)
	if err := tracer.Close(); err != nil {
		t.Fatalf("Close() = %v", err)
	}
	spans, raw := c.got()
	if len(spans) != 2 {
		t.Fatalf("%d spans came, want 2", len(spans))
	}
	book, post := spans[0], spans[1]
	if book.Name != "book.enter" || post.Name != "POST /v1/tickets/verify" || string(book.ParentSpanId) != string(post.SpanId) {
		t.Errorf("spans %q of %x and %q of %x, want the book's in the request's", book.Name, book.ParentSpanId, post.Name, post.SpanId)
	}
	if book.Status.GetCode() != v1.Status_STATUS_CODE_ERROR || post.Status.GetCode() == v1.Status_STATUS_CODE_ERROR {
		t.Errorf("status %v and %v, want an error of the book alone", book.Status, post.Status)
	}
	for _, a := range book.Attributes {
		if n := len(a.Value.GetStringValue()); n > 128 {
			t.Errorf("attribute %s has %d bytes, want at most 128", a.Key, n)
		}
	}
	if strings.Contains(raw, "CANARY") {
		t.Error("something of a visitor's request went to the collector")
	}
}

func TestParents(t *testing.T) {
	for _, tt := range []struct {
		name    string
		trusted bool
		flags   string
		percent int
		spans   int
		joined  bool
	}{
		{"from anybody", false, "01", 100, 1, false},
		{"from anybody, none traced", false, "01", 0, 0, false},
		{"from a proxy", true, "01", 100, 1, true},
		{"from a proxy, none traced", true, "01", 0, 1, true},
		{"from a proxy that does not trace", true, "00", 100, 0, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newCollector(t)
			tracer := newTracer(t, c.URL, tt.percent)
			ctx, span := tracer.Request(request(tt.flags), tt.trusted)
			_, inner := tracer.Start(ctx, "sign")
			inner.End(false)
			span.End(false)
			if err := tracer.Close(); err != nil {
				t.Fatalf("Close() = %v", err)
			}
			spans, raw := c.got()
			if len(spans) != 2*tt.spans {
				t.Fatalf("%d spans came, want %d", len(spans), 2*tt.spans)
			}
			if tt.spans > 0 && (string(spans[1].ParentSpanId) != "") != tt.joined {
				t.Errorf("the request's parent is %x, want one: %v", spans[1].ParentSpanId, tt.joined)
			}
			if strings.Contains(raw, "CANARY") {
				t.Error("tracestate or baggage went on")
			}
		})
	}
}

func TestTwoParentsAreNone(t *testing.T) {
	c := newCollector(t)
	tracer := newTracer(t, c.URL, 100)
	r := request("01")
	r.Header.Add("Traceparent", "00-"+strings.Repeat("a", 32)+"-"+parentSpan+"-01")
	_, span := tracer.Request(r, true)
	span.End(false)
	_ = tracer.Close()
	if spans, _ := c.got(); len(spans) != 1 || len(spans[0].ParentSpanId) != 0 {
		t.Errorf("spans = %v, want one without a parent", spans)
	}
}

// Work outside of a traced request makes no traces of its own.
func TestStartWithoutRequest(t *testing.T) {
	c := newCollector(t)
	tracer := newTracer(t, c.URL, 100)
	_, span := tracer.Start(t.Context(), "book")
	span.End(false)
	_ = tracer.Close()
	if spans, _ := c.got(); len(spans) != 0 {
		t.Errorf("spans = %v, want none", spans)
	}
}

func TestSampleChanges(t *testing.T) {
	c := newCollector(t)
	tracer := newTracer(t, c.URL, 0)
	for _, percent := range []int{0, 100, 0} {
		tracer.Sample(percent)
		_, span := tracer.Request(httptest.NewRequest("GET", "/", nil), false)
		span.End(false)
	}
	_ = tracer.Close()
	if spans, _ := c.got(); len(spans) != 1 {
		t.Errorf("%d spans came, want the one of the time when all were traced", len(spans))
	}
}

// A collector that does not answer holds nobody up: not those who make spans, in
// whatever number, and not the end of the process.
func TestSilentCollector(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // takes connections, and never says a word
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	tracer := newTracer(t, "http://"+l.Addr().String(), 100)
	began := time.Now()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 5000 {
				_, span := tracer.Request(httptest.NewRequest("GET", "/", nil), false)
				span.End(false)
			}
		})
	}
	wg.Wait()
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("40,000 spans took %v, want them dropped and not waited for", took)
	}
	began = time.Now()
	_ = tracer.Close()
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("Close took %v, want about 2 s at most", took)
	}
}

// failures counts what is told.
type failures struct {
	telemetry.Meter
	mu sync.Mutex
	n  int
}

func (f *failures) Add(m *telemetry.Metric, n float64, _ ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if m == telemetry.TraceErrors {
		f.n += int(n)
	}
}

func TestRefusingCollector(t *testing.T) {
	server := httptest.NewServer(http.RedirectHandler("http://127.0.0.1:1/elsewhere", http.StatusTemporaryRedirect))
	defer server.Close()
	meter := &failures{Meter: telemetry.None}
	tracer, err := otlp.New(context.Background(), server.URL, otlp.Options{Percent: 100, Meter: meter})
	if err != nil {
		t.Fatal(err)
	}
	_, span := tracer.Request(httptest.NewRequest("GET", "/", nil), false)
	span.End(false)
	if err := tracer.Close(); err != nil {
		t.Errorf("Close() = %v, want nil: traces are worth no error", err)
	}
	if meter.n != 1 {
		t.Errorf("%d failures were counted, want 1", meter.n)
	}
}
