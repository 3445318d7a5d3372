// Package tickettest holds the tests that every verifier must pass, whoever it
// asks:
//
//	func TestVerifier(t *testing.T) {
//		tickettest.Run(t, func(t *testing.T) tickettest.Fixture { ... })
//	}
//
// The tests are those of the contract in gate.Verifier. RunRechecker has those
// of gate.Rechecker, for a verifier that is one too.
package tickettest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/handstamp/handstamp/pkg/gate"
)

// A Fixture is a verifier with credentials whose fate is known.
type Fixture struct {
	Verifier  gate.Verifier
	Good      []Good // at least one
	Unknown   []gate.Credential
	Malformed []gate.Credential
	Refused   []Refused
	Down      []gate.Credential // for which the issuer gives no usable answer
}

// A Good credential is one that the verifier accepts.
type Good struct {
	Spellings []gate.Credential // all of one ticket, at least one
	Buys      []gate.Product
	Seats     int
	Proven    bool
}

// A Refused credential is one that the issuer knows and refuses.
type Refused struct {
	Credential gate.Credential
	Reason     gate.Reason
}

// Run tests the verifiers that open returns, a new one at each call.
func Run(t *testing.T, open func(t *testing.T) Fixture) {
	t.Helper()
	tests := []struct {
		name string
		test func(*testing.T, Fixture)
	}{
		{"accepts", accepts},
		{"has one fingerprint a ticket", oneFingerprint},
		{"refuses", refuses},
		{"does not blame the ticket", blamesNobody},
		{"hands out copies", handsOutCopies},
		{"keeps codes to itself", keepsCodes},
		{"serves many at once", servesMany},
		{"does not refuse a viewer who goes away", cancelled},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { tt.test(t, open(t)) })
	}
}

func accepts(t *testing.T, f Fixture) {
	if len(f.Good) == 0 {
		t.Fatal("the fixture has no good credential")
	}
	for i, good := range f.Good {
		for j, c := range good.Spellings {
			if err := good.check(f.Verifier.Verify(t.Context(), c)); err != nil {
				t.Errorf("Verify(good %d, spelling %d): %v", i, j, err)
			}
		}
	}
}

func (g Good) check(ticket *gate.Ticket, err error) error {
	switch {
	case err != nil || ticket == nil:
		return fmt.Errorf("found %v, %w, want a ticket", ticket, err)
	case ticket.Kind == "" || ticket.Normal == "":
		return fmt.Errorf("found kind %q, normal form %v, want both for the fingerprint", ticket.Kind, ticket.Normal != "")
	case !reflect.DeepEqual(ticket.Buys, g.Buys) || ticket.Seats != g.Seats || ticket.Proven != g.Proven:
		return fmt.Errorf("found %+v, want %+v with %d seats, proven %v", ticket, g.Buys, g.Seats, g.Proven)
	case !ticket.ValidUntil.IsZero() && !ticket.ValidFrom.Before(ticket.ValidUntil):
		return fmt.Errorf("found a ticket from %v until %v", ticket.ValidFrom, ticket.ValidUntil)
	}
	return nil
}

// oneFingerprint: however a code is typed, it is the same ticket in the book,
// and no two tickets are one.
func oneFingerprint(t *testing.T, f Fixture) {
	seen := map[gate.Fingerprint]int{}
	for i, good := range f.Good {
		for j, c := range good.Spellings {
			ticket, err := f.Verifier.Verify(t.Context(), c)
			if err != nil {
				t.Fatalf("Verify(good %d, spelling %d) = %v", i, j, err)
			}
			print := ticket.Fingerprint([]byte("pepper"))
			if other, ok := seen[print]; ok != (j > 0) || ok && other != i {
				t.Errorf("good %d, spelling %d: fingerprint known %v, as that of %d", i, j, ok, other)
			}
			seen[print] = i
		}
	}
}

func refuses(t *testing.T, f Fixture) {
	check := func(what string, i int, c gate.Credential, reason gate.Reason) {
		t.Helper()
		ticket, err := f.Verifier.Verify(t.Context(), c)
		var denial *gate.Denial
		if ticket != nil || !errors.As(err, &denial) || denial.Reason != reason {
			t.Errorf("Verify(%s %d) = %v, %v, want a denial %q", what, i, ticket, err, reason)
		}
		if denial != nil && denial.Proven && (reason == gate.ReasonUnknown || reason == gate.ReasonMalformed) {
			t.Errorf("Verify(%s %d) calls the ticket proven", what, i)
		}
	}
	for i, c := range f.Unknown {
		check("unknown", i, c, gate.ReasonUnknown)
	}
	for i, c := range f.Malformed {
		check("malformed", i, c, gate.ReasonMalformed)
	}
	for i, r := range f.Refused {
		check("refused", i, r.Credential, r.Reason)
	}
}

func blamesNobody(t *testing.T, f Fixture) {
	for i, c := range f.Down {
		ticket, err := f.Verifier.Verify(t.Context(), c)
		var denial *gate.Denial
		if ticket != nil || err == nil || errors.As(err, &denial) {
			t.Errorf("Verify(down %d) = %v, %v, want an error that is no denial", i, ticket, err)
		}
	}
}

func handsOutCopies(t *testing.T, f Fixture) {
	good := f.Good[0]
	ticket, err := f.Verifier.Verify(t.Context(), good.Spellings[0])
	if err != nil {
		t.Fatal(err)
	}
	for i := range ticket.Buys {
		ticket.Buys[i].Attraction = "everything"
	}
	ticket.Source, ticket.Seats = "somewhere", 1000
	if err := good.check(f.Verifier.Verify(t.Context(), good.Spellings[0])); err != nil {
		t.Errorf("after somebody changed the first ticket: %v", err)
	}
}

// keepsCodes: no error and no print of a ticket shows what the viewer showed.
func keepsCodes(t *testing.T, f Fixture) {
	for _, c := range f.all() {
		ticket, err := f.Verifier.Verify(t.Context(), c)
		said := fmt.Sprintf("%v %+v %#v %s %q", ticket, ticket, ticket, err, err)
		if text, err := json.Marshal(ticket); err == nil {
			said += string(text)
		}
		for _, secret := range secrets(c, ticket) {
			if strings.Contains(strings.ToLower(said), strings.ToLower(secret)) {
				t.Errorf("Verify shows %q: %s", secret, said)
			}
		}
	}
}

// secrets returns what must not be shown; shorter texts occur by chance.
func secrets(c gate.Credential, ticket *gate.Ticket) (list []string) {
	all := []string{c.Code.Reveal()}
	for _, factor := range c.Factors {
		all = append(all, factor.Reveal())
	}
	if ticket != nil {
		all = append(all, ticket.Normal.Reveal())
	}
	for _, s := range all {
		if len(strings.TrimSpace(s)) >= 6 {
			list = append(list, s)
		}
	}
	return list
}

func (f Fixture) all() (all []gate.Credential) {
	for _, good := range f.Good {
		all = append(all, good.Spellings...)
	}
	all = append(append(append(all, f.Unknown...), f.Malformed...), f.Down...)
	for _, r := range f.Refused {
		all = append(all, r.Credential)
	}
	return all
}

// servesMany is for the race detector, and for answers that go to the wrong
// viewer.
func servesMany(t *testing.T, f Fixture) {
	var done sync.WaitGroup
	for i := range 32 {
		done.Go(func() {
			for range 10 {
				good := f.Good[i%len(f.Good)]
				c := good.Spellings[i/len(f.Good)%len(good.Spellings)]
				if err := good.check(f.Verifier.Verify(t.Context(), c)); err != nil {
					t.Errorf("Verify(good %d) beside others: %v", i%len(f.Good), err)
				}
				for _, c := range f.Unknown {
					if _, err := f.Verifier.Verify(t.Context(), c); err == nil {
						t.Error("Verify(unknown) beside others: no error")
					}
				}
			}
		})
	}
	done.Wait()
}

func cancelled(t *testing.T, f Fixture) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := f.Verifier.Verify(ctx, f.Good[0].Spellings[0])
	var denial *gate.Denial
	if errors.As(err, &denial) {
		t.Errorf("Verify, cancelled = %v, want a ticket or a failure, no denial", err)
	}
}
