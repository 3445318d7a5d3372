package telemetry

// A Kind says how the numbers of a Metric go on.
type Kind int

// The kinds. A counter never goes back while the process runs.
const (
	Counter Kind = iota
	Gauge
	Histogram
)

// String returns the kind as Prometheus calls it.
func (k Kind) String() string { return [...]string{"counter", "gauge", "histogram"}[k] }

// A Metric is one thing that is counted or measured.
type Metric struct {
	Name    string
	Help    string   // one sentence, with the unit
	Kind    Kind     //
	Labels  []string // names, in the order in which values are given
	Buckets []float64
	Read    bool // kept by a part and read, see Meter.Attach; false means told as it happens
}
