//go:build !race

package sqlite_test

// heavy is n.
func heavy(n int) int { return n }
