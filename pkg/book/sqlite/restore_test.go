package sqlite_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/handstamp/handstamp/pkg/book/sqlite"
	"github.com/handstamp/handstamp/pkg/gate"
)

// backedUp makes a book at path with a backup beside its folder, and goes on with
// it after that. It returns the backup and what the book's log was when it ended.
func backedUp(t *testing.T, path string) (backup string, log []byte) {
	t.Helper()
	b := open(t, path)
	enter(t, b, entry("before"))
	backup = filepath.Join(t.TempDir(), "backup.db")
	if err := b.Backup(t.Context(), backup); err != nil {
		t.Fatal(err)
	}
	for _, device := range []string{"after", "and after that"} {
		e := entry(device)
		e.Ticket = fingerprint(device)
		enter(t, b, e)
	}
	log, err := os.ReadFile(path + "-wal")
	if err != nil || len(log) == 0 {
		t.Fatalf("the log = %d bytes, %v, want some", len(log), err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	return backup, log
}

func put(t *testing.T, name string, content []byte) {
	t.Helper()
	if err := os.WriteFile(name, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// only makes sure that these files are in a folder and no others.
func only(t *testing.T, folder string, want ...string) {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil || strings.Join(found, " ") != strings.Join(want, " ") {
		t.Errorf("files %q, %v, want %q", found, err, want)
	}
}

// TestRestore takes a book back to its backup. What is left of the lost one has
// to be away first: its log would be replayed into the backup.
func TestRestore(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path := filepath.Join(folder, "book.db")
	backup, log := backedUp(t, path)
	put(t, path+"-wal", log)
	for _, gone := range []string{"", path, path + "-wal"} {
		if gone != "" {
			if err := os.Remove(gone); err != nil {
				t.Fatal(err)
			}
		}
		err := sqlite.Restore(t.Context(), backup, path)
		if gone == path+"-wal" {
			if err != nil {
				t.Fatalf("Restore = %v", err)
			}
			break
		}
		if !errors.Is(err, fs.ErrExist) || !strings.Contains(err.Error(), path+"-wal") || gone == "" && !strings.Contains(err.Error(), "left "+path+", ") {
			t.Fatalf("Restore without %q = %v, want ErrExist that names what is left", gone, err)
		}
		if runtime.GOOS != "windows" && !strings.Contains(err.Error(), path+"-wal "+path+".lost/") {
			t.Errorf("Restore = %v, want what to move where", err)
		}
	}
	only(t, folder, path)
	info, err := os.Stat(path)
	if err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("the restored book: %v, %v, want mode 0600", info.Mode(), err)
	}
	b, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	finds(t, b, "before", noon, "")
	finds(t, b, "after", noon, gate.ReasonNoSession)
	if err := b.Check(t.Context()); err != nil {
		t.Errorf("Check = %v", err)
	}
}

// A stale log does do harm, or TestRestore would say nothing.
func TestStaleLog(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "book.db")
	backup, log := backedUp(t, path)
	content, err := os.ReadFile(backup)
	if err != nil {
		t.Fatal(err)
	}
	put(t, path, content)
	put(t, path+"-wal", log)
	b, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	if err != nil {
		t.Logf("Open = %v", err)
		return
	}
	defer b.Close()
	if _, err := b.Find(t.Context(), session("after"), noon); err != nil && b.Check(t.Context()) == nil {
		t.Errorf("a stale log was not replayed: Find = %v", err)
	}
}

// TestRestoreRefuses: what is no whole backup leaves nothing behind.
func TestRestoreRefuses(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	live := filepath.Join(folder, "live.db")
	backup, _ := backedUp(t, live)
	content, err := os.ReadFile(backup)
	if err != nil {
		t.Fatal(err)
	}
	enter(t, open(t, live), entry("now")) // open until the end of the test
	used, err := os.ReadFile(live)
	if err != nil {
		t.Fatal(err)
	}
	name := func(name string, content []byte) string {
		name = filepath.Join(folder, name)
		put(t, name, content)
		return name
	}
	mixed := bytes.Clone(content)
	copy(mixed[4096:8192], bytes.Repeat([]byte("x"), 4096))
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for _, tt := range []struct {
		ctx        context.Context
		from, want string
	}{
		{t.Context(), filepath.Join(folder, "none.db"), "no such file"},
		{t.Context(), folder, "is a directory"},
		{t.Context(), live, "live.db-wal holds changes"},
		{t.Context(), name("plain.db", used), "plain copy of a file that was in use"},
		{t.Context(), name("empty.db", nil), "is empty"},
		{t.Context(), name("text.db", bytes.Repeat([]byte("a list of tickets\n"), 500)), "not a book"},
		{t.Context(), name("short.db", content[:len(content)/2]), "damaged"},
		{t.Context(), name("mixed.db", mixed), "damaged"},
		{ended, backup, "context canceled"},
	} {
		to := t.TempDir()
		err := sqlite.Restore(tt.ctx, tt.from, filepath.Join(to, "book.db"))
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), tt.from) {
			t.Errorf("Restore(%s) = %v, want %q", tt.from, err, tt.want)
		}
		only(t, to)
	}
	if err := sqlite.Restore(t.Context(), backup, filepath.Join(folder, "no", "book.db")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Restore into a folder that is not there = %v, want ErrNotExist", err)
	}
}
