package bucket

import (
	"io"
	"maps"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// chunk is how much one write to a viewer holds, in bytes. With the timeout of
// a write it sets the slowest viewer that is not cut.
const chunk = 128 << 10

// A reply is the way back to a viewer. Nothing of it can be seen outside before
// the status is sent, so that a store which fails at the last moment still gets
// another answer. Every write has a deadline of its own, so that a long object
// may take its time while a dead viewer holds nothing.
type reply struct {
	to      http.ResponseWriter
	control *http.ResponseController
	timeout time.Duration
	header  http.Header
	dress   func(h http.Header, status int)
	prepare func(status int) error // is asked before the status is sent
	refused error                  // by prepare; then nothing was sent
	wrote   bool                   // the status
	left    int64                  // of the body that was declared, in bytes
}

// Header returns the headers that will be sent.
func (w *reply) Header() http.Header { return w.header }

// WriteHeader sends status and headers, if prepare has what follows them.
func (w *reply) WriteHeader(status int) {
	if w.wrote || w.refused != nil {
		return
	}
	if w.refused = w.prepare(status); w.refused != nil {
		return
	}
	w.wrote = true
	w.dress(w.header, status)
	maps.Copy(w.to.Header(), w.header)
	w.extend()
	w.to.WriteHeader(status)
}

// declare notes the length of the body that has to come.
func (w *reply) declare(h http.Header) {
	if n, err := strconv.ParseInt(h.Get("Content-Length"), 10, 64); err == nil {
		w.left = n
	}
}

// extend gives the next write its time. A writer without deadlines, such as a
// recorder in a test, goes without.
func (w *reply) extend() { _ = w.control.SetWriteDeadline(time.Now().Add(w.timeout)) }

// Write sends p in chunks.
func (w *reply) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	if w.refused != nil {
		return 0, w.refused
	}
	total := 0
	for {
		w.extend()
		n, err := w.to.Write(p[:min(len(p), chunk)])
		total += n
		w.left -= int64(n)
		if p = p[n:]; err != nil || len(p) == 0 {
			return total, err
		}
	}
}

// buffers hold what is between the store and a viewer.
var buffers = sync.Pool{New: func() any { return new([32 << 10]byte) }}

// ReadFrom copies src through one buffer, so that an object of any size takes no
// more.
func (w *reply) ReadFrom(src io.Reader) (int64, error) {
	buffer := buffers.Get().(*[32 << 10]byte)
	defer buffers.Put(buffer)
	return io.CopyBuffer(struct{ io.Writer }{w}, src, buffer[:])
}
