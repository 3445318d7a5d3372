package config

import (
	"fmt"
	"net"
	"net/netip"
	"regexp"
)

func (c *checker) http() {
	h := c.cfg.HTTP
	if fault := listenFault(h.Listen); fault != "" {
		c.fail("http.listen", "%s", fault)
	}
	if fault := c.originFault(h.PublicURL, true); fault != "" {
		c.fail("http.public_url", "%s", fault)
	}
	for i, origin := range h.TrustedOrigins {
		if fault := c.originFault(origin, true); fault != "" {
			c.fail(fmt.Sprintf("http.trusted_origins[%d]", i), "%s", fault)
		}
	}
	for i, network := range h.TrustedProxies {
		if fault := networkFault(network, proxyRule); fault != "" {
			c.fail(fmt.Sprintf("http.trusted_proxies[%d]", i), "%s", fault)
		}
	}
}

const proxyRule = "everybody can make up an address; want the networks of your proxies"

func (c *checker) media() {
	if fault := c.originFault(c.cfg.Media.URL, false); fault != "" {
		c.fail("media.url", "%s", fault)
	}
}

var portNumber = regexp.MustCompile(`^(0|[1-9][0-9]{0,4})$`)

func listenFault(s string) string {
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		return fmt.Sprintf("%s is not host:port, want one like 127.0.0.1:8080, or :8080 for every interface", quote(s))
	}
	if n, _ := parseNumber(port); !portNumber.MatchString(port) || n > 65535 {
		return fmt.Sprintf("the port %s is not a number from 0 to 65535", quote(port))
	}
	if _, err := netip.ParseAddr(host); err != nil && host != "" && nameFault(host) != "" {
		return fmt.Sprintf("the host %s is neither an address nor a name", quote(host))
	}
	return ""
}

func (c *checker) admission() {
	longest, lifetime := c.cfg.Admission.Longest, c.cfg.Cookies.Lifetime
	c.wholeSeconds("admission.longest", longest)
	if longest < lifetime && c.good("admission.longest", "cookies.lifetime") {
		c.fail("admission.longest", "%s is shorter than cookies.lifetime (%s), want %[2]s to 8760h", short(longest), short(lifetime))
	}
}

var (
	keyPairID  = regexp.MustCompile(`^[A-Z0-9]{8,32}$`)
	secretName = regexp.MustCompile(`^secretsmanager:[\w/+=.@:-]{1,512}$`)
)

func (c *checker) keys() {
	if m := c.cfg.Keys.Manifest; m != "" && m != "folder" && !secretName.MatchString(m) {
		c.fail("keys.manifest", "%s is neither folder nor secretsmanager: with the name or ARN of a secret", quote(m))
	}
	if id := c.cfg.Keys.Active; !keyPairID.MatchString(id) {
		c.fail("keys.active", "%s is not a key pair ID, want 8 to 32 capital letters and digits, as CloudFront shows it", quote(id))
	}
}
