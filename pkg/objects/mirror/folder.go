package mirror

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"

	"github.com/handstamp/handstamp/pkg/urlpath"
)

// Errors about files of the folder.
var (
	ErrName  = errors.New("nobody could ask for a file with this name")
	ErrLink  = errors.New("a link that is not followed")
	ErrEmpty = errors.New("the folder has no files")
)

// maxKey is how long a key may be, in bytes (Amazon S3 User Guide, Naming
// Amazon S3 objects).
const maxKey = 1024

// A Skip is something in the folder that is left out on purpose.
type Skip struct {
	Name string // with slashes, from the folder on
	Why  string
}

// A Failure is a file with which something did not work.
type Failure struct {
	Name string
	Err  error
}

// A Folder is what there is to put.
type Folder struct {
	Sizes   map[string]int64 // in bytes, by name with slashes
	Skipped []Skip
	Failed  []Failure // links that are not followed, names that cannot be asked for, what cannot be read
}

// Scan walks a folder whose files are to go to a target. Links to files inside
// it count as files.
func Scan(root *os.Root, to Target) *Folder {
	f := &Folder{Sizes: map[string]int64{}}
	_ = fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			f.Failed = append(f.Failed, Failure{name, err})
			return fs.SkipDir
		}
		if name == "." {
			return nil
		}
		if why := junk(d.Name()); why != "" {
			f.Skipped = append(f.Skipped, Skip{name, why})
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if !d.IsDir() {
			f.add(root, to, name, d)
		}
		return nil
	})
	return f
}

func (f *Folder) add(root *os.Root, to Target, name string, d fs.DirEntry) {
	info, err := root.Stat(name)
	linked := d.Type()&fs.ModeSymlink != 0
	switch {
	case linked && err != nil:
		err = fmt.Errorf("%w: %w", ErrLink, err)
	case linked && info.IsDir():
		err = fmt.Errorf("%w: it leads to a folder", ErrLink)
	case err == nil && !info.Mode().IsRegular():
		f.Skipped = append(f.Skipped, Skip{name, "no file"})
		return
	case err == nil:
		err = checkName(name, to)
	}
	if err != nil {
		f.Failed = append(f.Failed, Failure{name, err})
		return
	}
	f.Sizes[name] = info.Size()
}

// checkName returns an error for a name that makes no key, or a URL that has
// more than one reading.
func checkName(name string, to Target) error {
	if err := checkText(name); err != nil {
		return err
	}
	if key := to.Key(name); len(key) > maxKey {
		return fmt.Errorf("%w: its key has %d bytes, at most %d", ErrName, len(key), maxKey)
	}
	if _, err := urlpath.Canonical((&url.URL{Path: "/" + name}).EscapedPath()); err != nil {
		return fmt.Errorf("%w: %w", ErrName, err)
	}
	return nil
}
