package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// A gateway that nobody asks for anything stays small. What counts is memory of
// its own: the pages of the program itself are the page cache's, and more of this
// test's than of handstamp's.
func TestIdleMemory(t *testing.T) {
	g := startGatehouse(t)
	time.Sleep(300 * time.Millisecond) // it is at rest then, which decides nothing
	own, whole := resident(t, g, "RssAnon")+resident(t, g, "RssShmem"), resident(t, g, "VmRSS")
	t.Logf("%d kB of its own, %d kB with the pages of the program", own, whole)
	most := 40_000
	if raceDetector {
		most *= 5
	}
	if own > most {
		t.Errorf("a gateway at rest has %d kB, want at most %d", own, most)
	}
}

// resident returns a line of /proc/PID/status, in kilobytes.
func resident(t *testing.T, g *gatehouse, name string) (kilobytes int) {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", g.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), name+":")
	if _, err := fmt.Sscan(rest, &kilobytes); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return kilobytes
}
