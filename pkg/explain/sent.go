package explain

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/handstamp/handstamp/pkg/cloudfront"
)

// rules look for causes, each for one kind of mistake. What they find is
// ordered by how sure it is, then as the rules stand here.
var rules = []func(*problem) []Cause{
	foreignRefusal, notSent, tooLarge, parametersInTheWay, strangeParameters, nothingSent, somethingMissing, sentTwice, keyPairID, unknownKey,
	hashName, alphabet, bothForms, policyShape, wrongSignature, expiry, start, address, resource, preflight,
}

func one(weight int, id string, basis cloudfront.Basis, says, fix string) []Cause {
	return []Cause{{ID: id, Says: says, Fix: fix, Basis: basis, weight: weight}}
}

func tooLarge(p *problem) []Cause {
	if p.trace.Code != cloudfront.TooLarge {
		return nil
	}
	return one(proved, "E-37", cloudfront.Documented,
		"The request is larger than CloudFront takes: 8,192 bytes of URL, 32,768 bytes of URL and headers.",
		"Shorten the URL, or delete cookies that other attractions or other software have left behind.")
}

// parametersInTheWay finds own or stale query parameters that turn a request
// with good cookies into a signed-URL request.
func parametersInTheWay(p *problem) []Cause {
	if !p.facts.SignedURL || len(p.Cookies) == 0 {
		return nil
	}
	without := p.decide(cloudfront.WithoutParameters(p.URL), p.Cookies)
	if !without.Facts.HasAnything {
		return nil
	}
	weight := likely
	if without.Allowed {
		weight = proved
	}
	if p.facts.Signature != "" && p.facts.KeyPairID != "" {
		return one(weight, "T10", cloudfront.Documented,
			"The link still carries the parameters of an old signed URL. With any of them CloudFront ignores the cookies.",
			"Remove Expires, Policy, Signature, Key-Pair-Id and Hash-Algorithm from the link and let the cookies do the work.")
	}
	return one(weight, "T9", cloudfront.Documented,
		"The query has a parameter that CloudFront keeps for itself (Expires, Policy, Signature, Key-Pair-Id or Hash-Algorithm), so it takes the request for a signed URL and ignores the cookies.",
		"Give your own parameter another name.")
}

func strangeParameters(p *problem) []Cause {
	if p.trace.Rule != cloudfront.RuleQueryNames {
		return nil
	}
	return one(likely, "T9", cloudfront.Assumed,
		"A query parameter looks like one of CloudFront's in another spelling, or one of CloudFront's comes twice. Nobody knows which reading counts.",
		"Give your own parameter another name, and send each of CloudFront's once.")
}

// nothingSent lists what keeps a browser from sending cookies at all.
func nothingSent(p *problem) []Cause {
	if p.facts.HasAnything || len(p.jar) > 0 {
		return nil
	}
	var causes []Cause
	if p.url != nil && p.url.Scheme == "http" {
		causes = one(likely, "T5", cloudfront.Assumed, "The request goes over http. Cookies with the attribute Secure are not sent there.",
			"Ask for the content by https, also from playlists.")
	}
	other := strings.TrimSpace(strings.Join(p.Cookies, "")) != ""
	if !other {
		causes = append(causes, one(likely, "T3", cloudfront.Observed, "No cookie at all was sent. Scripts and players leave cookies out of requests to another origin unless told otherwise.",
			`Serve page and content from one host, or use fetch(..., {credentials: "include"}), xhr.withCredentials, or crossorigin="use-credentials" on the media element.`)...)
	}
	causes = append(causes, one(likely, "T1", cloudfront.Observed, "The browser has no CloudFront cookies for this host: they were set for another one, or without a Domain on the host of the API.",
		"Serve API and content from one host, or set the cookies with a Domain that covers both.")...)
	causes = append(causes, one(likely, "T6", cloudfront.Assumed, "The cookies' Path may not cover this URL. A browser takes * in a Path literally, so Path=/castle/* is never sent for /castle/01.m4a.",
		"Set Path=/castle/ with a slash at the end and no star.")...)
	causes = append(causes, one(possible, "T2", cloudfront.Documented, "The page may be on another site: cookies without SameSite=None; Secure are not sent then, and many browsers block third-party cookies anyway.",
		"Put page and content under one registrable domain.")...)
	causes = append(causes, one(possible, "T8", cloudfront.Documented, "If the API is behind CloudFront too, its cache behavior may strip Set-Cookie because it forwards no cookies.",
		"Use the managed policies CachingDisabled and AllViewerExceptHostHeader on the API's behavior.")...)
	return causes
}

func somethingMissing(p *problem) []Cause {
	f := p.facts
	if !f.HasAnything || f.SignedURL {
		return nil
	}
	var missing []string
	for _, c := range []struct {
		name  string
		there bool
	}{
		{cloudfront.CookieKeyPairID, f.KeyPairID != ""}, {cloudfront.CookieSignature, f.Signature != ""},
		{cloudfront.CookiePolicy, f.Policy != "" || f.Expires != ""},
	} {
		if !c.there {
			missing = append(missing, c.name)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	says := fmt.Sprintf("%s did not arrive, though other CloudFront cookies did.", strings.Join(missing, " and "))
	causes := one(likely, "T7", cloudfront.Documented, says+" One Set-Cookie out of several survives when a framework or load balancer keeps headers in a map.",
		"Send every cookie as a Set-Cookie of its own: multiValueHeaders behind REST APIs and load balancers, the cookies list behind HTTP APIs.")
	if f.Policy == "" && f.Expires == "" {
		causes = append(causes, one(likely, "T41", cloudfront.Observed, "There is neither CloudFront-Policy nor CloudFront-Expires: only a part of a cookie set was copied, or old and new cookies are mixed.",
			"Send the whole set, and delete with each new set the cookies that it does not use.")...)
	}
	return causes
}

func sentTwice(p *problem) []Cause {
	if !p.failed(cloudfront.RuleDuplicates) {
		return nil
	}
	return one(likely, "T42", cloudfront.Assumed, "A CloudFront cookie arrives twice with different values: two sets, by another Domain or another Path, shadow each other.",
		"Use one Domain and one Path per prefix, and delete the other set with exactly the Domain and Path it was set with.")
}

func bothForms(p *problem) []Cause {
	if !p.facts.HasPolicy || !p.facts.HasExpires {
		return nil
	}
	return one(likely, "T41", cloudfront.Assumed, "Policy and Expires are both there: an old cookie of the other form is left over.",
		"Delete CloudFront-Expires, with its Domain and Path, whenever you set CloudFront-Policy, and the other way round.")
}

func preflight(p *problem) []Cause {
	if !strings.EqualFold(p.Method, "OPTIONS") {
		return nil
	}
	return one(likely, "T4", cloudfront.Observed, "This is a preflight. Browsers send it without cookies, and nothing shows that CloudFront lets it through.",
		"Serve page and content from one origin, so that there is no preflight, or leave out the request headers that cause it.")
}

func unescaped(s string) string {
	plain, err := url.PathUnescape(s)
	if err != nil {
		return s
	}
	return plain
}
