package main

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestHangup sends SIGHUP to a gateway: it reads the list again and lives on.
func TestHangup(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir, address := t.TempDir(), freePort(t)
	list := filepath.Join(dir, "tickets.csv")
	write(t, list, "code,attraction\nCASTLE-OLD-TICKET-0001,castle\n")
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "config.yaml")
	write(t, file, `http: {listen: "`+address+`", public_url: "http://`+address+`", drain: 0s}
media: {url: "http://`+address+`"}
throttle: {floor: 0s}
keys: {dir: `+root+`/keys.example}
sources: [{id: list, kind: roll, file: tickets.csv}]
attractions: [{id: castle, timezone: Europe/Madrid, packages: [{id: audio}], sources: [list]}]
`)
	ctx, cancel := context.WithCancel(t.Context())
	cmd := exec.CommandContext(ctx, exe, "serve", "--config", file)
	cmd.Env = append(os.Environ(), asBinary+"=1")
	var out lockedBuffer
	cmd.Stderr = &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { cancel(); _ = cmd.Wait() }()
	waitFor(t, "http://"+address+"/readyz", &out)
	shows := func() int {
		res, err := http.Post("http://"+address+"/v1/tickets/verify", "application/json", strings.NewReader(`{"ticket":"castle new ticket 0002"}`))
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res.StatusCode
	}
	if got := shows(); got != http.StatusForbidden {
		t.Fatalf("verify before = %d, want 403", got)
	}
	write(t, list, "code,attraction\nCASTLE-NEW-TICKET-0002,castle\n")
	if err := cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	for range 100 {
		if strings.Contains(out.String(), "read again") {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if got := shows(); got != http.StatusOK {
		t.Errorf("verify after SIGHUP = %d, want 200\n%s", got, out.String())
	}
}
