package byterange

import (
	"context"
	"net/http"
)

// ignoreUnsatisfiable is the key of a context for IgnoreUnsatisfiable.
type ignoreUnsatisfiable struct{}

// IgnoreUnsatisfiable returns a context under which Request takes a range that
// begins beyond the object for none.
func IgnoreUnsatisfiable(ctx context.Context) context.Context {
	return context.WithValue(ctx, ignoreUnsatisfiable{}, true)
}

// Request returns r with the one Range header that applies to an object of size
// bytes, or with none; [http.ServeContent] can be trusted with it. RFC 9110,
// section 14.2, has ranges for GET only. R stays as it is.
func Request(r *http.Request, size int64) *http.Request {
	asked := r.Header["Range"]
	if len(asked) == 0 {
		return r
	}
	wanted := ""
	if r.Method == http.MethodGet {
		wanted = Wanted(asked, size)
	}
	if wanted == Unsatisfiable(size) && r.Context().Value(ignoreUnsatisfiable{}) != nil {
		wanted = ""
	}
	changed := *r
	changed.Header = r.Header.Clone()
	changed.Header.Del("Range")
	if wanted != "" {
		changed.Header.Set("Range", wanted)
	}
	return &changed
}
