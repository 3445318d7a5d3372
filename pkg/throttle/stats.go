package throttle

import "sync/atomic"

// Stats are counts since the start, but for Entries.
type Stats struct {
	Allowed   uint64       // turns given
	Refused   [axes]uint64 // turns not given, by the axis that said no
	Failed    uint64       // turns that ended in Fail
	Succeeded uint64       // in Succeed
	Cancelled uint64       // in Cancel
	Guards    uint64       // times that an attraction went into guarded mode
	Entries   [axes]int    // counters held now, of the memory that New makes
	Forgotten [axes]uint64 // counters given up for others, of the same
}

type counts struct {
	allowed, failed, succeeded, cancelled, guards atomic.Uint64
	refused                                       [axes]atomic.Uint64
}

// Snapshot returns what was counted. The numbers are each right, but not of one
// moment.
func (t *Throttle) Snapshot() Stats {
	s := Stats{
		Allowed:   t.stats.allowed.Load(),
		Failed:    t.stats.failed.Load(),
		Succeeded: t.stats.succeeded.Load(),
		Cancelled: t.stats.cancelled.Load(),
		Guards:    t.stats.guards.Load(),
	}
	for axis := range axes {
		s.Refused[axis] = t.stats.refused[axis].Load()
		if t.memory != nil {
			s.Entries[axis], s.Forgotten[axis] = t.memory.count(axis)
		}
	}
	return s
}
