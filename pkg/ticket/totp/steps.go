package totp

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Steps remembers which passwords were taken. Implementations are safe for
// concurrent use, and for as many gateways as there are they are one.
type Steps interface {
	// Used notes that the password of a pass for a step is taken, in one go,
	// and reports whether it was before. What it says of steps that are more
	// than two minutes old does not matter. An error means that nobody knows.
	Used(ctx context.Context, pass string, step int64) (bool, error)
}

// maxUsed is how many passwords Memory holds: good ones of two minutes.
const maxUsed = 100_000

// ErrFull is returned by Memory when more passwords were taken than it can
// remember. It passes by itself.
var ErrFull = errors.New("too many passwords are taken at once")

// Memory is Steps for one gateway, until it ends. The zero value is ready for
// use.
type Memory struct {
	Now func() time.Time // nil means time.Now

	mu     sync.Mutex
	used   map[taken]bool
	pruned int64 // step of the last time that old ones were thrown away
}

type taken struct {
	pass string
	step int64
}

// Used implements Steps.
func (m *Memory) Used(_ context.Context, pass string, step int64) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.prune()
	t := taken{pass, step}
	if m.used[t] {
		return true, nil
	}
	if len(m.used) >= maxUsed {
		return false, ErrFull
	}
	m.used[t] = true
	return false, nil
}

// prune forgets what no clock within the window can show again, once a step.
// mu is held. A clock that goes back forgets nothing early.
func (m *Memory) prune() {
	now := time.Now
	if m.Now != nil {
		now = m.Now
	}
	step := StepOf(now())
	if m.used == nil {
		m.used = map[taken]bool{}
	}
	if step <= m.pruned {
		return
	}
	m.pruned = step
	for t := range m.used {
		if t.step < step-3 {
			delete(m.used, t)
		}
	}
}
