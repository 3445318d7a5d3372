package throttle

// An Axis is one thing that failures are counted on.
type Axis uint8

// The axes. Known and Waiting hold no failures but times.
const (
	Credential Axis = iota // a code, or the reference that its factors belong to
	Network                // an IPv4 address, an IPv6 /64 or /48
	Device                 // an anonymous device cookie
	Attraction             // an attraction and a kind of credential
	Known                  // a credential that was good, on the device that showed it
	Waiting                // a credential that was told to come back
	axes
)

// String returns the name of the axis, fit to label a metric.
func (a Axis) String() string {
	return [axes]string{"credential", "network", "device", "attraction", "known", "waiting"}[a]
}

// A Key names one Counter. Two instances make the same Key of the same thing.
type Key struct {
	Axis Axis
	Part uint8 // lane and width of a network; 0 elsewhere
	ID   [16]byte
}

// A Counter is what is remembered under a Key. The zero Counter means that
// nothing is, and need not be kept.
type Counter struct {
	Empty  int64  // when the failures have decayed, or the minute began; nanoseconds since 1970
	Until  int64  // when the lock, the guard or the memory ends; nanoseconds since 1970
	Failed uint32 // failures in a row, or in this minute
	Passed uint32 // successes in this minute
	Held   uint32 // attempts in flight
}

// A Store keeps counters outside the process, so that many can share them. A
// Throttle reads a counter, works out the next one and swaps them, again if
// somebody was faster: that is a conditional write in any database.
// Implementations are safe for concurrent use and bounded in size; a counter
// that nobody touched for an hour may go.
//
// There is no error: a Store over a network that cannot reach it answers from
// what it last saw, since a throttle that waits or refuses everybody does the
// attacker's work.
type Store interface {
	// Load returns the counter under k, zero if there is none.
	Load(k Key) Counter
	// Swap puts next under k if the counter there is still old, and reports
	// whether it was. It may say no without reason, but not for ever.
	Swap(k Key, old, next Counter) bool
}

// update replaces the counter under k by what next makes of it, in one step. It
// may call next again when somebody else was faster. Memory is no Store of
// its own, but does the step under one lock: next would escape to the heap
// through an interface.
func (t *Throttle) update(k Key, next func(c Counter) Counter) {
	if t.opts.Store == nil {
		t.memory.update(k, next)
		return
	}
	for {
		old := t.opts.Store.Load(k)
		c := next(old)
		if c == old || t.opts.Store.Swap(k, old, c) {
			return
		}
	}
}

func (t *Throttle) load(k Key) Counter {
	if t.opts.Store == nil {
		return t.memory.load(k)
	}
	return t.opts.Store.Load(k)
}
