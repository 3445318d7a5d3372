package edge

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Header is one that a behavior adds to answers of its origin.
type Header struct {
	Name, Value string
	Override    bool // also if the origin sent one; otherwise the origin's stays
}

var (
	headerName  = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")
	headerValue = regexp.MustCompile(`^[\t\x20-\x7e\x80-\x{10ffff}]*$`)
)

// keptHeaders are those that belong to the connection or to CloudFront, or are
// set elsewhere in a Behavior.
var keptHeaders = []string{
	"Connection", "Content-Encoding", "Content-Length", "Content-Range", "Expect", "Host", "Keep-Alive", "Proxy-Authenticate",
	"Proxy-Authorization", "Proxy-Connection", "Set-Cookie", "Trailer", "Transfer-Encoding", "Upgrade", "Via", "Warning", "X-Cache",
	"X-Forwarded-Proto", "X-Real-Ip",
}

func checkHeaders(list []Header) error {
	var faults []error
	for _, h := range list {
		name := http.CanonicalHeaderKey(h.Name)
		kept := slices.Contains(keptHeaders, name) || strings.HasPrefix(name, "X-Amz-Cf-") || strings.HasPrefix(name, "X-Edge-")
		switch {
		case !headerName.MatchString(h.Name):
			faults = append(faults, fmt.Errorf("header %.80q is not a header name", h.Name))
		case strings.HasPrefix(name, corsPrefix):
			faults = append(faults, fmt.Errorf("header %q belongs to cors", h.Name))
		case kept:
			faults = append(faults, fmt.Errorf("header %q cannot be set by a response headers policy", h.Name))
		case !headerValue.MatchString(h.Value):
			faults = append(faults, fmt.Errorf("header %q: its value has control characters", h.Name))
		}
	}
	return errors.Join(faults...)
}

const corsPrefix = "Access-Control-"

// CORS is what pages of other origins may do. Browsers accept no "*" together
// with Credentials, so New refuses it.
type CORS struct {
	Origins     []string      // scheme://host, with "*" for the leftmost label of a host if need be, or "*" alone
	Credentials bool          // cookies may be sent
	Methods     []string      // for preflights
	Headers     []string      // of requests, for preflights; "*" alone is any
	Expose      []string      // headers of answers that scripts may read, besides the usual
	MaxAge      time.Duration // how long a preflight is remembered, in whole seconds; 0 leaves it to the browser
	Override    bool          // also if the origin sent CORS headers; otherwise the origin's stay, all of them
}

// A cors is a CORS that was checked.
type cors struct {
	CORS
	patterns []*regexp.Regexp
}

var originText = regexp.MustCompile(`^https?://(\*\.)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?$`)

func (c *CORS) compile() (*cors, error) {
	if c == nil {
		return nil, nil
	}
	compiled := &cors{CORS: *c}
	var faults []error
	if len(c.Origins) == 0 {
		faults = append(faults, errors.New("cors: no origins, want those of the pages, like https://app.example.org"))
	}
	for _, origin := range c.Origins {
		if origin != "*" && !originText.MatchString(origin) {
			faults = append(faults, fmt.Errorf("cors: origin %.80q, want scheme://host like https://app.example.org, or *", origin))
			continue
		}
		pattern := strings.ReplaceAll(regexp.QuoteMeta(origin), `\*`, `[^./:]+`)
		compiled.patterns = append(compiled.patterns, regexp.MustCompile("^"+pattern+"$"))
	}
	for _, list := range [][]string{c.Origins, c.Methods, c.Headers, c.Expose} {
		if c.Credentials && slices.Contains(list, "*") {
			faults = append(faults, errors.New(`cors: "*" together with credentials, which browsers refuse; name them`))
			break
		}
	}
	for _, name := range slices.Concat(c.Methods, c.Headers, c.Expose) {
		if !headerName.MatchString(name) {
			faults = append(faults, fmt.Errorf("cors: %.80q is not the name of a method or header", name))
		}
	}
	if c.MaxAge < 0 || c.MaxAge%time.Second != 0 {
		faults = append(faults, fmt.Errorf("cors: max age %v, want whole seconds", c.MaxAge))
	}
	return compiled, errors.Join(faults...)
}

// preflight reports whether a browser asks whether it may ask.
func preflight(r *http.Request) bool {
	return r.Method == http.MethodOptions && r.Header.Get("Origin") != "" && r.Header.Get("Access-Control-Request-Method") != ""
}

// addPolicy adds the behavior's headers to those of the origin's answer to r.
func (b *behavior) addPolicy(h http.Header, r *http.Request) {
	for _, add := range b.headers {
		if add.Override || h.Get(add.Name) == "" {
			h.Set(add.Name, add.Value)
		}
	}
	if b.cors != nil {
		b.cors.add(h, r)
	}
}

func (c *cors) add(h http.Header, r *http.Request) {
	if !slices.Contains(c.Origins, "*") {
		h.Add("Vary", "Origin")
	}
	origin := r.Header.Get("Origin")
	if origin == "" {
		return
	}
	theirs := false
	for name := range h {
		theirs = theirs || strings.HasPrefix(name, corsPrefix)
		if c.Override && strings.HasPrefix(name, corsPrefix) {
			delete(h, name)
		}
	}
	if theirs && !c.Override || !c.allows(origin) {
		return
	}
	c.allow(h, r, origin)
}

func (c *cors) allows(origin string) bool {
	return slices.Contains(c.Origins, "*") || slices.ContainsFunc(c.patterns, func(p *regexp.Regexp) bool { return p.MatchString(origin) })
}

func (c *cors) allow(h http.Header, r *http.Request, origin string) {
	if slices.Contains(c.Origins, "*") {
		origin = "*"
	}
	h.Set(corsPrefix+"Allow-Origin", origin)
	if c.Credentials {
		h.Set(corsPrefix+"Allow-Credentials", "true")
	}
	set := func(name string, list []string) {
		if len(list) > 0 {
			h.Set(corsPrefix+name, strings.Join(list, ", "))
		}
	}
	if !preflight(r) {
		set("Expose-Headers", c.Expose)
		return
	}
	set("Allow-Methods", c.Methods)
	set("Allow-Headers", c.Headers)
	if c.MaxAge > 0 {
		h.Set(corsPrefix+"Max-Age", strconv.Itoa(int(c.MaxAge/time.Second)))
	}
}

// preflight answers one that no origin needs to see. There is nothing in it but
// the behavior's headers.
func (w *reply) preflight(q *request) {
	w.Header().Set("Content-Length", "0")
	w.policy = q.behavior
	w.WriteHeader(http.StatusOK)
}
