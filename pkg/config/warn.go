package config

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// look warns of what is allowed but seldom meant. It comes last, and says
// nothing of values that have a problem.
func (c *checker) look() {
	c.unused()
	c.reach()
	c.forgetful()
	c.wide()
	c.crowd()
	c.haste()
	c.naps()
	c.venues()
}

// unused warns of sources that nobody asks.
func (c *checker) unused() {
	for i, s := range c.cfg.Sources {
		used := func(a Attraction) bool { return slices.Contains(a.Sources, s.ID) }
		if !slices.ContainsFunc(c.cfg.Attractions, used) && c.good("attractions") {
			c.warn(fmt.Sprintf("sources[%d]", i), "no attraction uses the source %q", s.ID)
		}
	}
}

// maxStamps is how many prefixes one ticket can open in every browser: each has
// up to 4 cookies, the session is one more, and browsers keep at least 50 for a
// domain (RFC 6265, section 6.1).
const maxStamps = 12

// reach warns of tickets that may open more prefixes than browsers have room
// for.
func (c *checker) reach() {
	for i, s := range c.cfg.Sources {
		stamps := 0
		for _, a := range c.cfg.Attractions {
			if slices.Contains(a.Sources, s.ID) {
				stamps += max(1, len(a.Packages))
			}
		}
		if stamps > maxStamps {
			c.warn(fmt.Sprintf("sources[%d]", i), "its tickets can open up to %d prefixes, and with more than %d in one ticket browsers may drop cookies: each has up to 4, and 50 for a domain are sure (RFC 6265, section 6.1)", stamps, maxStamps)
		}
	}
}

// forgetful warns of a memory book where visitors come from outside.
func (c *checker) forgetful() {
	if c.cfg.Book.Kind == "memory" && c.good("book.kind", "http.public_url") && !loopback(hostOf(c.cfg.HTTP.PublicURL)) {
		c.warn("book.kind", "memory forgets every admission and revocation when handstamp stops; sqlite keeps them")
	}
}

// wide warns of a domain that takes in more hosts than it must: each of them
// gets the cookies, and can set its own in their place.
func (c *checker) wide() {
	const key = "cookies.domain"
	d := c.cfg.Cookies.Domain
	if d == "" || !c.good(key, "http.public_url", "media.url") {
		return
	}
	api, media := hostOf(c.cfg.HTTP.PublicURL), hostOf(c.cfg.Media.URL)
	switch least := narrowest(api, media); {
	case api == media:
		c.warn(key, "every host below %q gets the cookies, and %q is the only one that needs them; empty keeps them there", d, api)
	case least != d:
		c.warn(key, "every host below %q gets the cookies, %q is enough", d, least)
	}
}

// crowd warns of visitors who all seem to have the address of one proxy.
func (c *checker) crowd() {
	h := c.cfg.HTTP
	if bool(c.cfg.Throttle.Enabled) && strings.HasPrefix(h.PublicURL, "https://") && len(h.TrustedProxies) == 0 && c.good("http.public_url", "http.trusted_proxies") {
		c.warn("http.trusted_proxies", "empty, so all visitors have the address of whatever speaks https in front, and those who guess use up what the throttle grants to everybody")
	}
}

// haste warns of refusals whose time says whether the code exists.
func (c *checker) haste() {
	if t := c.cfg.Throttle; bool(t.Enabled) && t.Floor == 0 && c.good("throttle.enabled", "throttle.floor") {
		c.warn("throttle.floor", "0s, so how long a refusal takes may say whether the code exists")
	}
}

// naps warns when a seat can be lost before the browser that has it renews,
// after two thirds of its cookies' life.
func (c *checker) naps() {
	idle, k := c.cfg.Admission.Idle, c.cfg.Cookies
	renewal := (k.Lifetime + k.Window) * 2 / 3
	if idle < renewal && c.good("admission.idle", "cookies.lifetime", "cookies.window") {
		c.warn("admission.idle", "%s is shorter than browsers take to renew (up to %s), so visitors who are here may lose their seats", short(idle), short(renewal))
	}
}

// venues warns of networks in which there is more than a venue.
func (c *checker) venues() {
	for i, a := range c.cfg.Attractions {
		for j, s := range a.VenueNetworks {
			key := fmt.Sprintf("attractions[%d].venue_networks[%d]", i, j)
			if p, err := netip.ParsePrefix(s); err == nil && c.good(key) && broad(p) {
				c.warn(key, "%s is bigger than any venue, and whoever is in it may guess more often", p)
			}
		}
	}
}
