package edge

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/handstamp/handstamp/pkg/urlpath"
)

// An ErrorResponse is a custom error response. It is for the whole distribution
// and covers what the edge refuses as well as what origins answer.
type ErrorResponse struct {
	Code     int           // the status that is replaced, one of ErrorCodes
	Page     string        // path of the page, from "/" on, at a public behavior; empty means that nothing is replaced
	Response int           // the status sent with it, 200 or one of ErrorCodes; 0 means Code
	CacheTTL time.Duration // how long CloudFront would remember the error; nothing is cached here
}

// ErrorCodes returns the statuses that CloudFront can replace (Developer Guide,
// "HTTP status codes for which CloudFront can return a custom error page").
func ErrorCodes() []int { return []int{400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504} }

// An errorResponse is an ErrorResponse that was checked.
type errorResponse struct {
	page   string // decoded
	raw    string
	status int
	origin http.Handler
}

// compileErrors checks all of them against the behaviors, which are good.
func (e *Edge) compileErrors(list []ErrorResponse) []error {
	e.errors = map[int]*errorResponse{}
	var faults []error
	seen := map[int]bool{}
	for i, r := range list {
		compiled, err := e.compileError(r)
		if err == nil && seen[r.Code] {
			err = errors.New("the status is there already")
		}
		seen[r.Code] = true
		switch {
		case err != nil:
			faults = append(faults, &Fault{fmt.Sprintf("errors[%d]", i), fmt.Errorf("error response %d, %d: %w", i+1, r.Code, err)})
		case r.Page != "":
			e.errors[r.Code] = compiled
		}
	}
	return faults
}

func (e *Edge) compileError(r ErrorResponse) (*errorResponse, error) {
	c := &errorResponse{raw: r.Page, status: r.Response}
	if c.status == 0 {
		c.status = r.Code
	}
	switch {
	case !slices.Contains(ErrorCodes(), r.Code):
		return nil, fmt.Errorf("CloudFront replaces %d only", ErrorCodes())
	case r.Page == "" && r.Response != 0:
		return nil, errors.New("another status needs a page")
	case c.status != http.StatusOK && !slices.Contains(ErrorCodes(), c.status):
		return nil, fmt.Errorf("response %d, want 200 or one of %d", r.Response, ErrorCodes())
	case r.Page == "":
		return c, nil
	}
	var err error
	if c.page, err = urlpath.Canonical(r.Page); err != nil {
		return nil, fmt.Errorf("page: %w", err)
	}
	if len(e.behaviors) == 0 {
		return c, nil // they are at fault, not the page
	}
	b := e.behavior(c.page)
	if b.trusted != nil {
		return nil, fmt.Errorf("page %q is behind signatures itself (behavior %q), want it at a public behavior", r.Page, string(b.pattern))
	}
	c.origin = b.origin
	return c, nil
}

// sendErrorPage fetches the page that replaces an answer. If it is not there,
// the viewer gets the status that its origin gave (Developer Guide, "Generate
// custom error responses").
func (e *Edge) sendErrorPage(w *reply, r *http.Request) {
	page := w.replaced
	w.replaced, w.errors, w.policy, w.forwardCookies = nil, nil, nil, false
	w.instead = page.status
	page.origin.ServeHTTP(w, page.request(r))
}

// request asks for the page with nothing of the viewer's: no condition and no
// range would fit, and cookies are not for it.
func (p *errorResponse) request(r *http.Request) *http.Request {
	method := http.MethodGet
	if r.Method == http.MethodHead {
		method = http.MethodHead
	}
	asked := (&http.Request{
		Method: method, URL: &url.URL{Path: p.page}, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{}, Body: http.NoBody, Host: r.Host, RemoteAddr: r.RemoteAddr, RequestURI: p.raw,
	}).WithContext(r.Context())
	if p.raw != p.page {
		asked.URL.RawPath = p.raw
	}
	return asked
}
