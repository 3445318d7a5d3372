package calm_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/ticket"
	"github.com/handstamp/handstamp/pkg/ticket/calm"
	"github.com/handstamp/handstamp/pkg/ticket/roll"
	"github.com/handstamp/handstamp/pkg/ticket/tickettest"
)

var secret = []byte("CANARYCANARYCANARY")

// list opens a list of tickets for the castle.
func list(t *testing.T, file string, codes ...string) *roll.File {
	t.Helper()
	write(t, file, codes...)
	f, err := roll.Open(file, roll.Options{Secret: secret, Poll: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func write(t *testing.T, file string, codes ...string) {
	t.Helper()
	text := "code,attraction\n" + strings.Join(codes, ",castle\n") + ",castle\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestVerifier(t *testing.T) {
	castle := []gate.Product{{Attraction: "castle"}}
	tickettest.Run(t, func(t *testing.T) tickettest.Fixture {
		f := list(t, filepath.Join(t.TempDir(), "t.csv"), "WEAK-4711", "01234567890123456789")
		broken := &desk{answer: func(ctx context.Context, c gate.Credential) (*gate.Ticket, error) {
			if strings.HasPrefix(c.Code.Reveal(), "DOWN") {
				return nil, errors.New("no answer about " + c.Code.Reveal())
			}
			return f.Verify(ctx, c)
		}}
		return tickettest.Fixture{
			Verifier: wrap(t, broken, calm.Options{Normalise: ticket.Normalise}),
			Good: []tickettest.Good{
				{Spellings: []gate.Credential{code("weak-4711"), code(" WEAK 4711")}, Buys: castle},
				{Spellings: []gate.Credential{code("01234567890123456789")}, Buys: castle, Proven: true},
			},
			Unknown:   []gate.Credential{code("CANARY4711"), code("WEAK471")},
			Malformed: []gate.Credential{code(""), code("CANARY4711!")},
			Down:      []gate.Credential{code("DOWN4711")},
		}
	})
}

func TestRechecker(t *testing.T) {
	tickettest.RunRechecker(t, func(t *testing.T) tickettest.RecheckFixture {
		file := filepath.Join(t.TempDir(), "t.csv")
		f := list(t, file, "WEAK-4711", "WEAK-4712")
		s := wrap(t, f, calm.Options{Normalise: ticket.Normalise})
		return tickettest.RecheckFixture{
			Verifier: s,
			Good:     []gate.Credential{code("weak4711"), code("weak4712")},
			Unknown:  []string{"", "WEAK4711", strings.Repeat("0", 64)},
			Refund: func(t *testing.T, c gate.Credential) gate.Reason {
				if _, err := s.Verify(t.Context(), c); err != nil {
					t.Fatal(err)
				}
				write(t, file, "WEAK-4712")
				if err := f.Reload(); err != nil {
					t.Fatal(err)
				}
				s.PurgeAll()
				return gate.ReasonUnknown
			},
		}
	})
}

// A source that cannot be asked again does not seem to be one that can.
func TestCannotBeAskedAgain(t *testing.T) {
	d := &desk{answer: yes}
	s := wrap(t, struct{ gate.Verifier }{d}, calm.Options{})
	for range 2 {
		if got, err := s.Verify(t.Context(), code("A1")); err != nil || got.Ref != "" {
			t.Errorf("Verify = %+v, %v, want a ticket without a ref", got, err)
		}
	}
	if got, err := s.Recheck(t.Context(), "box", "A1"); got != nil || !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("Recheck = %v, %v, want errors.ErrUnsupported", got, err)
	}
	if again := wrap(t, d, calm.Options{}); again.Stats().Asked != 0 {
		t.Errorf("Stats of a new source = %+v, want nothing asked", again.Stats())
	} else if got, err := again.Recheck(t.Context(), "box", "A1"); err != nil || got.Ref != "A1" {
		t.Errorf("Recheck = %+v, %v, want the ticket A1", got, err)
	}
}

func TestWrapChecksOptions(t *testing.T) {
	tests := []struct {
		opts calm.Options
		want string
	}{
		{calm.Options{Allow: 61e9}, `ticket source "box": allow: 1m1s, want at most 1m0s, or a refund would not bite`},
		{calm.Options{Deny: 61e9}, `ticket source "box": deny: 1m1s, want at most 1m0s`},
		{calm.Options{Rate: -1}, `ticket source "box": rate: -1 a second, want more than 0`},
		{calm.Options{Wait: -1, Deadline: -1}, "ticket source \"box\": wait: -1ns, want more than 0\ndeadline: -1ns, want more than 0"},
		{calm.Options{Concurrency: -1}, `ticket source "box": concurrency: -1, want 1 or more`},
	}
	for _, tt := range tests {
		if s, err := calm.Wrap("box", &desk{}, tt.opts); s != nil || err == nil || err.Error() != tt.want {
			t.Errorf("Wrap with %+v = %v, %v, want %s", tt.opts, s, err, tt.want)
		}
	}
}
