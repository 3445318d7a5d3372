package outbound_test

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/handstamp/handstamp/pkg/ticket/outbound"
	"github.com/handstamp/handstamp/pkg/ticket/tickettest/boxoffice"
)

func TestPublic(t *testing.T) {
	for text, want := range map[string]bool{
		"93.184.216.34": true, "2600:1f18::1": true, "::ffff:93.184.216.34": true, "64:ff9b::5db8:d822": true,
		"0.0.0.0": false, "10.0.0.1": false, "100.64.0.1": false, "127.0.0.1": false, "127.255.255.255": false,
		"169.254.169.254": false, "172.16.0.1": false, "172.31.255.255": false, "172.32.0.1": true, "192.168.1.1": false,
		"192.0.0.170": false, "198.18.0.1": false, "224.0.0.1": false, "255.255.255.255": false, "240.0.0.1": false,
		"::": false, "::1": false, "fe80::1%eth0": false, "fc00::1": false, "fd00:ec2::254": false, "ff02::1": false,
		"::ffff:10.0.0.1": false, "::ffff:127.0.0.1": false, "::ffff:169.254.169.254": false, "::10.0.0.1": false,
		"64:ff9b::a00:1": false, "64:ff9b::a9fe:a9fe": false, "64:ff9b:1::1": false, "2002:a00:1::1": false, "2001:0:a00:1::": false, "2001:db8::1": false,
	} {
		if got := outbound.Public(netip.MustParseAddr(text)); got != want {
			t.Errorf("Public(%s) = %v, want %v", text, got, want)
		}
	}
	if outbound.Public(netip.Addr{}) {
		t.Error("Public(no address) = true")
	}
}

// TestAddresses: no spelling of a private address in a URL is dialled.
func TestAddresses(t *testing.T) {
	c := client(t, outbound.Options{})
	for _, host := range []string{
		"127.0.0.1", "[::1]", "169.254.169.254", "[fd00:ec2::254]", "0.0.0.0", "[::ffff:10.0.0.1]", "[::ffff:a00:1]", "[::]", "10.1.2.3", "192.168.0.1:8443",
	} {
		for _, scheme := range []string{"https://", "http://"} {
			if _, err := get(t, c, scheme+host+"/"); !errors.Is(err, outbound.ErrAddress) {
				t.Errorf("Do(%s%s) = %v, want ErrAddress", scheme, host, err)
			}
		}
	}
}

// TestPlain: http can be read on the way, so it needs an exception even where
// https does not. Nothing is dialled.
func TestPlain(t *testing.T) {
	if _, err := get(t, near(t, outbound.Options{}), "http://93.184.216.34/"); !errors.Is(err, outbound.ErrAddress) {
		t.Errorf("Do(http, a public address) = %v, want ErrAddress", err)
	}
}

// TestAllow: an exception is for its own network, in either spelling.
func TestAllow(t *testing.T) {
	office := boxoffice.New(t, boxoffice.JSON(200, `{}`))
	for text, want := range map[string]error{
		"127.0.0.1/32": nil, "::ffff:127.0.0.0/104": nil, "127.0.0.2/32": outbound.ErrAddress, "10.0.0.0/8": outbound.ErrAddress, "::1/128": outbound.ErrAddress,
	} {
		_, err := get(t, client(t, outbound.Options{Allow: []netip.Prefix{netip.MustParsePrefix(text)}}), office.URL)
		if !errors.Is(err, want) || (err == nil) != (want == nil) {
			t.Errorf("Do with allow %s = %v, want %v", text, err, want)
		}
	}
}

// TestRebinding: a name that was public when somebody looked, and is private
// when it is dialled: what counts is the address that is dialled.
func TestRebinding(t *testing.T) {
	for _, private := range []string{"127.0.0.1", "169.254.169.254", "10.0.0.7"} {
		asked := &atomic.Int32{}
		c := client(t, outbound.Options{Resolver: resolver(t, asked, private)})
		_, err := get(t, c, "https://tickets.example.org/")
		if !errors.Is(err, outbound.ErrAddress) || asked.Load() == 0 { // a proxy would have looked it up
			t.Errorf("Do with a name at %s = %v after %d look-ups, want ErrAddress", private, err, asked.Load())
		}
	}
}

// TestNoName: a name that is not there is no address that may not be asked.
func TestNoName(t *testing.T) {
	_, err := get(t, client(t, outbound.Options{Resolver: resolver(t, &atomic.Int32{}, "")}), "https://nowhere.example.org/")
	if !errors.Is(err, outbound.ErrName) || strings.Contains(err.Error(), "127.0.0.1") {
		t.Errorf("Do = %v, want ErrName", err)
	}
}

// resolver returns one that finds every name at an IPv4 address.
func resolver(t *testing.T, asked *atomic.Int32, address string) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { _ = conn.Close(); <-done })
	go func() {
		defer close(done)
		buffer := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(buffer)
			if err != nil {
				return
			}
			asked.Add(1)
			_, _ = conn.WriteTo(dnsAnswer(buffer[:n], address), from)
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

// dnsAnswer answers a question of type A (RFC 1035, section 4.1) with address,
// and others with nothing; without an address the name does not exist.
func dnsAnswer(query []byte, address string) []byte {
	end := 12
	for query[end] != 0 {
		end += int(query[end]) + 1
	}
	end += 5
	reply := append([]byte{}, query[:end]...)
	reply[2], reply[3] = 0x81, 0x80
	copy(reply[6:12], make([]byte, 6))
	if address == "" {
		reply[3] |= 3
		return reply
	}
	if binary.BigEndian.Uint16(query[end-4:]) != 1 {
		return reply
	}
	reply[7] = 1
	reply = append(reply, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4)
	ip := netip.MustParseAddr(address).As4()
	return append(reply, ip[:]...)
}
