//go:build !linux

package sqlite

// networkFS is known on Linux only.
func networkFS(string) string { return "" }
