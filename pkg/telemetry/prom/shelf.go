package prom

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/handstamp/handstamp/pkg/telemetry"
)

// A shelf shows the numbers that parts of the gateway keep. It is a
// prometheus.Collector.
type shelf struct {
	board *telemetry.Board
	descs map[*telemetry.Metric]*prometheus.Desc
}

func newShelf(board *telemetry.Board) *shelf {
	s := &shelf{board: board, descs: map[*telemetry.Metric]*prometheus.Desc{}}
	for _, m := range telemetry.Metrics() {
		if m.Read {
			s.descs[m] = prometheus.NewDesc(m.Name, m.Help, m.Labels, nil)
		}
	}
	return s
}

// Describe implements prometheus.Collector.
func (s *shelf) Describe(to chan<- *prometheus.Desc) {
	for _, d := range s.descs {
		to <- d
	}
}

// Collect implements prometheus.Collector.
func (s *shelf) Collect(to chan<- prometheus.Metric) {
	for _, sample := range s.board.Samples() {
		kind := prometheus.CounterValue
		if sample.Metric.Kind == telemetry.Gauge {
			kind = prometheus.GaugeValue
		}
		desc := s.descs[sample.Metric]
		shown, err := prometheus.NewConstMetric(desc, kind, sample.Value, sample.Labels...)
		if err != nil {
			shown = prometheus.NewInvalidMetric(desc, err) // costs no other number
		}
		to <- shown
	}
}
