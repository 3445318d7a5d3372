package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	engine "modernc.org/sqlite"
)

// backupPages are copied at a time, 256 KiB; writes go on in between.
const backupPages = 64

// Backup copies the book to a new file at path, which must not exist. The copy
// has everything that was written before Backup returns; see "SQLite Backup
// API" on sqlite.org for how. It is a book with nothing in its log, checked
// and on disk. One backup is made at a time.
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
	if err := errors.Join(reserved.Close(), partial.Close()); err != nil {
		return err
	}
	if err := b.copy(ctx, partial.Name()); err != nil {
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

// copy fills an empty file. The writer's own connection reads, so that what it
// writes meanwhile goes into the copy as well.
func (b *Book) copy(ctx context.Context, path string) error {
	to := (&Book{path: path}).dsn("rw", map[string]string{"synchronous": "0"}) // see settle
	err := b.writer.do(ctx, &job{alone: func(w *writer) error { return w.beginBackup(to) }})
	for more := err == nil; more && err == nil; {
		err = b.writer.do(ctx, &job{alone: func(w *writer) (err error) {
			more, err = w.stepBackup()
			return err
		}})
	}
	end := b.writer.do(context.WithoutCancel(ctx), &job{alone: (*writer).endBackup})
	return b.explain("back up", errors.Join(err, end))
}

func (w *writer) beginBackup(to string) error {
	return w.conn.Raw(func(c any) (err error) {
		from, ok := c.(interface {
			NewBackup(string) (*engine.Backup, error)
		})
		if !ok {
			return fmt.Errorf("the driver's %T makes no backups", c)
		}
		w.backup, err = from.NewBackup(to)
		return err
	})
}

func (w *writer) stepBackup() (more bool, err error) {
	if w.backup == nil {
		return false, errors.New("the connection was lost meanwhile")
	}
	return w.backup.Step(backupPages)
}

// endBackup must come before its connection is closed.
func (w *writer) endBackup() error {
	if w.backup == nil {
		return nil
	}
	err := w.backup.Finish()
	w.backup = nil
	return err
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
