package explain

import (
	"html"
	"net/url"
	"slices"
	"strings"

	"github.com/handstamp/handstamp/pkg/cloudfront"
)

// reserved are the query parameters that make a request a signed-URL request.
var reserved = []string{"Expires", "Policy", "Signature", "Key-Pair-Id", "Hash-Algorithm"}

func tooLarge(p *problem) []Cause {
	if p.trace.Code != cloudfront.TooLarge {
		return nil
	}
	return one(Proved, "E1", cloudfront.Documented,
		"The request is larger than CloudFront takes: 8,192 bytes of URL, 32,768 bytes of URL and headers.",
		"Shorten the URL, or delete cookies that other attractions or other software have left behind.")
}

// behindFragment finds a signed URL whose parameters stand behind a "#".
func behindFragment(p *problem) []Cause {
	_, fragment, _ := strings.Cut(p.URL, "#")
	if !strings.Contains(fragment, "Signature=") || !strings.Contains(fragment, "Key-Pair-Id=") {
		return nil
	}
	return one(Proved, "T28", cloudfront.Observed, "The parameters of the signature stand behind #. What follows # never leaves the browser, so nothing was sent.",
		"Sign the URL without its fragment, and add the fragment at the very end.")
}

// parametersInTheWay finds own or stale query parameters that turn a request
// with good cookies into a signed-URL request.
func parametersInTheWay(p *problem) []Cause {
	f := p.trace.Facts
	if !f.SignedURL || p.trace.Allowed || strings.Contains(p.URL, "&amp;") {
		return nil
	}
	whole := f.Signature != "" && f.KeyPairID != "" && (f.HasPolicy || f.HasExpires)
	without := p.decide(cloudfront.WithoutParameters(p.URL), p.Cookies)
	certainty := Likely
	switch {
	case without.Allowed:
		certainty = Proved
	case !without.Facts.HasAnything && whole:
		return nil // a signed URL and nothing else
	case !without.Facts.HasAnything && f.Signature != "":
		return cutOff(f)
	}
	if whole {
		return one(certainty, "T10", cloudfront.Documented,
			"The link still carries the parameters of an old signed URL. With any of them CloudFront ignores the cookies.",
			"Remove Expires, Policy, Signature, Key-Pair-Id and Hash-Algorithm from the link and let the cookies do the work.")
	}
	return one(certainty, "T9", cloudfront.Documented,
		"The query has a parameter that CloudFront keeps for itself (Expires, Policy, Signature, Key-Pair-Id or Hash-Algorithm), so it takes the request for a signed URL and ignores the cookies.",
		"Give your own parameter another name.")
}

// cutOff explains a signed URL that lacks some of its parameters.
func cutOff(f cloudfront.Facts) []Cause {
	missing := "Key-Pair-Id"
	if f.KeyPairID != "" {
		missing = "Policy or Expires"
	}
	return one(Likely, "T48", cloudfront.Assumed, "The URL is signed, but has no "+missing+": a part of it was lost on its way.",
		"Copy the whole link; in a shell put it in quotes, as & ends a command there.")
}

// strangeParameters finds what only looks like one of CloudFront's parameters.
func strangeParameters(p *problem) []Cause {
	if !p.failed(cloudfront.RuleQueryNames) {
		return nil
	}
	if plain := html.UnescapeString(p.URL); plain != p.URL {
		certainty := Likely
		if p.decide(plain, p.Cookies).Allowed {
			certainty = Proved
		}
		return one(certainty, "T48", cloudfront.Observed, "The URL has &amp; in the place of &: it was copied out of HTML or XML.", "Decode the link once before it is used.")
	}
	certainty := Likely
	if p.decide(withoutLookalikes(p.URL), p.Cookies).Allowed {
		certainty = Proved
	}
	return one(certainty, "T9", cloudfront.Assumed,
		"A query parameter looks like one of CloudFront's in another spelling, or one of CloudFront's comes twice. Nobody knows which reading counts, so it is refused here.",
		"Give your own parameter another name, and send each of CloudFront's once.")
}

// withoutLookalikes is the URL without all that resembles CloudFront's
// parameters.
func withoutLookalikes(address string) string {
	base, query, _ := strings.Cut(address, "?")
	kept := slices.DeleteFunc(strings.Split(query, "&"), func(pair string) bool {
		plain, err := url.PathUnescape(pair)
		return err != nil || slices.ContainsFunc(strings.Split(plain, ";"), func(part string) bool {
			name, _, _ := strings.Cut(part, "=")
			return slices.ContainsFunc(reserved, func(r string) bool { return strings.EqualFold(r, name) })
		})
	})
	if len(kept) == 0 {
		return base
	}
	return base + "?" + strings.Join(kept, "&")
}
