// Package sqlite is the admission book of one machine: a single SQLite file,
// through a driver in Go, that keeps every promise of gate.Book over a crash
// or a power cut. It also keeps what the administration needs: tickets that
// were issued or imported here, listings for staff, the audit, and the index of
// private files.
//
//	book, err := sqlite.Open(ctx, "/var/lib/handstamp/book.db", sqlite.Options{Create: true})
//	...
//	defer book.Close()
//
// All writes pass through one goroutine and one connection. Those that wait
// while the disk is busy are made together: each in a savepoint of its own, so
// that a refused one leaves no trace, and all of them in one transaction with
// one sync, before any is answered. Reads have four connections of their own
// and never wait for a write.
//
// The file is in WAL mode with synchronous=FULL: one sync of the log for each
// transaction, see "Write-Ahead Logging" and "PRAGMA synchronous" on
// sqlite.org. Several processes may have it open on one machine, and take turns
// at writing; on a network file system their locks cannot be trusted, so Open
// warns about that.
//
// What is not promised: that a disk which lies about its syncs loses nothing,
// or that somebody who can write the file is noticed, except in the audit,
// whose entries are chained by hash. While the disk is full or read-only, every
// write fails with gate.ErrReadOnly, and while another process holds the lock,
// with an error that is not; Find goes on. Two processes that both write
// without a pause can starve each other.
//
// Prune has to be called from time to time, and Backup copies the book while it
// is used; a plain copy of the file lacks what is still in its log, and Open
// says so. Restore puts a backup back, and never beside the log of another file.
package sqlite
