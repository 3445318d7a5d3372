package httpapi

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"github.com/handstamp/handstamp/pkg/gate"
)

// A sessionCookie knows how the session travels in a browser. On a host that
// the API shares with content its Path keeps it away from the content, and the
// prefix __Secure- from being set over http; on a host of its own __Host- also
// keeps sibling hosts from setting it (RFC 6265bis, "Cookie Name Prefixes").
type sessionCookie struct{ blank http.Cookie }

func newSessionCookie(origin string, ownHost bool, sameSite http.SameSite) sessionCookie {
	blank := ownCookie(sessionName, origin, ownHost)
	blank.SameSite = cmp.Or(sameSite, http.SameSiteLaxMode)
	return sessionCookie{blank}
}

// sessionName is the name of the session cookie without the prefix of its host.
const sessionName = "handstamp_admission"

// SessionCookieName returns the name of the session cookie of a Server with these
// Options.PublicOrigin and Options.OwnHost, for others who read it.
func SessionCookieName(origin string, ownHost bool) string {
	return ownCookie(sessionName, origin, ownHost).Name
}

// ownCookie returns a cookie for the API alone, as narrow as its host allows.
func ownCookie(name, origin string, ownHost bool) http.Cookie {
	c := http.Cookie{Name: name, Path: "/v1", HttpOnly: true}
	switch c.Secure = !strings.HasPrefix(origin, "http://"); {
	case c.Secure && ownHost:
		c.Name, c.Path = "__Host-"+name, "/"
	case c.Secure:
		c.Name = "__Secure-" + name
	}
	return c
}

// A wallet is the sessions of one device, one an admission: a visitor with
// tickets for two attractions keeps both. In a cookie they are joined by dots.
type wallet []gate.Session

// maxSessions is how many admissions a device can hold; the oldest goes first.
const maxSessions = 4

// with returns the wallet with a session put in, and what has no room any more.
func (w wallet) with(s gate.Session) (kept, dropped wallet) {
	kept = append(slices.Clone(w), s)
	excess := max(0, len(kept)-maxSessions)
	return kept[excess:], kept[:excess]
}

func (w wallet) String() string { return "[redacted]" }

// reveal returns the value of the cookie.
func (w wallet) reveal() string {
	parts := make([]string, len(w))
	for i, s := range w {
		parts[i] = s.Reveal()
	}
	return strings.Join(parts, ".")
}

func (c sessionCookie) fresh(w wallet) *http.Cookie {
	cookie := c.blank
	cookie.Value = w.reveal()
	return &cookie
}

func (c sessionCookie) expired() *http.Cookie {
	gone := c.fresh(nil)
	gone.MaxAge = -1
	return gone
}

// maxSession is the longest session, in characters, that can be ours.
const maxSession = 128

// read returns the sessions that a request shows, in the cookie or, from native
// apps, as a bearer token (RFC 6750). Two cookies that differ are none.
func (c sessionCookie) read(r *http.Request) wallet {
	sessions, _ := c.readFrom(r)
	return sessions
}

// readFrom is read, and tells a native app from a browser: what a browser has
// in its cookie must not get into a body, whatever header a script adds.
func (c sessionCookie) readFrom(r *http.Request) (sessions wallet, native bool) {
	shown, native := c.shown(r)
	for part := range strings.SplitSeq(shown, ".") {
		s := gate.Session(part)
		if part != "" && len(part) <= maxSession && len(sessions) < maxSessions && !slices.Contains(sessions, s) {
			sessions = append(sessions, s)
		}
	}
	return sessions, native
}

// shown returns the text that a request shows, unread. A cookie goes before a
// bearer token.
func (c sessionCookie) shown(r *http.Request) (text string, native bool) {
	for _, cookie := range r.CookiesNamed(c.blank.Name) {
		if text != "" && text != cookie.Value {
			return "", false
		}
		text = cookie.Value
	}
	if header := r.Header.Values("Authorization"); text == "" && len(header) == 1 {
		if text, native = strings.CutPrefix(header[0], "Bearer "); !native {
			return "", false
		}
	}
	return text, native
}
