package edge

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/handstamp/handstamp/pkg/byterange"
	"github.com/handstamp/handstamp/pkg/cloudfront"
)

const cookiePrefix = "CloudFront-"

// withoutSigning returns a query without CloudFront's parameters, everything
// else as it stood. Only "&" separates. Hash-Algorithm may stay.
func withoutSigning(query string, keepHash bool) string {
	if query == "" {
		return ""
	}
	var own []string
	signing := false
	for pair := range strings.SplitSeq(query, "&") {
		if name := pairName(pair); signingName(name) && !(keepHash && name == hashName) {
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

// hashName is the parameter that AWS does not list among those it strips.
const hashName = "Hash-Algorithm"

func pairName(pair string) string {
	name, _, _ := strings.Cut(pair, "=")
	return name
}

// signingName reports whether a parameter is one of CloudFront's, which are
// called like its cookies.
func signingName(name string) bool {
	for _, cookie := range cloudfront.CookieNames {
		if name == cookie[len(cookiePrefix):] {
			return true
		}
	}
	return false
}

// originHeader returns the headers of r as an origin may see them. It copies
// only if one has to change. Credentials go on with the other cookies or not.
func originHeader(r *http.Request, forwardCookies, credentials bool) http.Header {
	h := r.Header
	_, hasCookie := h["Cookie"]
	_, hasUpgrade := h["Upgrade"]
	dropRange := len(h["Range"]) > 0 && (r.Method != "GET" || byterange.Wanted(h["Range"], byterange.UnknownSize) == "")
	if !hasCookie && !hasUpgrade && !dropRange {
		return h
	}
	h = maps.Clone(h)
	if dropRange {
		delete(h, "Range")
	}
	delete(h, "Upgrade")
	delete(h, "Cookie")
	if own := ownCookies(r.Header["Cookie"], credentials); forwardCookies && own != "" {
		h["Cookie"] = []string{own}
	}
	return h
}

// ownCookies returns what is left of Cookie headers without CloudFront's, or
// with them.
func ownCookies(headers []string, credentials bool) string {
	var own []string
	for _, header := range headers {
		for pair := range strings.SplitSeq(header, ";") {
			pair = strings.Trim(pair, " \t")
			if pair != "" && (credentials || !slices.Contains(cloudfront.CookieNames[:], pairName(pair))) {
				own = append(own, pair)
			}
		}
	}
	return strings.Join(own, "; ")
}
