package dynamodb

import (
	"crypto/rand"
	"fmt"
	"sync/atomic"
	"time"
)

// An order numbers what is put into lists: by the time of this machine, and one
// after the other.
type order struct{ last atomic.Int64 }

// next returns a place in a list, after all that this process has made before:
// 16 digits of the time in hexadecimal nanoseconds, then 8 random characters.
func (o *order) next(now time.Time) string {
	for {
		last := o.last.Load()
		n := max(now.UnixNano(), last+1)
		if o.last.CompareAndSwap(last, n) {
			return fmt.Sprintf("%016x%s", n, rand.Text()[:8])
		}
	}
}

// place returns the next place in a list.
func (b *Book) place() string { return b.order.next(b.opts.Now()) }

// keepUntil returns when something may be collected that is kept for a while
// after a time, or after now if that is later.
func (b *Book) keepUntil(ends time.Time, keep time.Duration) time.Time {
	if now := b.opts.Now(); ends.Before(now) {
		ends = now
	}
	return ends.Add(keep)
}
