package throttle_test

import (
	"cmp"
	"container/heap"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/throttle"
)

// A park is a day at an attraction: a source that knows the codes from 0 to
// good, a throttle in front of it, and people who come at their times.
type park struct {
	throttle *throttle.Throttle
	watch    *watch
	random   *rand.Rand
	good     int
	todo     agenda
	guesses  map[netip.Addr]int // that reached the source
}

const latency = 200 * time.Millisecond // of the source

func newPark(opts throttle.Options, good int) *park {
	p := &park{random: rand.New(rand.NewPCG(1, 2)), good: good, guesses: map[netip.Addr]int{}}
	p.throttle, p.watch = newThrottle(opts)
	return p
}

// at plans something.
func (p *park) at(when time.Time, do func()) { heap.Push(&p.todo, plan{when, len(p.todo), do}) }

func (p *park) in(d time.Duration, do func()) { p.at(p.watch.now().Add(d), do) }

// run lets the day pass until nobody plans anything before end.
func (p *park) run(end time.Time) {
	for len(p.todo) > 0 && p.todo[0].when.Before(end) {
		next := heap.Pop(&p.todo).(plan)
		p.watch.set(next.when)
		next.do()
	}
}

// show makes an attempt with the nth code and says how it went: at once if it
// is turned away, else when the source has answered.
func (p *park) show(a throttle.Attempt, n int, then func(turn throttle.Turn, good bool)) {
	a.Fingerprint = code(n)
	turn := p.throttle.Allow(a)
	if !turn.OK {
		then(turn, false)
		return
	}
	if n >= p.good {
		p.guesses[a.Client]++
	}
	p.in(latency, func() {
		if n < p.good {
			turn.Succeed()
		} else {
			turn.Fail(throttle.Refused)
		}
		then(turn, n < p.good)
	})
}

// A visitor shows a good code and does what Retry-After says.
type visitor struct {
	app     bool // has a device cookie
	strong  bool // has a code of 64 bits
	attempt throttle.Attempt
	code    int
	tries   int
	came    time.Time
	in      time.Time // zero means not yet
}

func (v *visitor) try(p *park) {
	v.tries++
	p.show(v.attempt, v.code, func(turn throttle.Turn, good bool) {
		if good {
			v.in = p.watch.now()
			return
		}
		if turn.Guarded { // and solves it
			v.attempt.Challenged = true
			p.in(time.Second, func() { v.try(p) })
			return
		}
		p.in(turn.RetryAfter, func() { v.try(p) })
	})
}

// A sprayer tries codes that do not exist.
type sprayer struct {
	clients    []netip.Addr
	throughNAT int // of 10 guesses, how many come from the first client
	total      int
	every      time.Duration
	cookies    bool // a new device cookie for every guess
	comesBack  bool // when told to, like a visitor
}

func (s *sprayer) start(p *park) {
	for i := range s.total {
		p.in(time.Duration(i)*s.every, func() { s.guess(p, i) })
	}
}

func (s *sprayer) guess(p *park, i int) {
	a := from("192.0.2.1", 0)
	a.Client = s.clients[0]
	if i%10 >= s.throughNAT {
		a.Client = s.clients[1+i%(len(s.clients)-1)]
	}
	if s.cookies {
		a.Device = fmt.Sprint("made up ", i)
	}
	s.try(p, a, i)
}

func (s *sprayer) try(p *park, a throttle.Attempt, i int) {
	p.show(a, p.good+i, func(turn throttle.Turn, good bool) {
		if !turn.OK && s.comesBack {
			p.in(turn.RetryAfter, func() { s.try(p, a, i) })
		}
	})
}

// addresses returns n of them, all networks of their own; the first is the
// NAT that the visitors share with the sprayer.
func addresses(n int) []netip.Addr {
	var all []netip.Addr
	for i := range n {
		all = append(all, netip.AddrFrom4([4]byte{198, 51, byte(i >> 8), byte(i)}))
	}
	return all
}

// budget is what a network with Options.Network may have failed after a time,
// in all lanes that short codes have.
func budget(lanes int, d time.Duration) int {
	return lanes * (10 + int(d/time.Minute) + 1)
}

// One NAT with 50 visitors, and 10,000 wrong codes from 500 addresses, the NAT
// among them.
func TestVisitorsBehindSprayedNAT(t *testing.T) {
	noGuard := throttle.Options{Guard: throttle.Guard{Failures: 1e9}}
	venue := noGuard
	venue.Venues = []netip.Prefix{netip.PrefixFrom(addresses(1)[0], 32)}
	challenge := throttle.Options{Challenge: true}
	many := 3_000 // where the number of guesses changes nothing
	if os.Getenv("FULL_TESTS") != "" {
		many = 10_000
	}
	worst := sprayer{throughNAT: 2, comesBack: true, cookies: true}
	tests := []struct {
		name     string
		opts     throttle.Options
		sprayer  sprayer
		visitor  visitor // as all of them are
		tries    int     // that a visitor needs at most
		patience time.Duration
		source   int // guesses that reach it at most
	}{
		{"app", throttle.Options{}, sprayer{throughNAT: 2}, visitor{app: true}, 3, 15 * time.Second, 300},
		{"no cookie", throttle.Options{}, sprayer{throughNAT: 2}, visitor{}, 3, 15 * time.Second, 300},
		{"sprayer makes cookies", throttle.Options{}, sprayer{throughNAT: 2, cookies: true}, visitor{app: true}, 3, 15 * time.Second, 300},
		{"sprayer comes back", throttle.Options{}, sprayer{throughNAT: 2, comesBack: true}, visitor{app: true}, 3, 15 * time.Second, 10_000},
		{"strong codes", throttle.Options{}, worst, visitor{strong: true}, 1, latency, 10_000},
		{"challenge", challenge, worst, visitor{}, 2, 2 * time.Second, 52 * 6},

		{"no guard, app", noGuard, sprayer{throughNAT: 2, total: many}, visitor{app: true}, 1, latency, 10_000},
		{"no guard, no cookie", noGuard, sprayer{throughNAT: 2, total: many}, visitor{}, 3, 15 * time.Second, 10_000},
		{"no guard, all through the NAT", noGuard, sprayer{throughNAT: 10, total: many}, visitor{}, 3, 15 * time.Second, budget(1, parkDay)},
		{"no guard, cookies through the NAT", noGuard, sprayer{throughNAT: 10, cookies: true, total: many}, visitor{app: true}, 3, 15 * time.Second, budget(1, parkDay)},
		{"no guard, all come back through the NAT", noGuard, sprayer{throughNAT: 10, comesBack: true, total: 3000}, visitor{app: true}, 1, latency, budget(1, parkDay)},
		{"no guard, worst through the venue", venue, sprayer{throughNAT: 10, comesBack: true, cookies: true, total: 1000}, visitor{strong: true}, 1, latency, 20 * budget(1, parkDay)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := newPark(tt.opts, 50)
			s := tt.sprayer
			s.clients, s.total = addresses(500), cmp.Or(s.total, 10_000)
			s.every = opening / time.Duration(s.total)
			s.start(p)
			crowd := p.openTo(tt.visitor)
			p.run(noon.Add(parkDay))
			tries, patience := slowest(t, crowd)
			if tries > tt.tries || patience > tt.patience {
				t.Errorf("a visitor needed %d tries, one needed %v, want at most %d and %v", tries, patience, tt.tries, tt.patience)
			}
			asked := 0
			for client, n := range p.guesses {
				asked += n
				if most := budget(2, parkDay); n > most && len(tt.opts.Venues) == 0 {
					t.Errorf("%v had %d guesses at the source, want at most %d", client, n, most)
				}
			}
			if asked > tt.source {
				t.Errorf("%d guesses reached the source, want at most %d", asked, tt.source)
			}
			t.Logf("%d of %d guesses reached the source, %d through the NAT; visitors needed at most %d tries and %v", asked, s.total, p.guesses[s.clients[0]], tries, patience)
		})
	}
}

// What nobody can promise: a sprayer behind the same address who makes a device
// of every guess and comes back as visitors do. He keeps to his budget all the
// same, and visitors share what it lets through with him.
func TestSprayerWhoDoesAsVisitorsDo(t *testing.T) {
	for _, every := range []time.Duration{time.Second, 10 * time.Second, 30 * time.Second} {
		p := newPark(throttle.Options{}, 50)
		s := sprayer{clients: addresses(2), throughNAT: 10, comesBack: true, cookies: true, total: int(opening / every), every: every}
		s.start(p)
		crowd := p.openTo(visitor{app: true})
		p.run(noon.Add(parkDay))
		in := 0
		for _, v := range crowd {
			if !v.in.IsZero() {
				in++
			}
		}
		if n := p.guesses[s.clients[0]]; n > budget(1, parkDay) {
			t.Errorf("a guess every %v: %d reached the source, want at most %d", every, n, budget(1, parkDay))
		}
		t.Logf("a guess every %v: %d of 50 visitors are in after %v, %d of %d guesses reached the source", every, in, parkDay, p.guesses[s.clients[0]], s.total)
	}
}

const (
	opening = 20 * time.Minute // when visitors come, and the sprayer
	parkDay = 30 * time.Minute
)

// openTo lets as many visitors come as there are good codes, all behind the
// NAT and at random times.
func (p *park) openTo(like visitor) []*visitor {
	var crowd []*visitor
	for i := range p.good {
		v := like
		v.code = i
		v.attempt = from(addresses(1)[0].String(), i)
		v.attempt.Strong = v.strong
		if v.app {
			v.attempt.Device = fmt.Sprint("visitor ", i)
		}
		v.came = noon.Add(time.Duration(p.random.Int64N(int64(opening))))
		p.at(v.came, func() { v.try(p) })
		crowd = append(crowd, &v)
	}
	return crowd
}

// slowest returns how many tries and how long a visitor needed.
func slowest(t *testing.T, crowd []*visitor) (tries int, patience time.Duration) {
	t.Helper()
	for _, v := range crowd {
		if v.in.IsZero() {
			t.Errorf("visitor %d is not in after %d tries", v.code, v.tries)
			continue
		}
		tries, patience = max(tries, v.tries), max(patience, v.in.Sub(v.came))
	}
	return tries, patience
}

// An agenda is a heap of plans.
type agenda []plan

type plan struct {
	when  time.Time
	order int
	do    func()
}

func (a agenda) Len() int           { return len(a) }
func (a agenda) Less(i, j int) bool { return a[i].when.Before(a[j].when) }
func (a agenda) Swap(i, j int)      { a[i], a[j] = a[j], a[i] }
func (a *agenda) Push(x any)        { *a = append(*a, x.(plan)) }
func (a *agenda) Pop() any {
	last := (*a)[len(*a)-1]
	*a = (*a)[:len(*a)-1]
	return last
}
