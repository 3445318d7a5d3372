package edge

import (
	"bufio"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

// An AccessLog writes a line for every request, in the format of CloudFront's
// standard logs (Developer Guide, "Standard logging reference"). It never keeps
// a viewer waiting: when its writer is slower than the requests, lines are
// dropped and counted. It is safe for concurrent use.
//
// The values of cookies and of CloudFront's query parameters are not in it.
type AccessLog struct {
	lines   chan []byte
	quit    chan struct{}
	done    chan struct{}
	closing sync.Once
	dropped atomic.Uint64
	err     error // of the writer, the first; read after done
}

const (
	waitingLines = 4096            // before lines are dropped
	lastLines    = 5 * time.Second // how long Close waits for the writer
)

// NewAccessLog starts a log on w. Its two lines of header come with the first
// line, or when it is closed.
func NewAccessLog(w io.Writer) *AccessLog {
	l := &AccessLog{lines: make(chan []byte, waitingLines), quit: make(chan struct{}), done: make(chan struct{})}
	go l.run(w)
	return l
}

// Dropped returns the number of lines that were not written.
func (l *AccessLog) Dropped() uint64 { return l.dropped.Load() }

// Close writes what is waiting and returns the first error of the writer, which
// it does not close. Lines that come later are dropped.
func (l *AccessLog) Close() error {
	l.closing.Do(func() { close(l.quit) })
	timer := time.NewTimer(lastLines)
	defer timer.Stop()
	select {
	case <-l.done:
		return l.err
	case <-timer.C:
		return errors.New("access log: the writer did not take the last lines")
	}
}

// add never blocks.
func (l *AccessLog) add(line []byte) {
	select {
	case <-l.quit:
	default:
		select {
		case l.lines <- line:
			return
		default:
		}
	}
	l.dropped.Add(1)
}

func (l *AccessLog) run(w io.Writer) {
	defer close(l.done)
	out := bufio.NewWriterSize(w, 64<<10)
	_, _ = out.WriteString(logHeader) // stays in the buffer
	for {
		select {
		case line := <-l.lines:
			l.write(out, line)
			l.waiting(out)
			l.note(out.Flush())
		case <-l.quit:
			l.waiting(out)
			l.note(out.Flush())
			return
		}
	}
}

// waiting writes the lines that are there.
func (l *AccessLog) waiting(out *bufio.Writer) {
	for {
		select {
		case line := <-l.lines:
			l.write(out, line)
		default:
			return
		}
	}
}

func (l *AccessLog) write(out *bufio.Writer, line []byte) {
	if _, err := out.Write(line); err != nil {
		l.dropped.Add(1)
		l.note(err)
	}
}

func (l *AccessLog) note(err error) {
	if l.err == nil && err != nil {
		l.err = err
	}
}
