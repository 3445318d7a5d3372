package bucket

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"sync"
	"time"

	"github.com/handstamp/handstamp/pkg/byterange"
)

// A content is the bytes of an object for http.ServeContent, fetched when they
// are read. For several ranges ServeContent reads in a goroutine of its own that
// may still be at it when the answer has ended, so a content takes a lock.
type content struct {
	bucket *Bucket
	object *object
	ctx    context.Context // of the answer: what ends it ends every read

	mu     sync.Mutex
	spans  []byterange.Span // that will be read; none means all of it
	at     int64            // of the next byte
	part   *part            // nil if nothing is open
	partAt int64            // of its next byte
	err    error            // that ended the content; fs.ErrClosed after close
}

// prepare fetches what an answer with this status begins with, while the status
// can still be changed.
func (c *content) prepare(status int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	first := int64(0)
	switch {
	case c.object.size == 0:
		return nil
	case status == http.StatusOK:
		c.spans = nil // a condition may have put them aside
	case status == http.StatusPartialContent && len(c.spans) > 0:
		first = c.spans[0].First
	default:
		return nil
	}
	c.err = c.open(first, c.bucket.opts.CallTimeout-time.Since(c.object.asked)) // what looking has left of it
	return c.err                                                                // and of a failure nobody reads on
}

// open fetches a part that begins at first, up to the end of the range that
// begins there.
func (c *content) open(first int64, limit time.Duration) (err error) {
	last := c.object.size - 1
	for _, s := range c.spans {
		if s.First == first {
			last = s.Last
		}
	}
	c.part, err = c.bucket.fetch(c.ctx, c.object, first, last, limit)
	c.partAt = first
	return err
}

// Read reads from one part and opens the next.
func (c *content) Read(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.err != nil:
		return 0, c.err
	case c.at >= c.object.size:
		return 0, io.EOF
	}
	if c.part != nil && (c.partAt != c.at || c.part.left == 0) {
		c.drop()
	}
	if c.part == nil {
		if c.err = c.open(c.at, c.bucket.opts.CallTimeout); c.err != nil {
			return 0, c.err
		}
	}
	n, err := c.part.Read(p)
	c.at, c.partAt, c.err = c.at+int64(n), c.partAt+int64(n), err
	return n, err
}

// Seek moves the next read and asks nobody.
func (c *content) Seek(offset int64, whence int) (int64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch whence {
	case io.SeekCurrent:
		offset += c.at
	case io.SeekEnd:
		offset += c.object.size
	}
	if offset < 0 {
		return 0, errors.New("seek before the beginning")
	}
	c.at = offset
	return offset, nil
}

// close ends the content, also for whoever is still reading, and returns what
// had ended it before. The context must have ended, so that nobody waits.
func (c *content) close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drop()
	before := c.err
	c.err = fs.ErrClosed
	return before
}

func (c *content) drop() {
	if c.part != nil {
		c.part.Close()
		c.part = nil
	}
}
