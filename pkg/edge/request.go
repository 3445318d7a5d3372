package edge

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/handstamp/handstamp/pkg/byterange"
	"github.com/handstamp/handstamp/pkg/cloudfront"
	"github.com/handstamp/handstamp/pkg/urlpath"
)

// Limits of a request in bytes (Developer Guide, "Quotas").
const (
	maxURL     = 8192
	maxRequest = 32768
)

// A request is a viewer's, taken apart.
type request struct {
	received *http.Request
	base     string // scheme and host
	target   string // from the path on, as on the wire
	rawPath  string // as on the wire
	query    string // as on the wire
	path     string // decoded, without ambiguity
	behavior *behavior
}

// read takes a request apart and refuses what has more than one reading.
func (e *Edge) read(r *http.Request) (*request, *refusal) {
	q := &request{received: r, base: e.site}
	if q.base == "" {
		if !plainHost(r.Host) {
			return nil, refusedHost
		}
		scheme := "http://"
		if r.TLS != nil {
			scheme = "https://"
		}
		q.base = scheme + r.Host
	}
	var err error
	if q.target, err = urlpath.Target(r); err != nil {
		return nil, refusedPath
	}
	if len(q.base)+len(q.target) > maxURL || requestSize(r) > maxRequest {
		return nil, e.oversized
	}
	q.rawPath, q.query, _ = strings.Cut(q.target, "?")
	if q.path, err = urlpath.Canonical(q.rawPath); err != nil {
		return nil, refusedPath
	}
	return q, nil
}

// plainHost reports whether s has only characters of host names, addresses and
// ports. A "/" or "?" in it would shift the path that a policy is compared with.
func plainHost(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && strings.IndexByte("-._:[]", c) < 0 {
			return false
		}
	}
	return s != ""
}

// requestSize returns the size of request line and headers, as HTTP/1.1 has them.
func requestSize(r *http.Request) int {
	size := len(r.Method) + len(r.RequestURI) + len(" HTTP/1.1\r\n ") + len("Host: \r\n") + len(r.Host)
	for name, values := range r.Header {
		for _, v := range values {
			size += len(name) + len(v) + len(": \r\n")
		}
	}
	return size
}

// signed returns what a signature is checked against.
func (q *request) signed() cloudfront.Request {
	return cloudfront.Request{URL: q.base + q.target, Cookies: q.received.Header["Cookie"], IP: viewerIP(q.received)}
}

// forOrigin returns the request as an origin may see it: the decoded path, no
// credentials of CloudFront's, no Range that is to be ignored. RequestURI and
// URL say the same, whatever they said before.
func (q *request) forOrigin(c *Config) *http.Request {
	ctx := q.received.Context()
	if c.Parity.IgnoreUnsatisfiable {
		ctx = byterange.IgnoreUnsatisfiable(ctx)
	}
	r := q.received.WithContext(ctx)
	path, raw := q.path, q.rawPath
	if root := c.DefaultRootObject; path == "/" && root != "" {
		path, raw = path+root, raw+root
	}
	r.URL = &url.URL{Path: path, RawQuery: withoutSigning(q.query, c.Parity.ForwardCredentials)}
	if raw != path {
		r.URL.RawPath = raw
	}
	r.RequestURI = raw
	if r.URL.RawQuery != "" {
		r.RequestURI += "?" + r.URL.RawQuery
	}
	r.Header = originHeader(r, q.behavior.forwardCookies, c.Parity.ForwardCredentials)
	return r
}
