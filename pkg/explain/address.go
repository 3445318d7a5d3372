package explain

import (
	"fmt"
	"net/netip"

	"github.com/handstamp/handstamp/pkg/cloudfront"
)

const fixAddress = "Leave IpAddress out; a short lifetime protects better. If you need it, turn IPv6 off on the distribution."

// address looks at IpAddress.
func address(p *problem) []Cause {
	if !p.failed(cloudfront.RuleAddress) {
		return nil
	}
	network := p.facts.Network
	switch ip := p.IP.Unmap(); {
	case internal(network):
		return one(Proved, "T34", cloudfront.Documented, fmt.Sprintf("The policy is for %s, an address that is never seen on the internet: the issuer took that of a proxy or of the local network for the viewer's.", network),
			"Take the viewer's address from what a trusted proxy vouches for, or leave IpAddress out.")
	case !ip.IsValid():
		return one(Possible, "T34", cloudfront.Documented, fmt.Sprintf("The policy is for viewers from %s only, and the viewer's address was not given.", network), "Give it (--ip ADDR). "+fixAddress)
	case ip.Is6():
		return one(Proved, "T34", cloudfront.Documented, fmt.Sprintf("The viewer comes by IPv6 (%s), which never matches the policy's %s.", ip, network), fixAddress)
	default:
		return one(Proved, "T34", cloudfront.Documented, fmt.Sprintf("The viewer comes from %s, outside of the policy's %s: a change between Wi-Fi and mobile, a VPN or a carrier's shared addresses.", ip, network), fixAddress)
	}
}

// internal reports whether a network is one of those that no viewer of
// CloudFront's can have: private, shared (RFC 6598), loopback or link-local.
func internal(n netip.Prefix) bool {
	a := n.Addr()
	shared := netip.MustParsePrefix("100.64.0.0/10")
	return n.Bits() >= 8 && (a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() || shared.Contains(a))
}
