package edge

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/handstamp/handstamp/pkg/cloudfront"
)

// Parity holds the points about serving that AWS leaves open; those about
// deciding are cloudfront.Parity. The zero value is the strict reading of each.
type Parity struct {
	AllowPreflights     bool // OPTIONS needs no signature; the edge answers, never the origin
	OversizeStatus      int  // of a request beyond the limits; 0 means 413
	IgnoreUnsatisfiable bool // a range beyond the object gets 200 and all of it, from folders
	ForwardCredentials  bool // CloudFront-* cookies and Hash-Algorithm reach origins
}

type setting struct {
	cloudfront.Setting
	set func(p *Parity, value string)
}

var settings = []setting{
	{cloudfront.Setting{Name: "options_without_cookies", Values: []string{"deny", "pass"},
		Question: "a preflight (OPTIONS) without a signature at a restricted behavior; passed ones are answered by the edge, without bytes"},
		func(p *Parity, v string) { p.AllowPreflights = v == "pass" }},
	{cloudfront.Setting{Name: "oversize_status", Values: []string{"413", "414", "431", "494"},
		Question: "the status for a URL or headers beyond the limits"},
		func(p *Parity, v string) { p.OversizeStatus = status(v) }},
	{cloudfront.Setting{Name: "unsatisfiable_range", Values: []string{"416", "200"},
		Question: "one range that begins beyond the object: refused, or ignored"},
		func(p *Parity, v string) { p.IgnoreUnsatisfiable = v == "200" }},
	{cloudfront.Setting{Name: "forward_credentials", Values: []string{"strip", "forward"},
		Question: "whether Hash-Algorithm, and with cookie forwarding the CloudFront-* cookies, reach the origin"},
		func(p *Parity, v string) { p.ForwardCredentials = v == "forward" }},
}

// ParitySettings lists the settings that Set knows, in the form of those of
// cloudfront.ParitySettings. The first value of each is the default.
func ParitySettings() []cloudfront.Setting {
	var all []cloudfront.Setting
	for _, s := range settings {
		all = append(all, s.Setting)
	}
	return all
}

// status reads one of the values above, of which the default is the zero value.
func status(value string) int {
	n, _ := strconv.Atoi(value)
	if n == refusedSize.status {
		return 0
	}
	return n
}

// Set changes the setting called name.
func (p *Parity) Set(name, value string) error {
	i := slices.IndexFunc(settings, func(s setting) bool { return s.Name == name })
	if i < 0 {
		return fmt.Errorf("no parity setting %.40q of the edge", name)
	}
	if !slices.Contains(settings[i].Values, value) {
		return fmt.Errorf("parity %s: %.40q, want %s", name, value, strings.Join(settings[i].Values, " or "))
	}
	settings[i].set(p, value)
	return nil
}
