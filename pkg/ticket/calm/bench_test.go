package calm_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/ticket"
	"github.com/handstamp/handstamp/pkg/ticket/calm"
)

func benchSource(b *testing.B) *calm.Source {
	s, err := calm.Wrap("box", &desk{answer: yes}, calm.Options{Normalise: ticket.Normalise, Allow: 60e9})
	if err != nil {
		b.Fatal(err)
	}
	return s
}

// BenchmarkHit is one viewer whose ticket is remembered.
func BenchmarkHit(b *testing.B) {
	s := benchSource(b)
	c := gate.Credential{Code: "K7QM2XWD9FTRHB4N", Attraction: "castle", Factors: map[string]gate.Secret{"surname": "Müller"}}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Verify(context.Background(), c); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkHitCrowd is a crowd with one ticket, and one with many.
func BenchmarkHitCrowd(b *testing.B) {
	for _, tickets := range []int{1, 1000} {
		b.Run(fmt.Sprint(tickets), func(b *testing.B) {
			s := benchSource(b)
			var next atomic.Int64
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				c := gate.Credential{Code: gate.Secret(fmt.Sprintf("TICKET%d", next.Add(1)%int64(tickets)))}
				for pb.Next() {
					if _, err := s.Verify(context.Background(), c); err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
}

// BenchmarkMiss is a ticket that is asked for every time, of a source that
// answers at once.
func BenchmarkMiss(b *testing.B) {
	s, err := calm.Wrap("box", &desk{answer: yes}, calm.Options{Allow: -1})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Verify(context.Background(), gate.Credential{Code: "A1"}); err != nil {
			b.Fatal(err)
		}
	}
}
