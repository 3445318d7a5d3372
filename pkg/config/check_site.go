package config

import (
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"regexp"
	"strings"
)

func (c *checker) http() {
	h := c.cfg.HTTP
	if fault := listenFault(h.Listen); fault != "" {
		c.fail("http.listen", "%s", fault)
	}
	if fault := c.originFault(h.PublicURL, true); fault != "" {
		c.fail("http.public_url", "%s", fault)
	}
	for i, origin := range h.TrustedOrigins {
		if fault := c.originFault(origin, true); fault != "" {
			c.fail(fmt.Sprintf("http.trusted_origins[%d]", i), "%s", fault)
		}
	}
	for i, network := range h.TrustedProxies {
		if fault := networkFault(network); fault != "" {
			c.fail(fmt.Sprintf("http.trusted_proxies[%d]", i), "%s", fault)
		}
	}
}

func (c *checker) media() {
	if fault := c.originFault(c.cfg.Media.URL, false); fault != "" {
		c.fail("media.url", "%s", fault)
	}
}

var portNumber = regexp.MustCompile(`^(0|[1-9][0-9]{0,4})$`)

func listenFault(s string) string {
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		return fmt.Sprintf("%s is not host:port, want one like 127.0.0.1:8080, or :8080 for every interface", quote(s))
	}
	if n, _ := parseNumber(port); !portNumber.MatchString(port) || n > 65535 {
		return fmt.Sprintf("the port %s is not a number from 0 to 65535", quote(port))
	}
	if _, err := netip.ParseAddr(host); err != nil && host != "" && nameFault(host) != "" {
		return fmt.Sprintf("the host %s is neither an address nor a name", quote(host))
	}
	return ""
}

func networkFault(s string) string {
	if addr, err := netip.ParseAddr(s); err == nil {
		return fmt.Sprintf("%q is an address, want a network, like %s/%d for this address alone", s, s, addr.BitLen())
	}
	p, err := netip.ParsePrefix(s)
	switch {
	case err != nil:
		return fmt.Sprintf("%s is not a network, want one like 10.0.0.0/8", quote(s))
	case p.Addr().Is4In6():
		return fmt.Sprintf("%q is IPv4 written as IPv6, want it as IPv4", s)
	case p.Bits() == 0:
		return fmt.Sprintf("%q is everybody, and everybody can make up an address; want the networks of your proxies", s)
	case p != p.Masked():
		return fmt.Sprintf("%q has bits set after the first %d, want %q", s, p.Bits(), p.Masked())
	}
	return ""
}

func (c *checker) admission() {
	longest, lifetime := c.cfg.Admission.Longest, c.cfg.Cookies.Lifetime
	c.wholeSeconds("admission.longest", longest)
	if longest < lifetime && c.good("admission.longest", "cookies.lifetime") {
		c.fail("admission.longest", "%s is shorter than cookies.lifetime (%s), want %[2]s to 8760h", short(longest), short(lifetime))
	}
}

var keyPairID = regexp.MustCompile(`^[A-Z0-9]{8,32}$`)

func (c *checker) keys() {
	if id := c.cfg.Keys.Active; !keyPairID.MatchString(id) {
		c.fail("keys.active", "%s is not a key pair ID, want 8 to 32 capital letters and digits, as CloudFront shows it", quote(id))
	}
}

// minPepper is the fewest bytes that a pepper may have.
const minPepper = 16

func (c *checker) pepper() {
	const key = "book.pepper"
	pepper := c.cfg.Book.Pepper
	if pepper.IsZero() {
		return
	}
	if pepper.kind == inline && c.cfg.Production() {
		c.fail(key, "the secret itself is in the configuration, want a reference, file:PATH or env:NAME")
		return
	}
	value, err := pepper.Resolve()
	switch {
	case err != nil:
		c.fail(key, "%s", err)
	case len(value) < minPepper:
		c.fail(key, "the secret has %d bytes, want at least %d (hint: openssl rand -hex 32)", len(value), minPepper)
	case pepper.kind == inline:
		c.warn(key, "the secret itself is in the configuration; production wants a reference, file:PATH or env:NAME")
	}
}

// production refuses what is only fit for trying out. Plain http is refused
// where URLs are checked.
func (c *checker) production() {
	if c.cfg.Book.Kind == "sqlite" && c.cfg.Book.Pepper.IsZero() && !c.cfg.Production() {
		c.fail("book.pepper", "missing, want file:PATH or env:NAME: with another pepper at each start nobody in a book that lasts would be known again")
	}
	if !c.cfg.Production() || !c.good("environment") {
		return
	}
	if example(c.cfg.Keys.Dir) {
		c.fail("keys.dir", "%q holds keys that everybody has, want your own in production", c.cfg.Keys.Dir)
	}
	if strings.HasPrefix(c.cfg.Keys.Active, "KEXAMPLE") {
		c.fail("keys.active", "%q is the example key, want your own in production", c.cfg.Keys.Active)
	}
	if c.cfg.Book.Kind == "memory" {
		c.fail("book.kind", "memory forgets every admission when the process ends, want a durable book in production")
	}
	if c.cfg.Book.Pepper.IsZero() {
		c.fail("book.pepper", "missing, want file:PATH or env:NAME in production")
	}
	if c.cfg.Edge.Root != "" {
		c.fail("edge.root", "the local edge is for development, in production CloudFront serves the media")
	}
}

// example reports whether dir is the folder of the example keys or in it, also
// behind a symbolic link.
func example(dir string) bool {
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = dir + "/" + real
	}
	for segment := range strings.SplitSeq(filepath.ToSlash(dir), "/") {
		if strings.EqualFold(segment, "keys.example") {
			return true
		}
	}
	return false
}
