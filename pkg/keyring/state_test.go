package keyring_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/keyring"
)

var noon = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

const (
	first  = "KFIRST000001"
	second = "KSECOND00001"
)

// lifeOf returns a manifest with a key that signs and one that is on its way.
func lifeOf(t *testing.T) *keyring.Manifest {
	t.Helper()
	m := &keyring.Manifest{}
	pair := entries(t, 2)
	pair[0].ID, pair[1].ID = first, second
	ok(t, m.Add(pair[0], noon.Add(-48*time.Hour)))
	ok(t, m.Publish(first, first, noon.Add(-48*time.Hour)))
	ok(t, m.Activate(first, keyring.Rules{}, noon.Add(-47*time.Hour), false))
	ok(t, m.Add(pair[1], noon))
	return m
}

func states(m *keyring.Manifest) string {
	var all []string
	for _, e := range m.Keys {
		all = append(all, string(e.State))
	}
	return strings.Join(all, " ")
}

func TestActivateWaitsForTheEdge(t *testing.T) {
	rules := keyring.Rules{Settle: time.Hour}
	tests := []struct {
		name  string
		at    time.Duration // since publishing; below 0 means that it was not
		force bool
		want  error
	}{
		{"not published", -1, false, keyring.ErrTooEarly},
		{"at once", 0, false, keyring.ErrTooEarly},
		{"a second early", time.Hour - time.Second, false, keyring.ErrTooEarly},
		{"in time", time.Hour, false, nil},
		{"forced", 0, true, nil},
		{"forced and not published", -1, true, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := lifeOf(t)
			now := noon
			if tt.at >= 0 {
				ok(t, m.Publish(second, second, noon))
				now = noon.Add(tt.at)
			}
			err := m.Activate(second, rules, now, tt.force)
			if !errors.Is(err, tt.want) {
				t.Fatalf("Activate = %v, want %v", err, tt.want)
			}
			want := "retiring active"
			if tt.want != nil {
				want = "active upcoming"
				if !strings.Contains(err.Error(), "--force") {
					t.Errorf("Activate = %q, want what --force would break", err)
				}
			}
			if got := states(m); got != want {
				t.Errorf("states after Activate = %q, want %q", got, want)
			}
		})
	}
}

func TestRetireWaitsForTheLastCookie(t *testing.T) {
	rules := keyring.Rules{Settle: time.Minute, Longest: 16 * time.Minute, Switch: time.Minute, Skew: 3 * time.Minute}
	m := lifeOf(t)
	ok(t, m.Publish(second, second, noon))
	relieved := noon.Add(time.Hour)
	ok(t, m.Activate(second, rules, relieved, false))
	if err := m.Retire(second, rules, relieved, true); !errors.Is(err, keyring.ErrState) {
		t.Errorf("Retire of the key that signs = %v, want ErrState even by force", err)
	}
	if err := m.Remove(first, relieved); !errors.Is(err, keyring.ErrState) {
		t.Errorf("Remove of a retiring key = %v, want ErrState", err)
	}
	if err := m.Retire(first, rules, relieved.Add(20*time.Minute-1), false); !errors.Is(err, keyring.ErrTooEarly) {
		t.Errorf("Retire just before the last cookie ends = %v, want ErrTooEarly", err)
	}
	revision := m.Revision
	for range 2 { // again changes nothing
		ok(t, m.Retire(first, rules, relieved.Add(20*time.Minute), false))
		ok(t, m.Remove(first, relieved.Add(21*time.Minute)))
	}
	if m.Revision != revision+2 || states(m) != "retired active" {
		t.Errorf("after Retire and Remove twice: revision %d, %q, want %d and %q", m.Revision, states(m), revision+2, "retired active")
	}
	if err := m.Activate(first, rules, relieved, true); !errors.Is(err, keyring.ErrState) {
		t.Errorf("Activate of a retired key = %v, want ErrState: a key does not come back", err)
	}
}

func TestRevoke(t *testing.T) {
	m := lifeOf(t)
	if err := m.Revoke(first, noon); !errors.Is(err, keyring.ErrState) || states(m) != "active upcoming" {
		t.Errorf("Revoke of the only published key = %v, %q, want ErrState and no change", err, states(m))
	}
	ok(t, m.Publish(second, second, noon))
	ok(t, m.Revoke(first, noon)) // at once, settled or not
	if states(m) != "revoked active" || m.Active().ID != second {
		t.Errorf("states after Revoke = %q, want %q", states(m), "revoked active")
	}
	if next := m.Next(keyring.Rules{}, noon); next == nil || next.Verb != keyring.VerbRemove || next.Key != first || !next.At.Equal(noon) {
		t.Errorf("Next after Revoke = %+v, want to remove %s now", next, first)
	}
}

func TestPlan(t *testing.T) {
	rules := keyring.Rules{Settle: time.Hour, Longest: 16 * time.Minute, Switch: time.Minute, Skew: 3 * time.Minute}
	m := lifeOf(t)
	m.Keys = m.Keys[:1]
	var got []string
	for _, s := range m.Plan(rules, noon) {
		got = append(got, string(s.Verb)+" "+s.At.Format("15:04"))
	}
	want := "new 12:00, publish 12:00, activate 13:00, retire 13:20, remove 13:20"
	if text := strings.Join(got, ", "); text != want {
		t.Errorf("Plan = %s, want %s", text, want)
	}
	if m.Revision == 0 || len(m.Keys) != 1 || !m.Rotation.IsZero() {
		t.Errorf("Plan changed the manifest: %+v", m)
	}
}

func TestAddTwice(t *testing.T) {
	m := lifeOf(t)
	again := m.Keys[1]
	ok(t, m.Add(again, noon))
	other := entries(t, 1)[0]
	other.ID = second
	if err := m.Add(other, noon); !errors.Is(err, keyring.ErrKeyPair) {
		t.Errorf("Add of another key under a known ID = %v, want ErrKeyPair", err)
	}
	again.ID = "KOTHER000001"
	if err := m.Add(again, noon); !errors.Is(err, keyring.ErrKey) {
		t.Errorf("Add of a known key under another ID = %v, want ErrKey", err)
	}
	if err := m.Publish(second, first, noon); !errors.Is(err, keyring.ErrKeyPair) {
		t.Errorf("Publish under another key's ID = %v, want ErrKeyPair", err)
	}
	if _, err := m.Entry("KNOBODY00001"); !errors.Is(err, keyring.ErrNoKey) {
		t.Errorf("Entry of an unknown key = %v, want ErrNoKey", err)
	}
}

// A leaked key is taken from CloudFront before anything else is done.
func TestLeakedKeyGoesFirst(t *testing.T) {
	m := lifeOf(t)
	ok(t, m.Publish(second, second, noon))
	ok(t, m.Revoke(first, noon))
	m.Begin(noon.Add(time.Second))
	if next := m.Next(keyring.Rules{}, noon); next == nil || next.Verb != keyring.VerbRemove || next.Key != first || !next.At.Equal(noon) {
		t.Errorf("Next in a rotation = %+v, want to remove %s now", next, first)
	}
	ok(t, m.Remove(first, noon))
	if next := m.Next(keyring.Rules{}, noon); next == nil || next.Verb == keyring.VerbRemove {
		t.Errorf("Next when it is gone = %+v, want the rotation to go on", next)
	}
}

// ok ends the test unless err is nil.
func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
