package issued_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/ticket/issued"
	"github.com/handstamp/handstamp/pkg/ticket/tickettest"
)

var (
	_ gate.Verifier  = (*issued.Source)(nil)
	_ gate.Rechecker = (*issued.Source)(nil)
)

var (
	pepper  = []byte("a pepper of 24 characters")
	errDisk = errors.New("disk is gone")
	noon    = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
)

// A shelf is a book with records only.
type shelf struct {
	mu      sync.Mutex
	records []*book.Record
	err     error
	asked   int
}

func (s *shelf) find(want func(*book.Record) bool) (*book.Record, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	if s.err != nil {
		return nil, s.err
	}
	for _, r := range s.records {
		if want(r) {
			found := *r
			return &found, nil
		}
	}
	return nil, gate.ErrNoTarget
}

func (s *shelf) Lookup(ctx context.Context, code gate.Fingerprint) (*book.Record, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return s.find(func(r *book.Record) bool { return r.Code == code })
}

func (s *shelf) Record(ctx context.Context, id string) (*book.Record, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return s.find(func(r *book.Record) bool { return r.ID == id })
}

// put issues a ticket for a code.
func (s *shelf) put(t *testing.T, code string, r book.Record) {
	t.Helper()
	var err error
	if r.Code, err = issued.Fingerprint(pepper, "desk", gate.Secret(code)); err != nil {
		t.Fatalf("Fingerprint(%q) = %v", code, err)
	}
	s.records = append(s.records, &r)
}

func (s *shelf) revoke(t *testing.T, code gate.Secret) gate.Reason {
	t.Helper()
	print, err := issued.Fingerprint(pepper, "desk", code)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range s.records {
		if r.Code == print {
			r.Revoked = noon
		}
	}
	return gate.ReasonRevoked
}

func credential(code string) gate.Credential { return gate.Credential{Code: gate.Secret(code)} }

// stocked returns a shelf with an issued ticket, two imported ones and a
// revoked one.
func stocked(t *testing.T) *shelf {
	t.Helper()
	s := &shelf{}
	castle, audio := []gate.Product{{Attraction: "castle"}}, []gate.Product{{Attraction: "castle", Package: "audio"}, {Attraction: "zoo"}}
	s.put(t, code, book.Record{ID: "R1", Products: audio, Seats: 3, ValidFrom: noon, ValidUntil: noon.Add(time.Hour)})
	s.put(t, "weak-4711", book.Record{ID: "R2", Products: castle})
	s.put(t, "01234567890123456789", book.Record{ID: "R3", Products: castle})
	s.put(t, fresh(t, 2), book.Record{ID: "R4", Products: castle, Revoked: noon})
	return s
}

func source(s *shelf) *issued.Source { return issued.NewSource("desk", pepper, s, issued.Options{}) }

func TestVerifier(t *testing.T) {
	tickettest.Run(t, func(t *testing.T) tickettest.Fixture {
		castle := []gate.Product{{Attraction: "castle"}}
		return tickettest.Fixture{
			Verifier: source(stocked(t)),
			Good: []tickettest.Good{
				{
					Spellings: []gate.Credential{credential(code), credential(strings.ToLower(issued.Grouped(code).Reveal())), credential(strings.ReplaceAll(code, "0", "O"))},
					Buys:      []gate.Product{{Attraction: "castle", Package: "audio"}, {Attraction: "zoo"}},
					Seats:     3, Proven: true,
				},
				{Spellings: []gate.Credential{credential("WEAK4711"), credential(" weak 4711")}, Buys: castle},
				{Spellings: []gate.Credential{credential("01234 56789 01234 56789")}, Buys: castle, Proven: true},
			},
			Unknown:   []gate.Credential{credential(fresh(t, 99)), credential("WEAK471I"), credential(code[1:])},
			Malformed: []gate.Credential{credential(""), credential(code[:25] + "ZZ"), credential("CANARY4711!"), credential(strings.Repeat("CANARY", 100))},
			Refused:   []tickettest.Refused{{Credential: credential(fresh(t, 2)), Reason: gate.ReasonRevoked}},
		}
	})
}

func TestVerifierDown(t *testing.T) {
	tickettest.Run(t, func(t *testing.T) tickettest.Fixture {
		s := stocked(t)
		v := &failing{Source: source(s), broken: issued.NewSource("desk", pepper, &shelf{err: errDisk}, issued.Options{})}
		return tickettest.Fixture{
			Verifier: v,
			Good:     []tickettest.Good{{Spellings: []gate.Credential{credential("WEAK4711")}, Buys: []gate.Product{{Attraction: "castle"}}}},
			Down:     []gate.Credential{credential(code), credential("CANARY4711")},
		}
	})
}

// A failing source has a broken book for all codes but one.
type failing struct {
	*issued.Source
	broken *issued.Source
}

func (f *failing) Verify(ctx context.Context, c gate.Credential) (*gate.Ticket, error) {
	if c.Code == "WEAK4711" {
		return f.Source.Verify(ctx, c)
	}
	return f.broken.Verify(ctx, c)
}

func TestRechecker(t *testing.T) {
	tickettest.RunRechecker(t, func(t *testing.T) tickettest.RecheckFixture {
		s := stocked(t)
		return tickettest.RecheckFixture{
			Verifier: source(s), Source: "desk",
			Good:    []gate.Credential{credential(code), credential("WEAK4711"), credential("01234567890123456789")},
			Unknown: []string{"R9", "", "../R1"},
			Refund:  func(t *testing.T, c gate.Credential) gate.Reason { return s.revoke(t, c.Code) },
			Break:   func(*testing.T) { s.err = errDisk },
		}
	})
}

func TestVerifySaysWhatIsOnRecord(t *testing.T) {
	terms := gate.Validity{Days: 3, OneDay: true}
	src := issued.NewSource("desk", pepper, stocked(t), issued.Options{Terms: terms})
	got, err := src.Verify(t.Context(), credential(code))
	want := &gate.Ticket{Source: "desk", Kind: issued.Kind, Normal: code, Buys: []gate.Product{{Attraction: "castle", Package: "audio"}, {Attraction: "zoo"}},
		Seats: 3, ValidFrom: noon, ValidUntil: noon.Add(time.Hour), Terms: terms, Ref: "R1", Proven: true}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("Verify = %+v, %v, want %+v", got, err, want)
	}
}

// What a ticket says of its own goes before what holds for all of them.
func TestOwnTerms(t *testing.T) {
	slot := gate.Interval{From: noon, Until: noon.Add(time.Hour)}
	all := gate.Validity{Days: 3, OneDay: true, Longest: time.Hour}
	tests := []struct{ own, want gate.Validity }{
		{gate.Validity{}, all},
		{gate.Validity{Days: 1}, gate.Validity{Days: 1, OneDay: true, Longest: time.Hour}},
		{gate.Validity{Slot: slot, SlotOnly: true, Span: 72 * time.Hour}, gate.Validity{Days: 3, OneDay: true, Longest: time.Hour, Slot: slot, SlotOnly: true, Span: 72 * time.Hour}},
		{gate.Validity{Day: gate.Date{Year: 2026, Month: 7, Day: 1}, EarlyAccess: time.Minute, Longest: time.Minute},
			gate.Validity{Day: gate.Date{Year: 2026, Month: 7, Day: 1}, Days: 3, OneDay: true, EarlyAccess: time.Minute, Longest: time.Minute}},
	}
	for _, tt := range tests {
		s := &shelf{}
		s.put(t, code, book.Record{ID: "R1", Products: []gate.Product{{Attraction: "castle"}}, Terms: tt.own})
		got, err := issued.NewSource("desk", pepper, s, issued.Options{Terms: all}).Verify(t.Context(), credential(code))
		if err != nil || got.Terms != tt.want {
			t.Errorf("Verify of %+v = %+v, %v, want %+v", tt.own, got, err, tt.want)
		}
	}
}

// The record that was issued is the ticket that is admitted: revoking one ends
// the other.
func TestRecordIsTheTicket(t *testing.T) {
	s := stocked(t)
	for _, typed := range []string{code, "weak-4711"} {
		got, err := source(s).Verify(t.Context(), credential(typed))
		if err != nil {
			t.Fatalf("Verify(%q) = %v", typed, err)
		}
		r, err := s.Record(t.Context(), got.Ref)
		if err != nil || r.Code != got.Fingerprint(pepper) {
			t.Errorf("record %q = %+v, %v, want the code %x", got.Ref, r, err, got.Fingerprint(pepper))
		}
	}
}

// What cannot be right is refused without a question to the book.
func TestMistypedNeverReachesTheBook(t *testing.T) {
	s := stocked(t)
	for i := range len(code) {
		wrong := code[:i] + string(alphabet[(strings.IndexByte(alphabet, code[i])+1)%32]) + code[i+1:]
		_, err := source(s).Verify(t.Context(), credential(issued.Grouped(gate.Secret(wrong)).Reveal()))
		var denial *gate.Denial
		if !errors.As(err, &denial) || denial.Reason != gate.ReasonMalformed || !errors.Is(err, issued.ErrCheck) {
			t.Errorf("Verify with a wrong character at %d = %v, want malformed", i, err)
		}
	}
	if s.asked != 0 {
		t.Errorf("the book was asked %d times", s.asked)
	}
}

func TestRevokedIsProvenByTheCodeOnly(t *testing.T) {
	s := stocked(t)
	s.revoke(t, "WEAK4711")
	for typed, proven := range map[string]bool{fresh(t, 2): true, "WEAK4711": false} {
		_, err := source(s).Verify(t.Context(), credential(typed))
		var denial *gate.Denial
		if !errors.As(err, &denial) || denial.Reason != gate.ReasonRevoked || denial.Proven != proven {
			t.Errorf("Verify(%q) = %#v, want revoked, proven %v", typed, err, proven)
		}
	}
}

// The failure is passed on, so that somebody can look for its cause; a denial
// of the book is none of the ticket.
func TestBookFails(t *testing.T) {
	denied := gate.Deny(gate.ReasonRevoked, nil)
	for _, cause := range []error{errDisk, denied} {
		_, err := source(&shelf{err: cause}).Verify(t.Context(), credential(code))
		var denial *gate.Denial
		if err == nil || errors.As(err, &denial) || !strings.Contains(err.Error(), cause.Error()) || cause == errDisk && !errors.Is(err, errDisk) {
			t.Errorf("Verify = %v, want a failure because of %v", err, cause)
		}
	}
}
