// Package reply keeps replies whole: one that breaks off never looks like one
// that ended, and one that was late in coming can still be read.
package reply

import (
	"io"
	"net/http"
	"time"
)

// Recover returns a handler that calls next and takes its panics: note is told
// the value, which may hold anything, and fail replies. Where next has begun a
// reply there is no second one to give. That panic goes on as
// http.ErrAbortHandler, which makes the server break the connection off;
// http.ErrAbortHandler of next goes on as it is, and nobody is told.
//
// Whoever reads the reply has patience for it, counted from its status and not
// from the request: what took long to find out is not lost for that. A handler
// may move the deadline with http.ResponseController, but until then to no less.
func Recover(next http.Handler, patience time.Duration, note func(r *http.Request, value any), fail http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(to http.ResponseWriter, r *http.Request) {
		w := &writer{ResponseWriter: to, control: http.NewResponseController(to), patience: patience}
		if r.ProtoMajor == 1 { // "100 Continue" is written too; a stream of HTTP/2 would be reset, and its reply with it
			_ = w.control.SetWriteDeadline(time.Now().Add(patience))
		}
		defer func() {
			value := recover()
			switch {
			case value == nil:
				return
			case value == http.ErrAbortHandler:
				panic(value)
			}
			note(r, value)
			if w.began {
				panic(http.ErrAbortHandler)
			}
			undress(w.Header())
			fail(w, r)
		}()
		next.ServeHTTP(w, r)
		w.begin(http.StatusOK) // one without a body begins now
	})
}

// undress takes away what was meant for the body that does not come.
func undress(h http.Header) {
	for _, name := range []string{"Accept-Ranges", "Content-Disposition", "Content-Encoding", "Content-Length", "Content-Range", "Etag", "Last-Modified", "Set-Cookie"} {
		h.Del(name)
	}
	h.Set("Cache-Control", "no-store")
}

// A writer knows whether a reply has begun, and until when it may be read.
type writer struct {
	http.ResponseWriter
	control  *http.ResponseController
	patience time.Duration

	began  bool
	chosen bool      // the handler has moved the deadline
	until  time.Time // to this; zero means that there is none
}

// begin notes that a reply begins, with the time that there is to read it. A
// writer without a connection, such as that of a Lambda function, has no
// deadline and needs none.
func (w *writer) begin(status int) {
	if w.began || status < http.StatusOK && status != http.StatusSwitchingProtocols {
		return
	}
	w.began = true
	if until := time.Now().Add(w.patience); !w.chosen || !w.until.IsZero() && w.until.Before(until) {
		_ = w.control.SetWriteDeadline(until)
	}
}

// WriteHeader implements http.ResponseWriter.
func (w *writer) WriteHeader(status int) {
	w.begin(status)
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *writer) Write(p []byte) (int, error) {
	w.begin(http.StatusOK)
	return w.ResponseWriter.Write(p)
}

// ReadFrom implements io.ReaderFrom, so that the kernel can still copy a file.
func (w *writer) ReadFrom(src io.Reader) (int64, error) {
	w.begin(http.StatusOK)
	return io.Copy(w.ResponseWriter, src)
}

// FlushError sends what is buffered; see http.ResponseController.
func (w *writer) FlushError() error {
	w.begin(http.StatusOK)
	return w.control.Flush()
}

// Flush is FlushError for handlers that know http.Flusher only.
func (w *writer) Flush() { _ = w.FlushError() }

// SetWriteDeadline is for http.ResponseController.
func (w *writer) SetWriteDeadline(deadline time.Time) error {
	err := w.control.SetWriteDeadline(deadline)
	if err == nil {
		w.chosen, w.until = true, deadline
	}
	return err
}

// Unwrap is for http.ResponseController.
func (w *writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }
