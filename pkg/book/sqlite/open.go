package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"
)

// Options tunes a Book. The zero value opens a book that exists.
type Options struct {
	Create bool             // make the file if it is missing or empty
	Now    func() time.Time // for what carries no time of its own; nil means time.Now
	Log    *slog.Logger     // warnings about the file; nil means none

	// AcceptLostLog opens a file that was in use when its process or machine
	// died and whose write-ahead log (the file's name with "-wal") has been
	// taken away since: what was only there is lost.
	AcceptLostLog bool

	// SkipCheck leaves out the check of the whole file, which reads all of it.
	SkipCheck bool

	vfs       string // for tests
	copyPages int    // for tests
	window    int    // for tests
}

// A Book implements gate.Book in one file. It is safe for concurrent use.
type Book struct {
	path    string
	opts    Options
	file    file
	writer  *writer
	reader  *sql.DB
	writes  *sql.DB // the writer's connection
	find    *sql.Stmt
	backup  sync.Mutex // one at a time
	copying atomic.Bool
}

// Open opens the book in the file at path. It refuses a file that is missing,
// unless Options.Create is set, and one that is not a regular file, may be
// read by everybody, is read-only, is damaged, belongs to another program, was
// written by a newer handstamp, or has lost its log.
func Open(ctx context.Context, path string, opts Options) (*Book, error) {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	opts.Log = cmp.Or(opts.Log, slog.New(slog.DiscardHandler))
	name, log, err := find(path, opts.Create)
	if err != nil {
		return nil, err
	}
	if fs := networkFS(name); fs != "" {
		opts.Log.WarnContext(ctx, "the book is on a network file system, whose locks cannot be trusted", "file", name, "type", fs)
	}
	b := &Book{path: name, opts: opts, file: file{path: name}}
	if err := b.inspect(ctx); err != nil {
		return nil, b.explain("open", err)
	}
	if err := b.start(ctx, log); err != nil {
		return nil, b.explain("open", errors.Join(err, b.Close()))
	}
	return b, nil
}

// start opens the connections, brings the schema up to date and looks at the
// whole file once.
func (b *Book) start(ctx context.Context, log bool) (err error) {
	if b.writes, err = b.pool("rw", 1, nil); err != nil {
		return err
	}
	if b.reader, err = b.pool("ro", readers, map[string]string{"query_only": "1"}); err != nil {
		return err
	}
	if err = writable(ctx, b.writes); err != nil {
		return err
	}
	steps, err := migrations()
	if err != nil {
		return err
	}
	if err = migrate(ctx, b.writes, steps); err != nil {
		return err
	}
	if err = syncDir(filepath.Dir(b.path)); err != nil { // a rollback journal that came back would undo all that follows
		return err
	}
	if err = b.checkLog(ctx, log); err != nil {
		return err
	}
	if !b.opts.SkipCheck {
		if err = integrity(ctx, b.reader, "quick_check"); err != nil {
			return err
		}
	}
	if b.find, err = b.reader.PrepareContext(ctx, deviceQuery); err != nil {
		return err
	}
	b.writer = newWriter(b, b.writes)
	return b.mark(ctx, true)
}

// checkLog refuses a file that was not closed and has come without its log.
func (b *Book) checkLog(ctx context.Context, log bool) error {
	var open bool
	if err := b.writes.QueryRowContext(ctx, "SELECT open FROM meta").Scan(&open); err != nil {
		return err
	}
	if open && !log && !b.opts.AcceptLostLog {
		return fmt.Errorf("it was not closed, and %s-wal, which holds its last changes, is gone: %w (hint: put it back; if it is lost, \"handstamp book restore\" brings the last backup)", b.path, fs.ErrNotExist)
	}
	return nil
}

// mark notes in the file itself whether the log may hold more than it does.
func (b *Book) mark(ctx context.Context, open bool) error {
	return b.writer.do(ctx, &job{alone: func(w *writer) error {
		if _, err := (&tx{writer: w}).exec("UPDATE meta SET open = ?", open); err != nil {
			return err
		}
		w.cut()
		return nil
	}})
}

// Close writes what still waits and closes the file. Everything that was
// answered is on disk whether or not it is called.
func (b *Book) Close() error {
	var errs []error
	if b.writer != nil {
		err := b.mark(context.Background(), false)
		if errors.Is(err, ErrClosed) {
			return nil // it was done
		}
		errs = append(errs, err)
	}
	if b.reader != nil {
		errs = append(errs, b.reader.Close())
	}
	if b.writer != nil {
		b.writer.close()
	}
	if b.writes != nil {
		errs = append(errs, b.writes.Close()) // the last one empties the log and deletes it
	}
	return errors.Join(errs...)
}

// Stats are counts since Open.
type Stats struct {
	Commits  int64 // transactions, each with one sync
	Writes   int64 // what was done in them, refusals included
	Failures int64 // transactions that failed, whatever was in them
	Waiting  int   // writes that wait now
}

// Stats returns what the book has done.
func (b *Book) Stats() Stats {
	w := b.writer
	return Stats{Commits: w.commits.Load(), Writes: w.writes.Load(), Failures: w.failures.Load(), Waiting: len(w.queue)}
}
