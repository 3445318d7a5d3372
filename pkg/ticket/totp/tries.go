package totp

import (
	"errors"
	"hash/maphash"
	"sync"
	"time"
)

// Tries is how many wrong passwords a pass may be shown with in a minute. Then
// nothing is compared until the minute is over, so that whoever knows an id
// cannot try them all (RFC 4226, section 7.3).
const Tries = 5

// ErrTries is returned, as no denial, for a pass that was shown with too many
// wrong passwords.
var ErrTries = errors.New("too many wrong passwords for this pass in the last minute")

// tries counts wrong passwords. Passes share a slot by chance, one in 65,536,
// so that no number of ids takes more memory.
type tries struct {
	seed maphash.Seed

	mu     sync.Mutex
	minute int64
	wrong  [1 << 16]uint8
}

func newTries() *tries { return &tries{seed: maphash.MakeSeed()} }

// slot returns the counter of a pass. mu is held.
func (t *tries) slot(pass string, now time.Time) *uint8 {
	if minute := now.Unix() / 60; minute != t.minute {
		t.minute = minute
		clear(t.wrong[:])
	}
	return &t.wrong[uint16(maphash.String(t.seed, pass))] // #nosec G115 -- any 16 bits
}

// spent reports whether there are no tries left.
func (t *tries) spent(pass string, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return *t.slot(pass, now) >= Tries
}

// fail counts a wrong password.
func (t *tries) fail(pass string, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if n := t.slot(pass, now); *n < Tries {
		*n++
	}
}
