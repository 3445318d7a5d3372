//go:build race

package sqlite_test

// heavy is n, or less where the race detector makes SQLite thirty times slower.
func heavy(n int) int { return n / 40 }
