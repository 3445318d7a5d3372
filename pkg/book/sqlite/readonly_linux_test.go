package sqlite_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/book/sqlite"
	"github.com/handstamp/handstamp/pkg/gate"
)

// TestRenewalsGoOnWhileTheDiskIsFull fills the disk below SQLite, again and
// again, so that the commit itself fails.
func TestRenewalsGoOnWhileTheDiskIsFull(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	disk := newDisk(t, folder)
	path := filepath.Join(folder, "book.db")
	b, err := sqlite.OpenVFS(t.Context(), path, sqlite.Options{Create: true}, diskName, 20)
	if err != nil {
		t.Fatal(err)
	}
	d := newDoor(b)
	out := d.admit(t, "out")
	revoke(t, b, gate.Target{Kind: gate.TargetTicket, Ticket: out.Admission.Ticket}, noon, 1)
	for range rounds(t, "HANDSTAMP_FULL_ROUNDS", 2) {
		in := d.admit(t, "in "+gate.Secret(d.now.Format(time.RFC3339)))
		disk.fill(true)
		d.goesOn(t, in.Session, 3)
		d.refuses(t, b, in, out)
		disk.fill(false)
		d.recovers(t, in)
	}
	in := d.admit(t, "last")
	disk.fill(true)
	d.goesOn(t, in.Session, 1)
	disk.fill(false)
	if err := b.Check(t.Context()); err != nil {
		t.Errorf("Check = %v", err)
	}
	if err := b.Close(); err != nil {
		t.Errorf("Close = %v", err)
	}
	again, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if a, err := again.Find(t.Context(), in.Session.Hash(), d.now); err != nil || a.Held != in.Session.Hash() {
		t.Errorf("Find after a restart = %+v, %v, want the session as it was", a, err)
	}
}
