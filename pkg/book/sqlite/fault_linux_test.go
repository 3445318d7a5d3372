package sqlite_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/book/sqlite"
	"github.com/handstamp/handstamp/pkg/gate"
)

// TestOneSyncForEachCommit counts below SQLite: an answer has a sync of the
// log before it, and a crowd shares one.
func TestOneSyncForEachCommit(t *testing.T) {
	troubled(t)
	t.Parallel()
	folder := t.TempDir()
	d := newDisk(t, folder)
	b, err := sqlite.OpenVFS(t.Context(), filepath.Join(folder, "book.db"), sqlite.Options{Create: true}, diskName, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	enter(t, b, entry("first")) // begins the log
	for i := range 50 {
		before := d.logSyncs()
		e := entry(fmt.Sprint(i))
		e.Ticket = fingerprint(fmt.Sprint(i))
		a := enter(t, b, e)
		if i%2 == 0 {
			revoke(t, b, gate.Target{Kind: gate.TargetAdmission, ID: a.ID}, noon, 1)
		}
		if got, want := d.logSyncs()-before, 1+(i+1)%2; got != want {
			t.Fatalf("%d syncs for %d answers", got, want)
		}
	}
	before, stats := d.logSyncs(), b.Stats()
	together(64, func(i int) {
		e := entry(fmt.Sprint("crowd ", i))
		e.Ticket = fingerprint(fmt.Sprint("crowd ", i))
		enter(t, b, e)
	})
	syncs, commits := d.logSyncs()-before, int(b.Stats().Commits-stats.Commits)
	t.Logf("64 admissions at once: %d commits, %d syncs", commits, syncs)
	if syncs != commits || commits > 32 {
		t.Errorf("%d syncs for %d commits of 64 admissions", syncs, commits)
	}
}

// TestDiskRefuses fills the disk below SQLite, in one process: what is written
// fails whole, what is read goes on, and when there is room all is well.
func TestDiskRefuses(t *testing.T) {
	troubled(t)
	t.Parallel()
	folder := t.TempDir()
	d := newDisk(t, folder)
	b, err := sqlite.OpenVFS(t.Context(), filepath.Join(folder, "book.db"), sqlite.Options{Create: true}, diskName, 20)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	enter(t, b, entry("1"))
	for round := range 5 {
		d.fill(true)
		together(8, func(i int) {
			e := entry(fmt.Sprint("refused ", round, " ", i))
			e.Ticket, e.Seats = fingerprint(fmt.Sprint("refused ", round)), 1 // seven are refused for a seat that nobody got
			a, err := b.Enter(t.Context(), e)
			if a != nil || err == nil || !strings.Contains(err.Error(), "the disk is full") {
				t.Errorf("Enter = %v, %v, want that the disk is full", a, err)
			}
		})
		if _, _, err := b.Import(t.Context(), "list", records(round, 10), book.AuditEvent{}); err == nil || !strings.Contains(err.Error(), "the disk is full") {
			t.Errorf("Import = %v, want that the disk is full", err)
		}
		finds(t, b, "1", noon, "")
		d.fill(false)
		e := entry(fmt.Sprint("let in ", round))
		e.Ticket = fingerprint(fmt.Sprint(round))
		enter(t, b, e)
	}
	if a := enter(t, b, entry("2")); a.Taken != 2 {
		t.Errorf("%d seats taken, want 2: nothing of what failed", a.Taken)
	}
	if err := b.Check(t.Context()); err != nil {
		t.Errorf("Check = %v", err)
	}
	if s := b.Stats(); s.Failures == 0 {
		t.Errorf("Stats = %+v, want failures", s)
	}
}
