package explain

import (
	"fmt"
	"slices"
	"strings"

	"github.com/handstamp/handstamp/pkg/cloudfront"
)

// withheld names the attributes that make a browser keep CloudFront's cookies
// to itself. A cookie that was sent after all, from another set, is no matter.
func withheld(p *problem) []Cause {
	sent := map[string]bool{cloudfront.CookieHash: true} // see strayHash
	for _, c := range pairsOf(p.Cookies) {
		sent[c.Name] = true
	}
	sent[cloudfront.CookiePolicy] = sent[cloudfront.CookiePolicy] || sent[cloudfront.CookieExpires]
	sent[cloudfront.CookieExpires] = sent[cloudfront.CookiePolicy]
	var causes []Cause
	seen := map[string]bool{}
	for _, s := range p.jar {
		key := s.why.ID + " " + s.domain() + s.path()
		if p.trace.Facts.SignedURL || s.why.ID == "" || sent[s.cookie.Name] || !strings.HasPrefix(s.cookie.Name, "CloudFront-") || seen[key] {
			continue
		}
		seen[key] = true
		causes = append(causes, s.why)
	}
	return causes
}

// leftOut finds cookies that a browser had and could have sent, and that the
// recording shows it did not send.
func leftOut(p *problem) []Cause {
	if !p.Recorded || p.trace.Facts.HasAnything || !slices.ContainsFunc(p.jar, func(s stored) bool {
		return s.cookie.Name == cloudfront.CookieSignature && s.why.ID == ""
	}) {
		return nil
	}
	credentials := one(Likely, "T3", cloudfront.Observed, "The cookies had been set and cover this URL, but the request went without them. Scripts and players leave cookies out of requests to another origin unless told otherwise; curl sends them only with -b.", fixCredentials)
	if !crossSite(p.Page, p.url) {
		if crossOrigin(p.Page, p.url) {
			credentials[0].Certainty = Proved
		}
		return credentials
	}
	return append(one(Likely, "T2", cloudfront.Documented, fmt.Sprintf("The page %s is on another site than %s, and the browser blocks third-party cookies: they had been set and were not sent.", where(p.Page), p.url.Hostname()),
		"Put page and content under one registrable domain."), credentials...)
}

// strayHash finds a CloudFront-Hash-Algorithm that does not live where the
// signature lives: it is sent without it, or not with it.
func (p *problem) strayHash() []Cause {
	i := slices.IndexFunc(p.jar, func(s stored) bool { return s.cookie.Name == cloudfront.CookieSignature && s.why.ID == "" })
	if i < 0 {
		return nil
	}
	home := p.jar[i]
	for _, s := range p.jar {
		if s.cookie.Name != cloudfront.CookieHash || s.domain() == home.domain() && s.path() == home.path() || (s.why.ID == "") != p.facts.HasHash {
			continue
		}
		return one(Proved, "T37", cloudfront.Assumed, fmt.Sprintf("CloudFront-Hash-Algorithm was set with Domain %s and Path %s, the signature with Domain %s and Path %s.", s.domain(), s.path(), home.domain(), home.path()),
			"Set all cookies of a set with the same Domain and Path, and delete a CloudFront-Hash-Algorithm that was set with others.")
	}
	return nil
}

// everyCookieSet lists all values that were ever set, also those that were
// replaced since.
func (p *problem) everyCookieSet() []pair {
	var pairs []pair
	for _, a := range p.Earlier {
		for _, line := range a.SetCookie {
			first, _, _ := strings.Cut(line, ";")
			if name, value, ok := strings.Cut(first, "="); ok && value != "" {
				pairs = append(pairs, pair{strings.TrimSpace(name), value})
			}
		}
	}
	return pairs
}
