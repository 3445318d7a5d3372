package throttle

import (
	"cmp"
	"net/netip"
	"time"
)

// A Limit allows Failures at once; they decay evenly, all of them within
// Window.
type Limit struct {
	Failures int
	Window   time.Duration
}

// one returns how long one failure takes to decay.
func (l Limit) one() time.Duration { return l.Window / time.Duration(l.Failures) }

// times returns the limit for a crowd of n.
func (l Limit) times(n int) Limit { return Limit{l.Failures * n, l.Window} }

// A Guard says when an attraction is being attacked: more than Failures in a
// minute, and more than Ratio of all that were asked. The guarded mode then
// lasts For, and again as long as it goes on.
type Guard struct {
	Failures int
	Ratio    float64 // 0 to 1
	For      time.Duration
}

// Options tunes a Throttle. The zero value is ready for use.
type Options struct {
	Credential Limit // before a code is asked for at growing intervals only; zero means 5 in 15 min
	Network    Limit // in each lane of a client network; zero means 10 in 10 min
	Device     Limit // zero means 10 in 10 min
	Guard      Guard // fields that are zero mean 50, 0.6 and 5 min

	Venues       []netip.Prefix // where many visitors share an address; none means nowhere
	VenueFactor  int            // how much more a network in Venues may fail; 0 means 20
	WideFactor   int            // how much more an IPv6 /48 may fail than a /64; 0 means 10
	ProvenFactor int            // how much more strong codes, sessions and passed challenges may fail; 0 means 10

	// Challenge says that the caller has a challenge to offer to short codes
	// when Turn.Guarded asks for it: an on-site code, a proof of work, a CAPTCHA.
	// Without one, as in the gateway of package app, they are told to come back.
	Challenge bool
	ComeBack  time.Duration // from the first refusal until the code's own turn, at least; 0 means 5 s
	Remember  time.Duration // how long a good credential stays known on its device; 0 means 7 days

	Entries int              // counters kept on each axis; 0 means 131,072, about 16 MiB an axis
	Store   Store            // nil means in memory, at most Entries
	Now     func() time.Time // nil means time.Now
}

// What no option changes.
const (
	longestWait = time.Minute // that stands between the holder of a good ticket and his next try
	capFailures = 100         // in a row, after which a guessable factor needs a challenge (NIST SP 800-63B, section 5.2.2)
	capWait     = time.Hour   // for who does not pass it
	comeBackFor = 10 * time.Minute
)

func (o Options) withDefaults() Options {
	o.Credential = o.Credential.or(Limit{5, 15 * time.Minute})
	o.Network = o.Network.or(Limit{10, 10 * time.Minute})
	o.Device = o.Device.or(Limit{10, 10 * time.Minute})
	o.Guard.Failures = positive(o.Guard.Failures, 50)
	o.Guard.Ratio = positive(o.Guard.Ratio, 0.6)
	o.Guard.For = positive(o.Guard.For, 5*time.Minute)
	o.VenueFactor = positive(o.VenueFactor, 20)
	o.WideFactor = positive(o.WideFactor, 10)
	o.ProvenFactor = positive(o.ProvenFactor, 10)
	o.ComeBack = positive(o.ComeBack, 5*time.Second)
	o.Remember = positive(o.Remember, 7*24*time.Hour)
	o.Entries = positive(o.Entries, 1<<17)
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// positive returns v if it makes sense, else the default.
func positive[T cmp.Ordered](v, otherwise T) T {
	var zero T
	if v > zero {
		return v
	}
	return otherwise
}

// or returns l, or d if l is not complete.
func (l Limit) or(d Limit) Limit {
	if l.Failures <= 0 || l.Window <= 0 {
		return d
	}
	return l
}
