package edge

import (
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/handstamp/handstamp/pkg/cloudfront"
)

// A Behavior is a cache behavior: which paths it is for, where they come from,
// and whose signature opens them.
type Behavior struct {
	// PathPattern has "*" for any text and "?" for one character. It is
	// case-sensitive, covers the whole path, and a "/" at its beginning may be left
	// out. See CloudFront Developer Guide, "Path pattern".
	PathPattern string

	// Origin answers what the behavior lets through: Folder, FS, HTTP, or any
	// handler in this process. It sees a request without CloudFront's parameters
	// and cookies.
	Origin http.Handler

	// Static says that Origin has files only and knows nothing of CORS, as a
	// bucket: the edge answers preflights by the behavior's CORS. It is always so
	// for Folder and FS.
	Static bool

	// TrustedKeyGroup restricts the behavior: every request needs a signed URL or
	// signed cookies by one of these keys, whatever its method. Nil means public.
	TrustedKeyGroup *cloudfront.KeyGroup

	// AllowedMethods is one of CloudFront's three sets, in any order: GET and HEAD
	// (also if empty), these and OPTIONS, or AllMethods.
	AllowedMethods []string

	// ForwardCookies hands the viewer's own cookies to the origin and the origin's
	// Set-Cookie to the viewer. Otherwise both are dropped.
	ForwardCookies bool

	// ViewerProtocol says what becomes of requests by plain http; empty is AllowAll.
	ViewerProtocol ViewerProtocol

	// Headers and CORS are the behavior's response headers policy: what is added
	// to answers of the origin. Refusals and error pages go without.
	Headers []Header
	CORS    *CORS // nil means none
}

// AllMethods returns the methods of a behavior for an API.
func AllMethods() []string {
	return []string{"GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"}
}

// methodSets are those that CloudFront offers.
var methodSets = [...][]string{AllMethods()[:2], AllMethods()[:3], AllMethods()}

// A behavior is a Behavior that was checked.
type behavior struct {
	pattern        pattern
	methods        []string
	trusted        *cloudfront.KeyGroup
	origin         http.Handler
	static         bool
	forwardCookies bool
	protocol       ViewerProtocol
	headers        []Header
	cors           *cors
}

// compileBehaviors checks all of them and their order.
func compileBehaviors(list []Behavior) ([]behavior, []error) {
	if len(list) == 0 {
		return nil, []error{&Fault{"behaviors", errors.New(`none, want at least the default one, "*"`)}}
	}
	var compiled []behavior
	var faults []error
	seen := map[string]bool{}
	for i, b := range list {
		c, err := b.compile()
		last := i == len(list)-1
		switch isDefault := c.pattern == "*"; {
		case err != nil:
		case seen[string(c.pattern)]:
			err = errors.New("the pattern is there already")
		case isDefault && !last:
			err = errors.New("the default behavior hides those after it, want it last")
		case !isDefault && last:
			err = errors.New(`the last behavior, want the default one, "*"`)
		}
		if err != nil {
			faults = append(faults, &Fault{fmt.Sprintf("behaviors[%d]", i), fmt.Errorf("behavior %d, %q: %w", i+1, b.PathPattern, err)})
		}
		seen[string(c.pattern)] = true
		compiled = append(compiled, c)
	}
	return compiled, faults
}

func (b Behavior) compile() (behavior, error) {
	pattern, err := newPattern(b.PathPattern)
	if err != nil {
		return behavior{}, err
	}
	c := behavior{pattern: pattern, methods: methodSets[0], trusted: b.TrustedKeyGroup,
		origin: b.Origin, static: b.Static, forwardCookies: b.ForwardCookies, protocol: b.ViewerProtocol, headers: b.Headers}
	if b.Origin == nil {
		return c, errors.New("it has no origin")
	}
	if b.TrustedKeyGroup != nil && b.TrustedKeyGroup.Len() == 0 {
		return c, errors.New("its key group is empty, so nobody could get in")
	}
	if len(b.AllowedMethods) > 0 {
		c.methods = methodSet(b.AllowedMethods)
	}
	if c.methods == nil {
		return c, fmt.Errorf("allowed methods %q, want one of CloudFront's sets %q", b.AllowedMethods, methodSets)
	}
	if _, files := b.Origin.(*Files); files {
		c.static = true
	}
	c.cors, err = b.CORS.compile()
	return c, errors.Join(b.ViewerProtocol.check(), checkHeaders(b.Headers), err)
}

// methodSet returns the set of CloudFront's that has just these methods, or nil.
func methodSet(methods []string) []string {
	sorted := slices.Sorted(slices.Values(methods))
	for _, set := range methodSets {
		if slices.Equal(sorted, slices.Sorted(slices.Values(set))) {
			return set
		}
	}
	return nil
}

// admits says what CloudFront refuses before it looks at signatures.
func (b *behavior) admits(q *request) *refusal {
	method := q.received.Method
	switch {
	case !slices.Contains(b.methods, method):
		return refusedMethod
	case (method == "GET" || method == "HEAD") && q.received.ContentLength != 0:
		return refusedBody
	}
	return nil
}
