package httpapi

import (
	"net/http"
	"strings"

	"github.com/handstamp/handstamp/pkg/gate"
)

// A sessionCookie knows how the session travels in a browser. On a host that
// the API shares with content its Path keeps it away from the content, and the
// prefix __Secure- from being set over http; on a host of its own __Host- also
// keeps sibling hosts from setting it (RFC 6265bis, "Cookie Name Prefixes").
type sessionCookie struct {
	name, path string
	secure     bool
	sameSite   http.SameSite
}

func newSessionCookie(origin string, ownHost bool, sameSite http.SameSite) sessionCookie {
	c := sessionCookie{name: "handstamp_admission", path: "/v1", sameSite: sameSite}
	if c.sameSite == 0 {
		c.sameSite = http.SameSiteLaxMode
	}
	switch c.secure = !strings.HasPrefix(origin, "http://"); {
	case c.secure && ownHost:
		c.name, c.path = "__Host-"+c.name, "/"
	case c.secure:
		c.name = "__Secure-" + c.name
	}
	return c
}

func (c sessionCookie) fresh(s gate.Session) *http.Cookie {
	return &http.Cookie{Name: c.name, Value: s.Reveal(), Path: c.path, Secure: c.secure, HttpOnly: true, SameSite: c.sameSite}
}

func (c sessionCookie) expired() *http.Cookie {
	gone := c.fresh("")
	gone.MaxAge = -1
	return gone
}

// read returns the session that a request shows, in the cookie or, from native
// apps, as a bearer token (RFC 6750). Two that differ are none.
func (c sessionCookie) read(r *http.Request) gate.Session {
	var found gate.Session
	for _, cookie := range r.CookiesNamed(c.name) {
		if found != "" && found != gate.Session(cookie.Value) {
			return ""
		}
		found = gate.Session(cookie.Value)
	}
	if header := r.Header.Values("Authorization"); found == "" && len(header) == 1 {
		if token, ok := strings.CutPrefix(header[0], "Bearer "); ok {
			found = gate.Session(token)
		}
	}
	if len(found.Reveal()) > 128 {
		return ""
	}
	return found
}
