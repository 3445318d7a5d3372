package objects

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/handstamp/handstamp/pkg/gate"
)

// Who may read or write, beside the roles of API tokens.
const (
	Visitor  = "visitor"  // viewers with a living admission whose placeholders fit
	Owner    = "owner"    // whose the file is, by the file index
	Everyone = "everyone" // to read only
)

// A Rule opens an area of the bucket: all keys of one shape. A key that has the
// shape of no rule is closed, and two rules that could be about the same key are
// an error: what a rule says of a key is all that there is to know.
type Rule struct {
	// Area names the rule, for uploads and lists: a slug.
	Area string
	// Keys is the shape: literal segments, placeholders, and a last "*" that is
	// one segment or more: "photos/{ticket}/*", "staff/*". The placeholders are
	// {admission}, {device}, {ticket} and {attraction}: a viewer has those of its
	// living admissions, somebody with a role has all. Without one of them
	// "visitor" means everybody with a ticket, whatever it is for.
	Keys string
	// Read and Write say who may: "visitor", for viewers with a living admission
	// whose placeholders fit; "owner", for whom the file index says that the file
	// is theirs, as long as their admission lives, and for {attraction} is open;
	// "everyone", to read; or a role of an API token. Empty means nobody.
	//
	// Who may write may upload and remove. An "owner" may upload where a visitor
	// might, and remove nothing but what is its own.
	Read, Write []string
	// Types are the content types that may be uploaded; "image/*" is all images
	// but image/svg+xml, which is a document with scripts and must be named.
	Types []string
	// MaxSize is of an upload, in bytes, at most 5 GiB; 0 means DefaultMaxSize.
	MaxSize int64
	// Public allows an upload to be asked for as public.
	Public bool
}

// An area is a rule that was checked.
type area struct {
	Rule
	shape shape
}

// newAreas checks rules, and returns all that is wrong with them.
func newAreas(rules []Rule, opts *Options) ([]area, error) {
	var areas []area
	var problems []error
	for _, r := range rules {
		a, err := newArea(r, opts)
		if err != nil {
			problems = append(problems, fmt.Errorf("rule %q: %w", r.Area, err))
		}
		for _, other := range areas {
			if other.Area == a.Area {
				problems = append(problems, fmt.Errorf("rule %q: there are two of this name", a.Area))
			}
			if a.shape != nil && other.shape != nil && a.shape.overlaps(other.shape) {
				problems = append(problems, fmt.Errorf("rule %q: a key can be in %q and in %q of rule %q, want one rule for it",
					a.Area, a.Keys, other.Keys, other.Area))
			}
		}
		areas = append(areas, a)
	}
	return areas, errors.Join(problems...)
}

func newArea(r Rule, opts *Options) (area, error) {
	a := area{Rule: r}
	a.Read, a.Write, a.Types = slices.Clone(r.Read), slices.Clone(r.Write), slices.Clone(r.Types)
	a.MaxSize = cmp.Or(r.MaxSize, DefaultMaxSize)
	problems := []error{gate.CheckSlug(r.Area), checkWho(r.Read), checkWho(r.Write)}
	var err error
	if a.shape, err = parseShape(r.Keys); err != nil {
		problems = append(problems, fmt.Errorf("keys: %w", err))
	}
	if a.shape.has(placeTicket) && opts.Identify == nil {
		problems = append(problems, fmt.Errorf("keys: %q has %s, but tickets have no names, see Options.Identify", r.Keys, placeTicket))
	}
	if slices.Contains(r.Write, Everyone) {
		problems = append(problems, errors.New(`write: "everyone" could fill the bucket, want "visitor", "owner" or a role`))
	}
	for _, t := range r.Types {
		if !typePattern.MatchString(t) {
			problems = append(problems, fmt.Errorf(`types: %q, want a content type in lower case like "image/jpeg" or "image/*"`, t))
		}
	}
	if r.MaxSize < 0 || r.MaxSize > largest {
		problems = append(problems, fmt.Errorf("max size: %d bytes, want 1 to %d, or 0 for %d", r.MaxSize, int64(largest), DefaultMaxSize))
	}
	if slices.Contains(slices.Concat(r.Read, r.Write), Visitor) && !a.shape.named() {
		opts.Log.Warn("any ticket opens this area", "area", r.Area, "keys", r.Keys)
	}
	return a, errors.Join(problems...)
}

func checkWho(who []string) error {
	var problems []error
	for _, w := range who {
		if err := gate.CheckSlug(w); err != nil {
			problems = append(problems, fmt.Errorf("%q can be nobody: %w", w, err))
		}
	}
	return errors.Join(problems...)
}
