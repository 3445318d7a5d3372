package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/handstamp/handstamp/pkg/probe"
)

// serveMedia runs "handstamp serve" with its local edge, and returns the flags
// with which another command finds it.
func serveMedia(t *testing.T) (address string, set []string) {
	t.Helper()
	address = freePort(t)
	// the files that the example's catalogue names
	root := t.TempDir()
	for _, name := range []string{"castle/audio/01-gate.m4a", "castle/free/map.jpg"} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("sound"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	set = []string{"--config", "../../config.yaml", "--set", "http.drain=0s,http.listen=" + address +
		",http.public_url=http://" + address + ",media.url=http://" + address + ",edge.root=" + root}
	ctx, stop := context.WithCancel(t.Context())
	var out lockedBuffer
	ended := make(chan int, 1)
	go func() { ended <- run(ctx, append([]string{"serve"}, set...), &out, &out) }()
	t.Cleanup(func() { stop(); <-ended })
	waitFor(t, "http://"+address+"/readyz", &out)
	return address, set
}

func TestProbe(t *testing.T) {
	address, set := serveMedia(t)
	metrics := filepath.Join(t.TempDir(), "handstamp.prom")
	args := append([]string{"probe", "http://" + address, "--attraction", "castle", "--paid", "/castle/audio/01-gate.m4a",
		"--free", "/castle/free/map.jpg", "--metrics", metrics}, set...)
	var out lockedBuffer
	if code := run(t.Context(), append(args, "--json"), &out, &out); code != exitDone {
		t.Fatalf("probe = %d, want %d\n%s", code, exitDone, out.String())
	}
	_, line, _ := strings.Cut(out.String(), "{")
	var report probe.Report
	if err := json.Unmarshal([]byte("{"+line), &report); err != nil || !report.OK() || report.Count(probe.Passed) < 9 {
		t.Errorf("probe --json = %s, %v, want a report with nothing failed", out.String(), err)
	}
	text, err := os.ReadFile(metrics)
	if err != nil || !strings.Contains(string(text), `handstamp_probe_ok{attraction="castle"} 1`) {
		t.Errorf("metrics = %s, %v, want handstamp_probe_ok 1", text, err)
	}

	// a file without a ticket needed, named as a paid one
	args[5] = "/castle/free/map.jpg"
	var words lockedBuffer
	if code := run(t.Context(), args, &words, &words); code != exitFailed {
		t.Errorf("probe of an open file = %d, want %d\n%s", code, exitFailed, words.String())
	}
	for _, want := range []string{"FAIL  without a cookie, paid content is refused", "likely: S7", "do:"} {
		if !strings.Contains(words.String(), want) {
			t.Errorf("probe says %s, want %q in it", words.String(), want)
		}
	}
}

func TestProbeUsage(t *testing.T) {
	tests := []struct {
		args []string
		code int
		want string
	}{
		{[]string{"probe"}, exitUsage, "--attraction is missing"},
		{[]string{"probe", "--attraction", "castle", "--every", "1s"}, exitUsage, "want at least 10s"},
		{[]string{"probe", "--attraction", "moon", "--config", "../../config.yaml"}, exitConfig, `"moon" is not configured`},
		{[]string{"probe", "https://other.example.org", "--attraction", "castle", "--config", "../../config.yaml"}, exitConfig, "is not media.url"},
	}
	for _, tt := range tests {
		var out lockedBuffer
		if code := run(t.Context(), tt.args, &out, &out); code != tt.code || !strings.Contains(out.String(), tt.want) {
			t.Errorf("%q = %d %q, want %d with %q", tt.args, code, out.String(), tt.code, tt.want)
		}
	}
}
