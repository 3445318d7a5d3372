package main

import (
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// TestServeIsSeen runs the command with metrics and traces, and finds both where
// they belong and nowhere else.
func TestServeIsSeen(t *testing.T) {
	var traces atomic.Int64
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := gzip.NewReader(r.Body)
		if err != nil {
			return
		}
		text, _ := io.ReadAll(body)
		traces.Add(int64(strings.Count(string(text), "POST /v1/tickets/verify")))
	}))
	defer collector.Close()
	address, metrics := freePort(t), freePort(t)
	args := []string{"serve", "--config", "../../config.yaml", "--set", "http.drain=0s,http.listen=" + address + ",http.public_url=http://" + address +
		",media.url=http://" + address + ",metrics.listen=" + metrics + ",traces.endpoint=" + collector.URL + ",traces.percent=100"}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var stderr lockedBuffer
	ended := make(chan int, 1)
	go func() { ended <- run(ctx, args, &stderr, &stderr) }()
	waitFor(t, "http://"+address+"/readyz", &stderr)
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Post("http://"+address+"/v1/tickets/verify", "application/json", strings.NewReader(`{"ticket":"castle-demo-7q4m-2xkd"}`))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	for url, want := range map[string]int{"http://" + metrics + "/metrics": 200, "http://" + metrics + "/readyz": 404, "http://" + address + "/metrics": 404} {
		resp, err := client.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if want == 200 && !strings.Contains(string(text), "\nhandstamp_log_lines_dropped_total 0\n") {
			t.Errorf("GET %s says nothing of the log", url)
		}
		if resp.StatusCode != want || (want == 200) != strings.Contains(string(text), `handstamp_admissions_total{attraction="castle"} 1`) {
			t.Errorf("GET %s = %d, want %d and the admission where it is 200", url, resp.StatusCode, want)
		}
	}
	stop()
	select {
	case code := <-ended:
		if code != exitDone {
			t.Errorf("serve = %d, want %d\n%s", code, exitDone, stderr.String())
		}
	case <-time.After(10 * time.Second):
		t.Fatal("serve did not end within 10 s of the signal")
	}
	if traces.Load() != 1 {
		t.Errorf("%d traces of the admission came, want the one, sent at the end", traces.Load())
	}
}
