package sqlite_test

import (
	"path/filepath"
	"testing"

	"github.com/handstamp/handstamp/pkg/book/booktest"
	"github.com/handstamp/handstamp/pkg/book/sqlite"
	"github.com/handstamp/handstamp/pkg/gate"
)

func TestBook(t *testing.T) {
	booktest.Run(t, func(t *testing.T) gate.Book { return open(t, filepath.Join(t.TempDir(), "book.db")) })
}

func open(t testing.TB, path string) *sqlite.Book {
	t.Helper()
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
