package urlpath

import (
	"net/http"
	"strings"
)

// Guard returns a handler that hands a request to next only if its path is
// canonical, and otherwise calls refuse with an error that is ErrAmbiguous. It
// belongs outside every router: those clean, redirect or decode a path before
// their own middleware sees it.
//
// The path that was received and r.URL.Path, by which next will route, must
// agree; a prefix that was stripped before is allowed.
func Guard(next http.Handler, refuse func(w http.ResponseWriter, r *http.Request, err error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := check(r); err != nil {
			refuse(w, r, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func check(r *http.Request) error {
	target, err := Target(r)
	if err != nil {
		return err
	}
	raw, _, _ := strings.Cut(target, "?")
	path, err := Canonical(raw)
	if err != nil {
		return err
	}
	if !strings.HasPrefix(r.URL.Path, "/") || !strings.HasSuffix(path, r.URL.Path) {
		return ambiguous(r.URL.Path, "the path that was received")
	}
	return nil
}
