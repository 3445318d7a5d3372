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

// A RecheckFixture is a verifier that can be asked again without the code.
type RecheckFixture struct {
	Verifier interface {
		gate.Verifier
		gate.Rechecker
	}
	Source  string            // what the verifier is configured as; empty if it does not matter
	Good    []gate.Credential // of different tickets, at least two
	Unknown []string          // refs that the issuer never gave, at least one

	// Refund takes the ticket behind c back at its issuer and returns the
	// reason that it is refused for from then on.
	Refund func(t *testing.T, c gate.Credential) gate.Reason

	// Break makes the issuer fail from then on; nil means that it cannot fail.
	Break func(t *testing.T)
}

// RunRechecker tests the verifiers that open returns, a new one at each call,
// for the contract of gate.Rechecker.
func RunRechecker(t *testing.T, open func(t *testing.T) RecheckFixture) {
	t.Helper()
	tests := []struct {
		name string
		test func(*testing.T, RecheckFixture)
	}{
		{"says the same again", saysTheSame},
		{"has one ref a ticket", oneRef},
		{"sees a refund", seesRefund},
		{"does not know every ref", refusesRefs},
		{"does not blame the ticket", recheckBlamesNobody},
		{"hands out copies", recheckCopies},
		{"keeps codes to itself", refsKeepCodes},
		{"serves many at once", rechecksMany},
		{"does not refuse a viewer who goes away", recheckCancelled},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := open(t)
			if len(f.Good) < 2 || len(f.Unknown) == 0 || f.Refund == nil {
				t.Fatal("the fixture needs two good credentials, an unknown ref and a way to refund")
			}
			tt.test(t, f)
		})
	}
}

// verified returns what the verifier says of a good credential.
func (f RecheckFixture) verified(t *testing.T, i int) *gate.Ticket {
	t.Helper()
	ticket, err := f.Verifier.Verify(t.Context(), f.Good[i])
	if err != nil || ticket.Ref == "" {
		t.Fatalf("Verify(good %d) = %+v, %v, want a ticket with a ref", i, ticket, err)
	}
	return ticket
}

// again asks for a ticket a second time and compares what the issuer says of
// it: not the kind, the normal form and whether it is proven, which belong to
// the code.
func (f RecheckFixture) again(ctx context.Context, first *gate.Ticket) error {
	ticket, err := f.Verifier.Recheck(ctx, f.Source, first.Ref)
	if err != nil || ticket == nil {
		return fmt.Errorf("found %v, %w, want a ticket", ticket, err)
	}
	if ticket.Normal != "" && ticket.Normal != first.Normal {
		return errors.New("found the normal form of another code")
	}
	got, want := *ticket, *first
	got.Kind, got.Normal, got.Proven = want.Kind, want.Normal, want.Proven
	if !reflect.DeepEqual(got, want) {
		return fmt.Errorf("found %+v, want %+v", got, want)
	}
	return nil
}

func saysTheSame(t *testing.T, f RecheckFixture) {
	for i := range f.Good {
		first := f.verified(t, i)
		for range 2 {
			if err := f.again(t.Context(), first); err != nil {
				t.Errorf("Recheck(good %d): %v", i, err)
			}
		}
	}
}

func oneRef(t *testing.T, f RecheckFixture) {
	seen := map[string]int{}
	for i := range f.Good {
		ref := f.verified(t, i).Ref
		if again := f.verified(t, i).Ref; again != ref {
			t.Errorf("Verify(good %d) has the ref %q, then %q", i, ref, again)
		}
		if other, ok := seen[ref]; ok {
			t.Errorf("Verify(good %d) has the ref %q of good %d", i, ref, other)
		}
		seen[ref] = i
	}
}

func seesRefund(t *testing.T, f RecheckFixture) {
	first, other := f.verified(t, 0), f.verified(t, 1)
	reason := f.Refund(t, f.Good[0])
	ticket, err := f.Verifier.Recheck(t.Context(), f.Source, first.Ref)
	wantDenied(t, "Recheck(refunded)", ticket, err, reason)
	ticket, err = f.Verifier.Verify(t.Context(), f.Good[0])
	wantDenied(t, "Verify(refunded)", ticket, err, reason)
	if err := f.again(t.Context(), other); err != nil {
		t.Errorf("Recheck after the refund of another ticket: %v", err)
	}
}

func refusesRefs(t *testing.T, f RecheckFixture) {
	for _, ref := range f.Unknown {
		ticket, err := f.Verifier.Recheck(t.Context(), f.Source, ref)
		wantDenied(t, fmt.Sprintf("Recheck(%q)", ref), ticket, err, gate.ReasonUnknown)
	}
}

func wantDenied(t *testing.T, call string, ticket *gate.Ticket, err error, reason gate.Reason) {
	t.Helper()
	var denial *gate.Denial
	if ticket != nil || !errors.As(err, &denial) || denial.Reason != reason {
		t.Errorf("%s = %v, %v, want a denial %q", call, ticket, err, reason)
	}
}

func recheckBlamesNobody(t *testing.T, f RecheckFixture) {
	if f.Break == nil {
		t.Skip("this issuer cannot fail")
	}
	ref := f.verified(t, 0).Ref
	f.Break(t)
	for _, ref := range append(f.Unknown, ref) {
		ticket, err := f.Verifier.Recheck(t.Context(), f.Source, ref)
		var denial *gate.Denial
		if ticket != nil || err == nil || errors.As(err, &denial) {
			t.Errorf("Recheck(%q) while the issuer fails = %v, %v, want an error that is no denial", ref, ticket, err)
		}
	}
}

func recheckCopies(t *testing.T, f RecheckFixture) {
	first := f.verified(t, 0)
	for range 2 {
		ticket, err := f.Verifier.Recheck(t.Context(), f.Source, first.Ref)
		if err != nil {
			t.Fatal(err)
		}
		for i := range ticket.Buys {
			ticket.Buys[i].Attraction = "everything"
		}
		ticket.Source, ticket.Seats = "somewhere", 1000
	}
	if err := f.again(t.Context(), f.verified(t, 0)); err != nil {
		t.Errorf("Recheck after somebody changed a ticket: %v", err)
	}
	if now := f.verified(t, 0); !reflect.DeepEqual(now, first) {
		t.Errorf("Verify after somebody changed a ticket = %+v, want %+v", now, first)
	}
}

// refsKeepCodes: a ref is on record in the book, and shown to staff.
func refsKeepCodes(t *testing.T, f RecheckFixture) {
	for i, c := range f.Good {
		first := f.verified(t, i)
		ticket, err := f.Verifier.Recheck(t.Context(), f.Source, first.Ref)
		said := fmt.Sprintf("%v %+v %#v %s %q %s", ticket, ticket, ticket, err, err, first.Ref)
		if text, err := json.Marshal(ticket); err == nil {
			said += string(text)
		}
		for _, secret := range secrets(c, first) {
			if strings.Contains(strings.ToLower(said), strings.ToLower(secret)) {
				t.Errorf("Recheck(good %d) shows %q: %s", i, secret, said)
			}
		}
	}
}

func rechecksMany(t *testing.T, f RecheckFixture) {
	first := make([]*gate.Ticket, len(f.Good))
	for i := range f.Good {
		first[i] = f.verified(t, i)
	}
	var done sync.WaitGroup
	for i := range 16 {
		done.Go(func() {
			for range 10 {
				if err := f.again(t.Context(), first[i%len(first)]); err != nil {
					t.Errorf("Recheck(good %d) beside others: %v", i%len(first), err)
				}
			}
		})
	}
	done.Wait()
}

func recheckCancelled(t *testing.T, f RecheckFixture) {
	ref := f.verified(t, 0).Ref
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := f.Verifier.Recheck(ctx, f.Source, ref)
	var denial *gate.Denial
	if errors.As(err, &denial) {
		t.Errorf("Recheck, cancelled = %v, want a ticket or a failure, no denial", err)
	}
}
