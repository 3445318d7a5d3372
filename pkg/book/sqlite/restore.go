package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// beside are the endings of the files that SQLite keeps next to a book. It
// replays a log or a journal into whatever file lies there, see "Mispairing
// database files and hot journals" in "How To Corrupt An SQLite Database File" on
// sqlite.org.
var beside = []string{"-wal", "-shm", "-journal"}

// Restore copies the backup at from to path, where no book may be, nor any file
// that one has left beside it: the error then is fs.ErrExist and says what to
// move where. The copy is read from first to last and compared with its indexes
// before it gets the name path, is on disk then, and is for its owner only. The
// backup is only read. Nobody may open path meanwhile.
func Restore(ctx context.Context, from, path string) error {
	if err := restore(ctx, from, path); err != nil {
		if plain := plainly(err); plain != "" {
			err = fmt.Errorf("%s: %w", plain, err)
		}
		return fmt.Errorf("restore from %s: %w", from, err)
	}
	return nil
}

func restore(ctx context.Context, from, path string) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	if err := vacant(path); err != nil {
		return err
	}
	source, err := openBackup(from)
	if err != nil {
		return err
	}
	defer source.Close()
	partial, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".partial-")
	if err != nil {
		return err
	}
	defer discard(partial.Name())
	_, err = io.Copy(partial, reader{ctx, source})
	if err := errors.Join(err, partial.Sync(), partial.Close()); err != nil {
		return err
	}
	if err := proven(ctx, partial.Name()); err != nil {
		return err
	}
	if err := vacant(path); err != nil { // still
		return err
	}
	if err := os.Link(partial.Name(), path); err != nil { // never over another book, as a rename would be
		return err
	}
	return syncDir(filepath.Dir(path))
}

// vacant returns an error if a book is at path, or what one has left.
func vacant(path string) error {
	var found []string
	for _, ending := range append([]string{""}, beside...) {
		_, err := os.Lstat(path + ending)
		if err == nil {
			found = append(found, path+ending)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if len(found) == 0 {
		return nil
	}
	move := "move them into another folder"
	if runtime.GOOS != "windows" {
		move = fmt.Sprintf("mkdir %s.lost && mv %s %s.lost/", path, strings.Join(found, " "), path)
	}
	return fmt.Errorf("another book has left %s, and its log would be replayed into the restored one: %w (hint: stop the gateway, then %s)", strings.Join(found, ", "), fs.ErrExist, move)
}

// openBackup opens a backup for reading. One with a log beside it is not whole
// without.
func openBackup(from string) (*os.File, error) {
	info, err := os.Stat(from)
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("it is a %s, want a regular file", kind(info.Mode()))
	}
	for _, ending := range []string{"-wal", "-journal"} {
		if log, err := os.Stat(from + ending); err == nil && log.Size() > 0 {
			return nil, fmt.Errorf(`%s%s holds changes of it (hint: if nothing has it open, "handstamp book check --set book.file=..." takes them in)`, from, ending)
		}
	}
	return os.Open(from)
}

// proven makes sure that a copy is a book, was closed, and is whole.
func proven(ctx context.Context, name string) error {
	b := &Book{path: name}
	if err := b.inspect(ctx); err != nil {
		return err
	}
	db, err := b.pool("rw", 1, nil)
	if err != nil {
		return err
	}
	var open bool
	err = db.QueryRowContext(ctx, "SELECT open FROM meta").Scan(&open)
	if err == nil && open {
		err = errors.New(`it is a plain copy of a file that was in use, and lacks what was in its log (hint: "handstamp book backup" makes copies that are whole)`)
	}
	if err == nil {
		err = whole(ctx, db)
	}
	return errors.Join(err, db.Close())
}

// discard deletes a copy that is no longer wanted, with what SQLite keeps beside it.
func discard(name string) {
	for _, ending := range append([]string{""}, beside...) {
		_ = os.Remove(name + ending)
	}
}

// A reader reads until ctx has ended.
type reader struct {
	ctx context.Context
	io.Reader
}

func (r reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.Reader.Read(p)
}
