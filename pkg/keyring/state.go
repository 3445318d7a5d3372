package keyring

import (
	"cmp"
	"crypto"
	"errors"
	"fmt"
	"slices"
	"time"
)

// A State is where a key is in its life.
type State string

// The states of a key. An upcoming key is on its way to CloudFront; the active
// one signs; a retiring one signs no more, but cookies that it signed are still
// out. A retired key opens nothing that anybody still holds, a revoked one must
// open nothing any more.
const (
	StateUpcoming State = "upcoming"
	StateActive   State = "active"
	StateRetiring State = "retiring"
	StateRetired  State = "retired"
	StateRevoked  State = "revoked"
)

// trusted reports whether CloudFront should hold the public key.
func (s State) trusted() bool {
	return s == StateUpcoming || s == StateActive || s == StateRetiring
}

// An Entry is what a manifest says of one key.
type Entry struct {
	ID          string    `json:"id,omitempty"` // key pair ID; empty until CloudFront has given one
	Fingerprint string    `json:"fingerprint"`  // of the public key, see Fingerprint; names the key before it has an ID
	Public      string    `json:"public_key"`   // in PEM, as CloudFront has it
	From        string    `json:"from"`         // where the private key is: file:NAME, env:NAME, secretsmanager:ARN, ssm:NAME, kms:ARN
	State       State     `json:"state"`
	Made        time.Time `json:"made"`
	Published   time.Time `json:"published,omitzero"` // when the key group at CloudFront had it
	Activated   time.Time `json:"activated,omitzero"` // when it last began to sign
	Relieved    time.Time `json:"relieved,omitzero"`  // when another took over
	Retired     time.Time `json:"retired,omitzero"`   // or revoked
	Removed     time.Time `json:"removed,omitzero"`   // when CloudFront had it no more
}

// NewEntry returns the entry of a key whose private half is at from.
func NewEntry(id, from string, public crypto.PublicKey) (Entry, error) {
	text, err := PublicPEM(public)
	if err != nil {
		return Entry{}, err
	}
	print, err := Fingerprint(public)
	return Entry{ID: id, Fingerprint: print, Public: string(text), From: from}, err
}

// Name is what to call a key that may have no ID yet.
func (e *Entry) Name() string {
	if e.ID != "" || len(e.Fingerprint) < 12 {
		return e.ID
	}
	return "unpublished-" + e.Fingerprint[:12]
}

// Kind returns what the key is, "RSA-2048" or "ECDSA P-256".
func (e *Entry) Kind() string {
	public, err := parsePublic([]byte(e.Public))
	if err != nil {
		return ""
	}
	return kind(public)
}

// A Manifest is the life of a ring as it is written down beside the keys, with
// times in UTC. A gateway reads it and never writes it. The zero Manifest has no
// keys.
type Manifest struct {
	Revision int       `json:"revision"`          // grows by one with every change
	Rotation time.Time `json:"rotation,omitzero"` // when the rotation that is under way began
	Keys     []Entry   `json:"keys"`              // in the order in which they came
}

// Rules are the spans that a rotation has to wait for. Zero fields have the
// defaults below.
type Rules struct {
	Settle  time.Duration // from publishing until every edge location knows a key; 0 means DefaultSettle
	Longest time.Duration // the longest life of anything that is signed: cookies with their rounding, URLs; 0 means DefaultLongest
	Switch  time.Duration // within which every gateway follows a manifest; 0 means DefaultSwitch
	Skew    time.Duration // by how much clocks may differ; 0 means DefaultSkew
}

// Defaults of Rules. CloudFront says that a change "takes minutes"; a settled
// hour costs nothing, as the old key goes on signing.
const (
	DefaultSettle  = time.Hour
	DefaultLongest = 61 * time.Minute
	DefaultSwitch  = time.Minute
	DefaultSkew    = 5 * time.Minute
)

func (r Rules) settle() time.Duration { return cmp.Or(r.Settle, DefaultSettle) }

// lingers is how long after being relieved a key may still be needed.
func (r Rules) lingers() time.Duration {
	return cmp.Or(r.Switch, DefaultSwitch) + cmp.Or(r.Longest, DefaultLongest) + cmp.Or(r.Skew, DefaultSkew)
}

// Errors of changing a manifest.
var (
	ErrTooEarly = errors.New("too early")
	ErrState    = errors.New("not possible in this state")
)

// Entry returns the entry that id names: a key pair ID, or "unpublished-" and
// the start of a fingerprint.
func (m *Manifest) Entry(id string) (*Entry, error) {
	for i := range m.Keys {
		if m.Keys[i].Name() == id {
			return &m.Keys[i], nil
		}
	}
	return nil, fmt.Errorf(`%w: %.60q is not in the manifest (hint: "handstamp keys list" shows the keys)`, ErrNoKey, id)
}

// Active returns the entry that signs, or nil.
func (m *Manifest) Active() *Entry {
	return m.first(func(e *Entry) bool { return e.State == StateActive })
}

func (m *Manifest) first(is func(*Entry) bool) *Entry {
	for i := range m.Keys {
		if is(&m.Keys[i]) {
			return &m.Keys[i]
		}
	}
	return nil
}

// Add puts a new key into the manifest as an upcoming one. Adding it again
// changes nothing.
func (m *Manifest) Add(e Entry, now time.Time) error {
	known := m.first(func(k *Entry) bool { return k.Fingerprint == e.Fingerprint })
	switch {
	case e.Fingerprint == "":
		return fmt.Errorf("%w: it has no fingerprint", ErrKey)
	case known != nil && (e.ID == "" || known.ID == e.ID):
		return nil
	case known != nil:
		return fmt.Errorf("%w: %q and %q are one key", ErrKey, known.Name(), e.ID)
	case e.ID != "" && m.first(func(k *Entry) bool { return k.ID == e.ID }) != nil:
		return fmt.Errorf("%w: %q stands for another key already", ErrKeyPair, e.ID)
	}
	e.State, e.Made = StateUpcoming, now.UTC()
	m.Keys = append(m.Keys, e)
	m.Revision++
	return nil
}

// Publish notes that the key group at CloudFront has had the key named name
// since at, under the key pair ID id.
func (m *Manifest) Publish(name, id string, at time.Time) error {
	e, err := m.Entry(name)
	if err != nil {
		return err
	}
	if err := CheckID(id); err != nil {
		return err
	}
	other := m.first(func(k *Entry) bool { return k.ID == id })
	switch {
	case other != nil && other != e:
		return fmt.Errorf("%w: %q stands for another key already", ErrKeyPair, id)
	case !e.State.trusted():
		return fmt.Errorf("%w: %s is %s", ErrState, name, e.State)
	case !e.Published.IsZero() && e.ID == id:
		return nil
	}
	e.ID, e.Published = id, at.UTC()
	m.Revision++
	return nil
}

// Ready returns when a key may begin to sign: zero means that it is not even
// published.
func (r Rules) Ready(e *Entry) time.Time {
	if e.Published.IsZero() {
		return time.Time{}
	}
	return e.Published.Add(r.settle())
}

// Done returns when nothing is out any more that the key signed: zero means
// that it still signs, or never did.
func (r Rules) Done(e *Entry) time.Time {
	if e.Relieved.IsZero() {
		return time.Time{}
	}
	return e.Relieved.Add(r.lingers())
}

// Activate makes a key the one that signs; the one before is retiring from
// then on. It returns ErrTooEarly for a key that some edge locations may not
// know yet: what it signs would be refused there. force goes ahead all the same.
func (m *Manifest) Activate(id string, r Rules, now time.Time, force bool) error {
	e, err := m.Entry(id)
	if err != nil {
		return err
	}
	switch ready := r.Ready(e); {
	case e.State == StateActive:
		return nil
	case !e.State.trusted():
		return fmt.Errorf("%w: %s is %s, and a key does not come back", ErrState, id, e.State)
	case e.ID == "":
		return fmt.Errorf(`%w: %s has no key pair ID yet (hint: "handstamp keys publish")`, ErrState, id)
	case force:
	case ready.IsZero():
		return fmt.Errorf(`%w: %s is not known to be at CloudFront (hint: "handstamp keys publish %s"; --force signs with it at once, and CloudFront refuses every visitor until it has the key)`, ErrTooEarly, id, id)
	case now.Before(ready):
		return fmt.Errorf(`%w: %s was published at %s and every edge location has it from %s, in %s (hint: --force signs with it now, and visitors at edge locations that do not have it yet are refused)`,
			ErrTooEarly, id, stamp(e.Published), stamp(ready), ready.Sub(now).Round(time.Second))
	}
	m.relieve(now)
	e.State, e.Activated, e.Relieved = StateActive, now.UTC(), time.Time{}
	m.Revision++
	return nil
}

// relieve makes the active key a retiring one.
func (m *Manifest) relieve(now time.Time) {
	if old := m.Active(); old != nil {
		old.State, old.Relieved = StateRetiring, now.UTC()
	}
}

// Retire ends the life of a key that no longer signs. It returns ErrTooEarly
// while cookies that it signed may be out: their viewers would be refused.
func (m *Manifest) Retire(id string, r Rules, now time.Time, force bool) error {
	e, err := m.Entry(id)
	if err != nil {
		return err
	}
	switch done := r.Done(e); {
	case e.State == StateRetired || e.State == StateRevoked:
		return nil
	case e.State == StateActive:
		return fmt.Errorf(`%w: %s signs now (hint: activate another key first)`, ErrState, id)
	case force || done.IsZero(): // an upcoming key that never signed
	case now.Before(done):
		return fmt.Errorf(`%w: the last cookie that %s signed ends at %s, in %s (hint: --force retires it now, and visitors who hold such a cookie are refused until they renew)`,
			ErrTooEarly, id, stamp(done), done.Sub(now).Round(time.Second))
	}
	e.State, e.Retired = StateRetired, now.UTC()
	m.Revision++
	return nil
}

// Revoke ends the life of a key that somebody else may have. If it is the one
// that signs, a published key takes over, the most recent one, settled or not:
// cookies that an edge location cannot check yet are better than cookies that
// anybody can make. Without such a key it returns ErrState.
func (m *Manifest) Revoke(id string, now time.Time) error {
	e, err := m.Entry(id)
	if err != nil {
		return err
	}
	if e.State == StateRevoked {
		return nil
	}
	var next *Entry
	if e.State == StateActive {
		if next = m.successor(e); next == nil {
			return fmt.Errorf(`%w: %s signs now and there is no other published key to sign in its place (hint: "handstamp keys new" and "handstamp keys publish" first; to stop everything at once, remove %s from the key group at CloudFront)`, ErrState, id, id)
		}
		e.Relieved = now.UTC()
	}
	e.State, e.Retired = StateRevoked, now.UTC()
	if next != nil {
		next.State, next.Activated, next.Relieved = StateActive, now.UTC(), time.Time{}
	}
	m.Revision++
	return nil
}

// successor returns the key to sign in place of e.
func (m *Manifest) successor(e *Entry) *Entry {
	var best *Entry
	for i := range m.Keys {
		k := &m.Keys[i]
		if k == e || !k.State.trusted() || k.Published.IsZero() {
			continue
		}
		if best == nil || k.Published.After(best.Published) {
			best = k
		}
	}
	return best
}

// Remove notes that CloudFront has a retired or revoked key no more.
func (m *Manifest) Remove(id string, at time.Time) error {
	e, err := m.Entry(id)
	if err != nil {
		return err
	}
	if e.State.trusted() {
		return fmt.Errorf("%w: %s is %s, and its cookies may be out", ErrState, id, e.State)
	}
	if e.Removed.IsZero() {
		e.Removed = at.UTC()
		m.Revision++
	}
	return nil
}

// Check returns an error for a manifest that contradicts itself.
func (m *Manifest) Check() error {
	var problems []error
	active := 0
	for i := range m.Keys {
		e := &m.Keys[i]
		if e.State == StateActive {
			active++
		}
		problems = append(problems, m.checkEntry(i, e))
	}
	if active > 1 {
		problems = append(problems, fmt.Errorf("%d keys are active, want one", active))
	}
	return errors.Join(problems...)
}

func (m *Manifest) checkEntry(i int, e *Entry) error {
	states := []State{StateUpcoming, StateActive, StateRetiring, StateRetired, StateRevoked}
	twice := func(k Entry) bool { return k.Fingerprint == e.Fingerprint || e.ID != "" && k.ID == e.ID }
	switch {
	case len(e.Fingerprint) != 64:
		return fmt.Errorf("keys[%d]: fingerprint: want the SHA-256 of the public key, 64 hex digits", i)
	case !e.consistent():
		return fmt.Errorf("keys[%d]: public_key: not the key that the fingerprint is of", i)
	case e.ID != "" && CheckID(e.ID) != nil:
		return fmt.Errorf("keys[%d]: %w", i, CheckID(e.ID))
	case !slices.Contains(states, e.State):
		return fmt.Errorf("keys[%d]: state: %.20q, want upcoming, active, retiring, retired or revoked", i, e.State)
	case e.ID == "" && e.State != StateUpcoming && e.State != StateRetired && e.State != StateRevoked:
		return fmt.Errorf("keys[%d]: %s without a key pair ID", i, e.State)
	case slices.ContainsFunc(m.Keys[:i], twice):
		return fmt.Errorf("keys[%d]: %s comes twice", i, e.Name())
	}
	return nil
}

// consistent reports whether the public key is the one of the fingerprint.
func (e *Entry) consistent() bool {
	public, err := parsePublic([]byte(e.Public))
	return err == nil && e.is(public)
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
