package httpapi

import (
	"cmp"
	"container/list"
	"context"
	"errors"
	"sync"
)

// ErrBusy says that more requests came than can be answered soon.
var ErrBusy = errors.New("too many requests at once")

// A Line says how many requests of one sort there may be. The zero value takes
// the defaults of its sort.
type Line struct {
	Working int // that are being answered at a time; 0 means the default
	Waiting int // that wait for their turn; 0 means DefaultTurns, below 0 none
}

// DefaultTurns is how many requests of one sort wait for their turn. On one
// processor that signs for each of them, some 700 a second, the last one waits
// for one and a half seconds; a visitor bears that, and so does a crowd that
// comes out of one coach.
const DefaultTurns = 1000

func (l Line) withDefault(working int) Line {
	return Line{Working: cmp.Or(l.Working, working), Waiting: max(0, cmp.Or(l.Waiting, DefaultTurns))}
}

// A line is where requests wait for their turn, first come, first served. Whoever
// finds it full hears so at once.
type line struct {
	name string
	body int64 // bytes that handlers behind it read of a body
	most Line

	mu      sync.Mutex
	working int
	turns   list.List // of chan struct{}, each closed when it is somebody's turn
	away    complaint
	refused uint64 // all who were turned away
}

// A LineState says how it goes in the line of one sort of requests.
type LineState struct {
	Name    string // verify, renew or files
	Working int    // requests that have their turn
	Waiting int    // requests that wait for it
	Refused uint64 // requests that were turned away since the start
}

// Lines returns how it goes in each line.
func (s *Server) Lines() []LineState {
	return []LineState{s.lines.verify.state(), s.lines.renew.state(), s.lines.files.state()}
}

func (l *line) state() LineState {
	l.mu.Lock()
	defer l.mu.Unlock()
	return LineState{Name: l.name, Working: l.working, Waiting: l.turns.Len(), Refused: l.refused}
}

func newLine(name string, body int64, most Line) *line {
	return &line{name: name, body: body, most: most}
}

// enter waits for the turn of a request, which must leave. It returns ErrBusy at
// once if too many wait already, and the error of ctx when that ends first.
func (l *line) enter(ctx context.Context) error {
	turn, place, err := l.join()
	if err != nil || turn == nil {
		return err
	}
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
		l.giveUp(turn, place)
		return ctx.Err()
	}
}

// join returns what is closed when it is the request's turn, or nil if it is now.
func (l *line) join() (turn chan struct{}, place *list.Element, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.working < l.most.Working && l.turns.Len() == 0:
		l.working++
		return nil, nil, nil
	case l.turns.Len() >= l.most.Waiting:
		return nil, nil, ErrBusy
	}
	turn = make(chan struct{})
	return turn, l.turns.PushBack(turn), nil
}

// giveUp takes a request out of the line. If its turn came at the same moment,
// it goes to the next.
func (l *line) giveUp(turn chan struct{}, place *list.Element) {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-turn:
		l.working--
		l.next()
	default:
		l.turns.Remove(place)
	}
}

// leave makes room for the next.
func (l *line) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.working--
	l.next()
}

// again takes a request back that had its turn already. It does not wait, so for
// a moment there may be more than should.
func (l *line) again() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.working++
}

func (l *line) next() {
	for l.working < l.most.Working && l.turns.Len() > 0 {
		l.working++
		close(l.turns.Remove(l.turns.Front()).(chan struct{}))
	}
}
