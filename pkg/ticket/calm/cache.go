package calm

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
)

// A verdict is what a source said: one of the two is set.
type verdict struct {
	ticket *gate.Ticket
	denial *gate.Denial
	until  time.Time // remembered, exclusive
	own    bool      // the code of the ticket is the viewer's
}

// newVerdict returns what is remembered of an answer to q: not the code, where
// the viewer who asks next brings it along.
func newVerdict(q question, ticket *gate.Ticket, denial *gate.Denial) verdict {
	v := verdict{denial: denial}
	if ticket == nil {
		return v
	}
	v.ticket = copied(ticket)
	if v.own = !q.again && ticket.Normal == q.credential.Code; v.own {
		v.ticket.Normal = ""
	}
	return v
}

// answer returns the verdict as the answer to q.
func (v verdict) answer(q question) (*gate.Ticket, error) {
	if v.denial != nil {
		denial := *v.denial
		return nil, &denial
	}
	t := copied(v.ticket)
	if v.own {
		t.Normal = q.credential.Code
	}
	return t, nil
}

// copied returns a ticket that its reader may change.
func copied(t *gate.Ticket) *gate.Ticket {
	c := *t
	c.Buys = slices.Clone(t.Buys)
	return &c
}

// shards is how many parts a cache has. Viewers of one part read side by side,
// and only an answer from the source makes them wait, for as long as it takes
// to put it down.
const shards = 64

// A cache remembers verdicts. Those that are put in last live longest, so the
// oldest go first, whether they are over or there is no room.
type cache struct {
	ttl    time.Duration  // below 0 nothing is remembered
	age    *atomic.Uint64 // of all that is remembered; it grows when something is forgotten on demand
	shards [shards]shard
}

type shard struct {
	mu    sync.RWMutex
	most  int
	known map[key]verdict
	order []key // as they came in
	first int   // the oldest in order
}

func newCache(ttl time.Duration, entries int, age *atomic.Uint64) *cache {
	c := &cache{ttl: ttl, age: age}
	for i := range c.shards {
		c.shards[i].most = (entries + shards - 1) / shards
		c.shards[i].known = map[key]verdict{}
	}
	return c
}

func (c *cache) shard(k key) *shard { return &c.shards[k[0]%shards] }

// get returns what is remembered at the time now.
func (c *cache) get(k key, now time.Time) (verdict, bool) {
	s := c.shard(k)
	s.mu.RLock()
	v, ok := s.known[k]
	s.mu.RUnlock()
	return v, ok && now.Before(v.until)
}

// put remembers v, which was asked for at the time asked when the cache had
// that age. What has been forgotten since is not brought back.
func (c *cache) put(k key, v verdict, asked time.Time, age uint64) {
	now := time.Now()
	if v.until = asked.Add(c.ttl); !now.Before(v.until) {
		return
	}
	s := c.shard(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.age.Load() != age {
		return
	}
	if _, known := s.known[k]; !known {
		s.shrink(now)
		s.order = append(s.order, k)
	}
	s.known[k] = v
}

// shrink forgets what is over, and makes room for one more.
func (s *shard) shrink(now time.Time) {
	for s.first < len(s.order) {
		k := s.order[s.first]
		if now.Before(s.known[k].until) && len(s.order)-s.first < s.most {
			break
		}
		delete(s.known, k)
		s.first++
	}
	if s.first > len(s.order)/2 {
		s.order = slices.Delete(s.order, 0, s.first)
		s.first = 0
	}
}

// forget forgets everything and returns how many verdicts were not over.
func (c *cache) forget() int {
	now, found := time.Now(), 0
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.Lock()
		for _, v := range s.known {
			if now.Before(v.until) {
				found++
			}
		}
		clear(s.known)
		s.order, s.first = s.order[:0], 0
		s.mu.Unlock()
	}
	return found
}

// size returns how many verdicts are held, those that are over included.
func (c *cache) size() (n int) {
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.RLock()
		n += len(s.known)
		s.mu.RUnlock()
	}
	return n
}
