package sqlite

import (
	"context"
	"database/sql"
)

// OpenVFS opens a book through another file system layer, and copies its log
// into the file after so many pages.
func OpenVFS(ctx context.Context, path string, opts Options, vfs string, copyPages int) (*Book, error) {
	opts.vfs, opts.copyPages = vfs, copyPages
	return Open(ctx, path, opts)
}

// SortAtATime makes Import sort, and write, a few records only at a time.
func (b *Book) SortAtATime(n int) { b.opts.window = n }

// Reader is the pool of connections that read.
func (b *Book) Reader() *sql.DB { return b.reader }

// Alone runs f on the connection that writes, between transactions.
func (b *Book) Alone(ctx context.Context, f func(*sql.Conn) error) error {
	return b.writer.do(ctx, &job{alone: func(w *writer) error { return f(w.conn) }})
}

// Write runs f inside a transaction of the writer.
func (b *Book) Write(ctx context.Context, f func(exec func(query string, args ...any) error) error) error {
	return b.writer.do(ctx, &job{write: func(t *tx) error {
		return f(func(query string, args ...any) error {
			_, err := t.exec(query, args...)
			return err
		})
	}})
}

// Names for tests.
var (
	Pragmas    = pragmas
	Migrate    = migrate
	Migrations = migrations

	ErrOvertaken = errOvertaken
)

// Connections of a pool, and the page of a list.
const (
	Readers = readers
	Batch   = maxBatch
)
