package cloudfront

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// ErrCookieScope is returned for cookie attributes under which a browser would
// not send the cookies, or would send them too far.
var ErrCookieScope = errors.New("cookie scope")

// maxCookiePath is the longest Path, in bytes, that browsers heed (rfc6265bis).
// They ignore a longer one, and the cookie would go further than it should.
const maxCookiePath = 1024

// Attributes are what a browser needs to know about the cookies. The zero
// value is the recommended one: host-only, SameSite=Lax.
type Attributes struct {
	Domain   string        // without a leading dot; empty means the host that answers, only
	SameSite http.SameSite // 0 means Lax
}

// check refuses a Domain that does not cover the site or is a top level one,
// and SameSite=None without Secure: browsers drop such cookies.
func (a Attributes) check(site Site) error {
	host := site.Host()
	if a.Domain != "" && host != a.Domain && (!strings.HasSuffix(host, "."+a.Domain) || !strings.Contains(a.Domain, ".")) {
		return fmt.Errorf("%w: Domain %q does not cover the distribution host %q", ErrCookieScope, a.Domain, host)
	}
	if a.SameSite == http.SameSiteNoneMode && !site.Secure() {
		return fmt.Errorf("%w: SameSite=None needs https, the site is %s", ErrCookieScope, site)
	}
	return nil
}

// split returns the cookies of a set, and deletions for those of CloudFront's
// cookies that the set does not use: an old CloudFront-Expires or
// CloudFront-Hash-Algorithm beside a new signature locks the viewer out.
func (a Attributes) split(site Site, path string, set []Field) (cookies, stale []*http.Cookie) {
	used := map[string]bool{}
	for _, f := range set {
		used[f.Name] = true
		cookies = append(cookies, a.cookie(site, path, f.Name, f.Value))
	}
	for _, name := range CookieNames {
		if !used[name] {
			c := a.cookie(site, path, name, "")
			c.MaxAge = -1
			stale = append(stale, c)
		}
	}
	return cookies, stale
}

// cookie has no Max-Age: it goes with the browser session, and CloudFront
// enforces the policy whatever the browser keeps (Developer Guide, "Set signed
// cookies").
func (a Attributes) cookie(site Site, path, name, value string) *http.Cookie {
	sameSite := a.SameSite
	if sameSite == 0 {
		sameSite = http.SameSiteLaxMode
	}
	return &http.Cookie{Name: name, Value: value, Path: path, Domain: a.Domain,
		Secure: site.Secure(), HttpOnly: true, SameSite: sameSite}
}
