package admin

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"
)

// ErrListen is returned for an address at which the administration may not
// listen.
var ErrListen = errors.New("admin listener")

// CheckListen returns an error unless the administration may listen at an
// address: HOST:PORT, or "unix:" and the absolute path of a socket. A socket and
// a loopback address need nothing more. Every other address is public, and needs
// TLS, or insecurePublic where something in front of it has TLS. A host name is
// public whatever it resolves to, but for "localhost".
func CheckListen(address string, tls, insecurePublic bool) error {
	if path, ok := strings.CutPrefix(address, "unix:"); ok {
		if !filepath.IsAbs(path) {
			return fmt.Errorf("%w %q: want an absolute path after \"unix:\"", ErrListen, address)
		}
		return nil
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("%w %q: want HOST:PORT or unix:/PATH", ErrListen, address)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("%w %q: port %q, want 0 to 65535", ErrListen, address, port)
	}
	if loopback(host) || tls || insecurePublic {
		return nil
	}
	return fmt.Errorf("%w %q: a public address needs TLS, or insecure_public where a proxy in front has it", ErrListen, address)
}

func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}
