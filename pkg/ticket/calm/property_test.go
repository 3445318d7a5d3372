package calm_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/ticket/calm"
)

// An echo is a source whose every word tells what it was asked. It refuses some.
type echo struct{ id string }

func (e echo) Verify(_ context.Context, c gate.Credential) (*gate.Ticket, error) {
	heard := e.id + "?" + asked(c)
	if len(heard)%3 == 0 {
		return nil, &gate.Denial{Reason: gate.ReasonBlocked, Err: heardError(heard)}
	}
	return &gate.Ticket{Source: e.id, Kind: "code", Normal: c.Code, Ref: heard, Buys: []gate.Product{{Attraction: c.Attraction}}}, nil
}

func (e echo) Recheck(_ context.Context, source, ref string) (*gate.Ticket, error) {
	return &gate.Ticket{Source: e.id, Ref: fmt.Sprintf("%s again %q %q", e.id, source, ref)}, nil
}

type heardError string

func (h heardError) Error() string   { return "heard" }
func (h heardError) Summary() string { return string(h) }

// asked spells a credential so that no two are spelled alike.
func asked(c gate.Credential) string {
	text := fmt.Sprintf("%q %q", c.Attraction, c.Code.Reveal())
	for _, name := range slices.Sorted(maps.Keys(c.Factors)) {
		text += fmt.Sprintf(" %q=%q", name, c.Factors[name].Reveal())
	}
	return text
}

// letters makes texts that are easily taken for each other: (ab, c) and (a, bc).
var letters = rapid.StringOfN(rapid.SampledFrom([]rune("aB \x00\x01-")), 0, 3, -1)

func credentials(t *rapid.T) gate.Credential {
	c := gate.Credential{Code: gate.Secret(letters.Draw(t, "code")), Attraction: letters.Draw(t, "attraction")}
	for name, value := range rapid.MapOfN(letters, letters, 0, 2).Draw(t, "factors") {
		if c.Factors == nil {
			c.Factors = map[string]gate.Secret{}
		}
		c.Factors[name] = gate.Secret(value)
	}
	return c
}

// No verdict ever crosses from one source, attraction, code or set of factors to
// another, while all of them are remembered and asked side by side.
func TestNoVerdictCrosses(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sources := map[string]*calm.Source{}
		for _, id := range []string{"a", "aB"} {
			s, err := calm.Wrap(id, echo{id}, calm.Options{})
			if err != nil {
				t.Fatal(err)
			}
			sources[id] = s
		}
		questions := rapid.SliceOfN(rapid.Custom(credentials), 1, 20).Draw(t, "questions")
		var all sync.WaitGroup
		for range 2 { // the second time from memory, or from a flight
			for id, s := range sources {
				for _, c := range questions {
					all.Go(func() {
						heard := id + "?" + asked(c)
						got, err := s.Verify(context.Background(), c)
						switch {
						case err != nil && err.Error() != "denied: blocked: "+heard:
							t.Errorf("Verify(%s) of %q = %v", asked(c), id, err)
						case err == nil && (got.Ref != heard || got.Normal != c.Code || got.Buys[0].Attraction != c.Attraction):
							t.Errorf("Verify(%s) of %q = %+v", asked(c), id, got)
						}
						source, ref := c.Attraction, c.Code.Reveal()
						want := fmt.Sprintf("%s again %q %q", id, source, ref)
						if got, err := s.Recheck(context.Background(), source, ref); err != nil || got.Ref != want {
							t.Errorf("Recheck(%q, %q) of %q = %+v, %v", source, ref, id, got, err)
						}
					})
				}
			}
			all.Wait()
		}
	})
}

// Questions that are made of the same letters are not one.
func TestQuestionsThatLookAlike(t *testing.T) {
	with := func(code, where string, factors ...string) gate.Credential {
		c := gate.Credential{Code: gate.Secret(code), Attraction: where, Factors: map[string]gate.Secret{}}
		for i := 0; i < len(factors); i += 2 {
			c.Factors[factors[i]] = gate.Secret(factors[i+1])
		}
		return c
	}
	all := []gate.Credential{
		with("ab", "c"), with("a", "bc"), with("abc", ""), with("", "abc"), with("c", "ab"), with("a", "", "b", "c"), with("a", "b", "c", ""),
		with("x", "", "a", "b"), with("x", "", "b", "a"), with("x", "", "ab", ""), with("x", "", "", "ab"), with("x", "", "c", "b"), with("x", "", "a", ""),
		with("x", "", "a", "b", "c", "d"), with("x", "", "a", "d", "c", "b"), with("x", "", "a", "bcd"), with("x", "a"), with("x", ""),
	}
	d := &desk{answer: yes}
	s := wrap(t, d, calm.Options{})
	for range 2 {
		for _, c := range all {
			if got, err := s.Verify(t.Context(), c); err != nil || got.Ref != c.Code.Reveal() {
				t.Errorf("Verify(%s) = %+v, %v, want a ticket of its own", asked(c), got, err)
			}
		}
		if d.asked() != len(all) {
			t.Errorf("asked %d questions, want %d", d.asked(), len(all))
		}
	}
}

// A source is asked about the one spelling that its verdict is remembered by.
func TestNormalise(t *testing.T) {
	upper := func(c gate.Secret) (gate.Secret, error) { return gate.Secret(strings.ToUpper(c.Reveal())), nil }
	for _, tt := range []struct {
		opts  calm.Options
		asked int
	}{{calm.Options{Normalise: upper}, 1}, {calm.Options{}, 2}} {
		d := &desk{answer: yes}
		s := wrap(t, d, tt.opts)
		for _, spelling := range []string{"a1", "A1"} {
			want := gate.Secret(spelling)
			if tt.opts.Normalise != nil {
				want, _ = upper(want)
			}
			if got, err := s.Verify(t.Context(), code(spelling)); err != nil || got.Normal != want {
				t.Errorf("Verify(%s) = %v, %v, want the spelling %s", spelling, got, err, want.Reveal())
			}
		}
		if d.asked() != tt.asked {
			t.Errorf("asked %d times, want %d", d.asked(), tt.asked)
		}
	}
}

// What cannot be a code takes no turn from those that can.
func TestMalformedTakesNoTurn(t *testing.T) {
	malformed := gate.Deny(gate.ReasonMalformed, nil)
	d := &desk{answer: yes}
	s := wrap(t, d, calm.Options{Rate: 1e-9, Normalise: func(c gate.Secret) (gate.Secret, error) {
		if c == "??" {
			return "", malformed
		}
		return c, nil
	}})
	for range 3 {
		if err := show(t.Context(), s, "??"); !denied(err, gate.ReasonMalformed) {
			t.Errorf("Verify(??) = %v, want malformed", err)
		}
	}
	if err := show(t.Context(), s, "A1"); err != nil || d.asked() != 1 {
		t.Errorf("Verify(A1) = %v after %d questions, want the one turn that there is", err, d.asked())
	}
}
