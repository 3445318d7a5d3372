package explain

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/handstamp/handstamp/pkg/cloudfront"
)

func preflight(p *problem) []Cause {
	if p.Method != "OPTIONS" || p.trace.Facts.HasAnything || p.trace.Allowed {
		return nil
	}
	return one(Proved, "T4", cloudfront.Observed, "This is a preflight. Browsers send it without cookies, and nothing shows that CloudFront lets it through. In the page it looks like a CORS error.",
		"Serve page and content from one origin, so that there is no preflight, or leave out the request headers that cause it (Range is one of them).")
}

func strippedRecording(p *problem) []Cause {
	if !p.Stripped || p.trace.Allowed || p.trace.Facts.HasAnything {
		return nil
	}
	return one(Likely, "E2", cloudfront.Observed, "The recording has no cookies at all, neither sent nor set: browsers leave them out of an archive unless asked.",
		"Save it again with them: in Chromium's developer tools allow it under Settings > Preferences > Network, then \"Export HAR (with sensitive data)\".")
}

// nothingSent lists what keeps a browser from sending cookies, if nothing
// better is known.
func nothingSent(p *problem) []Cause {
	if p.trace.Facts.HasAnything || p.wasSet() || lostOnTheWay(p) != nil || behindFragment(p) != nil {
		return nil
	}
	if wrong := misnamed(p); wrong != nil {
		return wrong
	}
	var causes []Cause
	add := func(certainty Certainty, id string, basis cloudfront.Basis, says, fix string) {
		causes = append(causes, one(certainty, id, basis, says, fix)...)
	}
	if p.url != nil && p.url.Scheme == "http" {
		add(Likely, "T5", cloudfront.Assumed, "The request goes over http. Cookies with the attribute Secure are not sent there.", fixSecure)
	}
	if strings.TrimSpace(strings.Join(p.Cookies, "")) == "" {
		add(Likely, "T3", cloudfront.Observed, "No cookie at all was sent. Scripts and players leave cookies out of requests to another origin unless told otherwise.", fixCredentials)
	}
	add(Likely, "T1", cloudfront.Observed, "The browser has no CloudFront cookies for this host: they were set for another one, or without a Domain on the host of the API.",
		"Serve API and content from one host, or set the cookies with a Domain that covers both.")
	add(Likely, "T6", cloudfront.Assumed, "The cookies' Path may not cover this URL. A browser takes * in a Path literally, so Path=/castle/* is never sent for /castle/01.m4a.", fixPath)
	add(Possible, "T2", cloudfront.Documented, "The page may be on another site: cookies without SameSite=None; Secure are not sent then, and many browsers block third-party cookies anyway.",
		"Put page and content under one registrable domain.")
	if len(p.Earlier) == 0 {
		add(Possible, "T8", cloudfront.Documented, "If the API is behind CloudFront too, its cache behavior may strip Set-Cookie because it forwards no cookies.", fixForward)
	}
	return causes
}

const (
	fixSecure      = "Ask for the content by https, also from playlists."
	fixCredentials = `Serve page and content from one host, or use fetch(..., {credentials: "include"}), xhr.withCredentials, or crossorigin="use-credentials" on the media element.`
	fixPath        = "Set Path to the prefix with a slash at its end and no star, such as /castle/."
	fixForward     = "Use the managed policies CachingDisabled and AllViewerExceptHostHeader on the API's behavior."
)

// misnamed finds cookies whose names differ from CloudFront's in case only.
func misnamed(p *problem) []Cause {
	for _, c := range pairsOf(p.Cookies) {
		for _, name := range cloudfront.CookieNames {
			if c.Name != name && strings.EqualFold(strings.ReplaceAll(c.Name, "_", "-"), name) {
				return one(Proved, "T7", cloudfront.Documented, fmt.Sprintf("The cookie %.40q is not %s: the names are case-sensitive.", c.Name, name), "Write the names exactly: CloudFront-Policy, CloudFront-Signature, CloudFront-Key-Pair-Id.")
			}
		}
	}
	return nil
}

// somethingMissing finds a set of which only a part arrived.
func somethingMissing(p *problem) []Cause {
	f := p.facts
	if !f.HasAnything || f.SignedURL || p.folded() != nil {
		return nil
	}
	missing := missingOf(f.KeyPairID != "", f.Signature != "", f.Policy != "" || f.Expires != "")
	if len(missing) == 0 {
		return nil
	}
	if wrong := misnamed(p); wrong != nil {
		return wrong
	}
	says := fmt.Sprintf("%s did not arrive, though other CloudFront cookies did.", strings.Join(missing, " and "))
	fix := fixEach
	if k, _ := p.signedBy(f.Text); k != nil && f.KeyPairID == "" {
		says += fmt.Sprintf(" The signature was made with key %s.", k.ID())
	}
	if f.Policy == "" && f.Expires == "" && f.KeyPairID != "" && f.Signature != "" {
		return append(one(Likely, "T41", cloudfront.Observed, says+" A canned policy needs CloudFront-Expires, a custom one CloudFront-Policy: only a part of a set was copied, or old and new cookies are mixed.",
			"Send the whole set, and delete with each new set the cookies that it does not use."),
			one(Possible, "T7", cloudfront.Documented, "One Set-Cookie out of several may have been lost in a framework or a load balancer that keeps headers in a map.", fixEach)...)
	}
	return one(Likely, "T7", cloudfront.Documented, says+" One Set-Cookie out of several survives when a framework or a load balancer keeps headers in a map.", fix)
}

const fixEach = "Send every cookie as a Set-Cookie of its own: multiValueHeaders behind REST APIs and load balancers, the cookies list behind HTTP APIs."

func missingOf(id, signature, policy bool) []string {
	var missing []string
	if !id {
		missing = append(missing, cloudfront.CookieKeyPairID)
	}
	if !signature {
		missing = append(missing, cloudfront.CookieSignature)
	}
	if !policy {
		missing = append(missing, cloudfront.CookiePolicy+" (or "+cloudfront.CookieExpires+")")
	}
	return missing
}

// foldedCookies is a Set-Cookie header with several cookies in it.
var foldedCookies = regexp.MustCompile(`,\s*CloudFront-[A-Za-z-]+=`)

// folded finds answers whose cookies a proxy has joined into one header.
func (p *problem) folded() []Cause {
	for _, a := range p.Earlier {
		if slices.ContainsFunc(a.SetCookie, foldedCookies.MatchString) {
			return one(Proved, "T7", cloudfront.Documented, fmt.Sprintf("The answer of %s has several cookies in one Set-Cookie, joined by commas. A browser takes the first and drops the rest.", where(a.URL)), fixEach)
		}
	}
	return nil
}

// lostOnTheWay looks for the answer that should have set the cookies.
func lostOnTheWay(p *problem) []Cause {
	if causes := p.folded(); causes != nil {
		return causes
	}
	if missingOf(p.facts.KeyPairID != "", p.facts.Signature != "", p.facts.Policy != "" || p.facts.Expires != "") == nil || p.facts.SignedURL {
		return nil
	}
	var causes []Cause
	for _, a := range p.Earlier {
		names := p.cookiesOf(a)
		has := func(name string) bool { return slices.Contains(names, name) }
		switch missing := missingOf(has(cloudfront.CookieKeyPairID), has(cloudfront.CookieSignature), has(cloudfront.CookiePolicy) || has(cloudfront.CookieExpires)); {
		case len(names) == 0 && a.mightSet() && !p.wasSet():
			causes = append(causes, one(Likely, "T8", cloudfront.Documented, fmt.Sprintf("%s answered %d through CloudFront and set no cookie: a cache behavior that forwards no cookies strips Set-Cookie.", where(a.URL), a.Status), fixForward)...)
		case len(names) > 0 && len(missing) > 0:
			causes = append(causes, one(Proved, "T7", cloudfront.Documented, fmt.Sprintf("The answer of %s set %s, but not %s.", where(a.URL), strings.Join(names, " and "), strings.Join(missing, " and ")), fixEach)...)
		}
	}
	return causes
}

// cookiesOf are the names of CloudFront's cookies that an answer gave values.
func (p *problem) cookiesOf(a Answer) []string {
	var names []string
	for _, line := range a.SetCookie {
		name, rest, _ := strings.Cut(line, "=")
		if value, _, _ := strings.Cut(rest, ";"); strings.HasPrefix(name, "CloudFront-") && value != "" {
			names = append(names, name)
		}
	}
	return names
}

// wasSet reports whether any earlier answer set cookies of CloudFront's.
func (p *problem) wasSet() bool {
	return slices.ContainsFunc(p.Earlier, func(a Answer) bool { return len(p.cookiesOf(a)) > 0 })
}

func (r Response) throughCloudFront() bool {
	return strings.Contains(r.XCache, "cloudfront") || strings.Contains(r.Via, "CloudFront") || r.Server == "CloudFront"
}

// where is a URL without its query, to be shown.
func where(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "an earlier request"
	}
	return u.Scheme + "://" + u.Host + u.EscapedPath()
}
