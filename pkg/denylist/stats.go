package denylist

import (
	"sync/atomic"
	"time"
)

// Stats are counts since the start, but for Entries, Left and Exported.
type Stats struct {
	Failed    uint64    // exports that ended in an error
	Conflicts uint64    // times that somebody else had changed the store
	Put       uint64    // entries written
	Deleted   uint64    // entries deleted
	Entries   int       // of ours in the store, when it was last up to date
	Left      int       // revocations that cannot be exported: no such attraction is configured, or its prefix is too deep
	Exported  time.Time // when the store was last up to date, zero if never; an alarm belongs on its age
}

type counts struct {
	failed, conflicts, put, deleted atomic.Uint64
	entries, left, exported         atomic.Int64
}

func (c *counts) count(done []Edit) {
	for _, edit := range done {
		if edit.Value == "" {
			c.deleted.Add(1)
		} else {
			c.put.Add(1)
		}
	}
}

// Snapshot returns what was counted. The numbers are each right, but not of one
// moment.
func (e *Exporter) Snapshot() Stats {
	s := Stats{
		Failed:    e.stats.failed.Load(),
		Conflicts: e.stats.conflicts.Load(),
		Put:       e.stats.put.Load(),
		Deleted:   e.stats.deleted.Load(),
		Entries:   int(e.stats.entries.Load()),
		Left:      int(e.stats.left.Load()),
	}
	if at := e.stats.exported.Load(); at != 0 {
		s.Exported = time.Unix(at, 0)
	}
	return s
}
