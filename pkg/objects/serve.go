package objects

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"time"
)

// indexTime is how long the index may take before a file is streamed. The store has
// a time of its own after that.
const indexTime = 3 * time.Second

// errNoStream is returned by a Desk that has nothing to stream with.
var errNoStream = errors.New("files of this desk are not streamed")

// Serve streams a file to a viewer. It returns an error if nothing was written:
// ErrNotFound, a *RequestError, or what Options.Stream returns. An ErrNotFound of
// the store wraps what it said, which is for the log only.
//
// Whatever the object says of itself, the viewer gets the type of the index, or
// that of its extension, and nothing that could run is shown in the page.
func (d *Desk) Serve(w http.ResponseWriter, r *http.Request, h Holder, key string) error {
	if d.opts.Stream == nil {
		return errNoStream
	}
	ctx, cancel := context.WithTimeout(r.Context(), indexTime)
	files, err := d.lookUp(ctx, key)
	cancel()
	if err != nil {
		return err
	}
	f := files[key]
	if _, err := d.reads(d.party(h, d.opts.Now()), key, f); err != nil {
		return err
	}
	err = d.opts.Stream.ServeObject(&shownWriter{ResponseWriter: w, file: describe(key, f)}, r, key)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: %w", ErrNotFound, err)
	}
	return err
}

// A shownWriter adds to a reply how its file is to be shown, at the last moment,
// so that an error reply has none of it.
type shownWriter struct {
	http.ResponseWriter
	file presentation
	done bool
}

// Unwrap is for http.ResponseController.
func (w *shownWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *shownWriter) WriteHeader(status int) {
	if !w.done && status >= 200 {
		w.done = true
		w.file.header(w.Header(), status)
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *shownWriter) Write(b []byte) (int, error) {
	if !w.done {
		w.WriteHeader(http.StatusOK)
	}
	return w.ResponseWriter.Write(b)
}
