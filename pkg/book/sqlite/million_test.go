package sqlite_test

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/gate"
)

// TestMillion imports a million tickets, twice, and says how long that took and
// how much memory. Nobody sees one of them in the middle of it.
func TestMillion(t *testing.T) {
	if os.Getenv("HANDSTAMP_MILLION") == "" {
		t.Skip("HANDSTAMP_MILLION is not set")
	}
	const n = 1_000_000
	b := open(t, filepath.Join(t.TempDir(), "book.db"))
	list := func(yield func(book.Record) bool) {
		i := 0
		for r := range records(1, n) {
			if i++; i == n-1 {
				if _, err := b.Lookup(t.Context(), fingerprint("1 0")); !errors.Is(err, gate.ErrNoTarget) {
					t.Errorf("Lookup in the middle = %v, want ErrNoTarget", err)
				}
			}
			if !yield(r) {
				return
			}
		}
	}
	for _, want := range [][2]int{{n, 0}, {0, n}} {
		begin := time.Now()
		added, unchanged, err := b.Import(t.Context(), "list", list, book.AuditEvent{})
		took := time.Since(begin)
		if added != want[0] || unchanged != want[1] || err != nil {
			t.Fatalf("Import = %d, %d, %v, want %d, %d", added, unchanged, err, want[0], want[1])
		}
		t.Logf("%d new, %d unchanged in %s, at most %d MB resident", added, unchanged, took, resident()>>20)
		if took > 30*time.Second || resident() > 300<<20 {
			t.Errorf("Import took %s and %d MB, want 30 s and 300 MB at most", took, resident()>>20)
		}
		list = records(1, n)
	}
	if r, err := b.Lookup(t.Context(), fingerprint("1 0")); err != nil || r.Batch != "list" {
		t.Errorf("Lookup = %+v, %v, want a record of the list", r, err)
	}
}

// resident is the most memory that the process had so far, in bytes; 0 where
// the system does not say.
func resident() int {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	found := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(status)
	if found == nil {
		return 0
	}
	kilobytes, _ := strconv.Atoi(string(found[1]))
	return kilobytes << 10
}
