package config

import (
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strings"
)

func (c *checker) admin() {
	a := c.cfg.Admin
	c.adminHosts(a.Hosts)
	c.adminKeys(a.Keys)
	if a.Listen == "" {
		return
	}
	if len(a.Keys) == 0 {
		c.fail("admin.keys", "none, so nobody could get in; want at least one")
	}
	switch {
	case a.TLSCert != "" && a.TLSKey == "":
		c.fail("admin.tls_key", "missing, want the private key of admin.tls_cert")
	case a.TLSKey != "" && a.TLSCert == "":
		c.fail("admin.tls_cert", "missing, want the certificate of admin.tls_key")
	}
	if path, ok := strings.CutPrefix(a.Listen, "unix:"); ok {
		c.adminSocket(path)
		return
	}
	if fault := listenFault(a.Listen); fault != "" {
		c.fail("admin.listen", "%s", fault)
	}
	_, port, _ := net.SplitHostPort(a.Listen)
	if a.Listen == c.cfg.HTTP.Listen && port != "0" && c.good("http.listen") {
		c.fail("admin.listen", "%q is where the API listens, want an address of its own", a.Listen)
	}
	c.adminPublic(a)
}

// maxSocket keeps the path of a socket to what every system takes.
const maxSocket = 100

func (c *checker) adminSocket(path string) {
	switch {
	case !filepath.IsAbs(path):
		c.fail("admin.listen", "%s is not an absolute path, want one like unix:/run/handstamp/admin.sock", quote(path))
	case len(path) > maxSocket:
		c.fail("admin.listen", "the path of the socket has %d bytes, want at most %d", len(path), maxSocket)
	case c.cfg.Admin.TLSCert != "":
		c.fail("admin.tls_cert", "a socket has no TLS, want a host:port to listen on or no certificate")
	}
}

// adminPublic checks what an address needs that other machines reach.
func (c *checker) adminPublic(a Admin) {
	host, _, _ := net.SplitHostPort(a.Listen)
	here := loopback(host) && !strings.HasSuffix(host, ".localhost") // which a resolver may send anywhere
	if !c.good("admin.listen") || here {
		return
	}
	if a.TLSCert == "" && !bool(a.InsecurePublic) && c.good("admin.tls_cert", "admin.tls_key", "admin.insecure_public") {
		c.fail("admin.listen", "%q can be reached from other machines, want tls_cert and tls_key, an address of this machine or unix:/path (or insecure_public: on behind a proxy that speaks https)", a.Listen)
	}
	if !slices.ContainsFunc(a.Hosts, func(h string) bool { return !loopback(h) }) {
		c.fail("admin.hosts", "only this machine, but %q is for others too; want the names by which staff call it", a.Listen)
	}
	if a.TLSCert == "" && bool(a.InsecurePublic) && c.cfg.Production() && len(c.cfg.HTTP.TrustedProxies) == 0 {
		c.fail("admin.insecure_public", "plain http for other machines, but http.trusted_proxies has no proxy that could speak https in front; want tls_cert and tls_key in production")
	}
}

func (c *checker) adminHosts(hosts []string) {
	for i, h := range hosts {
		key := fmt.Sprintf("admin.hosts[%d]", i)
		if strings.ContainsAny(h, "/[]") || strings.Count(h, ":") == 1 {
			c.fail(key, "%s is not a host alone, want it without scheme, port or brackets", quote(h))
		} else if fault := hostFault(h); fault != "" {
			c.fail(key, "%s %s", quote(h), fault)
		}
	}
}

func (c *checker) adminKeys(keys []AdminKey) {
	ids, secrets := map[string]string{}, map[string]string{}
	for i, k := range keys {
		at := fmt.Sprintf("admin.keys[%d]", i)
		c.unique(ids, at+".id", k.ID)
		if s := c.secret(at+".key", k.Key, minAdminKey); s != "" {
			if before, ok := secrets[s]; ok {
				c.fail(at+".key", "the same secret as that of %s, want one for each", before)
			}
			secrets[s] = at
		}
		if len(k.Attractions) > 0 && slices.Contains(k.Scopes, "audit:read") {
			c.fail(at+".scopes", "audit:read is of all attractions, want a key that is not limited to some")
		}
		c.adminReach(at+".attractions", k.Attractions)
	}
}

// adminReach checks that there are the attractions that a key is for.
func (c *checker) adminReach(key string, wanted []string) {
	var ids []string
	for i, a := range c.cfg.Attractions {
		if !c.good(fmt.Sprintf("attractions[%d].id", i)) {
			return // it may be the one
		}
		ids = append(ids, a.ID)
	}
	for i, id := range wanted {
		if !slices.Contains(ids, id) && c.good("attractions") {
			c.fail(fmt.Sprintf("%s[%d]", key, i), "no attraction has the id %s%s", quote(id), didYouMean(id, ids))
		}
	}
}
