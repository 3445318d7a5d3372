package sqlite_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/book/sqlite"
)

func TestBackupWhileWriting(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	b := open(t, filepath.Join(folder, "book.db"))
	if _, _, err := b.Import(t.Context(), "list", records(1, heavy(20_000)), book.AuditEvent{}); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	var writers sync.WaitGroup
	var in [4]int
	for i := range in {
		writers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				e := entry(fmt.Sprint(i, " ", in[i]))
				e.Ticket = fingerprint(fmt.Sprint(i, " ", in[i]))
				enter(t, b, e)
				in[i]++
			}
		})
	}
	path := filepath.Join(folder, "copy.db")
	enter(t, b, entry("before"))
	if err := b.Backup(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	close(done)
	writers.Wait()
	if err := b.Backup(t.Context(), path); !errors.Is(err, os.ErrExist) {
		t.Errorf("Backup to a file that exists = %v, want ErrExist", err)
	}
	names, err := filepath.Glob(filepath.Join(folder, "copy*"))
	if err != nil || len(names) != 1 {
		t.Errorf("Backup has left %q, %v, want the copy alone", names, err)
	}
	restored, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer restored.Close()
	if err := restored.Check(t.Context()); err != nil {
		t.Errorf("Check = %v", err)
	}
	finds(t, restored, "before", noon, "")
	admissions, _ := oversold(t, restored)
	t.Logf("the copy has %d of %d admissions", admissions, 1+in[0]+in[1]+in[2]+in[3])
	if _, err := restored.Lookup(t.Context(), fingerprint(fmt.Sprint(1, heavy(20_000)-1))); err != nil {
		t.Errorf("Lookup = %v, want every record", err)
	}
}

func TestBackupFails(t *testing.T) {
	t.Parallel()
	b := fresh(t)
	folder := t.TempDir()
	if err := b.Backup(t.Context(), filepath.Join(folder, "no", "copy.db")); err == nil {
		t.Error("Backup into a folder that is not there succeeded")
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, "copy.db")
	if err := b.Backup(t.Context(), path); !errors.Is(err, sqlite.ErrClosed) {
		t.Errorf("Backup after Close = %v, want ErrClosed", err)
	}
	if names, _ := filepath.Glob(filepath.Join(folder, "*")); len(names) > 0 {
		t.Errorf("Backup has left %q", names)
	}
}
