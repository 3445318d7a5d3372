package keyring_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/keyring"
)

var errCrash = errors.New("the process died")

// A world is a manifest store, CloudFront and the gateways, with everything
// that can go wrong between two steps.
type world struct {
	t     *testing.T
	rng   *rand.Rand
	now   time.Time
	rules keyring.Rules
	text  []byte // the manifest on disk
	made  int
	group map[string]*presence // CloudFront's side, by fingerprint
	pool  []keyring.Entry
}

// A presence is the time that a public key was in the key group.
type presence struct {
	id       string
	from     time.Time // zero means never
	until    time.Time // zero means still
	signedAt time.Time // first signature; zero means none
	lastUsed time.Time
}

func (w *world) crash() error {
	if w.rng.IntN(4) == 0 {
		return errCrash
	}
	return nil
}

func (w *world) Load(context.Context) (*keyring.Manifest, error) {
	if w.text == nil {
		return nil, fs.ErrNotExist
	}
	m := &keyring.Manifest{} // what Save has checked
	return m, json.Unmarshal(w.text, m)
}

func (w *world) Save(_ context.Context, m *keyring.Manifest, before int) error {
	if err := w.crash(); err != nil {
		return err
	}
	if old, err := w.Load(context.Background()); err == nil && old.Revision != before {
		return keyring.ErrConflict
	}
	if err := m.Check(); err != nil {
		return err
	}
	text, err := m.Text()
	if err != nil {
		return err
	}
	w.sign() // with what was active until now
	w.text = text
	w.sign() // with what is active from now on
	return w.crash()
}

// sign notes what the gateways may sign with now: the active key, and for as
// long as they take to follow, the one before.
func (w *world) sign() {
	m, err := w.Load(context.Background())
	if err != nil {
		return
	}
	for i := range m.Keys {
		e := &m.Keys[i]
		p := w.group[e.Fingerprint]
		if e.State != keyring.StateActive {
			continue
		}
		if p == nil || p.from.IsZero() || !p.until.IsZero() {
			w.t.Fatalf("%s signs at %s, but it is not in the key group", e.ID, w.now)
		}
		if p.signedAt.IsZero() {
			p.signedAt = w.now
		}
		p.lastUsed = w.now.Add(w.rules.Switch)
	}
}

func (w *world) Publish(_ context.Context, e *keyring.Entry) (string, error) {
	if err := w.crash(); err != nil {
		return "", err
	}
	p := w.group[e.Fingerprint]
	if p == nil {
		p = &presence{id: fmt.Sprintf("K%011d", len(w.group)), from: w.now}
		w.group[e.Fingerprint] = p
	}
	return p.id, w.crash()
}

func (w *world) Remove(_ context.Context, id string) error {
	if err := w.crash(); err != nil {
		return err
	}
	for _, p := range w.group {
		if p.id == id && p.until.IsZero() {
			p.until = w.now
		}
	}
	return w.crash()
}

func (w *world) make(context.Context) (keyring.Entry, error) {
	if err := w.crash(); err != nil {
		return keyring.Entry{}, err
	}
	w.made++
	e := w.pool[w.made]
	return e, w.crash()
}

func (w *world) wait(_ context.Context, until time.Time) error {
	if err := w.crash(); err != nil {
		w.now = w.now.Add(time.Duration(w.rng.Int64N(int64(2 * time.Hour)))) // somebody comes back after a while
		return err
	}
	if until.After(w.now) {
		w.now = until
	}
	return nil
}

// audit checks what CloudFront and the viewers saw of every key.
func (w *world) audit() {
	for print, p := range w.group {
		switch {
		case p.signedAt.IsZero():
		case p.signedAt.Before(p.from.Add(w.rules.Settle)):
			w.t.Fatalf("key %.8s signed at %s, but not every edge location had it before %s", print, p.signedAt, p.from.Add(w.rules.Settle))
		case !p.until.IsZero() && p.until.Before(p.lastUsed.Add(w.rules.Longest)):
			w.t.Fatalf("key %.8s was removed at %s, but cookies that it signed were good until %s", print, p.until, p.lastUsed.Add(w.rules.Longest))
		}
	}
}

// TestRotationsWithCrashes walks rotations whose process dies
// between any two steps, and comes back.
func TestRotationsWithCrashes(t *testing.T) {
	pool := entries(t, 64)
	for round := range rotations {
		w := &world{
			t: t, rng: rand.New(rand.NewPCG(1, uint64(round))), now: time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC),
			rules: keyring.Rules{Settle: time.Hour, Longest: 16 * time.Minute, Switch: time.Minute, Skew: time.Second},
			group: map[string]*presence{}, pool: pool,
		}
		w.start()
		first := w.active()
		r := keyring.Rotation{Store: w, Distribution: w, Make: w.make, Wait: w.wait, Now: func() time.Time { return w.now }, Rules: w.rules}
		for r.Run(t.Context()) != nil {
			w.now = w.now.Add(time.Second)
		}
		w.audit()
		if now := w.active(); now == first || now == "" {
			t.Fatalf("round %d: %q signs after the rotation, want another than %q", round, now, first)
		}
		for _, p := range w.group {
			if p.id == first && p.until.IsZero() {
				t.Fatalf("round %d: %s is still in the key group", round, first)
			}
		}
	}
}

// start makes a manifest with one key that has been signing for long.
func (w *world) start() {
	e := w.pool[0]
	m := &keyring.Manifest{}
	long := w.now.Add(-1000 * time.Hour)
	w.group[e.Fingerprint] = &presence{id: "KFIRST000001", from: long}
	for _, err := range []error{m.Add(e, long), m.Publish("unpublished-"+e.Fingerprint[:12], "KFIRST000001", long),
		m.Activate("KFIRST000001", w.rules, w.now.Add(-900*time.Hour), false)} {
		if err != nil {
			w.t.Fatal(err)
		}
	}
	w.text, _ = m.Text()
	w.sign()
}

func (w *world) active() string {
	m, err := w.Load(context.Background())
	if err != nil || m.Active() == nil {
		return ""
	}
	return m.Active().ID
}

// entries returns the entries of n new keys.
func entries(t *testing.T, n int) []keyring.Entry {
	t.Helper()
	var all []keyring.Entry
	for range n {
		key, err := keyring.Generate(keyring.ECDSA)
		if err != nil {
			t.Fatal(err)
		}
		e, err := keyring.NewEntry("", "file:x.pem", key.Public())
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	return all
}
