package admin

import (
	"sync"
	"time"
)

// A Limit allows Failures within Window; then nothing goes for Wait.
type Limit struct {
	Failures int
	Window   time.Duration
	Wait     time.Duration
}

func (l Limit) or(other Limit) Limit {
	if l.Failures <= 0 {
		l.Failures = other.Failures
	}
	if l.Window <= 0 {
		l.Window = other.Window
	}
	if l.Wait <= 0 {
		l.Wait = other.Wait
	}
	return l
}

// A lockout counts failures of everybody whom K tells apart, and remembers at
// most so many of them.
type lockout[K comparable] struct {
	limit   Limit
	entries int

	mu    sync.Mutex
	known map[K]tries
	stats lockoutStats
}

type lockoutStats struct{ failed, locked, refused uint64 }

type tries struct {
	failed int
	until  time.Time // when the window, or the lock, ends
	locked bool
}

func newLockout[K comparable](limit Limit, entries int) *lockout[K] {
	return &lockout[K]{limit: limit, entries: entries, known: map[K]tries{}}
}

// try makes an attempt for k unless k is locked out, and returns how long it
// still is. Attempts are made one after the other, so that many at once are no
// more than many in a row; they must be quick.
func (l *lockout[K]) try(k K, now time.Time, attempt func() bool) (ok bool, wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := l.known[k]
	switch {
	case !now.Before(t.until):
		t = tries{until: now.Add(l.limit.Window)}
	case t.locked:
		l.stats.refused++
		return false, t.until.Sub(now)
	}
	if attempt() {
		return true, 0
	}
	l.stats.failed++
	if t.failed++; t.failed >= l.limit.Failures {
		l.stats.locked++
		t.locked, t.until = true, now.Add(l.limit.Wait)
	}
	l.keep(k, t, now)
	return false, 0
}

// locked returns how long k is still locked out.
func (l *lockout[K]) locked(k K, now time.Time) time.Duration {
	_, wait := l.try(k, now, func() bool { return true })
	return wait
}

// fail counts a failure of k.
func (l *lockout[K]) fail(k K, now time.Time) {
	l.try(k, now, func() bool { return false })
}

// keep remembers t, and forgets somebody else if there is no room.
func (l *lockout[K]) keep(k K, t tries, now time.Time) {
	if _, ok := l.known[k]; !ok && len(l.known) >= l.entries {
		l.forget(now)
	}
	l.known[k] = t
}

// forget looks at some and forgets those whose time is over, else one who is
// not locked out, else anybody.
func (l *lockout[K]) forget(now time.Time) {
	var victim K
	looked, found := 0, false
	for other, t := range l.known { // in random order
		if looked++; looked > 32 {
			break
		}
		switch {
		case !now.Before(t.until):
			delete(l.known, other)
		case !found || !t.locked:
			victim, found = other, true
		}
	}
	if len(l.known) >= l.entries {
		delete(l.known, victim)
	}
}

// snapshot returns what was counted, and how many are remembered.
func (l *lockout[K]) snapshot() (lockoutStats, int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.stats, len(l.known)
}
