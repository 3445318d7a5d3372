package dynamodb

import (
	"maps"
	"slices"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
)

// How long things are kept: what belongs to a visit for a while after its end,
// requests for a day, over which swaps are counted too. Clocks may be set back,
// so what is counted over a day is kept for two.
const (
	day            = 24 * time.Hour
	keepSessions   = 2 * day
	keepAdmissions = 31 * day
)

// A ticket is everything about one that can change, in a single item: its
// revision orders all that happens to the ticket, at however many instances.
type ticket struct {
	FirstUse time.Time   `json:"first_use,omitzero"` // set once
	Revoked  time.Time   `json:"revoked,omitzero"`
	Swaps    []time.Time `json:"swaps,omitempty"` // of the last two days
	Visit    *visit      `json:"visit,omitempty"` // the last one
	Past     []past      `json:"past,omitempty"`  // those before it, the newest first

	print gate.Fingerprint
	item  *item
}

// A past visit is one that another followed.
type past struct {
	ID   string    `json:"id"`
	Ends time.Time `json:"ends"`
}

// A visit is an admission.
type visit struct {
	ID           string             `json:"id"`
	State        gate.State         `json:"state"`
	Begins       time.Time          `json:"begins"`
	Ends         time.Time          `json:"ends"`
	Closed       time.Time          `json:"closed,omitzero"` // when another followed
	Seats        int                `json:"seats"`
	Entitlements []gate.Entitlement `json:"entitlements"`
	Source       string             `json:"source,omitempty"`
	Ref          string             `json:"ref,omitempty"`
	VerdictAt    time.Time          `json:"verdict,omitzero"`
	Revision     int64              `json:"revision"`
	Order        string             `json:"order"`   // its place in lists
	Places       []string           `json:"places"`  // attractions that it ever opened
	Epochs       map[string]int64   `json:"epochs"`  // how often each had been closed when it was entitled; kept for those closed since
	Devices      []device           `json:"devices"` // that have a seat
}

// A device is one that has a seat.
type device struct {
	ID       string    `json:"id"`
	Order    string    `json:"order"` // its place in the list of the admission's devices
	Session  hash      `json:"session"`
	Previous hash      `json:"previous,omitzero"`
	Rotated  time.Time `json:"rotated,omitzero"` // zero if Session came with Enter
	First    time.Time `json:"first"`
	Seen     time.Time `json:"seen"`
}

// parse reads a ticket's item. One that is not there is new.
func parse(it *item, print gate.Fingerprint) (*ticket, error) {
	t := &ticket{print: print, item: it}
	if it.doc == "" {
		return t, nil
	}
	return t, it.read(t)
}

func (t *ticket) name() string { return spell(t.print) }

// over reports whether the visit has ended by itself.
func (v *visit) over(at time.Time) bool { return v.State == gate.StateEnded || !at.Before(v.Ends) }

// device returns the device with an id, or nil if it has no seat.
func (v *visit) device(id string) *device {
	if i := slices.IndexFunc(v.Devices, func(d device) bool { return d.ID == id }); i >= 0 {
		return &v.Devices[i]
	}
	return nil
}

// holder returns the device that has a session now, or nil.
func (v *visit) holder(s gate.SessionHash) *device {
	if i := slices.IndexFunc(v.Devices, func(d device) bool { return d.Session == hash(s) }); i >= 0 {
		return &v.Devices[i]
	}
	return nil
}

// free takes the seat from a device.
func (v *visit) free(id string) {
	v.Devices = slices.DeleteFunc(v.Devices, func(d device) bool { return d.ID == id })
	v.Revision++
}

// holds reports whether s is the device's session, or was until a moment ago.
func (d *device) holds(s gate.SessionHash, at time.Time, grace time.Duration) bool {
	return d.Session == hash(s) || d.Previous == hash(s) && d.rotatedWithin(grace, at)
}

// rotatedWithin reports whether the device's session began by a rotation, at
// most grace ago or ahead.
func (d *device) rotatedWithin(grace time.Duration, at time.Time) bool {
	return !d.Rotated.IsZero() && at.Sub(d.Rotated).Abs() <= grace
}

// see notes that the device is there. A clock that was set back changes nothing.
func (d *device) see(at time.Time) {
	if d.Seen.Before(at) {
		d.Seen = at.UTC()
	}
}

// entitle records what the visit may open from now on, and how often each of
// those attractions has been closed.
func (v *visit) entitle(all []gate.Entitlement, c closed) {
	v.Entitlements = all
	maps.DeleteFunc(v.Epochs, func(place string, epoch int64) bool {
		return !v.opens(place) && !c[place].since(epoch, v.Ends)
	})
	for _, e := range all {
		if _, ok := v.Epochs[e.Attraction]; !ok {
			v.Epochs[e.Attraction] = c[e.Attraction].N
		}
	}
}

// opens reports whether the visit is entitled to something at an attraction.
func (v *visit) opens(place string) bool {
	return slices.ContainsFunc(v.Entitlements, func(e gate.Entitlement) bool { return e.Attraction == place })
}

// answer returns the admission for somebody outside. d may be nil.
func (t *ticket) answer(v *visit, d *device) *gate.Admission {
	a := &gate.Admission{ID: v.ID, Ticket: t.print, State: v.State, Begins: v.Begins, Ends: v.Ends, FirstUse: t.FirstUse,
		Seats: v.Seats, Taken: len(v.Devices), Entitlements: slices.Clone(v.Entitlements), Source: v.Source, Ref: v.Ref,
		VerdictAt: v.VerdictAt, Revision: v.Revision}
	if d != nil {
		a.Device, a.Held = d.ID, gate.SessionHash(d.Session)
	}
	return a
}
