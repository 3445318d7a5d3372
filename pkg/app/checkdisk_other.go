//go:build !linux && !darwin && !freebsd

package app

import "errors"

// freeSpace returns errors.ErrUnsupported.
func freeSpace(string) (uint64, error) { return 0, errors.ErrUnsupported }
