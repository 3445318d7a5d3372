package keyring

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"
)

// A Distribution is CloudFront's side of a ring. Doing either thing again
// changes nothing.
type Distribution interface {
	// Publish puts the public key into the key group and returns its key pair ID.
	Publish(ctx context.Context, e *Entry) (keyPairID string, err error)
	// Remove takes the public key out of the key group and deletes it.
	Remove(ctx context.Context, keyPairID string) error
}

// A Rotation replaces the key that signs, step by step, each of which is
// written down before the next. All fields but Tell are required.
type Rotation struct {
	Store        Store
	Distribution Distribution
	Make         func(context.Context) (Entry, error)             // makes a private key and keeps it
	Wait         func(ctx context.Context, until time.Time) error // returns at until, or with an error
	Now          func() time.Time
	Rules        Rules
	Tell         func(Step) // hears of every step before it is waited for; nil means nobody
}

// Run walks the whole procedure, which takes hours: most of it is waiting. It
// can be interrupted anywhere, and the next Run goes on from there.
func (r *Rotation) Run(ctx context.Context) error {
	if err := r.change(ctx, func(m *Manifest) error { m.Begin(r.Now()); return nil }); err != nil {
		return err
	}
	for {
		m, err := r.Store.Load(ctx)
		if err != nil {
			return err
		}
		step := m.Next(r.Rules, r.Now())
		if step == nil {
			return r.change(ctx, func(m *Manifest) error { m.End(); return nil })
		}
		if r.Tell != nil {
			r.Tell(*step)
		}
		if err := r.Wait(ctx, step.At); err != nil {
			return err
		}
		if err := r.do(ctx, m, *step); err != nil {
			return fmt.Errorf("%s %s: %w", step.Verb, step.Key, err)
		}
	}
}

func (r *Rotation) do(ctx context.Context, m *Manifest, s Step) error {
	switch s.Verb {
	case VerbNew:
		e, err := r.Make(ctx)
		if err != nil {
			return err
		}
		return r.change(ctx, func(m *Manifest) error { return m.Add(e, r.Now()) })
	case VerbPublish:
		e, err := m.Entry(s.Key)
		if err != nil {
			return err
		}
		id, err := r.Distribution.Publish(ctx, e)
		if err != nil {
			return err
		}
		return r.change(ctx, func(m *Manifest) error { return m.Publish(s.Key, id, r.Now()) })
	case VerbActivate:
		return r.change(ctx, func(m *Manifest) error { return m.Activate(s.Key, r.Rules, r.Now(), false) })
	case VerbRetire:
		return r.change(ctx, func(m *Manifest) error { return m.Retire(s.Key, r.Rules, r.Now(), false) })
	case VerbRemove:
		if err := r.Distribution.Remove(ctx, s.Key); err != nil {
			return err
		}
		return r.change(ctx, func(m *Manifest) error { return m.Remove(s.Key, r.Now()) })
	}
	return fmt.Errorf("%w: no such step", ErrState)
}

func (r *Rotation) change(ctx context.Context, do func(*Manifest) error) error {
	return Change(ctx, r.Store, do)
}

// conflicts is how often Change begins anew when others change a manifest too.
const conflicts = 5

// Change loads the manifest, has do change it, and saves it, again if somebody
// else changed it meanwhile. One that is not there begins empty. If do changes
// nothing, nothing is saved.
func Change(ctx context.Context, s Store, do func(*Manifest) error) error {
	var err error
	for range conflicts {
		var m *Manifest
		m, err = s.Load(ctx)
		if errors.Is(err, fs.ErrNotExist) {
			m, err = &Manifest{}, nil
		}
		if err != nil {
			return err
		}
		before := m.Revision
		if err := do(m); err != nil {
			return err
		}
		if m.Revision == before {
			return nil
		}
		m.Revision = before + 1
		if err = s.Save(ctx, m, before); !errors.Is(err, ErrConflict) {
			return err
		}
	}
	return err
}
