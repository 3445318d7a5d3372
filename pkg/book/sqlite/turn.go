package sqlite

import (
	"errors"
	"math/rand/v2"
	"time"

	engine "modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"
)

// Processes that share the file have no queue for its lock: each tries, and
// SQLite's own way of trying looks only ten times a second in the end. Another
// that writes without a pause lets go of the lock for microseconds, so nobody
// would ever meet it free. Hence everybody looks every millisecond or so, which
// soon succeeds by chance, and who sees that others write leaves the lock free
// for longer than that between two transactions.
const (
	lookEvery = time.Millisecond     // and up to as much again, by chance
	breath    = 4 * time.Millisecond // between two transactions, while
	company   = time.Second          // another process has written not longer ago
)

// A turn is when this process had the lock, and another one.
type turn struct {
	ended   time.Time // our last transaction
	version int64     // of the file, as others change it
	others  time.Time // when it was seen to have changed
}

// lock begins a transaction that writes, waiting for other processes.
func (w *writer) lock() error {
	if wait := breath - time.Since(w.turn.ended); wait > 0 && time.Since(w.turn.others) < company {
		time.Sleep(wait)
	}
	for deadline := time.Now().Add(busyTimeout); ; time.Sleep(lookEvery + rand.N(lookEvery)) { // #nosec G404 -- spreads load, keeps no secret
		err := w.exec("BEGIN IMMEDIATE")
		if !busy(err) {
			return err
		}
		w.turn.others = time.Now()
		if w.turn.others.After(deadline) {
			return err
		}
	}
}

// unlocked notes that our transaction has ended, and whether others write too.
func (w *writer) unlocked() {
	var version int64
	if w.conn == nil || (&tx{writer: w}).row("PRAGMA data_version", nil, &version) != nil {
		return
	}
	now := time.Now()
	if w.turn.version != 0 && version != w.turn.version {
		w.turn.others = now
	}
	w.turn.version, w.turn.ended = version, now
}

// busy reports whether another process has the lock.
func busy(err error) bool {
	var failure *engine.Error
	return errors.As(err, &failure) && failure.Code()&0xff == codes.SQLITE_BUSY
}
