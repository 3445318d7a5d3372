package config

import (
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
)

// originFault says what is wrong with text as scheme://host[:port], and
// nothing when it is sound. Unless anyPort, a port is only for this machine.
func (c *checker) originFault(text string, anyPort bool) string {
	if strings.Contains(text, "@") {
		return "the URL has a user name or password, want only scheme and host" // not quoted: it may be a secret
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Sprintf("%s is not scheme://host, want one like https://media.example.org", quote(text))
	}
	for _, fault := range []string{shapeFault(u, text), hostFault(u.Hostname()), c.placeFault(u), portFault(u, anyPort)} {
		if fault != "" {
			return quote(text) + " " + fault
		}
	}
	return ""
}

// shapeFault refuses everything around scheme and host.
func shapeFault(u *url.URL, text string) string {
	switch {
	case strings.Contains(text, "*"):
		return "has a wildcard, want one host"
	case u.RawQuery != "" || u.ForceQuery:
		return "has a query, want only scheme and host"
	case u.Path == "/":
		return "ends with a slash, want only scheme and host"
	case u.Path != "":
		return "has a path, want only scheme and host"
	case strings.Contains(text, "#"):
		return "has a fragment, want only scheme and host"
	case text != strings.ToLower(text):
		return "has capital letters, want lower case"
	}
	return ""
}

// placeFault refuses plain http and addresses where viewers come from outside.
func (c *checker) placeFault(u *url.URL) string {
	here := loopback(u.Hostname())
	switch _, err := netip.ParseAddr(u.Hostname()); {
	case here && c.cfg.Production():
		return "is only this machine, want the name that viewers use in production"
	case here:
		return ""
	case err == nil:
		return "is an address, want a host name"
	case u.Scheme == "http" && c.cfg.Production():
		return "is plain http, want https in production"
	case u.Scheme == "http":
		return "is plain http, want https (http is for this machine in development)"
	}
	return ""
}

func portFault(u *url.URL, anyPort bool) string {
	port := u.Port()
	n, _ := parseNumber(port)
	switch {
	case strings.HasSuffix(u.Host, ":"):
		return "ends with a colon, want a port after it or none"
	case port == "":
		return ""
	case !portNumber.MatchString(port) || n < 1 || n > 65535:
		return "has a bad port, want 1 to 65535"
	case u.Scheme == "http" && n == 80, u.Scheme == "https" && n == 443:
		return "names the port that its scheme has anyway, want it left out, as browsers do"
	case !anyPort && !loopback(u.Hostname()):
		return "has a port, which CloudFront does not have"
	}
	return ""
}

// hostFault refuses what is neither an address nor a plain name.
func hostFault(host string) string {
	if addr, err := netip.ParseAddr(host); err == nil {
		if addr.Zone() != "" || addr.Is4In6() || addr.String() != host {
			return "has an unusual address, want it in its shortest form"
		}
		return ""
	}
	return nameFault(host)
}

var (
	hostLabel = regexp.MustCompile(`^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$`)
	numeric   = regexp.MustCompile(`^(?:[0-9]+|0x[0-9a-f]*)$`)
)

// nameFault says what is wrong with host as a name in lower case.
func nameFault(host string) string {
	if strings.HasSuffix(host, ".") {
		return "has a host that ends with a dot, want it without"
	}
	labels := strings.Split(host, ".")
	for _, label := range labels {
		if !hostLabel.MatchString(label) {
			return "has a host that is not a plain name (letters, digits, hyphens; international names as xn--)"
		}
	}
	if len(host) > 253 || numeric.MatchString(labels[len(labels)-1]) {
		return "has a host that is no name"
	}
	return ""
}

// loopback reports whether host is this machine.
func loopback(host string) bool {
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr.IsLoopback()
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// hostOf returns the host of a URL that was checked, without its port.
func hostOf(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	return u.Hostname()
}
