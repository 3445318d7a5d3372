package gate

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// An Attraction is one place that visitors have tickets for: a museum, a zoo,
// a castle. Its content lives under Prefix on the media host.
type Attraction struct {
	ID       string         // slug, see CheckSlug
	Name     string         // shown to visitors
	Prefix   string         // path below the media host, slugs joined by "/", no outer slashes: "castle"
	Zone     *time.Location // where the attraction is; nil means UTC
	Packages []Package      // what tickets can buy; none means the whole prefix is one purchase
	Free     []string       // path segments below Prefix that need no ticket
	Calendar *Calendar      // when it is open; nil means always
	Sources  []string       // ids of the ticket sources that sell for it, in the order to ask
}

// A Package is a part of an attraction's content that a ticket can buy. Its ID
// is the path segment under the attraction's prefix.
type Package struct {
	ID    string // slug
	Name  string // shown to visitors
	Seats int    // devices at a time per ticket that buys it; 0 means the default. Of several packages the largest counts.
}

// Package returns the package named id.
func (a *Attraction) Package(id string) (Package, bool) {
	i := slices.IndexFunc(a.Packages, func(p Package) bool { return p.ID == id })
	if i < 0 {
		return Package{}, false
	}
	return a.Packages[i], true
}

// PathOf returns the path prefix that a grant for one package opens, without
// outer slashes. The empty package stands for an attraction without packages.
func (a *Attraction) PathOf(pkg string) string {
	if pkg == "" {
		return a.Prefix
	}
	return a.Prefix + "/" + pkg
}

// ErrSlug is returned for an id that could change the meaning of a path or a policy.
var ErrSlug = errors.New("not a slug")

// CheckSlug returns nil if s may name an attraction or a package: 1 to 63
// lower-case letters, digits and inner hyphens. Nothing else gets into a path
// or a policy, where "*" and "?" are wildcards and "/" and "%" change the path.
func CheckSlug(s string) error {
	if len(s) == 0 || len(s) > 63 || s[0] == '-' || s[len(s)-1] == '-' {
		return slugError(s)
	}
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return slugError(s)
		}
	}
	return nil
}

func slugError(s string) error {
	if len(s) > 80 {
		s = s[:80] + "..."
	}
	return fmt.Errorf("%w: %q, want 1 to 63 of a-z, 0-9 and inner hyphens", ErrSlug, s)
}
