package sqlite_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/book/sqlite"
	"github.com/handstamp/handstamp/pkg/gate"
)

// An answered note stands behind the sync that made it true.
type answered struct {
	device  string
	revoked bool
}

// A listed note stands behind the end of an import of so many records.
type listed int

// TestPowerLoss cuts the power at random moments of one crowd's admissions.
//
// What is real: SQLite and this package, and the list of all that they asked
// of the operating system: writes, truncations, syncs, in order. What is
// simulated: the disk. At a cut, what was written before a file's last sync is
// there; every write since then is there, or not, or for some of its sectors
// of 512 bytes only, each by chance and apart from the others, as if the disk
// had reordered them. A sync covers only writes that had returned before it
// began. What is not simulated: a disk that does not do what sync says, and
// the loss of a file's name after it was made. A name that was deleted may come
// back, unless the folder was synced since, as Open does at its end; that sync
// is not seen here, but taken on trust.
//
// After each cut the book opens, is whole, has sold no seat twice, knows
// everything that was answered before the cut, and shows all of a list or none.
func TestPowerLoss(t *testing.T) {
	troubled(t)
	t.Parallel()
	folder := t.TempDir()
	d := newDisk(t, folder)
	crowd(t, d, filepath.Join(folder, "book.db"))
	for seed := range rounds(t, "HANDSTAMP_POWER_ROUNDS", 500) {
		r := rand.New(rand.NewPCG(uint64(seed), 1))
		cut := r.IntN(len(d.events) + 1)
		path := filepath.Join(t.TempDir(), "book.db")
		for name, content := range d.after(cut, r) {
			if err := os.WriteFile(filepath.Join(filepath.Dir(path), name), content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if n := survived(t, path, d.events[:cut]); t.Failed() {
			t.Fatalf("seed %d: power lost after event %d of %d, %d answers before", seed, cut, len(d.events), n)
		}
	}
}

// crowd lets devices in, renews and revokes, 16 at a time, and notes each answer.
func crowd(t *testing.T, d *disk, path string) {
	t.Helper()
	b, err := sqlite.OpenVFS(t.Context(), path, sqlite.Options{Create: true}, diskName, 60)
	if err != nil {
		t.Fatal(err)
	}
	d.note(diskEvent{file: ".", sync: true, covers: len(d.events)})
	b.SortAtATime(100)
	var devices sync.WaitGroup
	for i := range 16 {
		devices.Go(func() {
			for round := range 12 {
				act(t, b, d, i, round)
			}
		})
	}
	devices.Go(func() { // which does not sync until its end
		n, _, err := b.Import(t.Context(), "list", records(1, 150), book.AuditEvent{})
		if err != nil {
			t.Errorf("Import = %v", err)
		}
		d.note(diskEvent{note: listed(n)})
	})
	devices.Wait()
	d.mu.Lock() // the power is lost before Close
	d.events = d.events[:len(d.events):len(d.events)]
	events := d.events
	d.mu.Unlock()
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	d.events = events
}

func act(t *testing.T, b *sqlite.Book, d *disk, i, round int) {
	device := fmt.Sprint(i, " ", round)
	e := entry(device)
	e.Ticket = fingerprint(fmt.Sprint("shared by four ", i/4, " ", round)) // three of four get in
	a, err := b.Enter(t.Context(), e)
	if err != nil {
		return
	}
	d.note(diskEvent{note: answered{device: device}})
	if i%3 == 0 {
		if _, err := b.Renew(t.Context(), renewal(device, device+" renewed", noon)); err == nil {
			d.note(diskEvent{note: answered{device: device + " renewed"}})
		}
	}
	if i == 1 {
		revoke(t, b, gate.Target{Kind: gate.TargetAdmission, ID: a.ID}, noon, 1)
		d.note(diskEvent{note: answered{device: device, revoked: true}})
	}
}

// after returns what the files hold when the power is lost after so many events.
func (d *disk) after(cut int, r *rand.Rand) map[string][]byte {
	covered := map[string]int{}
	for _, e := range d.events[:cut] {
		if e.sync {
			covered[e.file] = max(covered[e.file], e.covers)
		}
	}
	files := map[string][]byte{}
	for i, e := range d.events[:cut] {
		switch {
		case e.note != nil || e.sync:
		case e.deleted:
			if i < covered["."] || r.IntN(2) == 0 {
				delete(files, e.file)
			}
			continue
		case e.data == nil && (i < covered[e.file] || r.IntN(2) == 0):
			files[e.file] = resize(files[e.file], int(e.at))
		case e.data != nil && (i < covered[e.file] || r.IntN(3) == 0):
			files[e.file] = write(files[e.file], e.data, int(e.at))
		case e.data != nil && r.IntN(2) == 0:
			files[e.file] = tear(files[e.file], e.data, int(e.at), r)
		}
		if _, ok := files[e.file]; !ok && e.file != "" && e.file != "." {
			files[e.file] = nil
		}
	}
	return files
}

func resize(content []byte, size int) []byte {
	if size <= len(content) {
		return content[:size:size]
	}
	return append(content, make([]byte, size-len(content))...)
}

func write(content, data []byte, at int) []byte {
	content = resize(content, max(len(content), at+len(data)))
	copy(content[at:], data)
	return content
}

// tear writes some sectors of data.
func tear(content, data []byte, at int, r *rand.Rand) []byte {
	for from := 0; from < len(data); {
		to := min(from+512-(at+from)%512, len(data))
		if r.IntN(2) == 0 {
			content = write(content, data[from:to], at+from)
		}
		from = to
	}
	return content
}

// survived opens what is left and looks for everything that was answered.
func survived(t *testing.T, path string, events []diskEvent) (answers int) {
	t.Helper()
	b, err := sqlite.Open(t.Context(), path, sqlite.Options{Create: true})
	if err != nil {
		t.Errorf("Open = %v", err)
		return 0
	}
	defer b.Close()
	if err := b.Check(t.Context()); err != nil {
		t.Errorf("Check = %v", err)
	}
	revoked := map[string]bool{}
	want := 0
	for _, e := range events {
		if n, ok := e.note.(listed); ok {
			want = int(n)
		}
		if a, ok := e.note.(answered); ok {
			revoked[a.device] = revoked[a.device] || a.revoked
			answers++
		}
	}
	for device, gone := range revoked {
		if a, err := b.Find(t.Context(), session(device), noon.Add(time.Second)); err != nil && !isRevoked(err) || gone && err == nil {
			t.Errorf("Find(%q) = %+v, %v, but it had been answered (revoked: %v)", device, a, err, gone)
		}
	}
	page, _, err := b.Records(t.Context(), book.Query{Limit: 1000})
	if n := len(page); err != nil || n != want && n != 150 {
		t.Errorf("%d records are seen, %v, want %d, or all 150", n, err, want)
	}
	oversold(t, b)
	return answers
}
