package config

import (
	"fmt"
	"net/netip"
)

// Venues returns the networks of all attractions' own visitors, each once. The
// error is nil for a Config that Load returned.
func (c *Config) Venues() ([]netip.Prefix, error) {
	var all []netip.Prefix
	seen := map[netip.Prefix]bool{}
	for _, a := range c.Attractions {
		for _, s := range a.VenueNetworks {
			p, err := netip.ParsePrefix(s)
			if err != nil {
				return nil, err
			}
			if !seen[p] {
				seen[p] = true
				all = append(all, p)
			}
		}
	}
	return all, nil
}

// networkFault says what is wrong with s as a network; everybody says why it
// may not be the whole Internet.
func networkFault(s, everybody string) string {
	if addr, err := netip.ParseAddr(s); err == nil {
		return fmt.Sprintf("%q is an address, want a network, like %s/%d for this address alone", s, s, addr.BitLen())
	}
	p, err := netip.ParsePrefix(s)
	switch {
	case err != nil:
		return fmt.Sprintf("%s is not a network, want one like 10.0.0.0/8", quote(s))
	case p.Addr().Is4In6():
		return fmt.Sprintf("%q is IPv4 written as IPv6, want it as IPv4", s)
	case p.Bits() == 0:
		return fmt.Sprintf("%q is everybody, and %s", s, everybody)
	case p != p.Masked():
		return fmt.Sprintf("%q has bits set after the first %d, want %q", s, p.Bits(), p.Masked())
	}
	return ""
}

// broad reports whether p has more addresses than one venue has, and they are
// not such that nobody else can have them.
func broad(p netip.Prefix) bool {
	least := 16
	if p.Addr().Is6() {
		least = 48
	}
	return p.Bits() < least && !p.Addr().IsPrivate()
}
