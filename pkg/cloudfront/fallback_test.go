package cloudfront_test

import (
	"errors"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/cloudfront"
)

// TestStampFallsBack: while nothing can be signed, what is shared serves to its
// end, and the stamp says when that is. Then there is an error, and no stamp.
func TestStampFallsBack(t *testing.T) {
	key := &slowKey{Signer: ecKey()}
	g := grant("castle")
	now := g.Expires.Add(-10 * time.Minute)
	s := newStamper(t, "https://media.example.org", ring{id: ecID, key: key}, cloudfront.StamperOptions{Now: func() time.Time { return now }})
	first := stampOf(t, s, g)

	key.err = errors.New("throttled")
	later := g
	later.Expires = g.Expires.Add(5 * time.Minute)
	for _, after := range []time.Duration{0, 5 * time.Minute, 10*time.Minute - 1} {
		now = g.Expires.Add(after - 10*time.Minute)
		got := stampOf(t, s, later)
		if header(got) != header(first) || !got.Grant.Expires.Equal(g.Expires) {
			t.Errorf("Stamp %s into the outage = one until %s, want the shared one until %s", after, got.Grant.Expires, g.Expires)
		}
	}
	now = g.Expires
	if got, err := s.Stamp(t.Context(), later); !errors.Is(err, key.err) || got != nil {
		t.Errorf("Stamp when the shared one has ended = %v, %v, want the error", got, err)
	}

	// never another prefix, never for longer than was asked for
	now = g.Expires.Add(-10 * time.Minute)
	shorter := g
	shorter.Expires = g.Expires.Add(-time.Minute)
	for name, other := range map[string]string{"zoo": "zoo", "castle/audio": "castle/audio"} {
		elsewhere := later
		elsewhere.Path = other
		if got, err := s.Stamp(t.Context(), elsewhere); err == nil {
			t.Errorf("Stamp of %s = %+v, want an error", name, got)
		}
	}
	if got, err := s.Stamp(t.Context(), shorter); err == nil {
		t.Errorf("Stamp until %s = one until %s, want an error", shorter.Expires, got.Grant.Expires)
	}
	key.err = nil
	if got := stampOf(t, s, later); !got.Grant.Expires.Equal(later.Expires) {
		t.Errorf("Stamp after the outage ends %s, want %s", got.Grant.Expires, later.Expires)
	}
}
