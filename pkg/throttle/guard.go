package throttle

import "time"

// holdAttraction is the gate of short codes at an attraction. Attempts in
// flight count as failures until their answer is known: a botnet that comes all
// at once is stopped as early as one that queues, and a crowd of visitors makes
// room for itself as fast as they get in. Strong codes are not watched: made-up
// ones must not bring the guard upon those who have short ones.
func (t *Throttle) holdAttraction(turn *Turn, back bool, now int64) time.Duration {
	if turn.attempt.random() {
		return 0
	}
	wait := t.hold(turn, turn.attempt.attractionKey(), Limit{}, func(c Counter) (Counter, time.Duration) {
		c.turnMinute(now)
		left := until(c.Until, now, t.opts.Guard.For)
		switch {
		case turn.attempt.Challenged, left > 0 && back && !t.opts.Challenge:
		case left > 0:
			return c, max(decay, left)
		case t.opts.Guard.attacked(c.Failed+c.Held, c.Passed):
			return c, crowded
		}
		c.Held++
		return c, 0
	})
	if wait >= decay && !t.opts.Challenge {
		return t.tellWhen(turn, 0, now)
	}
	return wait
}

// attacked reports whether as many failures beside as many successes in a
// minute are an attack.
func (g Guard) attacked(failed, passed uint32) bool {
	f := float64(failed)
	return f > float64(g.Failures) && f > g.Ratio*(f+float64(passed))
}

// turnMinute begins a new count when the minute is over.
func (c *Counter) turnMinute(now int64) {
	if age := time.Duration(now - c.Empty); age < 0 || age >= time.Minute {
		*c = Counter{Empty: now, Until: c.Until, Held: c.Held}
	}
}

// watch counts the answer to a short code, and begins the guarded mode.
func (g Guard) watch(c Counter, failed bool, now int64) (next Counter, raised bool) {
	c.turnMinute(now)
	if !failed {
		c.Passed++
		return c, false
	}
	c.Failed++
	if g.attacked(c.Failed, c.Passed) {
		raised = until(c.Until, now, g.For) == 0
		c.Until = now + int64(g.For)
	}
	return c, raised
}
