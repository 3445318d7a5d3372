package main

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// A progress is a bar on a terminal that says how far long work has come.
// Where there is no terminal it says nothing.
type progress struct {
	w       io.Writer // nil says nothing
	what    string
	total   int64 // of whatever is counted; 0 means not known
	started time.Time
	shown   time.Time
}

// newProgress returns a bar for total of what, such as "tickets".
func newProgress(w io.Writer, what string, total int64) *progress {
	p := &progress{what: what, total: total, started: time.Now()}
	if isTerminal(w) {
		p.w = w
	}
	return p
}

const (
	progressWidth = 30
	progressEvery = 100 * time.Millisecond
)

// at shows that done of the total are done, and how many things that made. It
// may be called often.
func (p *progress) at(done, things int64) {
	if p.w == nil || time.Since(p.shown) < progressEvery {
		return
	}
	p.shown = time.Now()
	fmt.Fprintf(p.w, "\r\x1b[K%s", p.line(done, things, p.shown.Sub(p.started)))
}

// line is what the bar looks like.
func (p *progress) line(done, things int64, after time.Duration) string {
	rate := float64(things) / max(after.Seconds(), 0.001)
	if p.total <= 0 {
		return fmt.Sprintf("%d %s, %.0f/s", things, p.what, rate)
	}
	part := min(float64(done)/float64(p.total), 1)
	full := int(part * progressWidth)
	left := "?"
	if part > 0 {
		left = time.Duration(float64(after) * (1 - part) / part).Round(time.Second).String()
	}
	return fmt.Sprintf("[%s%s] %3.0f %%  %d %s, %.0f/s, %s left",
		strings.Repeat("=", full), strings.Repeat(" ", progressWidth-full), part*100, things, p.what, rate, left)
}

// end takes the bar away.
func (p *progress) end() {
	if p.w != nil {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}
