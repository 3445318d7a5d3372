package keyring

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// A Verb is something to do to a key.
type Verb string

// The steps of a rotation, in their order. Publish puts the public key into the
// key group at CloudFront, Remove takes it out again.
const (
	VerbNew      Verb = "new"
	VerbPublish  Verb = "publish"
	VerbActivate Verb = "activate"
	VerbRetire   Verb = "retire"
	VerbRemove   Verb = "remove"
)

// A Step is what to do next, and not before At.
type Step struct {
	Verb Verb      `json:"verb"`
	Key  string    `json:"key,omitempty"` // name of the key, see Manifest.Entry; empty for a new one
	At   time.Time `json:"at"`            // the earliest time for it; not before now
	Why  string    `json:"why"`
}

// String says what to do, and why.
func (s Step) String() string {
	return strings.TrimRight(string(s.Verb)+" "+s.Key, " ") + ": " + s.Why
}

// Begin notes that a rotation is under way, which replaces the key that signs
// now. One that is under way already goes on.
func (m *Manifest) Begin(now time.Time) {
	if m.Rotation.IsZero() {
		m.Rotation = now.UTC()
		m.Revision++
	}
}

// End notes that no rotation is under way.
func (m *Manifest) End() {
	if !m.Rotation.IsZero() {
		m.Rotation = time.Time{}
		m.Revision++
	}
}

// Next returns the next step of the rotation that is under way or, if none is,
// of what is left over from earlier ones; nil means that nothing is to be done.
// It depends on the manifest alone, so that a rotation which was interrupted
// anywhere goes on where it was.
func (m *Manifest) Next(r Rules, now time.Time) *Step {
	next := m.first(func(e *Entry) bool { return e.State == StateUpcoming })
	active := m.Active()
	leaked := m.first(func(e *Entry) bool { return e.State == StateRevoked && !e.Published.IsZero() && e.Removed.IsZero() })
	rotated := m.Rotation.IsZero() || active != nil && !active.Activated.Before(m.Rotation)
	switch {
	case leaked != nil:
		return &Step{Verb: VerbRemove, Key: leaked.Name(), At: now, Why: "somebody else may have it"}
	case !rotated && next == nil:
		return &Step{Verb: VerbNew, At: now, Why: "a key to follow the one that signs"}
	case !rotated && next.Published.IsZero():
		return &Step{Verb: VerbPublish, Key: next.Name(), At: now, Why: "CloudFront must know the public key before anything is signed with it"}
	case !rotated:
		return &Step{Verb: VerbActivate, Key: next.Name(), At: latest(r.Ready(next), now),
			Why: fmt.Sprintf("every edge location has it %s after it was published", r.settle())}
	}
	return m.farewell(r, now)
}

// farewell returns the step that is next for a key which no longer signs.
func (m *Manifest) farewell(r Rules, now time.Time) *Step {
	var first *Step
	for i := range m.Keys {
		e := &m.Keys[i]
		var s *Step
		switch {
		case e.State == StateRetiring:
			s = &Step{Verb: VerbRetire, Key: e.Name(), At: latest(r.Done(e), now),
				Why: fmt.Sprintf("the last cookie that it signed ends %s after it was relieved", r.lingers())}
		case !e.State.trusted() && !e.Published.IsZero() && e.Removed.IsZero():
			s = &Step{Verb: VerbRemove, Key: e.Name(), At: now, Why: "what nobody needs, nobody should trust"}
		default:
			continue
		}
		if first == nil || s.At.Before(first.At) {
			first = s
		}
	}
	return first
}

// Plan returns all steps of a rotation that begins now, or of the one that is
// under way, as they would follow if each were done at its time.
func (m *Manifest) Plan(r Rules, now time.Time) []Step {
	trial := Manifest{Keys: slices.Clone(m.Keys), Rotation: m.Rotation}
	trial.Begin(now)
	var steps []Step
	unpublished := NewKey
	for len(steps) < 4*len(m.Keys)+8 {
		step := trial.Next(r, now)
		if step == nil {
			break
		}
		now = step.At
		if trial.imagine(*step, r) != nil {
			break
		}
		switch {
		case step.Key == plannedID:
			step.Key = unpublished
		case step.Key == (&Entry{Fingerprint: planned}).Name():
			step.Key = NewKey
		case step.Verb == VerbPublish:
			unpublished = step.Key
		}
		steps = append(steps, *step)
	}
	return steps
}

// NewKey is what Plan calls a key that is yet to be made.
const NewKey = "NEW-KEY"

// planned is the fingerprint of the key that a plan would make, and plannedID
// the ID of the one that it would publish.
const (
	planned   = "0000000000000000000000000000000000000000000000000000000000000000"
	plannedID = "KPLANNED"
)

// imagine does a step to a manifest that nobody keeps.
func (m *Manifest) imagine(s Step, r Rules) error {
	switch s.Verb {
	case VerbNew:
		return m.Add(Entry{Fingerprint: planned}, s.At)
	case VerbPublish:
		e, err := m.Entry(s.Key)
		if err != nil {
			return err
		}
		id := e.ID
		if id == "" {
			id = plannedID
		}
		return m.Publish(s.Key, id, s.At)
	case VerbActivate:
		return m.Activate(s.Key, r, s.At, false)
	case VerbRetire:
		return m.Retire(s.Key, r, s.At, false)
	}
	return m.Remove(s.Key, s.At)
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
