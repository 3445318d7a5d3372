package cloudfront

import "net/netip"

// What the tests look at from inside.

// A Reading is what readPolicy makes of a policy.
type Reading struct {
	Resource   string
	End, Start int64
	HasStart   bool
	Network    netip.Prefix
}

// ReadPolicy reads the text of a custom policy.
func ReadPolicy(text []byte) (Reading, error) {
	s, err := readPolicy(text, false)
	if err != nil {
		return Reading{}, err
	}
	return Reading{Resource: s.resource, End: s.end, Start: s.start, HasStart: s.hasStart, Network: s.network}, nil
}

// Remembered returns the number of verified signatures in the cache.
func (d *Decider) Remembered() int {
	n := 0
	for i := range d.cache.shards {
		shard := &d.cache.shards[i]
		shard.mu.RLock()
		n += len(shard.entries)
		shard.mu.RUnlock()
	}
	return n
}

// Kept returns the number of shared signatures.
func (s *Stamper) Kept() int { return len(*s.shared.Load()) }

// Kept returns the number of signed URLs that are kept.
func (l *Linker) Kept() int {
	l.kept.mu.Lock()
	defer l.kept.mu.Unlock()
	return len(l.kept.young) + len(l.kept.old)
}

// SampleEvery is how often a shared signature is checked again.
const SampleEvery = sampleEvery
