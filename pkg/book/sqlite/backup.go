package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	engine "modernc.org/sqlite"
)

// A backup is in no hurry: it copies 256 KiB, lets the system begin to write
// them, and rests for three times as long as that took, so that those who come
// meanwhile have most of the processor and of the disk. A sync of all that was
// copied, at the end, would hold up theirs for as long as it takes.
const (
	backupPages = 64
	backupRest  = 3
	restAtMost  = 500 * time.Millisecond
)

// Backup copies the book to a new file at path, which must not exist. The copy
// is the book at one moment after Backup was called; see "SQLite Backup API" on
// sqlite.org for how. It is a book with nothing in its log, checked and on
// disk. One backup is made at a time, and until it is done the log of this book
// cannot be begun anew.
func (b *Book) Backup(ctx context.Context, path string) (err error) {
	b.backup.Lock()
	defer b.backup.Unlock()
	reserved, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("back up to %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("back up to %s: %w", path, errors.Join(err, os.Remove(path)))
		}
	}()
	partial, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".partial-")
	if err != nil {
		return errors.Join(err, reserved.Close())
	}
	defer func() { _ = os.Remove(partial.Name()) }()
	if err := errors.Join(reserved.Close(), b.copy(ctx, partial), partial.Close()); err != nil {
		return err
	}
	if err := settle(ctx, partial.Name()); err != nil {
		return err
	}
	if err := os.Rename(partial.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// copy fills an empty file. It has a connection of its own, which sees the book
// as it was at the beginning, so it neither waits for writes nor they for it.
func (b *Book) copy(ctx context.Context, to *os.File) error {
	b.copying.Store(true)
	defer b.copying.Store(false)
	if err := b.writer.do(ctx, &job{alone: func(*writer) error { return nil }}); err != nil { // not after Close
		return b.explain("back up", err)
	}
	db, err := b.pool("ro", 1, map[string]string{"query_only": "1", "cache_size": "-256"})
	if err != nil {
		return err
	}
	defer db.Close()
	conn, err := db.Conn(ctx)
	if err != nil {
		return b.explain("back up", err)
	}
	defer conn.Close()
	for _, begin := range []string{"BEGIN", "SELECT open FROM meta"} { // what is read first is what is seen from then on
		if _, err := conn.ExecContext(ctx, begin); err != nil {
			return b.explain("back up", err)
		}
	}
	return b.explain("back up", conn.Raw(func(c any) error { return backUp(ctx, c, to) }))
}

// backUp copies what a connection sees, from first to last.
func backUp(ctx context.Context, conn any, to *os.File) error {
	from, ok := conn.(interface {
		NewBackup(string) (*engine.Backup, error)
	})
	if !ok {
		return fmt.Errorf("the driver's %T makes no backups", conn)
	}
	backup, err := from.NewBackup((&Book{path: to.Name()}).dsn("rw", map[string]string{"synchronous": "0", "cache_size": "-256"}))
	if err != nil {
		return err
	}
	for more := true; more && err == nil; {
		begin := time.Now()
		if more, err = backup.Step(backupPages); err == nil && more {
			writeBack(to)
			err = rest(ctx, min(backupRest*time.Since(begin), restAtMost))
		}
	}
	return errors.Join(err, backup.Finish())
}

// rest waits for d, or until ctx has ended.
func rest(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// settle makes a copy fit to be opened, looks whether it is whole, and puts it
// on disk; nobody waits for that as they would in the writer.
func settle(ctx context.Context, path string) error {
	db, err := (&Book{path: path}).pool("rw", 1, nil)
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, "UPDATE meta SET open = 0")
	if err == nil {
		err = integrity(ctx, db, "quick_check")
	}
	if err := errors.Join(err, db.Close()); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
