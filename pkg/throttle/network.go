package throttle

import (
	"net/netip"
	"time"
)

// A lane is one budget of a network. What is used up in one is not missing in
// another.
type lane uint8

const (
	laneOpen    lane = iota // a short code, and nothing else is known
	laneDevice              // a short code, on a device with next to no failures
	laneProven              // a code nobody guesses, or a challenge was passed
	laneSession             // a session, which nobody guesses either
)

// provenInFlight is how many strong codes of a network may be in flight for each
// failure that there is room for. Nobody guesses them, so all that they can do at
// once is ask, and what stands around a source bounds that.
const provenInFlight = 10

// tolerated is how many failures a device in its lane may have: people mistype.
const tolerated = 2

// holdNetwork is the gate of the client's network, and of the wide one around
// it. The last fifth of each is for codes that came back when told to.
func (t *Throttle) holdNetwork(turn *Turn, back bool, now int64) time.Duration {
	switch a := &turn.attempt; {
	case a.Session:
		turn.lane = laneSession
	case a.Strong, a.Challenged:
		turn.lane = laneProven
	}
	whole, wide := networkKeys(turn.attempt.Client, turn.lane)
	limit := t.networkLimit(turn)
	wait := t.holdOne(turn, whole, limit, back, now)
	if wait == 0 && wide != whole {
		wait = t.holdOne(turn, wide, limit.times(t.opts.WideFactor), back, now)
	}
	if wait >= decay {
		return t.tellWhen(turn, wait, now)
	}
	return wait
}

func (t *Throttle) holdOne(turn *Turn, key Key, limit Limit, back bool, now int64) time.Duration {
	kept := min((limit.Failures+4)/5, limit.Failures-1)
	if back {
		kept = 0
	}
	each := 1
	if turn.lane == laneProven { // visitors at opening time, who wait for a slow source and do not fail
		each = provenInFlight
	}
	wait := t.hold(turn, key, limit, func(c Counter) (Counter, time.Duration) {
		wait := c.holdMany(limit, limit.Failures-kept, each, now)
		return c, wait
	})
	if wait >= decay && turn.attempt.readable() {
		return max(decay, wait-time.Duration(kept)*limit.one()) // the next time it comes back
	}
	return wait
}

func (t *Throttle) networkLimit(turn *Turn) Limit {
	limit := t.opts.Network
	if turn.lane == laneProven || turn.lane == laneSession {
		limit = limit.times(t.opts.ProvenFactor)
	}
	client := turn.attempt.Client.Unmap().WithZone("")
	for _, venue := range t.opts.Venues {
		if venue.Contains(client) {
			return limit.times(t.opts.VenueFactor)
		}
	}
	return limit
}

// networkKeys returns the keys of an IPv4 address, twice, or those of an IPv6
// /64 and its /48. An address that is not valid counts as ::/64.
func networkKeys(client netip.Addr, l lane) (whole, wide Key) {
	client = client.Unmap()
	whole = Key{Axis: Network, Part: uint8(l) << 1, ID: client.As16()}
	if client.Is4() {
		return whole, whole
	}
	clear(whole.ID[8:])
	wide = whole
	wide.Part |= 1
	clear(wide.ID[6:])
	return whole, wide
}

// cameBack reports whether the code was told to come back, and it is time.
func (t *Throttle) cameBack(turn *Turn, now int64) bool {
	if !turn.attempt.readable() {
		return false
	}
	c := t.load(turn.attempt.waitingKey())
	turn.waited = c != Counter{}
	return turn.waited && c.Empty <= now && now <= c.Until
}

// tellWhen says when the code may come back: at the time it was told before if
// that is still ahead, else after Options.ComeBack or least, spread a little so
// that a crowd does not return at once.
func (t *Throttle) tellWhen(turn *Turn, least time.Duration, now int64) time.Duration {
	if !turn.attempt.readable() {
		return least
	}
	spread := t.opts.ComeBack * time.Duration(turn.attempt.Fingerprint[31]) / 256
	wait := max(t.opts.ComeBack+spread, min(least, longestWait))
	at := now + int64(wait)
	t.update(turn.attempt.waitingKey(), func(c Counter) Counter {
		if now < c.Empty && c.Empty < at {
			wait = time.Duration(c.Empty - now)
			return c
		}
		return place(at)
	})
	return wait
}

// keepPlace lets the code come back at once: its turn was no fault of its own.
func (t *Throttle) keepPlace(turn *Turn, now int64) {
	t.update(turn.attempt.waitingKey(), func(Counter) Counter { return place(now) })
}

func (t *Throttle) leavePlace(turn *Turn) {
	t.update(turn.attempt.waitingKey(), func(Counter) Counter { return Counter{} })
}

func place(at int64) Counter { return Counter{Empty: at, Until: at + int64(comeBackFor)} }
