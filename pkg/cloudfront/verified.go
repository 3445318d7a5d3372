package cloudfront

import (
	"hash/maphash"
	"strings"
	"sync"
)

// A verifiedKey is everything that a signature check depends on. As a struct
// of its parts, with the key by identity, it cannot be confused the way a
// concatenation can.
type verifiedKey struct {
	key       *PublicKey
	hash      Hash
	canned    bool
	policy    string // as sent, or the rebuilt text of a canned policy
	signature string // as sent
}

// A verifiedCache remembers policies whose signatures were good. It holds
// positive results only, so a viewer cannot fill it without a valid signature.
// It is cut into shards so that a crowd does not meet at one lock.
type verifiedCache struct {
	seed   maphash.Seed
	shards [32]verifiedShard
	size   int // per shard
}

type verifiedShard struct {
	mu      sync.RWMutex
	entries map[verifiedKey]*statement
}

func newVerifiedCache(size int) *verifiedCache {
	c := &verifiedCache{seed: maphash.MakeSeed(), size: max(1, size/32)}
	for i := range c.shards {
		c.shards[i].entries = map[verifiedKey]*statement{}
	}
	return c
}

func (c *verifiedCache) shard(k *verifiedKey) *verifiedShard {
	return &c.shards[maphash.String(c.seed, k.signature)%uint64(len(c.shards))]
}

func (c *verifiedCache) get(k verifiedKey) *statement {
	shard := c.shard(&k)
	shard.mu.RLock()
	defer shard.mu.RUnlock()
	return shard.entries[k]
}

// put adds an entry and, when the shard is full, drops what has expired or, if
// nothing has, anything.
func (c *verifiedCache) put(k verifiedKey, s *statement, now int64) {
	k.policy, k.signature = strings.Clone(k.policy), strings.Clone(k.signature)
	shard := c.shard(&k)
	shard.mu.Lock()
	defer shard.mu.Unlock()
	if len(shard.entries) >= c.size {
		for old, entry := range shard.entries {
			if entry.end <= now {
				delete(shard.entries, old)
			}
		}
	}
	for old := range shard.entries {
		if len(shard.entries) < c.size {
			break
		}
		delete(shard.entries, old)
	}
	shard.entries[k] = s
}

func (j *judge) cacheKey() verifiedKey {
	k := verifiedKey{key: j.key, hash: j.hash, policy: j.sent.values[fieldPolicy], signature: j.sent.values[fieldSignature]}
	if j.sent.present[fieldExpires] {
		k.canned = true
		k.policy = string(cannedText(j.url.stripped(), j.sent.values[fieldExpires]))
	}
	return k
}

// recall looks the credentials up in the cache and reports whether they were
// verified before. A policy that has ended is verified anew, to be refused.
func (j *judge) recall() bool {
	if j.decider.cache == nil || j.sent.present[fieldPolicy] == j.sent.present[fieldExpires] {
		return false
	}
	s := j.decider.cache.get(j.cacheKey())
	if s == nil || s.end <= j.at.Unix() {
		return false
	}
	j.statement = s
	return true
}

func (j *judge) remember() {
	if j.decider.cache != nil && j.at.Unix() < j.statement.end {
		j.decider.cache.put(j.cacheKey(), j.statement, j.at.Unix())
	}
}
