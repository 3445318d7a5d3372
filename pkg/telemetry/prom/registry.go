package prom

import (
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/handstamp/handstamp/pkg/telemetry"
)

// Limits of the answer to a scrape.
const (
	maxScrapes    = 4 // at a time
	scrapeTimeout = 10 * time.Second
)

// A Registry keeps the metrics of one process, for as long as that runs. It is a
// telemetry.Meter, and answers GET /metrics as an http.Handler.
type Registry struct {
	*telemetry.Board
	registry   *prometheus.Registry
	counters   map[*telemetry.Metric]*prometheus.CounterVec
	gauges     map[*telemetry.Metric]*prometheus.GaugeVec
	histograms map[*telemetry.Metric]*prometheus.HistogramVec
	handler    http.Handler
}

// New returns a Registry with all metrics of handstamp, those of the Go runtime
// and those of the process. A nil log is none.
func New(version string, log *slog.Logger) *Registry {
	r := &Registry{
		Board: &telemetry.Board{}, registry: prometheus.NewRegistry(),
		counters:   map[*telemetry.Metric]*prometheus.CounterVec{},
		gauges:     map[*telemetry.Metric]*prometheus.GaugeVec{},
		histograms: map[*telemetry.Metric]*prometheus.HistogramVec{},
	}
	for _, m := range telemetry.Metrics() {
		if !m.Read {
			r.add(m)
		}
	}
	r.registry.MustRegister(newShelf(r.Board), collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	r.Add(telemetry.Build, 1, version, runtime.Version())
	r.handler = r.routes(log)
	return r
}

// add makes room for a metric that is told as it happens. One without labels is
// there from the beginning, at 0.
func (r *Registry) add(m *telemetry.Metric) {
	switch m.Kind {
	case telemetry.Counter:
		r.counters[m] = prometheus.NewCounterVec(prometheus.CounterOpts{Name: m.Name, Help: m.Help}, m.Labels)
		r.registry.MustRegister(r.counters[m])
	case telemetry.Gauge:
		r.gauges[m] = prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: m.Name, Help: m.Help}, m.Labels)
		r.registry.MustRegister(r.gauges[m])
	default:
		r.histograms[m] = prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: m.Name, Help: m.Help, Buckets: m.Buckets}, m.Labels)
		r.registry.MustRegister(r.histograms[m])
	}
	if len(m.Labels) == 0 && m.Kind != telemetry.Histogram {
		r.Add(m, 0)
	}
}

// Add implements telemetry.Meter.
func (r *Registry) Add(m *telemetry.Metric, n float64, labels ...string) {
	if gauge, ok := r.gauges[m]; ok {
		gauge.WithLabelValues(labels...).Add(n)
		return
	}
	r.counters[m].WithLabelValues(labels...).Add(n)
}

// Observe implements telemetry.Meter.
func (r *Registry) Observe(m *telemetry.Metric, value float64, labels ...string) {
	r.histograms[m].WithLabelValues(labels...).Observe(value)
}

// ServeHTTP answers GET /metrics, and nothing else.
func (r *Registry) ServeHTTP(w http.ResponseWriter, q *http.Request) { r.handler.ServeHTTP(w, q) }

func (r *Registry) routes(log *slog.Logger) http.Handler {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(r.registry, promhttp.HandlerOpts{
		ErrorLog: complaints{log}, ErrorHandling: promhttp.ContinueOnError, MaxRequestsInFlight: maxScrapes, Timeout: scrapeTimeout,
	}))
	return mux
}

// complaints are what goes wrong with a scrape.
type complaints struct{ log *slog.Logger }

// Println implements promhttp.Logger.
func (c complaints) Println(v ...any) {
	c.log.Error("metrics not shown whole", "err", fmt.Sprint(v...))
}
