package telemetry_test

import (
	"maps"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/handstamp/handstamp/pkg/telemetry"
)

var (
	counted  = &telemetry.Metric{Name: "counted_total", Kind: telemetry.Counter, Labels: []string{"what"}, Read: true}
	measured = &telemetry.Metric{Name: "measured", Kind: telemetry.Gauge, Read: true}
)

// A part keeps two numbers.
type part struct{ count, size atomic.Int64 }

func (p *part) read(emit telemetry.Emit) {
	emit(counted, float64(p.count.Load()), "things")
	emit(measured, float64(p.size.Load()))
}

func newPart(count, size int64) *part {
	p := &part{}
	p.count.Store(count)
	p.size.Store(size)
	return p
}

// shown returns the numbers of a board, by name and labels.
func shown(b *telemetry.Board) map[string]float64 {
	all := map[string]float64{}
	for _, s := range b.Samples() {
		all[s.Metric.Name+"{"+strings.Join(s.Labels, ",")+"}"] = s.Value
	}
	return all
}

func wantShown(t *testing.T, when string, b *telemetry.Board, want map[string]float64) {
	t.Helper()
	if got := shown(b); !maps.Equal(got, want) {
		t.Errorf("%s: Samples() = %v, want %v", when, got, want)
	}
}

func TestBoardAddsUpGenerations(t *testing.T) {
	var b telemetry.Board
	wantShown(t, "empty", &b, map[string]float64{})
	first, second := newPart(5, 1), newPart(0, 9)
	leave := b.Attach(first, first.read)
	wantShown(t, "one part", &b, map[string]float64{"counted_total{things}": 5, "measured{}": 1})
	b.Attach(second, second.read)
	wantShown(t, "two parts", &b, map[string]float64{"counted_total{things}": 5, "measured{}": 9})
	first.count.Add(2) // requests that are still open
	second.count.Add(3)
	leave()
	wantShown(t, "the first has gone", &b, map[string]float64{"counted_total{things}": 10, "measured{}": 9})
	first.count.Add(100)
	second.count.Add(1)
	wantShown(t, "what the first counts after that", &b, map[string]float64{"counted_total{things}": 11, "measured{}": 9})
}

// A part that two generations have is read once, until both have gone.
func TestBoardSharedPart(t *testing.T) {
	var b telemetry.Board
	p := newPart(4, 2)
	first, second := b.Attach(p, p.read), b.Attach(p, p.read)
	wantShown(t, "twice", &b, map[string]float64{"counted_total{things}": 4, "measured{}": 2})
	first()
	p.count.Add(1)
	wantShown(t, "once", &b, map[string]float64{"counted_total{things}": 5, "measured{}": 2})
	second()
	wantShown(t, "gone", &b, map[string]float64{"counted_total{things}": 5})
}

func TestBoardNeverGoesBack(t *testing.T) {
	var b telemetry.Board
	p := newPart(0, 0)
	b.Attach(p, p.read)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 200 {
				p.count.Add(1)
				next := newPart(1, 1)
				b.Attach(next, next.read)()
			}
		})
	}
	last := 0.0
	for range 200 {
		now := shown(&b)["counted_total{things}"]
		if now < last {
			t.Errorf("a counter went from %v to %v", last, now)
		}
		last = now
	}
	wg.Wait()
	if got := shown(&b)["counted_total{things}"]; got != 2*8*200 {
		t.Errorf("in the end %v, want %v", got, 2*8*200)
	}
}
