package bucket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/handstamp/handstamp/pkg/byterange"
)

// ServeHTTP answers with the object whose key is r.URL.Path, after the prefix,
// and refuses in S3's words. It is the origin of a cache behavior; the query of
// a viewer means nothing here.
func (b *Bucket) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		refuse(w, http.StatusMethodNotAllowed, "MethodNotAllowed")
		return
	}
	err := b.ServeObject(w, r, strings.TrimPrefix(r.URL.Path, "/"))
	var busy *BusyError
	switch {
	case err == nil:
	case r.Context().Err() != nil:
		panic(http.ErrAbortHandler) // the viewer left
	case errors.Is(err, ErrNotFound):
		refuse(w, http.StatusNotFound, "NoSuchKey")
	case errors.As(err, &busy):
		w.Header().Set("Retry-After", strconv.Itoa(int(busy.After/time.Second)))
		refuse(w, http.StatusServiceUnavailable, "SlowDown")
	default:
		b.opts.Log.WarnContext(r.Context(), "bucket failed", "bucket", b.name, "err", err)
		refuse(w, http.StatusServiceUnavailable, "ServiceUnavailable")
	}
}

// refuse answers as S3 does.
func refuse(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/xml")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, `<?xml version="1.0" encoding="UTF-8"?><Error><Code>`+code+`</Code></Error>`)
}

// ServeObject answers a GET or HEAD with the object that key names, after the
// prefix, as ServeNamed does under the last segment of the key.
func (b *Bucket) ServeObject(w http.ResponseWriter, r *http.Request, key string) error {
	return b.ServeNamed(w, r, key, path.Base(key))
}

// ServeNamed answers a GET or HEAD with the object that key names, after the
// prefix; what is downloaded from a Private bucket is called name. Nobody is
// asked whether the viewer may have it.
//
// It returns an error if nothing was written, not even a header: ErrNotFound,
// ErrBusy, or one that says what is wrong with the store. When the store fails
// later, ServeNamed panics with http.ErrAbortHandler, which the server takes as
// "cut the connection".
func (b *Bucket) ServeNamed(w http.ResponseWriter, r *http.Request, key, name string) error {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return fmt.Errorf("method %q, want GET or HEAD", r.Method)
	}
	whole, err := b.key(key)
	if err != nil {
		return err
	}
	o, err := b.look(r.Context(), whole)
	if err != nil {
		return err
	}
	return b.send(w, byterange.Request(r, o.size), o, name)
}

// send lets http.ServeContent answer conditions and ranges.
func (b *Bucket) send(w http.ResponseWriter, r *http.Request, o *object, name string) error {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	c := &content{bucket: b, object: o, ctx: ctx, spans: byterange.Spans(r.Header.Get("Range"), o.size)}
	answer := b.newReply(w, r, o, name)
	if r.Method == http.MethodGet {
		answer.prepare = c.prepare
	}
	http.ServeContent(answer, r, "", o.modified, c)
	cancel()
	broken := c.close()
	switch {
	case answer.refused != nil:
		return answer.refused
	case answer.left > 0:
		b.cut(r, o, broken)
	}
	return nil
}

func (b *Bucket) newReply(w http.ResponseWriter, r *http.Request, o *object, name string) *reply {
	answer := &reply{to: w, control: http.NewResponseController(w), timeout: b.opts.WriteTimeout, header: o.header,
		prepare: func(int) error { return nil }}
	kind := o.header.Get("Content-Type") // before there are several parts of it
	answer.dress = func(h http.Header, status int) {
		if status == http.StatusOK { // ServeContent says none next to Content-Encoding
			h.Set("Content-Length", strconv.FormatInt(o.size, 10))
		}
		if status >= 400 {
			delete(h, "Content-Disposition")
			delete(h, "Content-Language")
		}
		if b.opts.Private {
			guard(h, status, Disposition(kind, name))
		}
		if r.Method == http.MethodGet && (status == http.StatusOK || status == http.StatusPartialContent) {
			answer.declare(h)
		}
	}
	return answer
}

// cut aborts an answer that is not whole. The log hears of it unless the viewer
// left or takes nothing.
func (b *Bucket) cut(r *http.Request, o *object, broken error) {
	if broken != nil && r.Context().Err() == nil {
		b.opts.Log.WarnContext(r.Context(), "object cut off", "bucket", b.name, "key", o.key, "err", broken)
	}
	panic(http.ErrAbortHandler)
}
