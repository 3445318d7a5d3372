package gate

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// An Entitlement is a package that somebody may open, and when.
type Entitlement struct {
	Attraction string    `json:"attraction"`
	Package    string    `json:"package,omitempty"` // empty means the whole attraction
	From       time.Time `json:"from,omitzero"`     // zero means always
	Until      time.Time `json:"until"`             // exclusive
}

// Merge returns have with the packages of next put in, or in place of their
// older selves: a pass shown at the second attraction keeps the first open. The
// result is a new list, in order of attraction and package, with times in UTC.
func Merge(have, next []Entitlement) []Entitlement {
	merged := slices.DeleteFunc(slices.Clone(have), func(old Entitlement) bool {
		return slices.ContainsFunc(next, func(e Entitlement) bool {
			return e.Attraction == old.Attraction && e.Package == old.Package
		})
	})
	for _, e := range next {
		e.From, e.Until = e.From.UTC(), e.Until.UTC()
		merged = append(merged, e)
	}
	slices.SortFunc(merged, func(a, b Entitlement) int {
		return cmp.Or(cmp.Compare(a.Attraction, b.Attraction), cmp.Compare(a.Package, b.Package))
	})
	return merged
}

// Rules turn tickets into entitlements: a pure function of ticket,
// configuration and clock.
type Rules struct {
	Attractions []*Attraction
	Longest     time.Duration // longest visit; 0 means DefaultLongest
}

// DefaultLongest is the longest visit when nothing else is configured.
const DefaultLongest = 24 * time.Hour

// Attraction returns the attraction named id.
func (r *Rules) Attraction(id string) (*Attraction, bool) {
	i := slices.IndexFunc(r.Attractions, func(a *Attraction) bool { return a.ID == id })
	if i < 0 {
		return nil, false
	}
	return r.Attractions[i], true
}

// Entitle returns what t opens at the time now, limited to one attraction
// unless where is empty. It denies a ticket that is out of its time, belongs
// elsewhere, buys nothing that is configured, or comes while every attraction
// that it is for is closed.
func (r *Rules) Entitle(t *Ticket, where string, now time.Time) ([]Entitlement, error) {
	v := t.validity(r.longest())
	if err := within(Interval{From: v.ahead(v.From), Until: v.Until}, now); err != nil {
		return nil, proven(err, t.Proven)
	}
	var all []Entitlement
	var refused error
	for _, p := range t.Buys {
		a, ok := r.Attraction(p.Attraction)
		if !ok || where != "" && a.ID != where {
			continue
		}
		w, err := Window(a.Calendar, v, now, t.FirstUse)
		if err != nil {
			refused = cmp.Or(refused, proven(err, t.Proven)) // another attraction may be open
			continue
		}
		for _, pkg := range bought(a, p.Package) {
			e := Entitlement{Attraction: a.ID, Package: pkg, From: w.From, Until: w.Until}
			if !slices.Contains(all, e) {
				all = append(all, e)
			}
		}
	}
	switch {
	case len(all) > 0:
		return all, nil
	case refused != nil:
		return nil, refused
	}
	return nil, r.nothing(t, where)
}

// bought returns the ids of a's packages that a product names.
func bought(a *Attraction, pkg string) []string {
	if len(a.Packages) == 0 {
		return []string{""}
	}
	var ids []string
	for _, p := range a.Packages {
		if pkg == "" || pkg == p.ID {
			ids = append(ids, p.ID)
		}
	}
	return ids
}

// seats returns the largest number of devices that a package sets which t buys,
// here or elsewhere, or 0 if none does.
func (r *Rules) seats(t *Ticket) (most int) {
	for _, p := range t.Buys {
		a, ok := r.Attraction(p.Attraction)
		if !ok {
			continue
		}
		for _, id := range bought(a, p.Package) {
			pkg, _ := a.Package(id)
			most = max(most, pkg.Seats)
		}
	}
	return most
}

// nothing says why t opens nothing.
func (r *Rules) nothing(t *Ticket, where string) error {
	elsewhere := slices.ContainsFunc(t.Buys, func(p Product) bool { return where != "" && p.Attraction != where })
	if elsewhere {
		return &Denial{Reason: ReasonWrongAttraction, Proven: t.Proven, Err: fmt.Errorf("shown at %q", where)}
	}
	return &Denial{Reason: ReasonNotIncluded, Proven: t.Proven, Err: fmt.Errorf("source %q names no configured package", t.Source)}
}

func (r *Rules) longest() time.Duration {
	if r.Longest > 0 {
		return r.Longest
	}
	return DefaultLongest
}
