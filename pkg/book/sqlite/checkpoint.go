package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"time"
)

// The log is copied into the file whenever it has grown by copyPages, of 4 KiB
// each. Most often it is then begun anew. If it never is out of use for a
// moment, it is cut when it has grown to four times that: readers who started
// after the copying do not need it, so that waits only for those before.
const (
	copyPages = 1_000                  // 4 MiB
	cutWait   = 250 * time.Millisecond // for readers who began before
)

// thresholds are the log sizes, in pages, that something happens at next, and
// the largest since the log was cut.
type thresholds struct{ copy, cut, warn, peak int }

// checkpoint keeps the log small. What fails here is tried again when the log
// has grown further; nothing is lost by waiting.
func (w *writer) checkpoint() {
	if w.conn == nil {
		return
	}
	unit := cmp.Or(w.book.opts.copyPages, copyPages)
	pages, _ := w.checkpointMode("NOOP")
	if pages < unit { // begun anew
		if w.log.peak >= 4*unit {
			w.cut()
		}
		w.log = thresholds{copy: unit, cut: 4 * unit, warn: 16 * unit}
	}
	w.log.peak = max(w.log.peak, pages)
	if pages >= w.log.copy {
		w.log.copy = pages + unit
		_, _ = w.checkpointMode("PASSIVE")
	}
	if w.book.copying.Load() { // which the log must wait for, and nobody else has to
		return
	}
	if pages >= w.log.cut && !w.cut() {
		w.log.cut = pages + 4*unit
	}
	if pages >= w.log.warn {
		w.log.warn = 2 * pages
		w.book.opts.Log.Warn("the write-ahead log grows: somebody reads the book without an end", "file", w.book.path, "pages", pages)
	}
}

// cut empties the log and reports whether it could.
func (w *writer) cut() bool {
	if w.patience(cutWait) != nil {
		return false
	}
	_, ok := w.checkpointMode("TRUNCATE")
	if w.patience(0) != nil {
		w.drop()
	}
	return ok
}

// checkpointMode returns the pages in the log, and whether nobody was in the
// way. See "PRAGMA wal_checkpoint" on sqlite.org.
func (w *writer) checkpointMode(mode string) (pages int, ok bool) {
	var busy, copied sql.NullInt64
	var total int
	t := &tx{writer: w}
	s, err := t.prepare("PRAGMA wal_checkpoint(" + mode + ")")
	if err == nil {
		err = s.QueryRowContext(context.Background()).Scan(&busy, &total, &copied)
	}
	if err != nil {
		w.book.opts.Log.Warn("checkpoint", "file", w.book.path, "mode", mode, "err", err)
		return 0, false
	}
	return total, busy.Int64 == 0
}
