package cloudfront_test

import (
	"context"
	"testing"

	"github.com/handstamp/handstamp/pkg/cloudfront"
)

func benchmarkDecide(b *testing.B, d *cloudfront.Decider, r cloudfront.Request) {
	b.Helper()
	group := trusted(b)
	b.ReportAllocs()
	for b.Loop() {
		if got := d.Decide(r, group, noon); !got.Allowed {
			b.Fatalf("Decide = %+v, want it allowed", got)
		}
	}
}

// BenchmarkDecide is one request for a segment. Warm, its signature was checked
// before: under 2 µs and 5 allocations is the aim.
func BenchmarkDecide(b *testing.B) {
	text := policyText("https://media.example.org/castle/*", end)
	rsaSent, cannedURL := sealedWith(rsaID, rsaKey(), cloudfront.SHA1, text), inCastle+"?lang=en"
	requests := []struct {
		name    string
		request cloudfront.Request
	}{
		{"RSA cookies", cloudfront.Request{URL: inCastle, Cookies: []string{rsaSent.cookies()}}},
		{"ECDSA cookies", cloudfront.Request{URL: inCastle, Cookies: []string{castle().cookies()}}},
		{"ECDSA URL", cloudfront.Request{URL: castle().on(inCastle)}},
		{"ECDSA canned URL", cloudfront.Request{URL: sealedCanned(cannedURL, end).on(cannedURL)}},
	}
	for _, r := range requests {
		b.Run("warm/"+r.name, func(b *testing.B) { benchmarkDecide(b, cloudfront.NewDecider(cloudfront.Parity{}, 1000), r.request) })
		b.Run("cold/"+r.name, func(b *testing.B) { benchmarkDecide(b, new(cloudfront.Decider), r.request) })
	}
}

func BenchmarkDecideParallel(b *testing.B) {
	d, group := cloudfront.NewDecider(cloudfront.Parity{}, 1000), trusted(b)
	r := cloudfront.Request{URL: inCastle, Cookies: []string{castle().cookies()}}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			d.Decide(r, group, noon)
		}
	})
}

func benchmarkStamp(b *testing.B, r ring, opts cloudfront.StamperOptions) {
	b.Helper()
	s := newStamper(b, "https://media.example.org", r, opts)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Stamp(context.Background(), grant("castle")); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkStampShared(b *testing.B) {
	benchmarkStamp(b, ring{id: rsaID, key: rsaKey()}, cloudfront.StamperOptions{})
}

func BenchmarkStampAlone(b *testing.B) {
	b.Run("RSA", func(b *testing.B) {
		benchmarkStamp(b, ring{id: rsaID, key: rsaKey()}, cloudfront.StamperOptions{Alone: true})
	})
	b.Run("ECDSA", func(b *testing.B) {
		benchmarkStamp(b, ring{id: ecID, key: ecKey()}, cloudfront.StamperOptions{Alone: true})
	})
}

// BenchmarkPathological matches an 8 KiB URL; under 1 ms is the aim.
func BenchmarkPathological(b *testing.B) {
	for name, resource := range pathological {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				cloudfront.Covers(resource, longURL)
			}
		})
	}
}
