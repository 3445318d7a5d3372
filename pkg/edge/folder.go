package edge

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"runtime"
	"slices"
	"strings"
)

// Folder returns an origin that serves the directory root and nothing outside
// it: links that lead out are not followed, whenever they appear (see os.Root).
// Links that stay inside are. Pipes, devices and directories are not found.
//
// On a file system that ignores case or Unicode form, a file is found by the
// spelling of its directory entry only; otherwise "/CASTLE/x" would be the file
// of "/castle/x" under another cache behavior.
//
// A new version of a file is best renamed over the old one. One that is
// truncated while it is sent aborts the connection; one that is overwritten in
// place may arrive as a mixture.
//
// The directory stays open until Close.
func Folder(root string) (*Files, error) {
	dir, err := os.OpenRoot(root)
	if err != nil {
		return nil, fmt.Errorf("folder %q: %w", root, err)
	}
	f := &Files{root: dir}
	exact := !ignoresCase(dir)
	f.open = func(name string) (fs.File, error) {
		if !exact && !spelled(dir, name) {
			return nil, fs.ErrNotExist
		}
		return dir.OpenFile(name, os.O_RDONLY|nonblock, 0)
	}
	return f, nil
}

// Close closes the directory of a Folder. Requests after it are not answered
// with files.
func (f *Files) Close() error {
	if f.root == nil {
		return nil
	}
	return f.root.Close()
}

// ignoresCase reports whether files may be found by other spellings: by the
// system's custom, or as an entry shows. A directory without a letter in its
// entries shows nothing.
func ignoresCase(root *os.Root) bool {
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" || runtime.GOOS == "ios" {
		return true
	}
	for _, name := range entries(root, ".", 100) {
		other := strings.ToUpper(name)
		if other == name {
			other = strings.ToLower(name)
		}
		a, err := root.Lstat(name)
		b, otherErr := root.Lstat(other)
		if other != name && err == nil && otherErr == nil && os.SameFile(a, b) {
			return true
		}
	}
	return false
}

// spelled reports whether every part of name is spelled as the directory has it.
func spelled(root *os.Root, name string) bool {
	for name != "." {
		if !slices.Contains(entries(root, path.Dir(name), -1), path.Base(name)) {
			return false
		}
		name = path.Dir(name)
	}
	return true
}

// entries returns up to n names in a directory, all of them if n is negative,
// and none if it cannot be read.
func entries(root *os.Root, dir string, n int) []string {
	d, err := root.OpenFile(dir, os.O_RDONLY|nonblock, 0)
	if err != nil {
		return nil
	}
	defer d.Close()
	names, err := d.Readdirnames(n)
	if err != nil && err != io.EOF {
		return nil
	}
	return names
}
