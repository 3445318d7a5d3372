package booktest

import (
	"errors"
	"slices"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
)

// A notebook is what a book must say, kept in the simplest way: lists that are
// searched from end to end. It is told the IDs that the book chose.
type notebook struct {
	revoked  map[gate.Fingerprint]bool
	firstUse map[gate.Fingerprint]time.Time
	visits   []*noteVisit
	devices  []*noteDevice
	requests []noteRequest // the last one with a key counts
	swaps    []noteSwap
}

type noteVisit struct {
	gate.Admission
	places, lost []string // attractions that it ever had, and that were revoked
	followed     bool     // by another visit with the ticket
}

// Where a device sits.
const (
	sits = "sits"
	left = "left"
	out  = "revoked"
)

type noteDevice struct {
	id      string
	visit   *noteVisit
	where   string
	session gate.SessionHash
	before  []noteSpent // rotated away, the last one last
	rotated time.Time   // the last time; zero after the ticket was shown
	seen    time.Time
}

type noteSpent struct {
	session gate.SessionHash
	at      time.Time
}

type noteRequest struct {
	gate.Idempotency
	ticket gate.Fingerprint
	device *noteDevice
	at     time.Time
}

type noteSwap struct {
	ticket gate.Fingerprint
	at     time.Time
}

func newNotebook() *notebook {
	return &notebook{revoked: map[gate.Fingerprint]bool{}, firstUse: map[gate.Fingerprint]time.Time{}}
}

func (v *noteVisit) over(at time.Time) bool { return v.State == gate.StateEnded || !at.Before(v.Ends) }

func (n *notebook) sitting(v *noteVisit) (list []*noteDevice) {
	for _, d := range n.devices {
		if d.visit == v && d.where == sits {
			list = append(list, d)
		}
	}
	return list
}

// answer is what a device is told.
func (n *notebook) answer(d *noteDevice) *gate.Admission {
	a := d.visit.Admission
	a.FirstUse, a.Taken, a.Device, a.Held = n.firstUse[a.Ticket], len(n.sitting(d.visit)), d.id, d.session
	return &a
}

// enter returns the device that gets in. If it has no id, it is new; if its
// visit has none, that is new as well.
func (n *notebook) enter(e gate.Entry) (*noteDevice, error) {
	if d, err := n.again(e); d != nil || err != nil {
		return d, err
	}
	v, err := n.visit(e)
	if err != nil {
		return nil, err
	}
	d := n.seat(v, e)
	if d == nil {
		return nil, gate.Deny(gate.ReasonSeatsTaken, nil)
	}
	if !slices.Contains(n.visits, v) {
		n.open(v, e)
	}
	v.Seats, v.Source, v.Ref = e.Seats, e.Source, e.Ref
	if e.At.After(v.VerdictAt) {
		v.VerdictAt = e.At
	}
	for _, en := range e.Entitlements {
		v.lost = slices.DeleteFunc(v.lost, func(id string) bool { return id == en.Attraction })
		v.Entitlements = slices.DeleteFunc(slices.Clone(v.Entitlements), func(had gate.Entitlement) bool {
			return had.Attraction == en.Attraction && had.Package == en.Package
		})
	}
	v.entitle(append(v.Entitlements, e.Entitlements...))
	if e.Request.Key != [32]byte{} {
		n.requests = append(n.requests, noteRequest{e.Request, e.Ticket, d, e.At})
	}
	return d, nil
}

// again returns the device that a request was answered for, if it comes again.
func (n *notebook) again(e gate.Entry) (*noteDevice, error) {
	if e.Request.Key == [32]byte{} {
		return nil, nil
	}
	for _, r := range slices.Backward(n.requests) {
		if r.Key != e.Request.Key || r.ticket != e.Ticket {
			continue
		}
		switch v := r.device.visit; {
		case !e.At.Before(r.at.Add(24 * time.Hour)):
			return nil, nil
		case r.Body != e.Request.Body:
			return nil, gate.ErrOtherRequest
		case v.over(e.At) || r.device.where == left && v.State != gate.StateRevoked:
			return nil, nil
		case v.State == gate.StateRevoked || r.device.where == out:
			return nil, gate.Deny(gate.ReasonRevoked, nil)
		}
		return r.device, nil
	}
	return nil, nil
}

// visit returns the ticket's visit, or one that has still to be opened.
func (n *notebook) visit(e gate.Entry) (*noteVisit, error) {
	if n.revoked[e.Ticket] {
		return nil, gate.Deny(gate.ReasonRevoked, nil)
	}
	for _, v := range slices.Backward(n.visits) {
		if v.Ticket != e.Ticket {
			continue
		}
		if v.State == gate.StateRevoked && e.At.Before(v.Ends) {
			return nil, gate.Deny(gate.ReasonRevoked, nil)
		}
		if v.State == gate.StateActive && !v.over(e.At) {
			return v, nil
		}
		break
	}
	return &noteVisit{Admission: gate.Admission{Ticket: e.Ticket, State: gate.StateActive, Begins: e.At, Ends: e.Ends}}, nil
}

// open puts a visit down, after the ticket's others have ended.
func (n *notebook) open(v *noteVisit, e gate.Entry) {
	for _, old := range n.visits {
		if old.Ticket == v.Ticket {
			n.end(old)
			old.followed = true
		}
	}
	n.visits = append(n.visits, v)
	if _, ok := n.firstUse[v.Ticket]; !ok {
		n.firstUse[v.Ticket] = e.FirstUse
		if e.FirstUse.IsZero() {
			n.firstUse[v.Ticket] = e.At
		}
	}
}

func (n *notebook) end(v *noteVisit) {
	for _, d := range n.sitting(v) {
		d.where = left
	}
	if v.State == gate.StateActive {
		v.State = gate.StateEnded
	}
}

func (v *noteVisit) entitle(all []gate.Entitlement) {
	slices.SortFunc(all, func(a, b gate.Entitlement) int {
		if a.Attraction+"/"+a.Package < b.Attraction+"/"+b.Package {
			return -1
		}
		return 1
	})
	v.Entitlements = all
	for _, e := range all {
		v.places = append(v.places, e.Attraction)
	}
}

// seat returns the device with its seat, or nil if there is none.
func (n *notebook) seat(v *noteVisit, e gate.Entry) *noteDevice {
	for _, d := range n.sitting(v) {
		if e.Previous != (gate.SessionHash{}) && d.has(e.Previous, e.At, 30*time.Second) {
			d.session, d.rotated = e.Session, time.Time{}
			d.see(e.At)
			return d
		}
	}
	idle := n.sitting(v)
	slices.SortStableFunc(idle, func(a, b *noteDevice) int { return a.seen.Compare(b.seen) })
	swaps := 0
	for _, s := range n.swaps {
		if s.ticket == e.Ticket && e.At.Before(s.at.Add(24*time.Hour)) {
			swaps++
		}
	}
	free := max(0, len(idle)+1-e.Seats) // as many seats must become
	for i, d := range idle[:free] {
		if e.Idle <= 0 || !d.seen.Add(e.Idle).Before(e.At) || swaps+i >= e.Swaps {
			return nil
		}
	}
	for _, d := range idle[:free] {
		d.where = left
		n.swaps = append(n.swaps, noteSwap{e.Ticket, e.At})
	}
	d := &noteDevice{visit: v, where: sits, session: e.Session, seen: e.At}
	n.devices = append(n.devices, d)
	return d
}

func (d *noteDevice) see(at time.Time) {
	if at.After(d.seen) {
		d.seen = at
	}
}

// has reports whether a session is the device's, or was within grace.
func (d *noteDevice) has(s gate.SessionHash, at time.Time, grace time.Duration) bool {
	if d.session == s {
		return true
	}
	last := len(d.before) - 1
	return last >= 0 && d.before[last].session == s && !d.rotated.IsZero() &&
		!at.After(d.rotated.Add(grace)) && !at.Before(d.rotated.Add(-grace))
}

// young reports whether the device's session began by a rotation less than
// grace ago, or ahead.
func (d *noteDevice) young(at time.Time, grace time.Duration) bool {
	return !d.rotated.IsZero() && at.Before(d.rotated.Add(grace)) && at.After(d.rotated.Add(-grace))
}

// spent returns when a session was rotated away, the last time.
func (d *noteDevice) spent(s gate.SessionHash) (time.Time, bool) {
	for _, b := range slices.Backward(d.before) {
		if b.session == s {
			return b.at, true
		}
	}
	return time.Time{}, false
}

// errGone is a denial with ReasonNoSession or ReasonRevoked: a book may forget
// the devices of a visit that another one followed.
var errGone = errors.New("gone")

// alive returns the device of a session, if it sits in a visit that goes on.
func (n *notebook) alive(s gate.SessionHash, at time.Time) (*noteDevice, error) {
	for _, d := range n.devices {
		if _, spent := d.spent(s); d.session != s && !spent || d.where == left || d.visit.over(at) {
			continue
		}
		if d.visit.followed {
			return nil, errGone
		}
		if d.where == out || d.visit.State == gate.StateRevoked {
			return nil, gate.Deny(gate.ReasonRevoked, nil)
		}
		return d, nil
	}
	return nil, gate.Deny(gate.ReasonNoSession, nil)
}

func (n *notebook) find(s gate.SessionHash, at time.Time) (*noteDevice, error) {
	d, err := n.alive(s, at)
	if err == nil && !d.has(s, at, 30*time.Second) {
		return nil, gate.Deny(gate.ReasonNoSession, nil)
	}
	return d, err
}

func (n *notebook) renew(r gate.Renewal) (*noteDevice, error) {
	d, err := n.alive(r.Session, r.At)
	if err != nil {
		return nil, err
	}
	switch spent, _ := d.spent(r.Session); {
	case d.session == r.Session && d.young(r.At, r.Grace):
		d.see(r.At)
	case d.session == r.Session:
		d.before, d.session, d.rotated = append(d.before, noteSpent{r.Session, r.At}), r.Next, r.At
		d.see(r.At)
	case d.has(r.Session, r.At, r.Grace):
	case r.At.After(spent.Add(r.Grace)):
		d.where = out
		return nil, gate.Deny(gate.ReasonNoSession, nil)
	default: // too soon for a thief, or by a clock that was set back
		return nil, gate.Deny(gate.ReasonNoSession, nil)
	}
	if v := d.visit; r.Fresh != nil {
		v.VerdictAt = r.Fresh.At
		v.entitle(slices.DeleteFunc(slices.Clone(r.Fresh.Entitlements), func(e gate.Entitlement) bool {
			return slices.Contains(v.lost, e.Attraction)
		}))
	}
	return d, nil
}

func (n *notebook) leave(s gate.SessionHash, at time.Time) {
	for _, d := range n.devices { // also of a visit that is over or revoked
		if d.where == sits && d.has(s, at, 30*time.Second) {
			d.where = left
		}
	}
}

func (n *notebook) revoke(t gate.Target, at time.Time) (affected int, err error) {
	err = gate.ErrNoTarget
	if t.Kind == gate.TargetTicket {
		n.revoked[t.Ticket], err = true, nil
	}
	for _, v := range n.visits {
		switch {
		case t.Kind == gate.TargetTicket && v.Ticket == t.Ticket, t.Kind == gate.TargetAdmission && v.ID == t.ID:
			if err = nil; v.State == gate.StateActive {
				v.State = gate.StateRevoked
				affected += living(v, at)
			}
		case t.Kind == gate.TargetAttraction && slices.Contains(v.places, t.ID):
			err = nil
			affected += n.close(v, t.ID, at)
		}
	}
	for _, d := range n.devices {
		if t.Kind == gate.TargetDevice && d.id == t.ID {
			if err = nil; d.where == sits {
				d.where = out
				affected++
			}
		}
	}
	return affected, err
}

// close takes an attraction out of a visit that goes on.
func (n *notebook) close(v *noteVisit, id string, at time.Time) (affected int) {
	there := func(e gate.Entitlement) bool { return e.Attraction == id }
	if v.State != gate.StateActive || v.over(at) || !slices.ContainsFunc(v.Entitlements, there) {
		return 0
	}
	v.Entitlements = slices.DeleteFunc(slices.Clone(v.Entitlements), there)
	v.lost = append(v.lost, id)
	if len(v.Entitlements) == 0 {
		n.end(v)
	}
	return 1
}

func living(v *noteVisit, at time.Time) int {
	if v.Ends.After(at) {
		return 1
	}
	return 0
}
