package admin

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/gate"
)

const (
	maxCount = 10_000 // tickets of one order
	maxSeats = 1_000  // as many devices as a book lists
	maxNote  = 500    // characters
)

var batchName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// An order is the body of POST /admin/v1/tickets.
type order struct {
	Attraction string     `json:"attraction"`
	Packages   []string   `json:"packages"`
	Seats      *int       `json:"seats"`
	ValidFrom  *time.Time `json:"valid_from"`
	ValidUntil *time.Time `json:"valid_until"`
	Count      *int       `json:"count"`
	Note       string     `json:"note"`
	Batch      *string    `json:"batch"`

	places func(id string) (*gate.Attraction, bool) // that whoever orders may order for
	now    time.Time
}

func (o *order) faults() []fault {
	all := append(o.products(), o.times()...)
	check := func(wrong bool, where, detail string) {
		if wrong {
			all = append(all, fault{where, detail})
		}
	}
	check(o.Seats != nil && (*o.Seats < 1 || *o.Seats > maxSeats), "seats", fmt.Sprintf("want 1 to %d, or nothing for the configured default", maxSeats))
	check(o.Count != nil && (*o.Count < 1 || *o.Count > maxCount), "count", fmt.Sprintf("want 1 to %d", maxCount))
	check(o.Batch != nil && !batchName.MatchString(*o.Batch), "batch", "want 1 to 64 of a-z, A-Z, 0-9 and ._-, a letter or digit first")
	check(utf8.RuneCountInString(o.Note) > maxNote, "note", fmt.Sprintf("want at most %d characters", maxNote))
	check(strings.ContainsFunc(o.Note, unprintable), "note", "want one line of text that can be seen")
	return all
}

// unprintable also finds what turns the direction of text around, so that a
// note reads as it was written.
func unprintable(r rune) bool { return r != ' ' && !unicode.IsPrint(r) }

// products are what is wrong with what is to be bought. An attraction outside
// of the key's is not known either.
func (o *order) products() (all []fault) {
	place, ok := o.places(o.Attraction)
	switch {
	case o.Attraction == "":
		return []fault{{"attraction", "is missing: the id of an attraction"}}
	case !ok:
		return []fault{{"attraction", "is not the id of an attraction that the key is for"}}
	}
	seen := map[string]bool{}
	for _, p := range o.Packages {
		if _, ok := place.Package(p); !ok {
			all = append(all, fault{"packages", "has one that the attraction does not have"})
		}
		if seen[p] {
			all = append(all, fault{"packages", "has one twice"})
		}
		seen[p] = true
	}
	if o.Packages != nil && len(o.Packages) == 0 {
		all = append(all, fault{"packages", "is empty; leave it out for everything"})
	}
	return slices.Compact(all)
}

func (o *order) times() (all []fault) {
	for where, t := range map[string]*time.Time{"valid_from": o.ValidFrom, "valid_until": o.ValidUntil} {
		if t != nil && (t.Nanosecond() != 0 || t.Unix() <= 0) {
			all = append(all, fault{where, "want whole seconds, after 1970"})
		}
	}
	if o.ValidUntil == nil {
		return all
	}
	if !o.ValidUntil.After(o.now) {
		all = append(all, fault{"valid_until", "is over already"})
	}
	if o.ValidFrom != nil && !o.ValidUntil.After(*o.ValidFrom) {
		all = append(all, fault{"valid_until", "is not after valid_from"})
	}
	return all
}

// count returns how many tickets are ordered.
func (o *order) count() int {
	if o.Count == nil {
		return 1
	}
	return *o.Count
}

// record returns what goes on record of each ticket, but for its id and code.
func (o *order) record(batch string) book.Record {
	r := book.Record{Note: o.Note, Batch: batch, Issued: o.now}
	if o.Seats != nil {
		r.Seats = *o.Seats
	}
	if o.ValidFrom != nil {
		r.ValidFrom = o.ValidFrom.UTC()
	}
	if o.ValidUntil != nil {
		r.ValidUntil = o.ValidUntil.UTC()
	}
	for _, p := range o.Packages {
		r.Products = append(r.Products, gate.Product{Attraction: o.Attraction, Package: p})
	}
	if len(r.Products) == 0 {
		r.Products = []gate.Product{{Attraction: o.Attraction}}
	}
	return r
}

// same reports whether a record is of an order like that of other.
func same(r, other *book.Record) bool {
	return slices.Equal(r.Products, other.Products) && r.Seats == other.Seats && r.ValidFrom.Equal(other.ValidFrom) &&
		r.ValidUntil.Equal(other.ValidUntil) && r.Note == other.Note && r.Batch == other.Batch
}
