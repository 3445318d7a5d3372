package main

import (
	"context"
	"net/http"
	"net/http/cookiejar"
	"os"
	"strings"
	"testing"
)

// An admission outlives the gateway: the book is on disk.
func TestRestartKeepsAdmissions(t *testing.T) {
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	t.Setenv("PEPPER", "0123456789abcdef0123456789abcdef")
	address := freePort(t)
	args := []string{"serve", "--config", root + "/../../config.yaml", "--set", "book.kind=sqlite,book.file=book.db,book.pepper=env:PEPPER,http.drain=0s,http.listen=" + address +
		",http.public_url=http://" + address + ",media.url=http://" + address}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Jar: jar, Transport: &http.Transport{DisableKeepAlives: true}}
	for _, step := range []struct {
		method, path, body string
		want               int
	}{
		{"POST", "/v1/tickets/verify", `{"ticket":"CASTLE-DEMO-7Q4M-2XKD"}`, 200},
		{"GET", "/v1/admission", "", 200},
		{"POST", "/v1/admission/renew", "", 200},
		{"DELETE", "/v1/admission", "", 204},
		{"POST", "/v1/admission/renew", "", 401},
	} {
		ctx, stop := context.WithCancel(t.Context()) // a new gateway for every step
		var log lockedBuffer
		ended := make(chan int, 1)
		go func() { ended <- run(ctx, args, &log, &log) }()
		waitFor(t, "http://"+address+"/readyz", &log)
		req, err := http.NewRequestWithContext(t.Context(), step.method, "http://"+address+step.path, strings.NewReader(step.body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != step.want {
			t.Errorf("%s %s after a restart = %d, want %d\n%s", step.method, step.path, resp.StatusCode, step.want, log.String())
		}
		stop()
		if code := <-ended; code != exitDone {
			t.Errorf("the gateway ended with %d\n%s", code, log.String())
		}
	}
}
