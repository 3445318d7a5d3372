package denylist_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/denylist"
	"github.com/handstamp/handstamp/pkg/gate"
)

var noon = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

// rules have a castle, a zoo two segments deep and one place that is too deep.
var rules = &gate.Rules{Attractions: []*gate.Attraction{
	{ID: "castle", Prefix: "castle"},
	{ID: "zoo", Prefix: "spain/zoo"},
	{ID: "cellar", Prefix: "1/2/3/4/5/6/7/8/9"},
}}

func castle(at time.Time) book.Revocation {
	return book.Revocation{At: at, Kind: gate.TargetAttraction, Attraction: "castle"}
}

func device(at time.Time, s gate.Session) book.Revocation {
	return book.Revocation{At: at, Kind: gate.TargetDevice, Session: s.Hash()}
}

var errAway = errors.New("away")

// A register is a source.
type register struct {
	mu      sync.Mutex
	revoked []book.Revocation
	err     error
	asked   []time.Time
}

func (r *register) Revocations(_ context.Context, since time.Time) ([]book.Revocation, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked = append(r.asked, since)
	late := slices.DeleteFunc(slices.Clone(r.revoked), func(v book.Revocation) bool { return v.At.Before(since) })
	return late, r.err
}

func (r *register) set(revoked ...book.Revocation) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.revoked = revoked
}

func (r *register) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.asked)
}

// A shelf is a store in memory that counts calls.
type shelf struct {
	mu      sync.Mutex
	values  map[string]string
	version int
	reads   int
	writes  [][]denylist.Edit // that were made
	err     error             // of all calls
	lost    error             // of a write that was made
	full    int               // writes that can be made until err; 0 means any
}

func newShelf(pairs ...string) *shelf {
	s := &shelf{values: map[string]string{}, version: 7}
	for pair := range slices.Chunk(pairs, 2) {
		s.values[pair[0]] = pair[1]
	}
	return s
}

func (s *shelf) Read(context.Context) (map[string]string, string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reads++
	return maps.Clone(s.values), strconv.Itoa(s.version), s.err
}

func (s *shelf) Write(_ context.Context, version string, edits []denylist.Edit) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.err != nil:
		return "", s.err
	case s.full > 0 && len(s.writes) == s.full:
		return "", errAway
	case len(edits) == 0 || len(edits) > denylist.MaxEdits:
		return "", fmt.Errorf("%d edits, want 1 to %d", len(edits), denylist.MaxEdits)
	case version != strconv.Itoa(s.version):
		return "", fmt.Errorf("at %d, not %s: %w", s.version, version, denylist.ErrChanged)
	}
	s.writes = append(s.writes, slices.Clone(edits))
	s.put(edits)
	return strconv.Itoa(s.version), s.lost
}

func (s *shelf) put(edits []denylist.Edit) {
	s.version++
	for _, e := range edits {
		if e.Value == "" {
			delete(s.values, e.Key)
		} else {
			s.values[e.Key] = e.Value
		}
	}
}

// meddle changes the shelf as somebody else would.
func (s *shelf) meddle(edits ...denylist.Edit) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.put(edits)
}

func (s *shelf) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

func (s *shelf) len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.values)
}

func (s *shelf) has(t *testing.T, pairs ...string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if want := newShelf(pairs...).values; !maps.Equal(s.values, want) {
		t.Errorf("the store has %v, want %v", s.values, want)
	}
}

// calls checks how often the shelf was read and written.
func (s *shelf) calls(t *testing.T, reads, writes int) {
	t.Helper()
	if s.reads != reads || len(s.writes) != writes {
		t.Errorf("%d reads and %d writes, want %d and %d", s.reads, len(s.writes), reads, writes)
	}
}

func unix(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }

func export(t *testing.T, e *denylist.Exporter) {
	t.Helper()
	if err := e.Export(t.Context()); err != nil {
		t.Fatalf("Export() = %v, want nil", err)
	}
}
