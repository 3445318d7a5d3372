package telemetry

// A Meter takes numbers. Label values come in the order of Metric.Labels; their
// number is a matter of the code, so a wrong one panics. Implementations are safe
// for concurrent use, and no call waits for a scrape.
type Meter interface {
	// Add adds n to a counter or a gauge.
	Add(m *Metric, n float64, labels ...string)
	// Observe adds a value to a histogram.
	Observe(m *Metric, value float64, labels ...string)
	// Attach has the numbers that a part keeps read whenever somebody looks, until
	// detach is called, once. Parts that are attached twice are read once.
	Attach(part any, read Read) (detach func())
}

// An Emit is given a number that a part keeps: of a counter since the part was
// made, of a gauge as of now.
type Emit func(m *Metric, value float64, labels ...string)

// A Read hands the numbers of a part to emit, each series once.
type Read func(emit Emit)

// None is a Meter that forgets everything.
var None Meter = none{}

type none struct{}

func (none) Add(*Metric, float64, ...string)     {}
func (none) Observe(*Metric, float64, ...string) {}
func (none) Attach(any, Read) func()             { return func() {} }
