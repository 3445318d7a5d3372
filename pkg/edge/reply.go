package edge

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// chunk is how much one write holds, in bytes. With the timeout of a write it
// sets the slowest viewer that is not cut: 4 KiB a second by default.
const chunk = 128 << 10

// The headers that every answer has. CloudFront's Via names one of its hosts.
var (
	xCacheMiss     = []string{"Miss from cloudfront"}
	xCacheError    = []string{"Error from cloudfront"}
	xCacheRedirect = []string{"Redirect from cloudfront"}

	via = []string{"1.1 handstamp-edge (CloudFront)"}
)

// A reply is the way back to a viewer. It dresses an origin's answer as
// CloudFront does, and gives every write a deadline of its own, so that a long
// file may take its time while a dead viewer holds nothing.
type reply struct {
	http.ResponseWriter
	control        http.ResponseController
	timeout        time.Duration
	request        *http.Request
	forwardCookies bool // Set-Cookie may pass
	head           bool
	wrote          bool  // the status
	declared       int64 // Content-Length of a body, -1 if there is none or nobody knows
	sent           int64

	policy   *behavior              // whose headers the answer gets, or nil
	errors   map[int]*errorResponse // by the status that each replaces
	replaced *errorResponse         // an error came, and nothing is sent until its page comes
	instead  int                    // status of a page that was found, 0 if it is no error page

	status int       // that was sent
	result result    // how it came about
	detail string    // the same for the access log, empty if result says it all
	first  time.Time // of the answer
}

// A result is how an answer came about, in the words of the access log.
type result string

const (
	resultMiss     result = "Miss"
	resultError    result = "Error"
	resultRedirect result = "Redirect"
)

func newReply(w http.ResponseWriter, r *http.Request, timeout time.Duration) *reply {
	return &reply{ResponseWriter: w, control: *http.NewResponseController(w), timeout: timeout, request: r,
		head: r.Method == http.MethodHead, declared: -1, result: resultMiss}
}

// errReplaced stops whoever writes the body of an answer that is replaced.
var errReplaced = errors.New("the answer is replaced by an error page")

// WriteHeader dresses the headers and sends them. Informational answers pass.
func (w *reply) WriteHeader(status int) {
	h := w.Header()
	if w.replaced != nil || status >= 200 && !w.wrote && w.replace(h, status) {
		return
	}
	if !w.forwardCookies {
		delete(h, "Set-Cookie")
	}
	if status >= 200 && !w.wrote {
		w.wrote = true
		if w.instead != 0 && status == http.StatusOK {
			status = w.instead
		}
		w.dress(h, status)
	}
	w.extend()
	w.ResponseWriter.WriteHeader(status)
}

// replace notes that an answer with this status is replaced, if it is.
func (w *reply) replace(h http.Header, status int) bool {
	if w.replaced = w.errors[status]; w.replaced == nil {
		return false
	}
	w.result = resultError
	for name := range h {
		if name != reasonHeader && name != "Connection" {
			delete(h, name)
		}
	}
	return true
}

func (w *reply) dress(h http.Header, status int) {
	w.status, w.first = status, time.Now()
	if status >= 400 {
		w.result = resultError
	}
	h["X-Cache"] = xCacheMiss
	switch w.result {
	case resultError:
		h["X-Cache"] = xCacheError
	case resultRedirect:
		h["X-Cache"] = xCacheRedirect
	}
	if w.policy != nil {
		w.policy.addPolicy(h, w.request)
	}
	h["Via"] = append(h["Via"], via...)
	h["X-Amz-Cf-Id"] = []string{requestID()}
	if w.head || status == http.StatusNoContent || status == http.StatusNotModified {
		return
	}
	if n, err := strconv.ParseInt(h.Get("Content-Length"), 10, 64); err == nil {
		w.declared = n
	}
}

// requestID returns an ID that looks like CloudFront's. It names an answer and
// opens nothing.
func requestID() string {
	var id [40]byte
	for i := 0; i < len(id); i += 8 {
		binary.LittleEndian.PutUint64(id[i:], rand.Uint64()) // #nosec G404 -- it opens nothing
	}
	var text [56]byte
	base64.URLEncoding.Encode(text[:], id[:])
	return string(text[:])
}

// extend gives the next write its time. A writer without deadlines, such as a
// recorder in a test, goes without.
func (w *reply) extend() { _ = w.control.SetWriteDeadline(time.Now().Add(w.timeout)) }

func (w *reply) Write(p []byte) (int, error) {
	if w.begin(); w.replaced != nil {
		return 0, errReplaced
	}
	total := 0
	for {
		w.extend()
		n, err := w.ResponseWriter.Write(p[:min(len(p), chunk)])
		total += n
		w.sent += int64(n)
		if p = p[n:]; err != nil || len(p) == 0 {
			return total, err
		}
	}
}

func (w *reply) begin() {
	if !w.wrote {
		w.WriteHeader(http.StatusOK)
	}
}

// buffers hold what is read for a viewer whose connection cannot take a file.
var buffers = sync.Pool{New: func() any { return new([32 << 10]byte) }}

// ReadFrom copies src in pieces, so that each has its own deadline and the
// kernel can still copy a file by itself.
func (w *reply) ReadFrom(src io.Reader) (int64, error) {
	if w.begin(); w.replaced != nil {
		return 0, errReplaced
	}
	inner, ok := w.ResponseWriter.(io.ReaderFrom)
	if !ok {
		buffer := buffers.Get().(*[32 << 10]byte)
		defer buffers.Put(buffer)
		return io.CopyBuffer(struct{ io.Writer }{w}, src, buffer[:])
	}
	limit, ok := src.(*io.LimitedReader)
	if !ok {
		limit = &io.LimitedReader{R: src, N: 1<<63 - 1}
	}
	return w.readFrom(inner, limit)
}

// readFrom unwraps the limit: the kernel's copying sees through one only.
func (w *reply) readFrom(inner io.ReaderFrom, src *io.LimitedReader) (total int64, err error) {
	for src.N > 0 {
		piece := io.LimitedReader{R: src.R, N: min(src.N, chunk)}
		w.extend()
		n, err := inner.ReadFrom(&piece)
		total += n
		w.sent += n
		src.N -= n
		if err != nil || piece.N > 0 {
			return total, err
		}
	}
	return total, nil
}

// FlushError sends what is buffered; see http.ResponseController.
func (w *reply) FlushError() error {
	if w.begin(); w.replaced != nil {
		return nil
	}
	w.extend()
	return w.control.Flush()
}

// Flush is FlushError for handlers that know http.Flusher only.
func (w *reply) Flush() { _ = w.FlushError() }

// Unwrap lets http.ResponseController reach the connection.
func (w *reply) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// finish ends a reply. One that is shorter than declared is aborted, so that
// no viewer and no cache takes it for whole.
func (w *reply) finish() {
	w.begin()
	w.extend()
	if w.declared > w.sent {
		panic(http.ErrAbortHandler)
	}
}
