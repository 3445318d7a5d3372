package prom_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/handstamp/handstamp/pkg/telemetry"
	"github.com/handstamp/handstamp/pkg/telemetry/prom"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func get(h http.Handler, method, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, path, nil))
	return w
}

// samples returns numbers for a metric of every kind that is read.
func samples(emit telemetry.Emit) {
	for _, m := range telemetry.Metrics() {
		if m.Read {
			emit(m, 3, make([]string, len(m.Labels))...)
		}
	}
}

func TestEveryMetricIsShown(t *testing.T) {
	r := prom.New("v1.2.3", nil)
	defer r.Attach(t, samples)()
	for _, m := range telemetry.Metrics() {
		switch labels := make([]string, len(m.Labels)); {
		case m.Kind == telemetry.Histogram:
			r.Observe(m, 0.2, labels...)
		case !m.Read:
			r.Add(m, 1, labels...)
		}
	}
	text := get(r, "GET", "/metrics").Body.String()
	for _, m := range telemetry.Metrics() {
		if want := fmt.Sprintf("# HELP %s %s\n# TYPE %s %s\n", m.Name, m.Help, m.Name, m.Kind); !strings.Contains(text, want) {
			t.Errorf("GET /metrics has no\n%s", want)
		}
	}
	for _, want := range []string{`handstamp_build_info{go="go`, `version="v1.2.3"} 1`, "\ngo_goroutines ", "\nprocess_cpu_seconds_total "} {
		if !strings.Contains(text, want) {
			t.Errorf("GET /metrics has no %q", want)
		}
	}
}

func TestOnlyMetricsAreServed(t *testing.T) {
	r := prom.New("", nil)
	for _, tt := range []struct {
		method, path string
		want         int
	}{{"GET", "/metrics", 200}, {"HEAD", "/metrics", 200}, {"POST", "/metrics", 405}, {"GET", "/", 404}, {"GET", "/metrics/", 404}, {"GET", "/debug/pprof/", 404}} {
		if got := get(r, tt.method, tt.path).Code; got != tt.want {
			t.Errorf("%s %s = %d, want %d", tt.method, tt.path, got, tt.want)
		}
	}
}

// A part with a mistake costs its own numbers, not those of others, and not the
// process.
func TestPartWithAMistake(t *testing.T) {
	var log bytes.Buffer
	r := prom.New("", slog.New(slog.NewTextHandler(&log, nil)))
	defer r.Attach(t, func(emit telemetry.Emit) {
		emit(telemetry.BookCommits, 5)
		emit(telemetry.SourceWaiting, 1, "a", "label too many")
	})()
	r.Add(telemetry.Leaves, 7)
	got := get(r, "GET", "/metrics")
	for _, want := range []string{"handstamp_leaves_total 7", "handstamp_book_commits_total 5"} {
		if got.Code != 200 || !strings.Contains(got.Body.String(), want) {
			t.Errorf("GET /metrics = %d, want 200 with %s", got.Code, want)
		}
	}
	if !strings.Contains(log.String(), "metrics not shown whole") {
		t.Errorf("log %q, want a word about the mistake", log.String())
	}
}

func TestConcurrentUse(t *testing.T) {
	r := prom.New("", nil)
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 100 {
				r.Add(telemetry.Admissions, 1, "castle")
				r.Observe(telemetry.BookSeconds, 0.001, "enter", "ok")
				r.Attach(new(int), func(emit telemetry.Emit) { emit(telemetry.BookWrites, 1) })()
			}
		})
	}
	for range 10 {
		get(r, "GET", "/metrics")
	}
	wg.Wait()
	text := get(r, "GET", "/metrics").Body.String()
	for _, want := range []string{`handstamp_admissions_total{attraction="castle"} 1600`, `handstamp_book_duration_seconds_count{operation="enter",outcome="ok"} 1600`, "handstamp_book_writes_total 1600"} {
		if !strings.Contains(text, want) {
			t.Errorf("GET /metrics has no %q", want)
		}
	}
}

func BenchmarkAdd(b *testing.B) {
	r := prom.New("", nil)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			r.Add(telemetry.Refusals, 1, "castle", "unknown")
		}
	})
}

func BenchmarkObserve(b *testing.B) {
	r := prom.New("", nil)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			r.Observe(telemetry.BookSeconds, 0.001, "enter", "ok")
		}
	})
}
