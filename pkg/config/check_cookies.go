package config

import (
	"fmt"
	"net/netip"
	"strings"
	"time"
)

func (c *checker) cookies() {
	k := c.cfg.Cookies
	c.wholeSeconds("cookies.lifetime", k.Lifetime)
	c.wholeSeconds("cookies.window", k.Window)
	if half := k.Lifetime / 2; k.Window > half && c.good("cookies.lifetime", "cookies.window") {
		c.fail("cookies.window", "%s is more than half of cookies.lifetime (%s), want 1s to %s", short(k.Window), short(k.Lifetime), short(half))
	}
	c.domain()
	c.sameSite()
}

// wholeSeconds checks a span that ends up in a policy, which has no fractions.
func (c *findings) wholeSeconds(key string, d time.Duration) {
	if d%time.Second != 0 {
		c.fail(key, "%s has a fraction of a second, want whole seconds", d)
	}
}

// domain checks that the cookies that the API sets reach the media host, and
// no more hosts than they must.
func (c *checker) domain() {
	const key = "cookies.domain"
	d := c.cfg.Cookies.Domain
	if fault := domainFault(d); d != "" && fault != "" {
		c.fail(key, "%s %s", quote(d), fault)
	}
	if !c.good(key, "http.public_url", "media.url") {
		return
	}
	api, media := hostOf(c.cfg.HTTP.PublicURL), hostOf(c.cfg.Media.URL)
	switch {
	case d == "" && api != media:
		c.fail(key, "empty makes host-only cookies, and those of %q never reach the media host %q; %s", api, media, bridge(api, media))
	case d != "" && !covers(d, media):
		c.fail(key, "%q does not cover the media host %q", d, media)
	case d != "" && !covers(d, api):
		c.fail(key, "%q does not cover %q, the host of http.public_url, so browsers would drop the cookies", d, api)
	}
}

func domainFault(d string) string {
	switch _, err := netip.ParseAddr(d); {
	case err == nil:
		return "is an address, want a domain, or empty for host-only cookies"
	case strings.HasPrefix(d, "."):
		return "begins with a dot, want it without"
	case strings.ContainsAny(d, ":/*@"):
		return "is more than a domain, want one like example.org"
	case d != strings.ToLower(d):
		return "has capital letters, want lower case"
	case nameFault(d) != "":
		return nameFault(d)
	case isPublicSuffix(d):
		return "is shared by strangers (a public suffix), so browsers refuse it; want your own domain below it"
	}
	return ""
}

// covers reports whether cookies with Domain d are sent to host.
func covers(d, host string) bool { return host == d || strings.HasSuffix(host, "."+d) }

// bridge advises on a domain for cookies that reach both hosts.
func bridge(a, b string) string {
	if d := narrowest(a, b); d != "" {
		return fmt.Sprintf("want a domain that covers both, such as %q", d)
	}
	return "no domain covers both, want both hosts under one"
}

// narrowest returns the domain that covers both hosts and fewest others, empty
// if there is none.
func narrowest(a, b string) string {
	for d := a; d != ""; _, d, _ = strings.Cut(d, ".") {
		if covers(d, b) && domainFault(d) == "" {
			return d
		}
	}
	return ""
}

// sameSite checks that browsers send the cookies from the pages that may use
// them, and that cookies for any page travel encrypted.
func (c *checker) sameSite() {
	const key = "cookies.same_site"
	if !c.good(key, "http.public_url", "media.url") {
		return
	}
	mode, api := c.cfg.Cookies.SameSite, c.cfg.HTTP.PublicURL
	for _, u := range []string{api, c.cfg.Media.URL} {
		if mode == "none" && !strings.HasPrefix(u, "https://") {
			c.fail(key, "none needs Secure cookies, and %q is not https", u)
		}
	}
	for i, origin := range c.cfg.HTTP.TrustedOrigins {
		if c.good(fmt.Sprintf("http.trusted_origins[%d]", i)) && mode != "none" && site(origin) != site(api) {
			c.fail(key, "with %s browsers send no cookies from %q to %q, which is another site; want none, or the page on the same site", mode, origin, api)
		}
	}
}
