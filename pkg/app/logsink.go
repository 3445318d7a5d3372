package app

import (
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/handstamp/handstamp/pkg/telemetry"
)

// DefaultSink is how much of a log waits for its reader, in bytes.
const DefaultSink = 4 << 20

// A Sink is where a log goes that must not make anybody wait: what writes to it
// goes on at once, even if the reader of standard error has stopped to read. What
// has no room is dropped, and counted. It is safe for concurrent use.
type Sink struct {
	to      io.Writer
	most    int
	lost    atomic.Int64 // since that was last said
	dropped atomic.Int64 // in all
	tell    func(int64)

	mu     sync.Mutex
	lines  [][]byte
	size   int
	closed bool
	wake   chan struct{} // holds a value when there is something to do
	done   chan struct{}
}

// NewSink returns a Sink before w that holds up to most bytes; 0 means
// DefaultSink. Once w takes lines again after some were dropped, tell is called
// with their number; nil means that nobody is told.
func NewSink(w io.Writer, most int, tell func(dropped int64)) *Sink {
	if most <= 0 {
		most = DefaultSink
	}
	s := &Sink{to: w, most: most, tell: tell, wake: make(chan struct{}, 1), done: make(chan struct{})}
	go s.run()
	return s
}

// Write keeps a line to be written, or drops it. It never fails and never waits.
func (s *Sink) Write(line []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.size+len(line) > s.most {
		s.lost.Add(1)
		s.dropped.Add(1)
		return len(line), nil
	}
	s.lines, s.size = append(s.lines, append([]byte(nil), line...)), s.size+len(line)
	s.notify()
	return len(line), nil
}

// Dropped returns how many lines were dropped so far.
func (s *Sink) Dropped() int64 { return s.dropped.Load() }

// Read is a telemetry.Read: it shows how many lines were dropped.
func (s *Sink) Read(emit telemetry.Emit) { emit(telemetry.LogDropped, float64(s.Dropped())) }

// notify wakes run up. It is called under the lock.
func (s *Sink) notify() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// farewell is how long Close waits for a reader.
const farewell = time.Second

// Close writes what is left, for a second at most, and drops what comes later.
func (s *Sink) Close() error {
	s.mu.Lock()
	s.closed = true
	s.notify()
	s.mu.Unlock()
	timer := time.NewTimer(farewell)
	defer timer.Stop()
	select {
	case <-s.done:
	case <-timer.C:
	}
	return nil
}

func (s *Sink) run() {
	defer close(s.done)
	for range s.wake {
		lines, closed := s.take()
		for _, line := range lines {
			_, err := s.to.Write(line)
			s.free(len(line))
			if err != nil {
				s.lost.Add(1)
				s.dropped.Add(1)
				continue
			}
			s.confess()
		}
		if closed {
			return
		}
	}
}

// take returns the lines that wait. Their room is free once they are written.
func (s *Sink) take() (lines [][]byte, closed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	lines, s.lines = s.lines, nil
	return lines, s.closed
}

func (s *Sink) free(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.size -= n
}

// confess says how many lines were dropped, now that they can be written again.
func (s *Sink) confess() {
	if n := s.lost.Swap(0); n > 0 && s.tell != nil {
		s.tell(n)
	}
}
