//go:build !linux && !darwin && !freebsd

package app

import (
	"errors"
	"os"
)

// mayWrite returns an error for what is not there. What one may do is not known on
// this system.
func mayWrite(name string) error {
	_, err := os.Stat(name)
	return err
}

// freeSpace returns errors.ErrUnsupported.
func freeSpace(string) (uint64, error) { return 0, errors.ErrUnsupported }
