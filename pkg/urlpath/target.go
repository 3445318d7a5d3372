package urlpath

import (
	"net/http"
	"strings"
)

// Target returns what r asks for as received, in origin form: the escaped path
// and, after a "?", the query (RFC 9112, section 3.2). It reads r.RequestURI,
// or r.URL for a request that came by no connection. An absolute form loses
// scheme and host. It returns ErrAmbiguous for "*", for a host alone, for a
// scheme that is not http or https and for a plain "#" anywhere. The path is
// not checked yet: cut at the "?" and give it to [Canonical].
func Target(r *http.Request) (string, error) {
	target := r.RequestURI
	if target == "" {
		target = r.URL.EscapedPath()
		if r.URL.RawQuery != "" || r.URL.ForceQuery {
			target += "?" + r.URL.RawQuery
		}
	}
	if !strings.HasPrefix(target, "/") {
		target = afterHost(target)
	}
	if target == "" {
		return "", ambiguous(r.RequestURI, "a path, or a URL of http or https with one")
	}
	if strings.IndexByte(target, '#') >= 0 {
		return "", ambiguous("#", "no fragment")
	}
	return target, nil
}

// afterHost returns the part of an absolute URL that begins with its path, or
// nothing.
func afterHost(url string) string {
	scheme, rest, ok := strings.Cut(url, "://")
	if !ok || !strings.EqualFold(scheme, "http") && !strings.EqualFold(scheme, "https") {
		return ""
	}
	i := strings.IndexAny(rest, "/?#")
	if i < 0 || rest[i] != '/' {
		return ""
	}
	return rest[i:]
}
