// Package clientip finds the address of the viewer behind a request: the other
// end of the connection, unless that is a proxy which the configuration trusts.
//
//	finder := clientip.New(proxies) // none means that nobody is trusted
//	addr := finder.Of(r)
//
// A trusted proxy is believed what it wrote into X-Forwarded-For, and nothing
// else: Forwarded, X-Real-IP and every other header that names an address are
// not read, as proxies pass on what viewers put there. Each proxy appends the
// address that it saw, so the list is read from its right end, as far as the
// entries are proxies that are trusted too; the first that is not is the
// viewer. What stands left of it anybody could have written.
package clientip

import (
	"net/http"
	"net/netip"
	"strings"
)

// What is read of X-Forwarded-For, from its right end. No chain of proxies is
// as long; a list that goes on beyond ends the walk like an entry that is no
// address.
const (
	maxEntries = 32
	maxEntry   = 64 // bytes; an IPv6 address with brackets, zone and port has less
)

// A Finder tells who sent a request. The nil and the zero Finder trust nobody.
// It is safe for concurrent use.
type Finder struct {
	trusted []netip.Prefix
}

// New returns a Finder that believes the proxies in trusted. IPv4 networks may
// be written as IPv6 (::ffff:10.0.0.0/104); a Prefix that is not valid, such as
// the zero value, contains nobody.
func New(trusted []netip.Prefix) *Finder {
	f := &Finder{}
	for _, p := range trusted {
		if p.Addr().Is4In6() && p.Bits() >= 96 {
			p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
		}
		f.trusted = append(f.trusted, p)
	}
	return f
}

// Of returns the address of the viewer who sent r, without port and zone, IPv4
// as IPv4. An entry of X-Forwarded-For that is no address ends the walk, and
// the last good address counts: the proxy's own. The result is the zero Addr,
// which is not valid, when the connection has no address, as with a Unix
// socket.
func (f *Finder) Of(r *http.Request) netip.Addr {
	addr := parse(r.RemoteAddr)
	if !f.trusts(addr) {
		return addr
	}
	list := newEntries(r.Header["X-Forwarded-For"])
	for range maxEntries {
		next := parse(list.last())
		if !next.IsValid() {
			return addr
		}
		addr = next
		if !f.trusts(addr) {
			return addr
		}
	}
	return addr
}

func (f *Finder) trusts(addr netip.Addr) bool {
	if f == nil {
		return false
	}
	for _, p := range f.trusted {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

// entries reads the lines of a header as the one list that they are together
// (RFC 9110, section 5.3), from its right end and without joining them.
type entries struct {
	line  string   // what is left of the last line
	lines []string // those before it
	open  bool     // line has entries left
}

func newEntries(lines []string) entries {
	if len(lines) == 0 {
		return entries{}
	}
	end := len(lines) - 1
	return entries{line: lines[end], lines: lines[:end], open: true}
}

// last takes the rightmost entry off the list. It returns "" where there is
// none, where it is empty and where it is too long for an address.
func (e *entries) last() string {
	if !e.open {
		*e = newEntries(e.lines)
	}
	tail := e.line[max(0, len(e.line)-maxEntry-1):]
	comma := strings.LastIndexByte(tail, ',')
	if comma < 0 && len(tail) > maxEntry {
		return ""
	}
	e.open = comma >= 0
	e.line = e.line[:len(e.line)-len(tail)+max(0, comma)]
	return strings.Trim(tail[comma+1:], " \t")
}

// parse reads an address with or without port, brackets and zone. What is not
// an address is the zero Addr.
func parse(s string) netip.Addr {
	if len(s) > maxEntry {
		return netip.Addr{}
	}
	if bare, ok := strings.CutPrefix(s, "["); ok {
		if bare, ok = strings.CutSuffix(bare, "]"); ok {
			addr, err := netip.ParseAddr(bare)
			if err != nil || !addr.Is6() {
				return netip.Addr{}
			}
			return plain(addr)
		}
		return parsePort(s)
	}
	if strings.Count(s, ":") == 1 {
		return parsePort(s)
	}
	addr, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Addr{}
	}
	return plain(addr)
}

func parsePort(s string) netip.Addr {
	both, err := netip.ParseAddrPort(s)
	if err != nil {
		return netip.Addr{}
	}
	return plain(both.Addr())
}

// plain gives an address the one form that networks and counters compare.
func plain(addr netip.Addr) netip.Addr { return addr.Unmap().WithZone("") }
