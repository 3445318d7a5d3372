package throttle

import (
	"hash/maphash"
	"sync"
)

// shards is how many locks a table is spread over. A lock is held for a map
// access and some arithmetic, so that a crowd does not queue.
const shards = 64

// memory keeps the counters of one process: a table for every axis, so that a flood
// of made-up codes pushes out made-up codes and not the counters of networks.
type memory struct {
	seed   maphash.Seed // unknown outside, so that nobody can aim at one shard
	tables [axes][shards]segment
}

// newMemory returns a memory of at most entries counters an axis, but no fewer
// than two a shard.
func newMemory(entries int) *memory {
	m := &memory{seed: maphash.MakeSeed()}
	for axis := range m.tables {
		for i := range m.tables[axis] {
			m.tables[axis][i].half = max(1, entries/shards/2)
		}
	}
	return m
}

// load returns the counter under k, zero if there is none. It counts as a use.
func (m *memory) load(k Key) Counter {
	s := m.segment(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.load(k)
}

// update replaces the counter under k by what next makes of it. It runs next
// under the lock.
func (m *memory) update(k Key, next func(c Counter) Counter) {
	s := m.segment(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.load(k)
	if c := next(old); c != old {
		s.swap(k, old, c)
	}
}

func (m *memory) segment(k Key) *segment {
	return &m.tables[k.Axis][maphash.Comparable(m.seed, k)%shards]
}

// count returns how many counters an axis has, and how many it has given up.
func (m *memory) count(axis Axis) (entries int, forgotten uint64) {
	for i := range m.tables[axis] {
		s := &m.tables[axis][i]
		s.mu.Lock()
		entries += len(s.young) + len(s.old)
		forgotten += s.forgotten
		s.mu.Unlock()
	}
	return entries, forgotten
}

// A segment forgets what was not used for longest, by halves: what is used is
// young; when the young half is full it becomes the old one, and what was old
// is gone.
type segment struct {
	mu         sync.Mutex
	half       int
	young, old map[Key]Counter
	forgotten  uint64
}

// load returns the counter under k, which is young then.
func (s *segment) load(k Key) Counter {
	c, ok := s.young[k]
	if ok || len(s.old) == 0 {
		return c
	}
	if c, ok = s.old[k]; ok {
		delete(s.old, k)
		s.add(k, c)
	}
	return c
}

// swap puts next in the place of old, which load has returned.
func (s *segment) swap(k Key, old, next Counter) {
	none := Counter{}
	switch {
	case next == none:
		delete(s.young, k)
	case old == none:
		s.add(k, next)
	default:
		s.young[k] = next
	}
}

// add makes k young, which it is not yet.
func (s *segment) add(k Key, c Counter) {
	if len(s.young) >= s.half {
		s.forgotten += uint64(len(s.old))
		clear(s.old)
		s.young, s.old = s.old, s.young
	}
	if s.young == nil {
		s.young = map[Key]Counter{}
	}
	s.young[k] = c
}
