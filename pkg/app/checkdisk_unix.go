//go:build linux || darwin || freebsd

package app

import (
	"io/fs"
	"syscall"

	"golang.org/x/sys/unix"
)

// mayWrite returns an error for a file or folder that this process may not write.
// It does not open it.
func mayWrite(name string) error {
	if err := unix.Access(name, unix.W_OK); err != nil {
		return &fs.PathError{Op: "write", Path: name, Err: err}
	}
	return nil
}

// freeSpace returns how many bytes may still be written where a folder is.
func freeSpace(folder string) (uint64, error) {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(folder, &fs); err != nil {
		return 0, err
	}
	return uint64(fs.Bavail) * uint64(fs.Bsize), nil // #nosec G115 -- neither is negative
}
