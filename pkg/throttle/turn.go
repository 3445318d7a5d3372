package throttle

import (
	"cmp"
	"time"
)

// A Turn is the answer to one Attempt. It belongs to one goroutine.
type Turn struct {
	OK         bool          // the source may be asked
	RetryAfter time.Duration // when to come back with the same credential, whole seconds; 0 if OK
	Guarded    bool          // not OK, but with a challenge passed it may be at once

	throttle *Throttle
	attempt  Attempt
	began    int64 // when it was given
	lane     lane
	holds    [5]hold // device, credential, attraction, network, wide network
	held     int
	known    bool // nothing is held
	waited   bool // the code was told to come back
	returned bool // and was let in for that
	raised   bool // it began the guarded mode
	settled  bool
}

// A hold is room taken for one failure.
type hold struct {
	key   Key
	limit Limit
}

// Fail ends the turn: the credential was refused. Only what somebody who
// guesses would hear counts. A ticket that the viewer has proved to hold, but
// that is too early, refunded or in use, is no failure: Cancel. Against the
// credential it counts from when the turn was given, so that Retry-After does
// not tell how long the source took to refuse it.
func (turn *Turn) Fail(w Weight) {
	now, ok := turn.settle()
	if !ok {
		return
	}
	t := turn.throttle
	t.stats.failed.Add(1)
	turn.each(now, func(h hold, c Counter) Counter { return turn.failed(h, c, min(max(w, Malformed), Refused), now) })
	if turn.raised {
		t.stats.guards.Add(1)
	}
	if turn.known {
		t.update(turn.attempt.knownKey(turn.attempt.Device), func(Counter) Counter { return Counter{} })
	}
}

func (turn *Turn) failed(h hold, c Counter, w Weight, now int64) Counter {
	switch h.key.Axis {
	case Attraction:
		return turn.watched(c, true, now)
	case Credential:
		now = turn.began
		c.strike(&turn.attempt, h.limit, now)
	}
	c.charge(h.limit, w, now)
	return c
}

// Succeed ends the turn: the credential is good. It clears what stood against
// the credential and the device, but not against the network, or one good
// ticket would buy any number of guesses. Nor does a ticket that is shown again
// speak for the attraction, or it would hide the guesses.
func (turn *Turn) Succeed() {
	now, ok := turn.settle()
	if !ok {
		return
	}
	turn.throttle.stats.succeeded.Add(1)
	again := turn.remember(now)
	turn.each(now, func(h hold, c Counter) Counter {
		switch {
		case h.key.Axis == Credential || h.key.Axis == Device:
			return Counter{Held: c.Held}
		case h.key.Axis == Attraction && !again:
			return turn.watched(c, false, now)
		}
		return c
	})
}

func (turn *Turn) watched(c Counter, failed bool, now int64) Counter {
	c, turn.raised = turn.throttle.opts.Guard.watch(c, failed, now)
	return c
}

// remember makes the credential known on its device, and reports whether it was
// good before, anywhere.
func (turn *Turn) remember(now int64) (again bool) {
	t, a := turn.throttle, &turn.attempt
	if !a.readable() {
		return false
	}
	until := now + int64(t.opts.Remember)
	if device := cmp.Or(a.Device, a.Issued); device != "" {
		t.update(a.knownKey(device), func(Counter) Counter { return Counter{Until: until} })
	}
	if a.Session { // no attraction is guarded against sessions
		return false
	}
	t.update(a.seenKey(), func(c Counter) Counter {
		again = c.Until > now
		return Counter{Until: until}
	})
	return again
}

// Know makes the credential of a known on its device, as Succeed would, without
// a turn: for what the caller has just handed out itself.
func (t *Throttle) Know(a Attempt) {
	if a.Device == "" || !a.readable() {
		return
	}
	until := t.now() + int64(t.opts.Remember)
	t.update(a.knownKey(a.Device), func(Counter) Counter { return Counter{Until: until} })
}

// Cancel ends the turn without a verdict: nobody knows, or it is nobody's
// guess. After Fail or Succeed it does nothing, so defer it.
func (turn *Turn) Cancel() {
	now, ok := turn.settle()
	if !ok {
		return
	}
	turn.throttle.stats.cancelled.Add(1)
	turn.drop(now)
	if turn.returned {
		turn.throttle.keepPlace(turn, now)
	}
}

func (turn *Turn) settle() (now int64, ok bool) {
	if turn.settled || turn.throttle == nil {
		return 0, false
	}
	turn.settled = true
	return turn.throttle.now(), true
}

// drop gives back the room that is held.
func (turn *Turn) drop(now int64) {
	turn.each(now, func(_ hold, c Counter) Counter { return c })
	turn.held = 0
}

// each gives back the room that is held and lets change do what comes of it.
func (turn *Turn) each(now int64, change func(h hold, c Counter) Counter) {
	for _, h := range turn.holds[:turn.held] {
		turn.throttle.update(h.key, func(c Counter) Counter {
			c.release()
			c = change(h, c)
			c.tidy(now)
			return c
		})
	}
}
