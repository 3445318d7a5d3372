package main

import (
	"context"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// TestServeLeavesNoCore looks at the limit of a gateway that runs.
func TestServeLeavesNoCore(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	address := freePort(t)
	ctx, cancel := context.WithCancel(t.Context())
	cmd := exec.CommandContext(ctx, exe, "serve", "--config", "../../config.yaml", "--set", "http.drain=0s,http.listen="+address+
		",http.public_url=http://"+address+",media.url=http://"+address)
	cmd.Env = append(os.Environ(), asBinary+"=1")
	var out lockedBuffer
	cmd.Stderr = &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { cancel(); _ = cmd.Wait() }()
	waitFor(t, "http://"+address+"/readyz", &out)
	limits, err := os.ReadFile("/proc/" + strconv.Itoa(cmd.Process.Pid) + "/limits")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(limits)) {
		if f := strings.Fields(strings.TrimPrefix(line, "Max core file size")); strings.HasPrefix(line, "Max core") && (f[0] != "0" || f[1] != "0") {
			t.Errorf("limit of core files = %q, want 0", strings.TrimSpace(line))
		}
	}
}
