package edge

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/handstamp/handstamp/pkg/cloudfront"
)

const cookiePrefix = "CloudFront-"

// withoutSigning returns a query without CloudFront's parameters, everything
// else as it stood. Only "&" separates.
func withoutSigning(query string) string {
	if query == "" {
		return ""
	}
	var own []string
	signing := false
	for pair := range strings.SplitSeq(query, "&") {
		if signingPair(pair) {
			signing = true
			continue
		}
		own = append(own, pair)
	}
	if !signing {
		return query
	}
	return strings.Join(own, "&")
}

// signingPair reports whether a pair is one of CloudFront's, whose parameters
// are called like its cookies.
func signingPair(pair string) bool {
	name, _, _ := strings.Cut(pair, "=")
	for _, cookie := range cloudfront.CookieNames {
		if name == cookie[len(cookiePrefix):] {
			return true
		}
	}
	return false
}

// originHeader returns the headers of r as an origin may see them. It copies
// only if one has to change.
func originHeader(r *http.Request, forwardCookies bool) http.Header {
	h := r.Header
	_, hasCookie := h["Cookie"]
	_, hasUpgrade := h["Upgrade"]
	dropRange := len(h["Range"]) > 0 && (r.Method != "GET" || wantedRange(h["Range"], unknownSize) == "")
	if !hasCookie && !hasUpgrade && !dropRange {
		return h
	}
	h = maps.Clone(h)
	if dropRange {
		delete(h, "Range")
	}
	delete(h, "Upgrade")
	delete(h, "Cookie")
	if own := ownCookies(r.Header["Cookie"]); forwardCookies && own != "" {
		h["Cookie"] = []string{own}
	}
	return h
}

// ownCookies returns what is left of Cookie headers without CloudFront's.
func ownCookies(headers []string) string {
	var own []string
	for _, header := range headers {
		for pair := range strings.SplitSeq(header, ";") {
			pair = strings.Trim(pair, " \t")
			name, _, _ := strings.Cut(pair, "=")
			if pair != "" && !slices.Contains(cloudfront.CookieNames[:], name) {
				own = append(own, pair)
			}
		}
	}
	return strings.Join(own, "; ")
}
