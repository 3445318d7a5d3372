package config

import (
	"cmp"
	"fmt"
	"regexp"
	"time"
	_ "time/tzdata" // so that zones are known where the system has no list
)

// A Source is one place that confirms tickets.
type Source struct {
	ID    string `mapstructure:"id" required:"true" slug:"true" doc:"name of the source, for attractions to refer to: lower-case letters, digits and hyphens"`
	Kind  string `mapstructure:"kind" default:"roll" enum:"roll,issued,web,pretix,octo,jwt,totp" doc:"roll: a list of tickets in a CSV file; issued: tickets that handstamp issued or imported itself, in the book; web, pretix, octo, jwt, totp: see docs/sources"`
	Match string `mapstructure:"match" default:"" doc:"regular expression (RE2) that a whole ticket code must match for this source to be asked; empty matches every code"`
	File  string `mapstructure:"file" default:"" path:"true" doc:"CSV file of a roll; it needs this or settings"`
	Terms Terms  `mapstructure:"terms"`

	Settings string        `mapstructure:"settings" default:"" path:"true" doc:"YAML file with the settings of a web, pretix, octo, jwt or totp, or of a roll that is fetched, as docs/sources has them"`
	Rate     int           `mapstructure:"rate" default:"0" min:"0" max:"100000" doc:"questions a second that a web, pretix or octo is asked at most; visitors wait in line for their turn; 0 is no limit"`
	Timeout  time.Duration `mapstructure:"timeout" default:"3s" min:"100ms" max:"30s" doc:"how long a web, pretix or octo has for an answer"`
}

// Remote reports whether the source asks somebody else at each new ticket.
func (s Source) Remote() bool { return s.Kind == "web" || s.Kind == "pretix" || s.Kind == "octo" }

// Pattern returns the expression that a whole ticket code must match, and nil
// when every code does. The error is nil for a Source that Load returned.
func (s Source) Pattern() (*regexp.Regexp, error) {
	if s.Match == "" {
		return nil, nil
	}
	// Alone first: "a)|(b" would slip out of the anchors.
	if _, err := regexp.Compile(s.Match); err != nil {
		return nil, err
	}
	return regexp.Compile(`\A(?:` + s.Match + `)\z`)
}

// An Attraction is a place to visit and its part of the media.
type Attraction struct {
	ID       string    `mapstructure:"id" required:"true" slug:"true" doc:"name of the attraction in the API: lower-case letters, digits and hyphens"`
	Name     string    `mapstructure:"name" default:"" doc:"name for people; empty is the id"`
	Prefix   string    `mapstructure:"prefix" default:"" doc:"path of its media under the media host: slugs joined by /; empty is the id; none may equal or lie inside another"`
	Timezone string    `mapstructure:"timezone" required:"true" doc:"IANA time zone that its days and opening hours are in, like Europe/Madrid"`
	Opening  Opening   `mapstructure:"opening"`
	Packages []Package `mapstructure:"packages" doc:"the parts that a ticket can buy"`
	Free     []string  `mapstructure:"free" default:"" slug:"true" doc:"path segments under the prefix that need no ticket; empty is none"`
	Sources  []string  `mapstructure:"sources" required:"true" doc:"ids of the sources that may confirm its tickets; at least one"`
	Content  string    `mapstructure:"content" default:"" path:"true" doc:"catalogue of its media, a YAML file; empty is none"`

	VenueNetworks []string `mapstructure:"venue_networks" default:"" doc:"networks (CIDR) by which visitors on its own Wi-Fi reach the API, mostly one address for them all, so that the throttle bears more there; empty is none"`
}

// Location returns the time zone of a. The error is nil for an Attraction that
// Load returned.
func (a Attraction) Location() (*time.Location, error) {
	if a.Timezone == "" || a.Timezone == "Local" {
		return nil, fmt.Errorf("%q is not an IANA time zone", a.Timezone)
	}
	return time.LoadLocation(a.Timezone)
}

// A Package is a part of an attraction that a ticket can buy: the path segment
// ID under the attraction's prefix.
type Package struct {
	ID    string `mapstructure:"id" required:"true" slug:"true" doc:"path segment under the prefix: lower-case letters, digits and hyphens, not free"`
	Name  string `mapstructure:"name" default:"" doc:"name for people; empty is the id"`
	Seats int    `mapstructure:"seats" default:"0" min:"0" max:"1000" doc:"devices of a ticket that buys it, when its source does not say; 0 is admission.devices"`
}

// fill sets what follows from other keys.
func (c *Config) fill() {
	for i := range c.Attractions {
		a := &c.Attractions[i]
		a.Name = cmp.Or(a.Name, a.ID)
		a.Prefix = cmp.Or(a.Prefix, a.ID)
		for j := range a.Packages {
			a.Packages[j].Name = cmp.Or(a.Packages[j].Name, a.Packages[j].ID)
		}
	}
}
