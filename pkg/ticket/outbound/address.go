package outbound

import (
	"fmt"
	"net/netip"
	"slices"
	"syscall"
)

// special are the networks that no public server is in, or that stand for other
// networks: IANA's special-purpose address registries, multicast and 6to4. What
// is left of IPv6 outside of global is refused as well.
var special = prefixes(
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
	"192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24",
	"192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
	"224.0.0.0/4", "240.0.0.0/4",
	"2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20",
)

var (
	global = netip.MustParsePrefix("2000::/3")     // all of IPv6 that is given out for public use
	nat64  = netip.MustParsePrefix("64:ff9b::/96") // RFC 6052: the last four bytes are an IPv4 address
)

func prefixes(texts ...string) (list []netip.Prefix) {
	for _, text := range texts {
		list = append(list, netip.MustParsePrefix(text))
	}
	return list
}

// Public reports whether a is the address of a public server.
func Public(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	if nat64.Contains(a) {
		b := a.As16()
		a = netip.AddrFrom4([4]byte(b[12:]))
	}
	if !a.IsValid() || a.Is6() && !global.Contains(a) {
		return false
	}
	return !within(special, a)
}

func within(list []netip.Prefix, a netip.Addr) bool {
	return slices.ContainsFunc(list, func(p netip.Prefix) bool { return p.Contains(a) })
}

// plainest returns list with IPv4 networks that are written as IPv6 in their
// own form.
func plainest(list []netip.Prefix) (plain []netip.Prefix) {
	for _, p := range list {
		if p.Addr().Is4In6() && p.Bits() >= 96 {
			p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
		}
		plain = append(plain, p.Masked())
	}
	return plain
}

// A guard decides about addresses when they are dialled.
type guard struct {
	allow []netip.Prefix
	only  bool // nothing but allow: what is sent can be read on the way
}

// control is a net.Dialer.Control.
func (g guard) control(network, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil || network != "tcp4" && network != "tcp6" {
		return fmt.Errorf("%w: %s %q", ErrAddress, network, address)
	}
	a := to.Addr().Unmap().WithZone("")
	switch {
	case within(g.allow, a):
		return nil
	case g.only:
		return fmt.Errorf("%w: plain http to %s, which is not allowed by name", ErrAddress, a)
	case !Public(a):
		return fmt.Errorf("%w: %s is not public and not allowed by name", ErrAddress, a)
	}
	return nil
}
