package telemetry

import (
	"slices"
	"strings"
	"sync"
)

// A Board adds up the numbers that parts keep. Parts come and go, as when a
// configuration is taken on while a gateway serves: a new one counts from zero,
// and what it counts goes on top of what those before it did. Of a gauge that two
// parts have, the one that was attached last counts. The zero Board is ready for
// use, and safe for concurrent use.
type Board struct {
	mu     sync.Mutex
	parts  []*part            // in the order in which they were attached
	totals map[series]float64 // of counters
}

type part struct {
	owner any
	read  Read
	users int
	last  map[series]float64 // what its counters said when they were read last
}

// A series is a metric with its label values.
type series struct {
	metric *Metric
	labels string // joined by a byte that no value has
}

const separator = "\xff"

// A Sample is one number as of a look at a Board.
type Sample struct {
	Metric *Metric
	Labels []string
	Value  float64
}

// Attach is that of Meter.
func (b *Board) Attach(owner any, read Read) (detach func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := &part{owner: owner, last: map[series]float64{}}
	if i := slices.IndexFunc(b.parts, func(p *part) bool { return p.owner == owner }); i >= 0 {
		p = b.parts[i]
		b.parts = slices.Delete(b.parts, i, i+1)
	}
	p.read = read
	p.users++
	b.parts = append(b.parts, p)
	return func() { b.detach(p) }
}

// detach forgets a part that nobody has any more, but not what it counted.
func (b *Board) detach(p *part) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if p.users--; p.users > 0 {
		return
	}
	b.look(p, map[series]float64{})
	b.parts = slices.DeleteFunc(b.parts, func(other *part) bool { return other == p })
}

// Samples reads all parts.
func (b *Board) Samples() []Sample {
	b.mu.Lock()
	defer b.mu.Unlock()
	gauges := map[series]float64{}
	for _, p := range b.parts {
		b.look(p, gauges)
	}
	all := make([]Sample, 0, len(gauges)+len(b.totals))
	for _, values := range []map[series]float64{gauges, b.totals} {
		for s, v := range values {
			sample := Sample{Metric: s.metric, Value: v}
			if len(s.metric.Labels) > 0 {
				sample.Labels = strings.Split(s.labels, separator)
			}
			all = append(all, sample)
		}
	}
	return all
}

// look adds to the totals what the counters of a part have gone up since they
// were read last.
func (b *Board) look(p *part, gauges map[series]float64) {
	if b.totals == nil {
		b.totals = map[series]float64{}
	}
	p.read(func(m *Metric, value float64, labels ...string) {
		s := series{m, strings.Join(labels, separator)}
		if m.Kind == Gauge {
			gauges[s] = value
			return
		}
		b.totals[s] += max(value-p.last[s], 0)
		p.last[s] = value
	})
}
