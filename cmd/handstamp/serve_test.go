package main

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// A locked buffer can be read while the command still writes.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// freePort returns an address that nothing listens on.
func freePort(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func TestServe(t *testing.T) {
	address := freePort(t)
	args := []string{"serve", "--config", "../../config.yaml", "--set", "http.drain=0s,http.listen=" + address +
		",http.public_url=http://" + address + ",media.url=http://" + address}
	ctx, stop := context.WithCancel(t.Context())
	var stdout, stderr lockedBuffer
	ended := make(chan int, 1)
	go func() { ended <- run(ctx, args, &stdout, &stderr) }()
	waitFor(t, "http://"+address+"/readyz", &stderr)

	resp, err := http.Post("http://"+address+"/v1/tickets/verify", "application/json", strings.NewReader(`{"ticket":"castle-demo-7q4m-2xkd"}`))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 200 || len(resp.Header.Values("Set-Cookie")) < 4 {
		t.Errorf("verify = %d with %d cookies, want 200 with a cookie set", resp.StatusCode, len(resp.Header.Values("Set-Cookie")))
	}

	// the port is taken now: a clear word, and the first goes on
	var second lockedBuffer
	if code := run(t.Context(), args, &second, &second); code != exitFailed || !strings.Contains(second.String(), address+" is taken by another program") {
		t.Errorf("second serve = %d %q, want %d and that the port is taken", code, second.String(), exitFailed)
	}
	stop()
	select {
	case code := <-ended:
		if code != exitDone {
			t.Errorf("serve = %d after the signal, want %d\n%s", code, exitDone, stderr.String())
		}
	case <-time.After(10 * time.Second):
		t.Error("serve did not end within 10 s of the signal")
	}
	if strings.Contains(strings.ToUpper(stderr.String()), "7Q4M") {
		t.Errorf("the log has the ticket in it:\n%s", stderr.String())
	}
}

// TestServeRefuses has what ends a gateway before it begins.
func TestServeRefuses(t *testing.T) {
	for _, tt := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"--patience", "0s"}, exitUsage, "--patience 0s, want more than 0"},
		{[]string{"--patience", "-1s"}, exitUsage, "--patience -1s, want more than 0"},
		{[]string{"--config", "/nonexistent.yaml"}, exitConfig, "no such file or directory (hint: --config names the file)"},
	} {
		var out lockedBuffer
		if code := run(t.Context(), append([]string{"serve"}, tt.args...), &out, &out); code != tt.code || !strings.Contains(out.String(), tt.want) {
			t.Errorf("serve %q = %d %q, want %d and %q", tt.args, code, out.String(), tt.code, tt.want)
		}
	}
}

func waitFor(t *testing.T, url string, log *lockedBuffer) {
	t.Helper()
	for range 100 {
		if resp, err := http.Get(url); err == nil {
			resp.Body.Close()
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("%s does not answer\n%s", url, log.String())
}
