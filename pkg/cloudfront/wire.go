package cloudfront

import (
	"net/url"
	"strings"
)

// reserved are the query parameters that make a request a signed-URL request.
var reserved = [...]string{"Expires", "Policy", "Signature", "Key-Pair-Id", "Hash-Algorithm"}

// The fields of credentials, as indexes into credentials.values and reserved.
const (
	fieldExpires = iota
	fieldPolicy
	fieldSignature
	fieldKeyPairID
	fieldHash
)

// credentials are the five things a viewer may send, in cookies or in the query.
type credentials struct {
	values  [len(reserved)]string
	present [len(reserved)]bool
	last    [len(reserved)]string // of those that came twice
	clash   string                // name that came twice with different values
	again   string                // name that came twice
}

func (c *credentials) add(field int, value string) {
	if c.present[field] {
		c.again = reserved[field]
		if c.values[field] != value {
			c.clash, c.last[field] = reserved[field], value
		}
		return
	}
	c.present[field], c.values[field] = true, value
}

// takeLast makes the last of several values the one that counts.
func (c *credentials) takeLast() {
	for i, value := range c.last {
		if value != "" {
			c.values[i] = value
		}
	}
}

// drop forgets a field.
func (c *credentials) drop(field int) { c.present[field], c.values[field] = false, "" }

// A wireURL is a URL as it stands on the wire, cut but not decoded.
type wireURL struct {
	raw                       string
	scheme, host, path, query string
	own                       string // the query without CloudFront's parameters
	signing                   bool   // has any of CloudFront's parameters
	odd                       string // a parameter that only looks like one of CloudFront's
	credentials
}

// parseURL cuts a URL. It never fails: what is missing stays empty.
func parseURL(raw string) *wireURL {
	u := &wireURL{}
	u.parse(raw)
	return u
}

func (u *wireURL) parse(raw string) { u.parseAs(raw, &Parity{}) }

func (u *wireURL) parseAs(raw string, parity *Parity) {
	u.raw = raw
	rest := raw
	if scheme, after, ok := strings.Cut(raw, "://"); ok {
		u.scheme, rest = scheme, after
	}
	if i := strings.IndexByte(rest, '#'); i >= 0 {
		rest = rest[:i]
	}
	if i := strings.IndexByte(rest, '?'); i >= 0 {
		rest, u.query = rest[:i], rest[i+1:]
	}
	u.host, u.path = rest, "/"
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		u.host, u.path = rest[:i], rest[i:]
	}
	u.readQuery(parity)
}

// readQuery looks for CloudFront's parameters. Only "&" separates, and only the
// exact name counts; another spelling of a reserved name is noted as odd.
func (u *wireURL) readQuery(parity *Parity) {
	u.own = u.query
	if u.query == "" {
		return
	}
	for pair := range strings.SplitSeq(u.query, "&") {
		name, value, _ := strings.Cut(pair, "=")
		if field := reservedField(name); field >= 0 {
			u.signing = true
			u.add(field, value)
		} else if !parity.AllowDisguisedNames && disguised(pair, name) {
			u.odd = name
		}
	}
	if u.signing && parity.LoneHashKeepsCookies && u.present == [len(reserved)]bool{fieldHash: true} {
		u.signing, u.credentials = false, credentials{}
		return
	}
	if u.signing {
		u.own = withoutReserved(u.query)
	}
}

func reservedField(name string) int {
	for i, r := range reserved {
		if name == r {
			return i
		}
	}
	return -1
}

// disguised reports whether a pair could be read as a reserved parameter by
// somebody: in another case, percent-encoded, or behind a ";".
func disguised(pair, name string) bool {
	if looksReserved(name) {
		return true
	}
	if !strings.Contains(pair, ";") {
		return false
	}
	for part := range strings.SplitSeq(pair, ";") {
		if name, _, _ := strings.Cut(part, "="); looksReserved(name) {
			return true
		}
	}
	return false
}

func looksReserved(name string) bool {
	if strings.IndexByte(name, '%') >= 0 {
		if decoded, err := url.PathUnescape(name); err == nil {
			name = decoded
		}
	}
	for _, r := range reserved {
		if len(name) == len(r) && strings.EqualFold(name, r) {
			return true
		}
	}
	return false
}

func withoutReserved(query string) string {
	var kept []string
	for pair := range strings.SplitSeq(query, "&") {
		if name, _, _ := strings.Cut(pair, "="); reservedField(name) < 0 {
			kept = append(kept, pair)
		}
	}
	return strings.Join(kept, "&")
}

// stripped returns the URL as CloudFront rebuilds it for a canned policy:
// without its own parameters, and without a "?" that ends it.
func (u *wireURL) stripped() string {
	base := u.scheme + "://" + u.host + u.path
	if u.own == "" {
		return base
	}
	return base + "?" + u.own
}

// matchHost returns host in lower case and without the scheme's own port, or
// nothing if it ends in a dot.
func matchHost(scheme, host string) string {
	host = withoutDefaultPort(scheme, strings.ToLower(host))
	if strings.HasSuffix(host, ".") {
		return ""
	}
	return host
}

// cookieFields pairs the cookies with the fields, in the order of reserved.
var cookieFields = [...]string{CookieExpires, CookiePolicy, CookieSignature, CookieKeyPairID, CookieHash}

// readCookies collects CloudFront's cookies from Cookie header values. Names
// are matched exactly and values are taken as they are, quotes included.
func (c *credentials) readCookies(headers []string) {
	for _, header := range headers {
		for pair := range strings.SplitSeq(header, ";") {
			name, value, ok := strings.Cut(strings.Trim(pair, " \t"), "=")
			if !ok || !strings.HasPrefix(name, "CloudFront-") {
				continue
			}
			for field, want := range cookieFields {
				if name == want {
					c.add(field, value)
				}
			}
		}
	}
}

// validKeyPairID reports whether CloudFront would take s for an ID at all.
// Text that cannot be one, PEM for example, counts as missing.
func validKeyPairID(s string) bool {
	if len(s) == 0 || len(s) > 64 {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}
