package throttle_test

import (
	"crypto/sha256"
	"encoding/binary"
	"net/netip"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/handstamp/handstamp/pkg/throttle"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var noon = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

// A watch is a clock that a test moves.
type watch struct {
	mu sync.Mutex
	at time.Time
}

func newWatch() *watch { return &watch{at: noon} }

func (w *watch) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.at
}

func (w *watch) set(at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at = at
}

func (w *watch) pass(d time.Duration) { w.set(w.now().Add(d)) }

// newThrottle returns a Throttle with its clock at noon.
func newThrottle(opts throttle.Options) (*throttle.Throttle, *watch) {
	w := newWatch()
	opts.Now = w.now
	return throttle.New(opts), w
}

// code returns the fingerprint of the nth code.
func code(n int) [32]byte {
	return sha256.Sum256(binary.BigEndian.AppendUint64([]byte("code"), uint64(n)))
}

// from returns an attempt with the nth code.
func from(addr string, n int) throttle.Attempt {
	return throttle.Attempt{Fingerprint: code(n), Client: netip.MustParseAddr(addr), Attraction: "castle", Kind: "code"}
}

// fail makes attempts one after the other, all refused by the source, and
// returns how many the source was asked and what the last one was told.
func fail(t *throttle.Throttle, attempts ...throttle.Attempt) (asked int, last throttle.Turn) {
	for _, a := range attempts {
		last = t.Allow(a)
		if last.OK {
			asked++
			last.Fail(throttle.Refused)
		}
	}
	return asked, last
}

// guesses returns n attempts with different codes, the first of them number first.
func guesses(addr string, first, n int) []throttle.Attempt {
	var all []throttle.Attempt
	for i := range n {
		all = append(all, from(addr, first+i))
	}
	return all
}

// admit makes an attempt that is good if it is allowed.
func admit(t *throttle.Throttle, a throttle.Attempt) throttle.Turn {
	turn := t.Allow(a)
	turn.Succeed()
	return turn
}

// peek makes an attempt of which nothing comes.
func peek(t *throttle.Throttle, a throttle.Attempt) throttle.Turn {
	turn := t.Allow(a)
	turn.Cancel()
	return turn
}

func wantAsked(t *testing.T, what string, got, want int) {
	t.Helper()
	if got != want {
		t.Errorf("%s: the source was asked %d times, want %d", what, got, want)
	}
}

func wantOK(t *testing.T, what string, turn throttle.Turn) {
	t.Helper()
	if !turn.OK {
		t.Errorf("%s: told to wait %v, guarded %v, want a turn", what, turn.RetryAfter, turn.Guarded)
	}
}

// wantWait checks that the attempt is turned away for between least and most.
func wantWait(t *testing.T, what string, turn throttle.Turn, least, most time.Duration) {
	t.Helper()
	if turn.OK || turn.RetryAfter < least || turn.RetryAfter > most || turn.RetryAfter%time.Second != 0 {
		t.Errorf("%s: OK %v, RetryAfter %v, want a refusal for %v to %v in whole seconds", what, turn.OK, turn.RetryAfter, least, most)
	}
}
