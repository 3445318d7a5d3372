// Package sqlitetest makes empty books for tests. To make a book takes several
// times as long as to open one, and under the race detector most of a second.
package sqlitetest

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/handstamp/handstamp/pkg/book/sqlite"
)

// Put makes an empty book at path, unless there is a file. It is as
// sqlite.Open has made and closed it.
func Put(t testing.TB, path string) {
	t.Helper()
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return
	}
	book, err := empty()
	if err == nil {
		err = os.WriteFile(path, book, 0o600)
	}
	if err != nil {
		t.Fatalf("an empty book: %v", err)
	}
}

// empty is the file of a book, which is made once for each process.
var empty = sync.OnceValues(func() (file []byte, err error) {
	dir, err := os.MkdirTemp("", "book")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	path := filepath.Join(dir, "book.db")
	b, err := sqlite.Open(context.Background(), path, sqlite.Options{Create: true})
	if err != nil {
		return nil, err
	}
	if err := b.Close(); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})
