package config

import (
	"fmt"
	"slices"
	"strings"
)

func (c *checker) sources() {
	ids := map[string]string{}
	for i, s := range c.cfg.Sources {
		key := fmt.Sprintf("sources[%d]", i)
		c.unique(ids, key+".id", s.ID)
		c.kind(key, s)
		if _, err := s.Pattern(); err != nil {
			c.fail(key+".match", "not a regular expression: %s", err)
		}
	}
}

// kind checks what belongs to one kind of source.
func (c *checker) kind(key string, s Source) {
	switch {
	case s.Kind == "roll" && s.File == "" && s.Settings == "":
		c.fail(key+".file", "missing, want the CSV file of the roll, or settings with its URL")
	case s.Kind == "roll" && s.File != "" && s.Settings != "":
		c.fail(key+".settings", "the roll has a file, too; want one of the two")
	case s.Kind != "roll" && s.Kind != "issued" && s.Settings == "" && c.good(key+".kind"):
		c.fail(key+".settings", "missing, want the YAML file with the settings of the %s", s.Kind)
	case s.Kind == "issued" && s.Settings != "":
		c.fail(key+".settings", "a source of kind issued has none")
	case s.Kind == "totp" && !c.cfg.Book.Lasting() && c.good("book.kind"):
		c.fail(key+".kind", "passes are in the book, want book.kind: sqlite or dynamodb")
	case s.Kind == "issued" && bool(s.Terms.SlotOnly):
		c.fail(key+".terms.slot_only", "on, but issued tickets have no slot, so nobody could get in; want off")
	case s.Kind != "roll" && s.File != "" && c.good(key+".kind"):
		c.fail(key+".file", "it belongs to kind roll; a source of kind %s has none", s.Kind)
	case s.Kind == "issued" && !c.cfg.Book.Lasting() && c.good("book.kind"):
		c.fail(key+".kind", "issued tickets need a book that lasts, want book.kind: sqlite or dynamodb")
	}
}

// unique notes a problem with key when an earlier one has the same id.
func (c *checker) unique(seen map[string]string, key, id string) {
	if before, ok := seen[id]; ok && id != "" {
		c.fail(key, "%s is already the id of %s", quote(id), before)
		return
	}
	seen[id] = strings.TrimSuffix(key, ".id")
}

func (c *checker) attractions() {
	ids := map[string]string{}
	for i, a := range c.cfg.Attractions {
		key := fmt.Sprintf("attractions[%d]", i)
		c.unique(ids, key+".id", a.ID)
		c.prefix(key, a)
		if _, err := a.Location(); err != nil {
			c.fail(key+".timezone", "%s is not an IANA time zone, want one like Europe/Madrid", quote(a.Timezone))
		}
		c.opening(key+".opening", a)
		c.packages(key, a)
		c.venueNetworks(key+".venue_networks", a)
		c.confirmed(key, a)
	}
	c.nesting()
}

// confirmed checks that there are the sources that a names.
func (c *checker) confirmed(key string, a Attraction) {
	var ids []string
	for i, s := range c.cfg.Sources {
		if !c.good(fmt.Sprintf("sources[%d].id", i)) {
			return // it may be the one
		}
		ids = append(ids, s.ID)
	}
	for j, id := range a.Sources {
		if !slices.Contains(ids, id) && c.good("sources") {
			c.fail(fmt.Sprintf("%s.sources[%d]", key, j), "no source has the id %s%s", quote(id), didYouMean(id, ids))
		}
	}
}

func (c *checker) venueNetworks(key string, a Attraction) {
	for j, s := range a.VenueNetworks {
		if fault := networkFault(s, "anybody could guess as often; want the networks of the venue"); fault != "" {
			c.fail(fmt.Sprintf("%s[%d]", key, j), "%s", fault)
		}
	}
}

// packages checks that what is paid for and what is free stay apart.
func (c *checker) packages(key string, a Attraction) {
	ids := map[string]string{}
	for j, p := range a.Packages {
		at := fmt.Sprintf("%s.packages[%d].id", key, j)
		c.unique(ids, at, p.ID)
		if p.ID == "free" {
			c.fail(at, "\"free\" is what needs no ticket, want another id for something to buy")
			delete(ids, p.ID)
		}
	}
	for j, segment := range a.Free {
		if _, ok := ids[segment]; ok {
			c.fail(fmt.Sprintf("%s.free[%d]", key, j), "%s is a package, so it is not free", quote(segment))
		}
	}
}

// reserved are the paths that the gateway itself answers.
var reserved = []string{"v1", "admin", "app", "healthz", "readyz", "metrics", "docs", "explain"}

// maxPrefix keeps a prefix with a package below the 1,024 bytes up to which
// browsers heed the Path of a cookie; a longer one would silently widen it.
const maxPrefix = 255

// prefix checks the prefix of a alone.
func (c *checker) prefix(at string, a Attraction) {
	key := at + ".prefix"
	if a.Prefix == a.ID && !c.good(at+".id") {
		return // the id is the problem
	}
	segments := strings.Split(a.Prefix, "/")
	for _, segment := range segments {
		if !slugged.MatchString(segment) {
			c.fail(key, "%s is not slugs joined by /, want each to have %s, and no / at the ends", quote(a.Prefix), slugRule)
		}
	}
	if len(a.Prefix) > maxPrefix {
		c.fail(key, "%s has %d characters, want at most %d", quote(a.Prefix), len(a.Prefix), maxPrefix)
	}
	if slices.Contains(reserved, segments[0]) {
		c.fail(key, "%q is answered by the gateway itself, want another prefix than %s", segments[0], oneOf(reserved))
	}
}

// nesting checks that no attraction's cookies open another one.
func (c *checker) nesting() {
	for i, a := range c.cfg.Attractions {
		key := fmt.Sprintf("attractions[%d].prefix", i)
		for j, b := range c.cfg.Attractions[:i] {
			inner, outer := a.Prefix, b.Prefix
			if len(inner) < len(outer) {
				inner, outer = outer, inner
			}
			if inner != outer && !strings.HasPrefix(inner, outer+"/") {
				continue
			}
			if !c.good(fmt.Sprintf("attractions[%d].id", i), fmt.Sprintf("attractions[%d].prefix", j)) {
				continue
			}
			if inner == outer {
				c.fail(key, "%q is also the prefix of %q, so cookies for one would open the other", a.Prefix, b.ID)
			} else {
				c.fail(key, "%q and the prefix %q of %q lie inside each other, so cookies for %q would open %q", a.Prefix, b.Prefix, b.ID, outer, inner)
			}
		}
	}
}
