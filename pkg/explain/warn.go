package explain

import (
	"fmt"
	"net/url"
	"path"
	"regexp"
	"strings"
	"time"

	"golang.org/x/net/publicsuffix"

	"github.com/handstamp/handstamp/pkg/cloudfront"
)

// warnings names what is dangerous, whether or not the request is allowed.
func (p *problem) warnings() []Cause {
	var all []Cause
	for _, look := range []func(*problem) []Cause{
		sentPrivateKey, wideResource, strangePath, openAnyway, wideDomain, cachedCookies, longLife, looseClock, thirdParty,
	} {
		all = append(all, look(p)...)
	}
	return all
}

func warn(id string, basis cloudfront.Basis, says, fix string) []Cause {
	return one(Likely, id, basis, says, fix)
}

func sentPrivateKey(p *problem) []Cause {
	if !strings.Contains(unescaped(p.trace.Facts.KeyPairID), "PRIVATE KEY") {
		return nil
	}
	return warn("S14", cloudfront.Documented, "A private key was sent to a browser. Whoever has it can sign anything.", "Take the key out of the key group now, and sign with a new one.")
}

// wideResource looks for wildcards that open more than one place.
func wideResource(p *problem) []Cause {
	r := p.facts.Resource
	if r == "" || p.facts.Canned {
		return nil
	}
	part := split(r)
	var all []Cause
	switch {
	case r == "*" || strings.Trim(part.host, "*") == "":
		all = append(all, warn("S3", cloudfront.Documented, "The policy opens every distribution that trusts the same key.", "Name host and prefix exactly.")...)
	case strings.ContainsAny(part.host, "*?"):
		all = append(all, warn("S5", cloudfront.Documented, "The policy opens other distributions that trust the same key.", "Name the host exactly, and give every environment a key of its own.")...)
	}
	if part.scheme != "https" && r != "*" {
		all = append(all, warn("S4", cloudfront.Assumed, "The policy also covers http, where cookies can leak.", "Write https://.")...)
	}
	if part.hasQuery && !strings.HasSuffix(part.path, `\`) && p.trace.Allowed {
		all = append(all, warn("T25", cloudfront.Assumed, `A bare ? in the Resource stands for one character; the one that begins a query is written \? (in JSON \\?). AWS's own tools write it bare, and how CloudFront reads that is not known.`, fixBare)...)
	}
	switch body := strings.TrimSuffix(part.path, "*"); {
	case strings.Contains(body, "*") || strings.Contains(strings.TrimSuffix(part.query, "*"), "*"):
		all = append(all, warn("S2", cloudfront.Assumed, "The Resource has a wildcard inside: an identifier may have been put into it unchecked.", "Build the Resource from identifiers of letters, digits, _ and - only, with one /* at the end.")...)
	case body != part.path && body != "" && !strings.HasSuffix(body, "/"):
		all = append(all, warn("S1", cloudfront.Assumed, "The prefix does not end in a slash, so neighbours with a longer name are open too.", "End the Resource in /*.")...)
	}
	return all
}

// strange is what two readers of a path may read differently.
var strange = regexp.MustCompile(`(?i)/(?:\.|%2e){1,2}(?:/|$)|//|%2f|%5c|\\|%00`)

// strangePath looks for paths that CloudFront and an origin read differently.
func strangePath(p *problem) []Cause {
	found := strange.FindString("/" + split(p.trace.Facts.URL).path)
	if found == "" {
		return nil
	}
	return warn("S6", cloudfront.Assumed, fmt.Sprintf("The path has %q in it. CloudFront picks the cache behavior by the normalized path and hands the raw one to the origin; which of them the policy is matched against is not known.", found),
		"Refuse such paths in a viewer-request function and at the origin. The local edge does.")
}

// openAnyway looks at answers that came although they should not have.
func openAnyway(p *problem) []Cause {
	r := p.Response
	html := strings.Contains(r.Type, "text/html") && !strings.Contains(" .html .htm ", " "+path.Ext(split(p.trace.Facts.URL).path)+" ")
	switch {
	case p.trace.Allowed || r.Status == 0 || !p.known():
		return nil
	case r.Status/100 == 2 && html:
		return warn("S18", cloudfront.Observed, "The answer is a page with status 200 where CloudFront should have refused: a custom error response hides the 403. Players take the page for media, and caches keep it.",
			"Let the custom error response keep the status 403, with an error caching TTL of 0.")
	case r.Status/100 == 2 && (r.Server == "AmazonS3" && !r.throughCloudFront() || strings.Contains(split(p.URL).host, "amazonaws.com")):
		return warn("S13", cloudfront.Documented, "The bucket answered by itself, without CloudFront: the signature can be bypassed.", "Block public access to the bucket and let only the distribution in, by origin access control.")
	case r.Status/100 == 2:
		return warn("S7", cloudfront.Documented, "The answer came although CloudFront should have refused: the cache behavior that matches this path first is not restricted.", "Put the restricted behavior before it, and mind that path patterns are case-sensitive.")
	case r.Status == 403 && foreignRefusal(p) != nil && strings.Contains(r.Body, "<HostId>"):
		return warn("S7", cloudfront.Documented, "S3 was asked although CloudFront should have refused before: this cache behavior does not check signatures.", "Restrict viewer access on it, with your key group.")
	}
	return nil
}

// known reports whether enough is known to be sure of the refusal.
func (p *problem) known() bool {
	return !p.Stripped && (len(p.Keys) > 0 || p.trace.Code != cloudfront.InvalidKey) && (p.IP.IsValid() || p.trace.Rule != cloudfront.RuleAddress)
}

// wideDomain looks for cookies that go to more hosts than they need to.
func wideDomain(p *problem) []Cause {
	for _, s := range p.jar {
		site, err := publicsuffix.EffectiveTLDPlusOne(s.domain())
		if err == nil && strings.HasPrefix(s.cookie.Name, "CloudFront-") && !s.hostOnly() && s.domain() == site && p.url.Hostname() != site {
			return warn("S8", cloudfront.Documented, fmt.Sprintf("The cookies are set for all of %s: every host below it gets them, and can plant others that shadow them.", site), "Serve API and content from one host without a Domain, or use the narrowest Domain.")
		}
	}
	return nil
}

// cachedCookies looks for answers with cookies that a cache may hand to others.
func cachedCookies(p *problem) []Cause {
	for _, a := range p.Earlier {
		if len(p.cookiesOf(a)) == 0 || a.Status == 0 {
			continue
		}
		switch {
		case strings.HasPrefix(a.XCache, "Hit") || a.Age != "" && a.Age != "0":
			return warn("S9", cloudfront.Documented, fmt.Sprintf("The answer of %s with the cookies came from a cache: visitors get each other's access.", where(a.URL)), "Answer with no-store, and use the managed policy CachingDisabled.")
		case !strings.Contains(a.CacheControl, "no-store"):
			return warn("S9", cloudfront.Documented, fmt.Sprintf("The answer of %s sets the cookies and is not no-store: a cache may hand one visitor's access to all.", where(a.URL)), "Answer with no-store, and use the managed policy CachingDisabled.")
		}
	}
	return nil
}

// longLife looks for policies that outlast a visit, as nothing takes them back.
func longLife(p *problem) []Cause {
	left := p.facts.End.Sub(p.At)
	switch {
	case p.facts.End.IsZero() || left <= 24*time.Hour || units(p) != nil:
		return nil
	case p.facts.End.Unix() > milliseconds:
		return warn("T29", cloudfront.Assumed, inMilliseconds(p)+" Whether CloudFront takes that is not known.", fixSeconds)
	case p.facts.SignedURL:
		return warn("S11", cloudfront.Documented, fmt.Sprintf("The signed URL opens its content for %s more, and URLs end up in logs and in Referer.", days(left)), "Sign URLs for minutes, shortly before they are used.")
	}
	return warn("S12", cloudfront.Assumed, fmt.Sprintf("The cookies are good for %s more and can be copied (S10). Nothing takes them back except removing the key.", days(left)), "Sign for minutes and renew.")
}

func days(d time.Duration) string {
	n := int(d.Hours() / 24)
	if n == 1 {
		return "a day"
	}
	return fmt.Sprintf("%d days", n)
}

// looseClock mentions a wrong clock that is not the cause.
func looseClock(p *problem) []Cause {
	if p.skew() == 0 || clockSkew(p) != nil {
		return nil
	}
	return warn("T30", cloudfront.Documented, inWords(p.skew()), fixClock)
}

// thirdParty mentions cookies that only some browsers send.
func thirdParty(p *problem) []Cause {
	if !p.trace.Allowed || p.Page == "" || p.url == nil || p.trace.Facts.SignedURL || !crossSite(p.Page, p.url) {
		return nil
	}
	u, _ := url.Parse(p.Page)
	return warn("T2", cloudfront.Documented, fmt.Sprintf("The page is on %s, another site than %s. Many browsers block the cookies there, even with SameSite=None.", u.Hostname(), p.url.Hostname()),
		"Put page and content under one registrable domain.")
}
