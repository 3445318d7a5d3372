package clientip_test

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/handstamp/handstamp/pkg/clientip"
)

// ours are the proxies that the tests trust.
var ours = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8"), netip.MustParsePrefix("fe80::/10")}

func request(peer string, forwarded ...string) *http.Request {
	return &http.Request{RemoteAddr: peer, Header: http.Header{"X-Forwarded-For": forwarded}}
}

func wantAddr(t *testing.T, f *clientip.Finder, r *http.Request, want string) {
	t.Helper()
	wantAddr := netip.Addr{}
	if want != "" {
		wantAddr = netip.MustParseAddr(want)
	}
	if got := f.Of(r); got != wantAddr {
		t.Errorf("Of(peer %q, X-Forwarded-For %.200q) = %v, want %v", r.RemoteAddr, r.Header["X-Forwarded-For"], got, wantAddr)
	}
}

func TestOf(t *testing.T) {
	long := strings.Repeat("203.0.113.9, ", 800) // 10 KiB
	tests := []struct {
		name, peer string
		forwarded  []string
		want       string
	}{
		{"no proxy", "192.0.2.1:4000", nil, "192.0.2.1"},
		{"stranger vouches for himself", "192.0.2.1:4000", []string{"127.0.0.1"}, "192.0.2.1"},
		{"stranger vouches for a proxy", "192.0.2.1:4000", []string{"10.0.0.1"}, "192.0.2.1"},
		{"proxy says nothing", "10.0.0.1:4000", nil, "10.0.0.1"},
		{"proxy says empty", "10.0.0.1:4000", []string{""}, "10.0.0.1"},
		{"proxy", "10.0.0.1:4000", []string{"192.0.2.1"}, "192.0.2.1"},
		{"spoof, real", "10.0.0.1:4000", []string{"127.0.0.1, 192.0.2.1"}, "192.0.2.1"},
		{"spoofed proxy, real", "10.0.0.1:4000", []string{"203.0.113.9, 10.9.9.9, 192.0.2.1"}, "192.0.2.1"},
		{"two proxies", "10.0.0.1:4000", []string{"203.0.113.9, 192.0.2.1, 10.0.0.2"}, "192.0.2.1"},
		{"lines", "10.0.0.1:4000", []string{"203.0.113.9", "192.0.2.1", "10.0.0.2", "10.0.0.3,10.0.0.4"}, "192.0.2.1"},
		{"lines and lists", "10.0.0.1:4000", []string{"203.0.113.9, 192.0.2.1", "10.0.0.2, 10.0.0.3"}, "192.0.2.1"},
		{"only proxies", "10.0.0.1:4000", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		{"spaces and tabs", "10.0.0.1:4000", []string{" \t192.0.2.1\t , 10.0.0.2 "}, "192.0.2.1"},
		{"IPv6", "[fd00::1]:4000", []string{"2001:db8::1"}, "2001:db8::1"},
		{"ports", "10.0.0.1:4000", []string{"192.0.2.1:55, 10.0.0.2:80"}, "192.0.2.1"},
		{"brackets", "10.0.0.1:4000", []string{"[2001:db8::1], [fd00::2]"}, "2001:db8::1"},
		{"brackets and port", "10.0.0.1:4000", []string{"[2001:db8::1]:55, [fd00::2]:80"}, "2001:db8::1"},
		{"zones", "[fe80::1%eth0]:4000", []string{"2001:db8::1%x, fe80::2%eth1"}, "2001:db8::1"},
		{"mapped", "[::ffff:10.0.0.1]:4000", []string{"::ffff:192.0.2.1, [::ffff:10.0.0.2]:80"}, "192.0.2.1"},
		{"mapped stranger", "[::ffff:192.0.2.1]:4000", []string{"127.0.0.1"}, "192.0.2.1"},
		{"peer without port", "10.0.0.1", []string{"192.0.2.1"}, "192.0.2.1"},
		{"Unix socket", "@", []string{"192.0.2.1"}, ""},
		{"no peer", "", []string{"192.0.2.1"}, ""},
		{"name for a peer", "localhost:80", []string{"192.0.2.1"}, ""},
		{"garbage", "10.0.0.1:4000", []string{"192.0.2.1, garbage"}, "10.0.0.1"},
		{"garbage further in", "10.0.0.1:4000", []string{"192.0.2.1, garbage, 10.0.0.2"}, "10.0.0.2"},
		{"empty entry", "10.0.0.1:4000", []string{"192.0.2.1,"}, "10.0.0.1"},
		{"empty line", "10.0.0.1:4000", []string{"192.0.2.1", ""}, "10.0.0.1"},
		{"leading zero", "10.0.0.1:4000", []string{"192.0.2.01"}, "10.0.0.1"},
		{"port too big", "10.0.0.1:4000", []string{"192.0.2.1:65536"}, "10.0.0.1"},
		{"port missing", "10.0.0.1:4000", []string{"192.0.2.1:"}, "10.0.0.1"},
		{"open bracket", "10.0.0.1:4000", []string{"[2001:db8::1"}, "10.0.0.1"},
		{"bracketed IPv4", "10.0.0.1:4000", []string{"[192.0.2.1]"}, "10.0.0.1"},
		{"bracketed IPv4 and port", "10.0.0.1:4000", []string{"[192.0.2.1]:80"}, "10.0.0.1"},
		{"bracketed nothing", "10.0.0.1:4000", []string{"[]"}, "10.0.0.1"},
		{"unknown", "10.0.0.1:4000", []string{"unknown"}, "10.0.0.1"},
		{"quoted, as in Forwarded", "10.0.0.1:4000", []string{`for="192.0.2.1"`}, "10.0.0.1"},
		{"10 KiB of spoofs", "10.0.0.1:4000", []string{long + "192.0.2.1"}, "192.0.2.1"},
		{"10 KiB in one entry", "10.0.0.1:4000", []string{strings.Repeat("1", 10<<10)}, "10.0.0.1"},
		{"10 KiB of spaces", "10.0.0.1:4000", []string{"192.0.2.1" + strings.Repeat(" ", 10<<10)}, "10.0.0.1"},
		{"spaces before", "10.0.0.1:4000", []string{strings.Repeat(" ", 60) + "192.0.2.1"}, "10.0.0.1"},
		{"longest chain", "10.0.0.1:4000", []string{"192.0.2.1" + strings.Repeat(", 10.0.0.2", 31)}, "192.0.2.1"},
		{"chain too long", "10.0.0.1:4000", []string{"192.0.2.1" + strings.Repeat(", 10.0.0.2", 32)}, "10.0.0.2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			wantAddr(t, clientip.New(ours), request(tt.peer, tt.forwarded...), tt.want)
		})
	}
}

func TestOfTrustsNobody(t *testing.T) {
	var zero clientip.Finder
	for _, f := range []*clientip.Finder{clientip.New(nil), clientip.New([]netip.Prefix{}), clientip.New([]netip.Prefix{{}}), &zero, nil} {
		wantAddr(t, f, request("127.0.0.1:4000", "192.0.2.1"), "127.0.0.1")
		wantAddr(t, f, request("", "192.0.2.1"), "")
	}
}

func TestOfReadsNoOtherHeader(t *testing.T) {
	r := request("10.0.0.1:4000")
	for _, name := range []string{"Forwarded", "X_Forwarded_For", "X-Real-Ip", "X-Forwarded", "X-Client-Ip", "True-Client-Ip", "Cf-Connecting-Ip", "X-Original-Forwarded-For"} {
		r.Header.Set(name, "for=192.0.2.1")
		r.Header.Add(name, "192.0.2.1")
	}
	wantAddr(t, clientip.New(ours), r, "10.0.0.1")
	r.Header.Set("Connection", "X-Forwarded-For") // takes nothing away either
	r.Header.Set("X-Forwarded-For", "192.0.2.7")
	wantAddr(t, clientip.New(ours), r, "192.0.2.7")
}

func TestNewNormalises(t *testing.T) {
	mapped := clientip.New([]netip.Prefix{netip.MustParsePrefix("::ffff:10.1.2.3/104")})
	wantAddr(t, mapped, request("10.0.0.1:4000", "192.0.2.1"), "192.0.2.1")
	list := slices.Clone(ours)
	f := clientip.New(list)
	list[0] = netip.MustParsePrefix("192.0.2.0/24")
	wantAddr(t, f, request("10.0.0.1:4000", "192.0.2.1"), "192.0.2.1")
}

func TestOfLeavesHeaderAlone(t *testing.T) {
	r := request("10.0.0.1:4000", "203.0.113.9", "192.0.2.1, 10.0.0.3", "10.0.0.2")
	before := r.Header.Clone()
	clientip.New(ours).Of(r)
	if !slices.Equal(r.Header["X-Forwarded-For"], before["X-Forwarded-For"]) {
		t.Errorf("Of changed the header to %q, want %q", r.Header["X-Forwarded-For"], before["X-Forwarded-For"])
	}
}

func TestOfAllocates(t *testing.T) {
	f := clientip.New(ours)
	for _, r := range []*http.Request{request("192.0.2.1:4000", "127.0.0.1"), request("10.0.0.1:4000", "203.0.113.9, 192.0.2.1", "10.0.0.2")} {
		if n := testing.AllocsPerRun(100, func() { f.Of(r) }); n != 0 {
			t.Errorf("Of(peer %q) allocates %v times, want 0", r.RemoteAddr, n)
		}
	}
}

// The address is the peer's, or one that stands in the list right of every
// entry that a trusted proxy did not write.
func FuzzOf(f *testing.F) {
	f.Add("10.0.0.1:4000", "127.0.0.1, 192.0.2.1", "10.0.0.2")
	f.Add("[fe80::1%eth0]:1", "[2001:db8::1%x]:80", ",,garbage\x00")
	f.Add("192.0.2.1:1", "", strings.Repeat(",", 10<<10))
	finder := clientip.New(ours)
	f.Fuzz(func(t *testing.T, peer, one, two string) {
		got := finder.Of(request(peer, one, two))
		if got.Zone() != "" || got.Is4In6() {
			t.Errorf("Of(%q, %q, %q) = %v, want it plain", peer, one, two, got)
		}
		self := clientip.New(nil).Of(request(peer))
		if got != reference(self, one+","+two) {
			t.Errorf("Of(%q, %q, %q) = %v, want %v", peer, one, two, got, reference(self, one+","+two))
		}
	})
}

// reference is the walk in its plainest words.
func reference(addr netip.Addr, list string) netip.Addr {
	trusted := func(a netip.Addr) bool {
		return slices.ContainsFunc(ours, func(p netip.Prefix) bool { return p.Contains(a) })
	}
	all := strings.Split(list, ",")
	slices.Reverse(all)
	for _, entry := range all[:min(len(all), 32)] {
		next := clientip.New(nil).Of(request(strings.Trim(entry, " \t")))
		if !trusted(addr) || len(entry) > 64 || !next.IsValid() {
			return addr
		}
		addr = next
	}
	return addr
}

func BenchmarkOf(b *testing.B) {
	f := clientip.New(ours)
	for name, r := range map[string]*http.Request{"stranger": request("192.0.2.1:4000", "127.0.0.1"), "proxied": request("10.0.0.1:4000", "203.0.113.9, 192.0.2.1", "10.0.0.2")} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				f.Of(r)
			}
		})
	}
}
