package cloudfront

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"

	"github.com/handstamp/handstamp/pkg/gate"
)

// ErrUnsafeResource is returned for a resource that would open more than one
// place, or that CloudFront could read differently from what was meant.
var ErrUnsafeResource = errors.New("unsafe resource")

const (
	maxCookie   = 4096 // name and value, in bytes (RFC 6265, section 6.1)
	maxResource = 2968 // in bytes, whose policy with an end still fits into a cookie
)

// A Resource is what a policy names: one URL, or URLs by a pattern whose
// wildcards stand in path or query only. The zero value signs nothing.
type Resource struct {
	text string
	wild bool // holds "*"; such a resource needs a custom policy
}

func (r Resource) String() string { return r.text }

// A Site is scheme and host of a distribution, as viewers ask for it.
type Site struct {
	scheme, host string
}

// ParseSite parses the address of a distribution, such as
// "https://media.example.org". Only a loopback host may have http or a port:
// CloudFront has neither, a local edge needs both.
func ParseSite(s string) (Site, error) {
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Scheme == "" || u.Host == "":
		return Site{}, unsafe(s, "want scheme and host, like https://media.example.org")
	case u.User != nil || u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.HasSuffix(s, "#"):
		return Site{}, unsafe(s, "want nothing besides scheme and host")
	case u.Scheme != "https" && u.Scheme != "http":
		return Site{}, unsafe(s, "want the scheme https")
	case (u.Scheme != "https" || u.Port() != "") && !loopback(u.Hostname()):
		return Site{}, unsafe(s, "want https and no port, as this is not a loopback host")
	case !plainHost(u.Host):
		return Site{}, unsafe(s, "want a host in lower case without a trailing dot")
	}
	return Site{scheme: u.Scheme, host: matchHost(u.Scheme, u.Host)}, nil
}

func (s Site) String() string { return s.scheme + "://" + s.host }

// Host returns the host name without a port.
func (s Site) Host() string { return hostname(s.host) }

// Secure reports whether viewers reach the site by https, so that cookies for
// it must have the attribute Secure.
func (s Site) Secure() bool { return s.scheme == "https" }

// Prefix returns the resource that covers everything below path, a list of
// slugs joined by "/" such as "castle/audio": "https://host/castle/audio/*".
// It is the only wildcard that the gateway signs.
func (s Site) Prefix(path string) (Resource, error) {
	if s.host == "" {
		return Resource{}, unsafe("", "the site is missing")
	}
	for segment := range strings.SplitSeq(path, "/") {
		if err := gate.CheckSlug(segment); err != nil {
			return Resource{}, fmt.Errorf("%w: prefix %.80q: %w", ErrUnsafeResource, path, err)
		}
	}
	text := s.String() + "/" + path + "/*"
	if len(text) > maxResource {
		return Resource{}, fmt.Errorf("%w: %d bytes, at most %d fit into a cookie", ErrUnsafeResource, len(text), maxResource)
	}
	return Resource{text: text, wild: true}, nil
}

// ParseResource parses a resource that a person wrote: an absolute http or
// https URL in its wire form, with "*" and "?" as wildcards in path and query.
// It refuses what the AWS CLI refuses ('"', "\", control characters, spaces,
// non-ASCII, fragments) and, as the holder of such a signature could leave the
// distribution, wildcards in scheme or host and an empty resource. Only a
// loopback host may have a port. What a browser would spell differently is put
// into its spelling (WHATWG URL, "URL serializing"): the host in lower case,
// "'", "<" and ">" in a query percent-encoded, and so on.
func ParseResource(s string) (Resource, error) {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || c == '"' || c == '\\' {
			return Resource{}, unsafe(s, fmt.Sprintf("byte %d is %q, want the URL as it stands on the wire, percent-encoded", i, c))
		}
	}
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok || scheme != "https" && scheme != "http" {
		return Resource{}, unsafe(s, "want a URL that begins with https://")
	}
	host, path, _ := strings.Cut(rest, "/")
	switch {
	case strings.ContainsAny(host, "*?"):
		return Resource{}, unsafe(s, "a wildcard in the host would open other distributions")
	case strings.Contains(host, "@") || !plainHost(strings.ToLower(host)):
		return Resource{}, unsafe(s, "want a plain host name")
	case hostname(host) != host && !loopback(hostname(host)):
		return Resource{}, unsafe(s, "want no port, as this is not a loopback host")
	case strings.Contains(s, "#"):
		return Resource{}, unsafe(s, "a #fragment never reaches CloudFront")
	case len(rest) == len(host):
		return Resource{}, unsafe(s, "want a path after the host, at least /")
	case dotSegment(path):
		return Resource{}, unsafe(s, "browsers resolve . and .. before they ask")
	}
	s = scheme + "://" + strings.ToLower(host) + wireForm("/"+path)
	if len(s) > maxURL {
		return Resource{}, unsafe(s, "longer than a URL may be (8,192 bytes)")
	}
	return Resource{text: s, wild: strings.Contains(path, "*")}, nil
}

// wireForm returns path and query as a browser sends them. Percent-encoding
// that is there already is kept.
func wireForm(target string) string {
	var b strings.Builder
	rewritten := "<>`{}^" // the path percent-encode set, without what ParseResource refuses
	for i := range len(target) {
		c := target[i]
		if c == '?' {
			rewritten = "<>'" // the special-query percent-encode set
		}
		if strings.IndexByte(rewritten, c) < 0 {
			b.WriteByte(c)
			continue
		}
		fmt.Fprintf(&b, "%%%02X", c)
	}
	return b.String()
}

func dotSegment(path string) bool {
	path, _, _ = strings.Cut(path, "?")
	for segment := range strings.SplitSeq(path, "/") {
		if plain := strings.ReplaceAll(strings.ToLower(segment), "%2e", "."); plain == "." || plain == ".." {
			return true
		}
	}
	return false
}

func unsafe(found, want string) error {
	if len(found) > 200 {
		found = found[:200] + "..."
	}
	return fmt.Errorf("%w: %q: %s", ErrUnsafeResource, found, want)
}

func plainHost(host string) bool {
	if host == "" || strings.HasSuffix(host, ".") || strings.HasSuffix(host, ":") {
		return false
	}
	for i := range len(host) {
		c := host[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && !strings.ContainsRune("-.:[]_", rune(c)) {
			return false
		}
	}
	return true
}

func hostname(host string) string { return (&url.URL{Host: host}).Hostname() }

func loopback(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}
