package objects

import (
	"slices"
	"time"

	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/gate"
)

// A party is a Holder at one moment: what it may is decided by nothing else.
type party struct {
	visits []visit
	token  string
	roles  []string
}

// A visit is a living admission as rules see it.
type visit struct {
	places                      // without attraction
	until  time.Time            // when the last entitlement that is open now ends
	open   map[string]time.Time // the same by attraction
	owners []string             // that the visit is, in the file index; the most lasting first
}

func (d *Desk) party(h Holder, now time.Time) *party {
	p := &party{}
	if h.Token != "" {
		p.token, p.roles = h.Token, h.Roles
	}
	for _, a := range h.Admissions {
		if v, ok := d.visit(a, now); ok {
			p.visits = append(p.visits, v)
		}
	}
	return p
}

// visit reports whether an admission lives: it is active, and something that it
// entitles to is open now.
func (d *Desk) visit(a *gate.Admission, now time.Time) (visit, bool) {
	if a == nil || a.State != gate.StateActive || !now.Before(a.Ends) {
		return visit{}, false
	}
	v := visit{places: places{admission: a.ID, device: a.Device}, open: map[string]time.Time{}}
	if d.opts.Identify != nil {
		v.ticket = d.opts.Identify(a.Ticket)
	}
	for _, e := range a.Entitlements {
		if now.Before(e.From) || !now.Before(e.Until) {
			continue
		}
		end := earlier(a.Ends, e.Until)
		v.open[e.Attraction] = later(v.open[e.Attraction], end)
		v.until = later(v.until, end)
	}
	v.owners = v.identities()
	return v, len(v.open) > 0
}

// ends returns when the visit is over, at an attraction or, if that is empty, at
// all of them. It reports false where it is not open.
func (v *visit) ends(attraction string) (time.Time, bool) {
	if attraction == "" {
		return v.until, true
	}
	end, ok := v.open[attraction]
	return end, ok
}

// fits reports whether every placeholder is the visit's own.
func (v *visit) fits(p places) bool {
	return (p.admission == "" || p.admission == v.admission) &&
		(p.device == "" || p.device == v.device) &&
		(p.ticket == "" || p.ticket == v.ticket)
}

func (v *visit) identities() []string {
	var all []string
	for _, id := range []struct{ kind, placeholder, name string }{
		{ownerTicket, placeTicket, v.ticket}, {ownerAdmission, placeAdmission, v.admission}, {ownerDevice, placeDevice, v.device},
	} {
		if isName(id.placeholder, id.name) {
			all = append(all, id.kind+id.name)
		}
	}
	return all
}

// may returns until when somebody of who is in the party, for a file in the
// index or nil and the placeholders of its key; zero is without end. It reports
// false if nobody is.
func (p *party) may(who []string, values places, f *book.File) (until time.Time, ok bool) {
	if slices.Contains(who, Everyone) || p.plays(who) {
		return time.Time{}, true
	}
	visitor, owner := slices.Contains(who, Visitor), slices.Contains(who, Owner)
	if owner && f != nil && p.token != "" && f.Owner == ownerToken+p.token {
		return time.Time{}, true
	}
	for i := range p.visits {
		v := &p.visits[i]
		end, open := v.ends(values.attraction)
		if open && (visitor && v.fits(values) || owner && f != nil && slices.Contains(v.owners, f.Owner)) {
			until, ok = later(until, end), true
		}
	}
	return until, ok
}

// plays reports whether the party has one of these roles. Nobody can have one of
// the words that are no role.
func (p *party) plays(who []string) bool {
	return slices.ContainsFunc(p.roles, func(role string) bool { return isRole(role) && slices.Contains(who, role) })
}

func isRole(s string) bool {
	return gate.CheckSlug(s) == nil && s != Visitor && s != Owner && s != Everyone
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
