//go:build amd64 || arm64

package sqlite

import (
	"os"
	"syscall"
)

// writeBack asks the system to begin to write what it holds of a file, so that
// a sync later on has little to do and nobody else's waits behind it. It is no
// sync itself, and what fails here shows when there is one. See
// sync_file_range(2).
func writeBack(f *os.File) {
	const begin = 2 // SYNC_FILE_RANGE_WRITE
	_ = syscall.SyncFileRange(int(f.Fd()), 0, 0, begin)
}
