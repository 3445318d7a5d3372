package explain

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/net/publicsuffix"

	"github.com/handstamp/handstamp/pkg/cloudfront"
)

// A SetCookie is a Set-Cookie header with the URL of the answer that had it.
type SetCookie struct {
	From   string
	Header string
}

// A stored cookie is one that a browser was asked to keep.
type stored struct {
	cookie *http.Cookie
	from   *url.URL
	why    Cause // why it would not be sent; the zero value means that it would
}

// wouldSend says for every cookie whether a browser would keep it and send it
// with a request for target from a page on page (RFC 6265bis, "The Set-Cookie
// Header Field" and "The Cookie Header Field").
func wouldSend(set []SetCookie, target *url.URL, page string) []stored {
	var all []stored
	for _, s := range set {
		from, err := url.Parse(s.From)
		if err != nil || from.Host == "" {
			from = target
		}
		c, err := http.ParseSetCookie(strings.TrimSpace(strings.TrimPrefix(s.Header, "Set-Cookie:")))
		if err != nil {
			continue
		}
		all = replace(all, stored{cookie: c, from: from})
	}
	for i := range all {
		all[i].why = all[i].obstacle(target, page)
	}
	return all
}

// replace puts a cookie into the jar in place of an older one of the same
// name, domain and path; a Max-Age of zero only removes that.
func replace(jar []stored, next stored) []stored {
	kept := jar[:0:0]
	for _, s := range jar {
		if s.cookie.Name != next.cookie.Name || s.domain() != next.domain() || s.path() != next.path() {
			kept = append(kept, s)
		}
	}
	if next.cookie.MaxAge < 0 {
		return kept
	}
	return append(kept, next)
}

func (s stored) domain() string {
	if s.cookie.Domain == "" {
		return s.from.Hostname()
	}
	return strings.ToLower(strings.TrimPrefix(s.cookie.Domain, "."))
}

// path is the attribute, or the folder of the URL that set the cookie.
func (s stored) path() string {
	if strings.HasPrefix(s.cookie.Path, "/") {
		return s.cookie.Path
	}
	if i := strings.LastIndexByte(s.from.Path, '/'); i > 0 {
		return s.from.Path[:i]
	}
	return "/"
}

// obstacle returns why a browser would not send the cookie, if so.
func (s stored) obstacle(target *url.URL, page string) Cause {
	name, host := s.cookie.Name, target.Hostname()
	suffix, _ := publicsuffix.PublicSuffix(s.domain())
	switch {
	case s.cookie.Domain != "" && suffix == s.domain():
		return cause("T1", cloudfront.Documented, fmt.Sprintf("The browser drops %s: its Domain %q is a public suffix, under which strangers have hosts.", name, s.cookie.Domain),
			"Use a domain of your own for API and content.")
	case s.cookie.Domain != "" && !within(s.from.Hostname(), s.domain()):
		return cause("T1", cloudfront.Documented, fmt.Sprintf("The browser drops %s: %s may not set a cookie for %q.", name, s.from.Hostname(), s.cookie.Domain),
			"Answer from a host below that domain.")
	case s.cookie.Domain == "" && host != s.domain():
		return cause("T1", cloudfront.Documented, fmt.Sprintf("%s belongs to %s alone, as it was set without a Domain; the request goes to %s.", name, s.domain(), host),
			"Serve API and content from one host, or set a Domain that covers both.")
	case !within(host, s.domain()):
		return cause("T1", cloudfront.Documented, fmt.Sprintf("The Domain %q of %s does not cover %s.", s.cookie.Domain, name, host), "Set a Domain that covers the host of the content.")
	case !pathMatch(target.EscapedPath(), s.path()):
		return cause("T6", cloudfront.Documented, fmt.Sprintf("The Path %q of %s does not cover %s%s.", s.path(), name, target.EscapedPath(), star(s.path())),
			"Set Path to the prefix with a slash at its end, such as /castle/.")
	case s.cookie.Secure && target.Scheme != "https" && !loopback(host):
		return cause("T5", cloudfront.Documented, fmt.Sprintf("%s is Secure, and the request goes over http.", name), "Ask for the content by https.")
	case s.cookie.SameSite == http.SameSiteNoneMode && !s.cookie.Secure:
		return cause("T2", cloudfront.Documented, fmt.Sprintf("The browser drops %s: SameSite=None needs Secure.", name), "Set Secure as well.")
	case page != "" && s.cookie.SameSite != http.SameSiteNoneMode && !sameSite(page, target):
		return cause("T2", cloudfront.Documented, fmt.Sprintf("The page %s is on another site than %s, and %s is not SameSite=None.", page, host, name),
			"Put page and content under one registrable domain, or set SameSite=None; Secure and expect third-party cookies to be blocked.")
	}
	return Cause{}
}

func cause(id string, basis cloudfront.Basis, says, fix string) Cause {
	return Cause{ID: id, Says: says, Fix: fix, Basis: basis, weight: proved}
}

func star(path string) string {
	if strings.Contains(path, "*") {
		return ", as a browser takes the * in it literally"
	}
	return ""
}

func within(host, domain string) bool {
	return host == domain || strings.HasSuffix(host, "."+domain)
}

// pathMatch is RFC 6265, section 5.1.4.
func pathMatch(request, cookie string) bool {
	return request == cookie || strings.HasPrefix(request, cookie) && (strings.HasSuffix(cookie, "/") || request[len(cookie)] == '/')
}

func loopback(host string) bool { return host == "localhost" || host == "127.0.0.1" || host == "::1" }

// sameSite compares registrable domain and scheme ("schemeful same-site").
func sameSite(page string, target *url.URL) bool {
	u, err := url.Parse(page)
	if err != nil || u.Host == "" {
		return true
	}
	a, errA := publicsuffix.EffectiveTLDPlusOne(u.Hostname())
	b, errB := publicsuffix.EffectiveTLDPlusOne(target.Hostname())
	if errA != nil || errB != nil {
		return u.Hostname() == target.Hostname() && u.Scheme == target.Scheme
	}
	return a == b && u.Scheme == target.Scheme
}

// useJar fills in the Cookie header that a browser would send, if only the
// Set-Cookie headers are known.
func (p *problem) useJar() {
	if p.url == nil || len(p.SetCookies) == 0 {
		return
	}
	p.jar = wouldSend(p.SetCookies, p.url, p.Page)
	if len(p.Cookies) > 0 {
		return
	}
	var pairs []string
	for _, s := range p.jar {
		if s.why.ID == "" {
			pairs = append(pairs, s.cookie.Name+"="+s.cookie.Value)
		}
	}
	if len(pairs) > 0 {
		p.Cookies = []string{strings.Join(pairs, "; ")}
	}
}

// notSent names the cookies of CloudFront's that a browser keeps to itself.
func notSent(p *problem) []Cause {
	var causes []Cause
	seen := map[string]bool{}
	for _, s := range p.jar {
		id := s.why.ID
		if id == "" || !strings.HasPrefix(s.cookie.Name, "CloudFront-") || seen[id+s.domain()+s.path()] {
			continue
		}
		seen[id+s.domain()+s.path()] = true
		why := s.why
		if s.cookie.Name == cloudfront.CookieHash && p.facts.Signature != "" {
			why.ID = "T37"
		}
		causes = append(causes, why)
	}
	return causes
}
