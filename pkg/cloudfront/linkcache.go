package cloudfront

import "sync"

// A linkKey is all that a signed URL depends on. A key in a service signs
// differently each time, so that what was signed once must be kept.
type linkKey struct {
	keyPairID string
	hash      Hash
	resource  string
	end       int64 // Unix seconds
}

// A linkCache keeps signed URLs. What is asked for stays; when half of the room
// is filled with others, the rest goes.
type linkCache struct {
	mu         sync.Mutex
	young, old map[linkKey]string
	half       int
}

func newLinkCache(size int) *linkCache {
	return &linkCache{young: map[linkKey]string{}, half: max(1, size/2)}
}

// get returns the URL for key, or nothing.
func (c *linkCache) get(key linkKey) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	url, ok := c.young[key]
	if !ok {
		if url, ok = c.old[key]; ok {
			c.add(key, url)
		}
	}
	return url
}

func (c *linkCache) put(key linkKey, url string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.add(key, url)
}

func (c *linkCache) add(key linkKey, url string) {
	if len(c.young) >= c.half {
		c.young, c.old = make(map[linkKey]string, c.half), c.young
	}
	c.young[key] = url
}
