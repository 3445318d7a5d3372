package sqlite_test

import (
	"encoding/binary"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/book/sqlite"
)

// A pulse lets devices in at a steady pace, whoever else is at work, and
// measures how long each of them waits.
type pulse struct {
	book *sqlite.Book
	next uint64
}

// beat lets 200 devices in each second until done is closed, and returns how
// long the slowest of a hundred waited, and how many there were.
func (p *pulse) beat(t *testing.T, done <-chan struct{}) (p99, worst time.Duration, n int) {
	t.Helper()
	var mu sync.Mutex
	var waits []time.Duration
	var devices sync.WaitGroup
	for tick := time.NewTicker(5 * time.Millisecond); ; {
		select {
		case <-done:
			tick.Stop()
			devices.Wait()
			slices.Sort(waits)
			return waits[len(waits)*99/100], waits[len(waits)-1], len(waits)
		case <-tick.C:
		}
		p.next++
		e := entry("")
		binary.BigEndian.PutUint64(e.Session[:], p.next)
		binary.BigEndian.PutUint64(e.Ticket[:], p.next)
		devices.Go(func() {
			begin := time.Now()
			if _, err := p.book.Enter(t.Context(), e); err != nil {
				t.Errorf("Enter = %v", err)
			}
			mu.Lock()
			defer mu.Unlock()
			waits = append(waits, time.Since(begin))
		})
	}
}

// during is beat for as long as work takes.
func (p *pulse) during(t *testing.T, what string, work func()) (p99 time.Duration) {
	t.Helper()
	done := make(chan struct{})
	begin := time.Now()
	go func() { defer close(done); work() }()
	p99, worst, n := p.beat(t, done)
	t.Logf("%-8s %6s: %d of %d admissions waited for more than %s, the longest for %s", what,
		time.Since(begin).Round(100*time.Millisecond), n/100, n, p99.Round(10*time.Microsecond), worst.Round(10*time.Microsecond))
	return p99
}

// TestBackupIsCalm measures what a backup and a Prune cost those who come
// meanwhile. How much that is depends on the machine and on who else uses it;
// what fails here is a stall, such as by a sync of the whole copy.
func TestBackupIsCalm(t *testing.T) {
	troubled(t)
	folder := t.TempDir()
	b := open(t, filepath.Join(folder, "book.db"))
	if _, _, err := b.Import(t.Context(), "list", records(1, heavy(300_000)), book.AuditEvent{}); err != nil {
		t.Fatal(err)
	}
	p := &pulse{book: b}
	var without, with time.Duration
	for _, name := range []string{"1.db", "2.db"} {
		without += p.during(t, "nothing", func() { time.Sleep(6 * time.Second) })
		with += p.during(t, "backup", func() {
			if err := b.Backup(t.Context(), filepath.Join(folder, name)); err != nil {
				t.Errorf("Backup = %v", err)
			}
		})
	}
	p.during(t, "prune", func() {
		if n, err := b.Prune(t.Context(), noon.Add(32*day)); err != nil || n == 0 {
			t.Errorf("Prune = %d, %v", n, err)
		}
	})
	t.Logf("p99 %s without a backup, %s with one", without/2, with/2)
	if with/2 > 2*without/2+100*time.Millisecond {
		t.Errorf("a backup raises the p99 from %s to %s", without/2, with/2)
	}
}
