package throttle

import "time"

// A Weight is what a failure counts, in fifths.
type Weight uint8

const (
	Malformed Weight = 1 // no code can look like that; no source was asked
	Refused   Weight = 5 // the source does not know the code
)

// What is waited for at least.
const (
	crowded = time.Second     // for the answers to others, who hold the room
	decay   = 2 * time.Second // for failures to decay
)

// until returns how long it is until at, which was set at most longest ahead.
// What is a little further came from a clock that was ahead of ours; what is
// much further from one that was set back since, and would never pass.
func until(at, now int64, longest time.Duration) time.Duration {
	d := time.Duration(at - now)
	if d < 0 || d > 2*longest {
		return 0
	}
	return min(d, longest)
}

// level returns how long the failures on c still take to decay.
func (c *Counter) level(l Limit, now int64) time.Duration { return until(c.Empty, now, l.Window) }

// hold takes room for one more failure, if there is any below top failures, and
// returns 0; or how long it takes until there is. Room is taken before the
// answer is known, so that a thousand guesses at once are still one at a time.
func (c *Counter) hold(l Limit, top int, now int64) time.Duration { return c.holdMany(l, top, 1, now) }

// holdMany is hold for attempts of which so many may be in flight for each
// failure that there is room for.
func (c *Counter) holdMany(l Limit, top, each int, now int64) time.Duration {
	one := l.one()
	free := time.Duration(top)*one - c.level(l, now) - one
	if free < 0 {
		return max(-free, decay)
	}
	if (free+one)*time.Duration(each)-one < time.Duration(c.Held)*one {
		return crowded
	}
	c.Held++
	return 0
}

// release gives the room back.
func (c *Counter) release() {
	if c.Held > 0 { // 0 when c was forgotten in between
		c.Held--
	}
}

// charge adds a failure.
func (c *Counter) charge(l Limit, w Weight, now int64) {
	level := c.level(l, now) + l.one()*time.Duration(w)/time.Duration(Refused)
	c.Empty = now + int64(min(level, l.Window))
}

// tidy makes c zero if it says nothing any more, so that successes take no
// memory.
func (c *Counter) tidy(now int64) {
	if c.Held == 0 && c.Failed == 0 && c.Passed == 0 && max(c.Empty, c.Until) <= now {
		*c = Counter{}
	}
}
