package sqlite_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/handstamp/handstamp/pkg/book/booktest"
	"github.com/handstamp/handstamp/pkg/book/sqlite"
	"github.com/handstamp/handstamp/pkg/book/sqlite/sqlitetest"
	"github.com/handstamp/handstamp/pkg/gate"
)

func TestBook(t *testing.T) {
	t.Parallel()
	booktest.Run(t, func(t *testing.T) gate.Book { return open(t, filepath.Join(t.TempDir(), "book.db")) })
}

// TestModel does 100,000 operations under "make trouble", which take minutes.
func TestModel(t *testing.T) {
	t.Parallel()
	operations := max(heavy(1_500), 400) // many more where there is time, see below
	if os.Getenv("FULL_TESTS") != "" {
		operations = 100_000
	}
	booktest.Model(t, func(t *testing.T) gate.Book { return open(t, filepath.Join(t.TempDir(), "book.db")) }, operations)
}

// open opens the book at path, an empty one if there is none.
func open(t testing.TB, path string) *sqlite.Book {
	t.Helper()
	sqlitetest.Put(t, path)
	b, err := sqlite.Open(t.Context(), path, sqlite.Options{Create: true})
	if err != nil {
		t.Fatalf("Open(%q) = %v", path, err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Errorf("Close = %v", err)
		}
	})
	return b
}

var _ gate.Book = (*sqlite.Book)(nil)
