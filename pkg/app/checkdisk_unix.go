//go:build linux || darwin || freebsd

package app

import "syscall"

// freeSpace returns how many bytes may still be written where a folder is.
func freeSpace(folder string) (uint64, error) {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(folder, &fs); err != nil {
		return 0, err
	}
	return uint64(fs.Bavail) * uint64(fs.Bsize), nil // #nosec G115 -- neither is negative
}
