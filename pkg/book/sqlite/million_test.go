package sqlite_test

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

// TestMillion imports a million tickets, twice, and says how long that took.
func TestMillion(t *testing.T) {
	if os.Getenv("HANDSTAMP_MILLION") == "" {
		t.Skip("HANDSTAMP_MILLION is not set")
	}
	const n = 1_000_000
	b := open(t, filepath.Join(t.TempDir(), "book.db"))
	for _, want := range [][2]int{{n, 0}, {0, n}} {
		begin := time.Now()
		added, unchanged, err := b.Import(t.Context(), records(1, n))
		if added != want[0] || unchanged != want[1] || err != nil {
			t.Fatalf("Import = %d, %d, %v, want %d, %d", added, unchanged, err, want[0], want[1])
		}
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		t.Logf("%d new, %d unchanged in %s, with a heap of %d MiB", added, unchanged, time.Since(begin), m.HeapSys>>20)
	}
}
