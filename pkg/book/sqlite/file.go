package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"
)

// A file is the book's file and its log, which must stay what they were: what
// is written to a deleted file is gone when the process is.
type file struct {
	path    string
	mu      sync.Mutex
	db, log os.FileInfo
}

// note remembers which files are open now.
func (f *file) note() error {
	db, err := os.Stat(f.path)
	if err != nil {
		return err
	}
	log, err := os.Stat(f.path + "-wal")
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.db, f.log = db, log
	return nil
}

// check returns an error once one of the files was deleted or replaced.
func (f *file) check() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for name, was := range map[string]os.FileInfo{f.path: f.db, f.path + "-wal": f.log} {
		if was == nil {
			continue
		}
		now, err := os.Stat(name)
		if errors.Is(err, fs.ErrNotExist) || err == nil && !os.SameFile(was, now) {
			return fmt.Errorf("%s was deleted or replaced while it was open (hint: stop the process now, that saves what it still holds)", name)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// find returns the file's name without symbolic links, and whether its log was
// there before we came. It creates an empty file if it may.
func find(path string, create bool) (name string, log bool, err error) {
	name, err = filepath.Abs(path)
	if err != nil {
		return "", false, err
	}
	info, err := os.Stat(name)
	if errors.Is(err, fs.ErrNotExist) && create {
		if err = makeFile(name); err == nil {
			info, err = os.Stat(name)
		}
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", false, fmt.Errorf("%s: there is no book, and none is made unasked: %w", path, fs.ErrNotExist)
	case err != nil:
		return "", false, err
	case !info.Mode().IsRegular():
		return "", false, fmt.Errorf("%s: is a %s, want a regular file", path, kind(info.Mode()))
	case runtime.GOOS != "windows" && info.Mode().Perm()&0o007 != 0:
		return "", false, fmt.Errorf("%s: mode %04o lets everybody in, want 0600 (hint: chmod 600 %s)", path, info.Mode().Perm(), path)
	}
	name, err = filepath.EvalSymlinks(name) // as SQLite does
	if err != nil {
		return "", false, err
	}
	_, err = os.Stat(name + "-wal")
	return name, err == nil, nil
}

func kind(m fs.FileMode) string {
	if m.IsDir() {
		return "directory"
	}
	return m.Type().String() + " file"
}

// makeFile makes an empty file for nobody else, and makes sure that its name
// is on disk. Somebody who makes it at the same time is no error.
func makeFile(name string) error {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), syncDir(filepath.Dir(name)))
}

// syncDir makes names in a directory durable, where that is possible.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
