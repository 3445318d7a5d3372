package explain

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"

	"github.com/handstamp/handstamp/pkg/cloudfront"
)

// A stored cookie is one that a browser was asked to keep.
type stored struct {
	cookie *http.Cookie
	from   *url.URL // whose answer set it
	why    Cause    // why it would not be sent; the zero value means that it would
}

// useJar works out what a browser makes of the answers so far and, if it is not
// known what was sent, fills in the Cookie header that it would send.
func (p *problem) useJar() {
	if p.url == nil {
		return
	}
	p.jar = jarOf(p.Earlier, p.url)
	var pairs []string
	for i := range p.jar {
		p.jar[i].why = p.jar[i].obstacle(p)
		if c := p.jar[i].cookie; p.jar[i].why.ID == "" {
			pairs = append(pairs, c.Name+"="+c.Value)
		}
	}
	if !p.Recorded && len(p.Cookies) == 0 && len(pairs) > 0 {
		p.Cookies = []string{strings.Join(pairs, "; ")}
	}
}

// jarOf returns the cookies that are left of the answers, those with the longer
// Path first, as browsers send them (RFC 6265, section 5.4). A cookie replaces
// one of the same name, domain and path, and one that has ended deletes it.
func jarOf(answers []Answer, target *url.URL) []stored {
	var jar []stored
	for _, a := range answers {
		from, err := url.Parse(a.URL)
		if err != nil || from.Host == "" {
			from = target
		}
		for _, line := range a.SetCookie {
			c, err := http.ParseSetCookie(strings.TrimSpace(line))
			if err != nil {
				continue
			}
			next := stored{cookie: c, from: from}
			jar = slices.DeleteFunc(jar, func(s stored) bool {
				return s.cookie.Name == c.Name && s.domain() == next.domain() && s.path() == next.path()
			})
			if c.MaxAge >= 0 && (c.Expires.IsZero() || c.MaxAge > 0 || c.Expires.After(a.Date)) {
				jar = append(jar, next)
			}
		}
	}
	slices.SortStableFunc(jar, func(a, b stored) int { return cmp.Compare(len(b.path()), len(a.path())) })
	return jar
}

func (s stored) domain() string {
	if s.hostOnly() {
		return s.from.Hostname()
	}
	return strings.ToLower(strings.TrimPrefix(s.cookie.Domain, "."))
}

// hostOnly reports whether only the host that set the cookie gets it: there is
// no Domain, or it is that host and a public suffix.
func (s stored) hostOnly() bool {
	d := strings.ToLower(strings.TrimPrefix(s.cookie.Domain, "."))
	return d == "" || d == s.from.Hostname() && publicSuffix(d)
}

func publicSuffix(domain string) bool {
	suffix, _ := publicsuffix.PublicSuffix(domain)
	return suffix == domain
}

// path is the attribute, or the folder of the URL that set the cookie.
func (s stored) path() string {
	if strings.HasPrefix(s.cookie.Path, "/") && len(s.cookie.Path) <= 1024 {
		return s.cookie.Path
	}
	if i := strings.LastIndexByte(s.from.Path, '/'); i > 0 {
		return s.from.Path[:i]
	}
	return "/"
}

// obstacle returns why a browser would not send the cookie, if so (RFC 6265bis,
// "The Set-Cookie Header Field" and "The Cookie Header Field").
func (s stored) obstacle(p *problem) Cause {
	for _, look := range []func(*problem) Cause{s.dropped, s.elsewhere, s.attributes} {
		if c := look(p); c.ID != "" {
			return c
		}
	}
	return Cause{}
}

func withheldCause(id, says, fix string) Cause {
	return Cause{ID: id, Says: says, Fix: fix, Basis: cloudfront.Documented, Certainty: Proved}
}

// dropped says why a browser would not even keep the cookie.
func (s stored) dropped(p *problem) Cause {
	name, from := s.cookie.Name, s.from.Hostname()
	switch {
	case len(name)+len(s.cookie.Value) > 4096:
		return withheldCause("E3", fmt.Sprintf("The browser drops %s: it has %d bytes, and browsers keep 4,096.", name, len(name)+len(s.cookie.Value)), "Name fewer and shorter things in the policy.")
	case !s.hostOnly() && publicSuffix(s.domain()):
		return withheldCause("T1", fmt.Sprintf("The browser drops %s: its Domain %q is a public suffix, under which strangers have hosts.", name, s.cookie.Domain),
			"Use a domain of your own for API and content.")
	case !within(from, s.domain()):
		return withheldCause("T1", fmt.Sprintf("The browser drops %s: %s may not set a cookie for %q.", name, from, s.cookie.Domain), "Answer from a host below that domain.")
	case s.cookie.SameSite == http.SameSiteNoneMode && !s.cookie.Secure:
		return withheldCause("T2", fmt.Sprintf("The browser drops %s: SameSite=None needs Secure.", name), "Set Secure as well.")
	case s.cookie.Secure && s.from.Scheme == "http" && !loopback(from):
		return withheldCause("T5", fmt.Sprintf("The browser drops %s: it is Secure, and was set over http.", name), "Answer by https.")
	case !s.cookie.Expires.IsZero() && s.cookie.MaxAge == 0 && !s.cookie.Expires.After(p.At):
		return withheldCause("E3", fmt.Sprintf("The browser has dropped %s: its attribute Expires was over at %s.", name, s.cookie.Expires.UTC().Format("15:04:05 on 2 January 2006")), "Leave Expires and Max-Age out, as CloudFront enforces the policy anyway, and renew in time.")
	}
	return Cause{}
}

// elsewhere says why the cookie is not for this URL.
func (s stored) elsewhere(p *problem) Cause {
	name, host, path := s.cookie.Name, p.url.Hostname(), p.url.EscapedPath()
	switch {
	case s.hostOnly() && host != s.domain():
		return withheldCause("T1", fmt.Sprintf("%s belongs to %s alone, as it was set without a Domain; the request goes to %s.", name, s.domain(), host),
			"Serve API and content from one host, or set a Domain that covers both.")
	case !within(host, s.domain()):
		return withheldCause("T1", fmt.Sprintf("The Domain %q of %s does not cover %s.", s.cookie.Domain, name, host), "Set a Domain that covers the host of the content.")
	case !pathMatch(path, s.path()):
		says := fmt.Sprintf("The Path %q of %s does not cover %s", s.path(), name, path)
		if strings.Contains(s.path(), "*") {
			says += ", as a browser takes the * in it literally"
		}
		return withheldCause("T6", says+".", fixPath)
	}
	return Cause{}
}

// attributes says why the cookie is not sent with this kind of request.
func (s stored) attributes(p *problem) Cause {
	name, host := s.cookie.Name, p.url.Hostname()
	switch {
	case s.cookie.Secure && p.url.Scheme != "https" && !loopback(host):
		return withheldCause("T5", fmt.Sprintf("%s is Secure, and the request goes over http.", name), fixSecure)
	case s.cookie.SameSite != http.SameSiteNoneMode && crossSite(p.Page, p.url):
		return withheldCause("T2", fmt.Sprintf("The page %s is on another site than %s, and %s is not SameSite=None.", where(p.Page), host, name),
			"Put page and content under one registrable domain, or set SameSite=None; Secure and expect third-party cookies to be blocked.")
	}
	return Cause{}
}

func within(host, domain string) bool {
	return host == domain || strings.HasSuffix(host, "."+domain)
}

// pathMatch is RFC 6265, section 5.1.4.
func pathMatch(request, cookie string) bool {
	if request == "" {
		request = "/"
	}
	return request == cookie || strings.HasPrefix(request, cookie) && (strings.HasSuffix(cookie, "/") || request[len(cookie)] == '/')
}

func loopback(host string) bool { return host == "localhost" || host == "127.0.0.1" || host == "::1" }

// crossSite reports whether a page is on another site than target: another
// registrable domain, or another scheme ("schemeful same-site").
func crossSite(page string, target *url.URL) bool {
	u, err := url.Parse(page)
	if err != nil || u.Host == "" {
		return false
	}
	a, errA := publicsuffix.EffectiveTLDPlusOne(u.Hostname())
	b, errB := publicsuffix.EffectiveTLDPlusOne(target.Hostname())
	if errA != nil || errB != nil {
		a, b = u.Hostname(), target.Hostname()
	}
	return a != b || u.Scheme != target.Scheme
}

// crossOrigin reports whether a page has another origin than target.
func crossOrigin(page string, target *url.URL) bool {
	u, err := url.Parse(page)
	return err == nil && u.Host != "" && (u.Host != target.Host || u.Scheme != target.Scheme)
}
