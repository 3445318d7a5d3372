package app

import (
	"context"
	"sync/atomic"

	"github.com/handstamp/handstamp/pkg/keyring"
	"github.com/handstamp/handstamp/pkg/telemetry"
)

// A seenManifest is the manifest of the keys as it was read last. Scrapes do not
// read it again: it may be in a service that charges for it.
type seenManifest struct {
	atomic.Pointer[keyring.Manifest]
}

// of returns a store that remembers in s what it read. A nil s remembers nothing.
func (s *seenManifest) of(store keyring.Store) keyring.Store {
	if s == nil {
		return store
	}
	return seenStore{store, s}
}

type seenStore struct {
	keyring.Store
	seen *seenManifest
}

// Load implements keyring.Store.
func (s seenStore) Load(ctx context.Context) (*keyring.Manifest, error) {
	m, err := s.Store.Load(ctx)
	if err == nil {
		s.seen.Store(m)
	}
	return m, err
}

// readKeys shows the keys, by key pair ID: those of the manifest if there is one,
// else those of the ring.
func (a *App) readKeys(emit telemetry.Emit) {
	active, _, err := a.ring.Active()
	if err != nil {
		active = ""
	}
	for _, k := range a.ring.Keys() {
		emit(telemetry.KeyActive, one(k.ID == active), k.ID)
	}
	m := a.manifest.Load()
	if m == nil {
		for _, k := range a.ring.Keys() {
			emit(telemetry.KeyState, 1, k.ID, ringState(k.ID == active))
		}
		return
	}
	emit(telemetry.KeyRotation, seconds(m.Rotation))
	for _, e := range m.Keys {
		if e.State == keyring.StateRetired {
			continue // for good; a manifest never forgets
		}
		emit(telemetry.KeyState, 1, e.Name(), string(e.State))
		emit(telemetry.KeyMade, seconds(e.Made), e.Name())
		emit(telemetry.KeyActivated, seconds(e.Activated), e.Name())
	}
}

// ringState returns the state of a key that has no manifest.
func ringState(active bool) string {
	if active {
		return string(keyring.StateActive)
	}
	return "standby"
}
