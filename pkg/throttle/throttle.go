package throttle

import (
	"slices"
	"time"
)

// A Throttle counts failures. It is safe for concurrent use and starts no
// goroutines.
type Throttle struct {
	opts   Options
	memory *memory // unless there is a Store
	stats  counts
}

// New returns a Throttle that has seen no failure.
func New(opts Options) *Throttle {
	opts = opts.withDefaults()
	opts.Venues = slices.Clone(opts.Venues)
	t := &Throttle{opts: opts}
	if opts.Store == nil {
		t.memory = newMemory(opts.Entries)
	}
	return t
}

// Allow says whether the source may be asked about a. Whoever calls it ends the
// turn with Fail, Succeed or Cancel; room stays taken until then.
func (t *Throttle) Allow(a Attempt) Turn {
	now := t.now()
	turn := Turn{throttle: t, attempt: a, began: now}
	if t.known(&turn, now) {
		turn.OK, turn.known = true, true
	} else if by, wait := t.enter(&turn, now); wait > 0 {
		turn.drop(now)
		turn.settled = true
		turn.RetryAfter = (wait + time.Second - 1).Truncate(time.Second)
		turn.Guarded = t.opts.Challenge && !a.Challenged && (by != Network || !a.random())
		t.stats.refused[by].Add(1)
		return turn
	}
	turn.OK = true
	t.stats.allowed.Add(1)
	return turn
}

// enter goes through the gates, those first that turn away most. It returns how
// long to wait and which gate says so, or 0 when room is held at each.
func (t *Throttle) enter(turn *Turn, now int64) (by Axis, wait time.Duration) {
	a := &turn.attempt
	if a.Device != "" && !a.Session { // twenty tabs renew at once
		if wait = t.holdDevice(turn, now); wait > 0 {
			return Device, wait
		}
	}
	back := t.cameBack(turn, now)
	if wait = t.holdNetwork(turn, back, now); wait > 0 {
		return Network, wait
	}
	if !a.readable() {
		return 0, 0
	}
	if wait = t.holdCredential(turn, now); wait > 0 {
		return Credential, wait
	}
	if wait = t.holdAttraction(turn, back, now); wait > 0 {
		return Attraction, wait
	}
	if turn.waited {
		t.leavePlace(turn)
	}
	turn.returned = back
	return 0, 0
}

// holdDevice is the gate of the device cookie. It also finds the lane.
func (t *Throttle) holdDevice(turn *Turn, now int64) time.Duration {
	limit := t.opts.Device
	return t.hold(turn, turn.attempt.deviceKey(), limit, func(c Counter) (Counter, time.Duration) {
		if c.level(limit, now) <= tolerated*limit.one() {
			turn.lane = laneDevice
		}
		if turn.attempt.Challenged {
			c.Held++
			return c, 0
		}
		wait := c.hold(limit, limit.Failures, now)
		return c, wait
	})
}

// hold takes room under key as take says, and notes it on the turn.
func (t *Throttle) hold(turn *Turn, key Key, limit Limit, take func(c Counter) (Counter, time.Duration)) time.Duration {
	var wait time.Duration
	t.update(key, func(c Counter) (next Counter) {
		next, wait = take(c)
		return next
	})
	if wait == 0 {
		turn.holds[turn.held] = hold{key, limit}
		turn.held++
	}
	return wait
}

// known reports whether this credential was good on this device before.
func (t *Throttle) known(turn *Turn, now int64) bool {
	a := &turn.attempt
	return a.Device != "" && a.readable() && t.load(a.knownKey(a.Device)).Until > now
}

func (t *Throttle) now() int64 { return t.opts.Now().UnixNano() }
