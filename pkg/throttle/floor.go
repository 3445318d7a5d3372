package throttle

import (
	"context"
	"math/rand/v2"
	"time"
)

// Floor waits until floor has passed since start, and a random part of jitter
// more, so that refusals take the same time whatever was looked up for them.
// What took longer than floor ends at the next multiple of it, so that a slow
// source shows as a step and not as a measure; choose floor above what a source
// usually takes. It returns early when ctx ends. A floor of 0 or less means
// jitter alone; a jitter of 0 or less means none.
func Floor(ctx context.Context, start time.Time, floor, jitter time.Duration) {
	wait := time.Duration(0)
	if floor > 0 {
		wait = floor - max(0, time.Since(start))%floor
	}
	if jitter > 0 {
		wait += rand.N(jitter) // #nosec G404 -- hides a time, not a secret
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
