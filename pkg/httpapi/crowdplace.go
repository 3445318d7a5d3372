package httpapi

import (
	"context"
	"sync"
	"time"
)

// A place is what a request has in a line whose turn it is.
type place struct {
	line  *line
	aside *asides
	came  time.Time // when its request had been read

	mu      sync.Mutex
	outside int // reasons for which it is given up at the moment
	over    bool
}

type placeKey struct{}

func placeOf(ctx context.Context) *place {
	p, _ := ctx.Value(placeKey{}).(*place)
	return p
}

// Aside gives the place of a request up while it waits for a ticketing system,
// named by its id, which may be slow: the others go on meanwhile. When it is to be
// answered again, back is called, once. Aside returns ErrBusy if too many wait for
// that system. The context is that of the request; with any other nothing happens.
func Aside(ctx context.Context, system string) (back func(), err error) {
	p := placeOf(ctx)
	if p == nil {
		return func() {}, nil
	}
	if !p.aside.enter(system) {
		return nil, ErrBusy
	}
	p.yield()
	return func() { p.aside.leave(system); p.resume() }, nil
}

// yield gives the place up.
func (p *place) yield() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.outside++
	if p.outside == 1 && !p.over {
		p.line.leave()
	}
}

// resume takes it back.
func (p *place) resume() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.outside--
	if p.outside == 0 && !p.over {
		p.line.again()
	}
}

// end gives the place up for good. Whoever is still outside comes back to none.
func (p *place) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.over = true
	if p.outside == 0 {
		p.line.leave()
	}
}

// asides counts who waits for which ticketing system.
type asides struct {
	most    int // for one of them
	mu      sync.Mutex
	waiting map[string]int
}

func (a *asides) enter(system string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.waiting[system] >= a.most {
		return false
	}
	a.waiting[system]++
	return true
}

func (a *asides) leave(system string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.waiting[system]--; a.waiting[system] == 0 {
		delete(a.waiting, system)
	}
}
