package cloudfront_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/cloudfront"
	"github.com/handstamp/handstamp/pkg/gate"
)

func TestStats(t *testing.T) {
	var begun, failed int
	key := &slowKey{Signer: ecKey()}
	s := ecStamper(t, key, cloudfront.StamperOptions{Signing: func(_ context.Context, id string) func(error) {
		if begun++; id != ecID {
			t.Errorf("told of a signature with the key %q, want %q", id, ecID)
		}
		return func(err error) {
			if err != nil {
				failed++
			}
		}
	}})
	castle := gate.Grant{Path: "castle", Expires: end}
	stampOf(t, s, castle)
	stampOf(t, s, castle)
	stampOf(t, s, castle)
	stampOf(t, s, gate.Grant{Path: "zoo", Expires: end})
	key.err = errors.New("the service does not answer")
	stampOf(t, s, gate.Grant{Path: "castle", Expires: end.Add(time.Minute)}) // the older one
	if _, err := s.Stamp(t.Context(), gate.Grant{Path: "park", Expires: end}); !errors.Is(err, key.err) {
		t.Errorf("Stamp without a key = %v, want its error", err)
	}
	if got, want := s.Stats(), (cloudfront.Stats{Made: 2, Shared: 2, Older: 1, Failed: 2}); got != want {
		t.Errorf("Stats() = %+v, want %+v", got, want)
	}
	if begun != 4 || failed != 2 {
		t.Errorf("told of %d signatures of which %d failed, want 4 and 2", begun, failed)
	}
}

// Of those who want the same at once one makes it and the others share it.
func TestStatsOfACrowd(t *testing.T) {
	key := &slowKey{Signer: ecKey()}
	s := ecStamper(t, key, cloudfront.StamperOptions{})
	var wg sync.WaitGroup
	for range 200 {
		wg.Go(func() {
			if _, err := s.Stamp(context.Background(), gate.Grant{Path: "castle", Expires: end}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := s.Stats(); got.Made != 1 || got.Made+got.Shared != 200 {
		t.Errorf("Stats() = %+v, want one made and 199 shared", got)
	}
}

func TestLinkStats(t *testing.T) {
	told := 0
	l := newLinker(t, ring{id: ecID, key: ecKey()}, cloudfront.LinkerOptions{Signing: func(context.Context, string) func(error) {
		return func(error) { told++ }
	}})
	for range 3 {
		links(t, l, permits(2)[:1])
	}
	if got, want := l.Stats(), (cloudfront.Stats{Made: 1, Shared: 2}); got != want || told != 1 {
		t.Errorf("Stats() = %+v and told %d times, want %+v and once", got, told, want)
	}
}
