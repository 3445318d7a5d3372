package awslambda

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
)

// A recorder keeps an answer until it is sent. It behaves as the writer of a
// server does: headers count as they are when the status is written.
type recorder struct {
	method string
	limit  int // bytes of the body
	header http.Header

	status int // 0 means not yet written
	sent   http.Header
	body   bytes.Buffer
	excess bool // more was written than fits
}

func newRecorder(method string, limit int) *recorder {
	return &recorder{method: method, limit: limit, header: http.Header{}}
}

func (w *recorder) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter. Informational answers go nowhere.
func (w *recorder) WriteHeader(status int) {
	if status < 100 || status > 999 {
		panic(fmt.Sprintf("status %d is none", status))
	}
	if w.status != 0 || status < 200 {
		return
	}
	w.status, w.sent = status, w.header.Clone()
}

// errExcess tells a handler that writes on in vain.
var errExcess = errors.New("the reply is larger than Lambda can send")

func (w *recorder) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	switch {
	case !bodyAllowed(w.status):
		return 0, http.ErrBodyNotAllowed
	case w.method == http.MethodHead:
		return len(b), nil
	case w.body.Len()+len(b) > w.limit:
		w.excess = true
		return 0, errExcess
	}
	if w.body.Len() == 0 && w.sent.Get("Content-Type") == "" && len(b) > 0 {
		w.sent.Set("Content-Type", http.DetectContentType(b))
	}
	return w.body.Write(b)
}

// Flush implements http.Flusher: nothing leaves before the end.
func (w *recorder) Flush() { w.WriteHeader(http.StatusOK) }

func (w *recorder) finish() { w.WriteHeader(http.StatusOK) }

// bodyAllowed reports whether answers with status have a body (RFC 9110,
// sections 15.3.5 and 15.4.5).
func bodyAllowed(status int) bool {
	return status != http.StatusNoContent && status != http.StatusNotModified
}
