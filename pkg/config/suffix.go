package config

import (
	"net/netip"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// deep are platforms where a customer has one label somewhere below, like
// abc123.execute-api.eu-west-1.amazonaws.com. The Public Suffix List names many
// of their suffixes; none of their domains is an operator's own.
var deep = []string{"amazonaws.com", "amazonaws.com.cn", "on.aws", "api.aws"}

// isPublicSuffix reports whether strangers share domain d, so that browsers
// drop a cookie for it (publicsuffix.org).
func isPublicSuffix(d string) bool {
	for _, platform := range deep {
		if covers(platform, d) {
			return true
		}
	}
	suffix, _ := publicsuffix.PublicSuffix(d)
	return suffix == d
}

// site returns what two origins must have in common for SameSite: the scheme
// and the registrable domain, or the address where there is none.
func site(origin string) string {
	scheme, _, _ := strings.Cut(origin, ":")
	host := hostOf(origin)
	if _, err := netip.ParseAddr(host); err == nil {
		return scheme + "://" + host
	}
	domain, err := publicsuffix.EffectiveTLDPlusOne(host)
	if err != nil {
		domain = host
	}
	return scheme + "://" + domain
}
