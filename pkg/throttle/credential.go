package throttle

import "time"

// holdCredential is the gate of one code: Options.Credential first, then one
// attempt at a time, at intervals that double from 1 s to longestWait.
func (t *Throttle) holdCredential(turn *Turn, now int64) time.Duration {
	a, limit := &turn.attempt, t.opts.Credential
	return t.hold(turn, a.credentialKey(), limit, func(c Counter) (Counter, time.Duration) {
		if a.Challenged || a.random() && !a.guessable() && c.Failed == 0 {
			c.Held++ // a school class with one ticket; asking again about what nobody guesses gains nothing
			return c, 0
		}
		if !c.capped(a) && c.hold(limit, limit.Failures, now) == 0 {
			return c, 0
		}
		wait := c.holdAlone(a, limit, now)
		return c, wait
	})
}

// holdAlone takes room for one attempt at a time, when the interval since the
// last failure is over.
func (c *Counter) holdAlone(a *Attempt, l Limit, now int64) time.Duration {
	if c.Held > 0 {
		return c.interval(a, l, c.Failed+1) // as if the other had failed already: whether it has must not be told
	}
	wait := until(c.Until, now, c.longest(a))
	if wait == 0 {
		c.Held++
	}
	return wait
}

// capped reports whether too many guesses at the factors of a reference failed.
func (c *Counter) capped(a *Attempt) bool { return a.guessable() && c.Failed >= capFailures }

func (c *Counter) longest(a *Attempt) time.Duration {
	if c.capped(a) {
		return capWait
	}
	return longestWait
}

// strike counts a failure and begins the next interval.
func (c *Counter) strike(a *Attempt, l Limit, now int64) {
	c.Failed = min(c.Failed+1, 1<<20)
	c.Until = now + int64(c.interval(a, l, c.Failed))
}

// interval returns how long the next attempt waits after so many failures.
func (c *Counter) interval(a *Attempt, l Limit, failed uint32) time.Duration {
	doublings := min(max(0, int(failed)-l.Failures), 12) // 2^12 s is more than capWait
	return min(time.Second<<doublings, c.longest(a))
}
