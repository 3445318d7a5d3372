package totp_test

import (
	"context"
	"encoding/base32"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/ticket/tickettest"
	"github.com/handstamp/handstamp/pkg/ticket/totp"
)

var (
	_ gate.Verifier  = (*totp.Source)(nil)
	_ gate.Rechecker = (*totp.Source)(nil)
)

const master = "0123456789abcdef0123456789abcdeF"

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
}

func (s *shelf) find(want func(*book.Record) bool) (*book.Record, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
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

func (s *shelf) put(t *testing.T, pass string, r book.Record) {
	t.Helper()
	var err error
	if r.Code, err = totp.Fingerprint(pepper, "passes", pass); err != nil {
		t.Fatalf("Fingerprint(%q) = %v", pass, err)
	}
	s.records = append(s.records, &r)
}

func (s *shelf) revoke(id string) {
	for _, r := range s.records {
		if r.ID == id {
			r.Revoked = noon
		}
	}
}

var castle = []gate.Product{{Attraction: "castle"}}

// stocked returns a shelf with two good passes, ANNUAL1 and ANNUAL2, and a
// revoked one, LOST.
func stocked(t *testing.T) *shelf {
	t.Helper()
	s := &shelf{}
	s.put(t, "ANNUAL1", book.Record{ID: "R1", Products: castle, Seats: 2, ValidUntil: noon.Add(time.Hour)})
	s.put(t, "annual 2", book.Record{ID: "R2", Products: []gate.Product{{Attraction: "castle", Package: "audio"}}})
	s.put(t, "LOST", book.Record{ID: "R3", Products: castle, Revoked: noon})
	return s
}

// code is what the wallet shows at a time.
func code(pass string, at time.Time) string {
	return pass + "." + totp.Password(totp.Derive([]byte(master), totp.SHA1, pass), totp.SHA1, 8, totp.StepOf(at))
}

func credential(code string) gate.Credential { return gate.Credential{Code: gate.Secret(code)} }

func config() totp.Config { return totp.Config{ID: "passes", Master: master} }

func open(t *testing.T, cfg totp.Config, s *shelf, opts totp.Options) *totp.Source {
	t.Helper()
	if opts.Now == nil {
		opts.Now = func() time.Time { return noon }
	}
	source, err := totp.New(cfg, pepper, s, opts)
	if err != nil {
		t.Fatalf("New = %v", err)
	}
	return source
}

// again takes every password again: the suites show one many times, which is
// refused otherwise, see TestNoReuse.
type again struct{}

func (again) Used(context.Context, string, int64) (bool, error) { return false, nil }

func wantDenied(t *testing.T, what string, got *gate.Ticket, err error, reason gate.Reason, proven bool) {
	t.Helper()
	var denial *gate.Denial
	if got != nil || !errors.As(err, &denial) || denial.Reason != reason || denial.Proven != proven {
		t.Errorf("%s = %+v, %v, want %s, proven %v", what, got, err, reason, proven)
	}
}

func TestVerifier(t *testing.T) {
	tickettest.Run(t, func(t *testing.T) tickettest.Fixture {
		now, before := code("ANNUAL1", noon), code("ANNUAL1", noon.Add(-totp.Step))
		return tickettest.Fixture{
			Verifier: open(t, config(), stocked(t), totp.Options{Steps: again{}}),
			Good: []tickettest.Good{
				{Spellings: []gate.Credential{credential(now), credential(" annual-1 " + now[7:11] + " " + now[11:]), credential(before), credential(code("ANNUAL1", noon.Add(totp.Step)))},
					Buys: castle, Seats: 2, Proven: true},
				{Spellings: []gate.Credential{credential(code("ANNUAL2", noon))}, Buys: []gate.Product{{Attraction: "castle", Package: "audio"}}, Proven: true},
			},
			Unknown:   []gate.Credential{credential("NOBODY.12345678"), credential(code("NOBODY2", noon)), credential(code("NOBODY3", noon.Add(-2*totp.Step)))},
			Malformed: []gate.Credential{credential(""), credential("ANNUAL1"), credential("ANNUAL1."), credential(now + "0"), credential(now[:len(now)-1]), credential("CANARY!." + now[8:]), credential(now + ".1"), credential("." + now[8:]), credential("ANNUAL1/../X." + now[8:]), credential("ANNUAL1.1234567A"), credential("ANNUAL1.１２３４５６７８"), credential(strings.Repeat("A", 65) + now[7:])},
			Refused:   []tickettest.Refused{{Credential: credential(code("LOST", noon)), Reason: gate.ReasonRevoked}},
		}
	})
}

func TestRechecker(t *testing.T) {
	tickettest.RunRechecker(t, func(t *testing.T) tickettest.RecheckFixture {
		s := stocked(t)
		return tickettest.RecheckFixture{
			Verifier: open(t, config(), s, totp.Options{Steps: again{}}), Source: "passes",
			Good:    []gate.Credential{credential(code("ANNUAL1", noon)), credential(code("ANNUAL2", noon))},
			Unknown: []string{"", "R9", "ANNUAL1", "../R1"},
			Refund:  func(*testing.T, gate.Credential) gate.Reason { s.revoke("R1"); return gate.ReasonRevoked },
			Break:   func(*testing.T) { s.err = errDisk },
		}
	})
}

func TestVerifySaysWhatIsOnRecord(t *testing.T) {
	terms := gate.Validity{OneDay: true}
	got, err := open(t, config(), stocked(t), totp.Options{Terms: terms}).Verify(t.Context(), credential(code("ANNUAL1", noon)))
	want := &gate.Ticket{Source: "passes", Kind: totp.Kind, Normal: "pass ANNUAL1", Buys: castle, Seats: 2, ValidUntil: noon.Add(time.Hour), Terms: terms, Ref: "R1", Proven: true}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("Verify = %+v, %v, want %+v", got, err, want)
	}
}

// One step either way, and not a second more.
func TestWindow(t *testing.T) {
	for after, want := range map[time.Duration]bool{
		-31 * time.Second: false, -30 * time.Second: true, 0: true, 29 * time.Second: true, 59 * time.Second: true, 60 * time.Second: false, time.Hour: false,
	} {
		s := open(t, config(), stocked(t), totp.Options{Now: func() time.Time { return noon.Add(after) }})
		got, err := s.Verify(t.Context(), credential(code("ANNUAL1", noon)))
		if want && err != nil {
			t.Errorf("Verify %s after its step began = %v, want a ticket", after, err)
		} else if !want {
			wantDenied(t, fmt.Sprintf("Verify %s after its step began", after), got, err, gate.ReasonUnknown, false)
		}
	}
}

// A password is taken once, in whatever spelling and within its whole window;
// the next one is good, and another pass has its own.
func TestNoReuse(t *testing.T) {
	now := noon
	s := open(t, config(), stocked(t), totp.Options{Now: func() time.Time { return now }})
	first := code("ANNUAL1", noon)
	if _, err := s.Verify(t.Context(), credential(first)); err != nil {
		t.Fatalf("Verify = %v", err)
	}
	for _, now = range []time.Time{noon, noon.Add(29 * time.Second), noon.Add(59 * time.Second)} {
		got, err := s.Verify(t.Context(), credential(" "+strings.ToLower(first)))
		wantDenied(t, "Verify again", got, err, gate.ReasonReplaced, true)
	}
	for _, other := range []string{code("ANNUAL1", noon.Add(totp.Step)), code("ANNUAL2", noon)} {
		if _, err := s.Verify(t.Context(), credential(other)); other[:7] == "ANNUAL1" && err != nil {
			t.Errorf("Verify of the next password = %v, want a ticket", err)
		}
	}
}

// Of many who show a password at once, one gets in.
func TestNoReuseAtOnce(t *testing.T) {
	s := open(t, config(), stocked(t), totp.Options{})
	var mu sync.Mutex
	var done sync.WaitGroup
	taken := 0
	for range 64 {
		done.Go(func() {
			got, err := s.Verify(t.Context(), credential(code("ANNUAL1", noon)))
			if err != nil {
				wantDenied(t, "Verify", got, err, gate.ReasonReplaced, true)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			taken++
		})
	}
	done.Wait()
	if taken != 1 {
		t.Errorf("%d got in with one password, want 1", taken)
	}
}

// Whoever knows an id cannot try all passwords; the holder waits for a minute
// at most and is not told that the pass is bad.
func TestTries(t *testing.T) {
	now := noon
	s := open(t, config(), stocked(t), totp.Options{Now: func() time.Time { return now }})
	wrong := func() (*gate.Ticket, error) { return s.Verify(t.Context(), credential("ANNUAL1.00000000")) }
	for range totp.Tries {
		got, err := wrong()
		wantDenied(t, "Verify", got, err, gate.ReasonUnknown, false)
	}
	var denial *gate.Denial
	for _, shown := range []string{"ANNUAL1.00000000", code("ANNUAL1", noon)} {
		if got, err := s.Verify(t.Context(), credential(shown)); got != nil || !errors.Is(err, totp.ErrTries) || errors.As(err, &denial) {
			t.Errorf("Verify = %+v, %v, want ErrTries and no denial", got, err)
		}
	}
	if _, err := s.Verify(t.Context(), credential(code("ANNUAL2", noon))); err != nil {
		t.Errorf("Verify of another pass = %v, want a ticket", err)
	}
	now = noon.Add(time.Minute)
	if _, err := s.Verify(t.Context(), credential(code("ANNUAL1", now))); err != nil {
		t.Errorf("Verify a minute later = %v, want a ticket", err)
	}
}

// Nothing tells a pass that is there from one that is not, or is revoked.
func TestWrongPasswords(t *testing.T) {
	s := stocked(t)
	source := open(t, config(), s, totp.Options{})
	said := map[string]bool{}
	for _, pass := range []string{"ANNUAL1", "LOST", "NOBODY"} {
		got, err := source.Verify(t.Context(), credential(pass+".12345678"))
		wantDenied(t, "Verify "+pass, got, err, gate.ReasonUnknown, false)
		said[fmt.Sprint(err)] = true
	}
	if len(said) != 1 {
		t.Errorf("Verify says %v, want one answer", said)
	}
	got, err := source.Verify(t.Context(), credential(code("NOBODY", noon)))
	wantDenied(t, "Verify of a pass that was never issued", got, err, gate.ReasonUnknown, false)
}

func TestFailures(t *testing.T) {
	var denial *gate.Denial
	for name, cause := range map[string]error{"a disk": errDisk, "a denial": gate.Deny(gate.ReasonRevoked, errDisk)} {
		s := stocked(t)
		s.err = cause
		for _, shown := range []string{code("ANNUAL1", noon), "ANNUAL1.00000000"} {
			got, err := open(t, config(), s, totp.Options{}).Verify(t.Context(), credential(shown))
			if got != nil || err == nil || errors.As(err, &denial) || !strings.Contains(err.Error(), "disk is gone") {
				t.Errorf("%s: Verify = %+v, %v, want a failure", name, got, err)
			}
		}
		got, err := open(t, config(), stocked(t), totp.Options{Steps: broken{cause}}).Verify(t.Context(), credential(code("ANNUAL1", noon)))
		if got != nil || err == nil || errors.As(err, &denial) {
			t.Errorf("%s: Verify without memory = %+v, %v, want a failure", name, got, err)
		}
	}
}

type broken struct{ err error }

func (b broken) Used(context.Context, string, int64) (bool, error) { return false, b.err }

func TestListOfSecrets(t *testing.T) {
	secret := "a secret of 20 bytes"
	text := base32.StdEncoding.EncodeToString([]byte(secret))
	cfg := totp.Config{ID: "passes", Algorithm: totp.SHA256, Digits: 6, Secrets: map[string]gate.Secret{"annual-1": gate.Secret(strings.ToLower(text[:4] + " " + text[4:]))}}
	s := open(t, cfg, stocked(t), totp.Options{})
	now := totp.StepOf(noon)
	if _, err := s.Verify(t.Context(), credential("ANNUAL1."+totp.Password([]byte(secret), totp.SHA256, 6, now))); err != nil {
		t.Errorf("Verify = %v, want a ticket", err)
	}
	got, err := s.Verify(t.Context(), credential("ANNUAL2."+totp.Password(nil, totp.SHA256, 6, now)))
	wantDenied(t, "Verify of a pass without a secret", got, err, gate.ReasonUnknown, false)
}

func TestNewRefuses(t *testing.T) {
	b32 := base32.StdEncoding.EncodeToString
	list := func(pairs ...string) func(*totp.Config) {
		return func(c *totp.Config) {
			c.Master, c.Secrets = "", map[string]gate.Secret{}
			for i := 0; i < len(pairs); i += 2 {
				c.Secrets[pairs[i]] = gate.Secret(pairs[i+1])
			}
		}
	}
	good := b32([]byte("CANARY of 20 bytes.."))
	tests := map[string]struct {
		change func(*totp.Config)
		good   bool
	}{
		"nothing wrong":       {func(*totp.Config) {}, true},
		"a list":              {list("A", good), true},
		"MD5":                 {func(c *totp.Config) { c.Algorithm = "MD5" }, false},
		"5 digits":            {func(c *totp.Config) { c.Digits = 5 }, false},
		"9 digits":            {func(c *totp.Config) { c.Digits = 9 }, false},
		"no secrets":          {func(c *totp.Config) { c.Master = "" }, false},
		"both":                {func(c *totp.Config) { c.Secrets = map[string]gate.Secret{"A": gate.Secret(good)} }, false},
		"a short master":      {func(c *totp.Config) { c.Master = gate.Secret(master[:31]) }, false},
		"a repeated master":   {func(c *totp.Config) { c.Master = gate.Secret(strings.Repeat("x", 40)) }, false},
		"the master of a RFC": {func(c *totp.Config) { c.Master = seed32 }, false},
		"the secret of a RFC": {list("A", b32([]byte(seed20))), false},
		"a short secret":      {list("A", b32([]byte("CANARY of 15 by"))), false},
		"no base32":           {list("A", "CANARY-1"), false},
		"no id":               {list("", good), false},
		"a strange id":        {list("A.B", good), false},
		"an id twice":         {list("A-B", good, "ab", good), false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			cfg := config()
			tt.change(&cfg)
			s, err := totp.New(cfg, pepper, &shelf{}, totp.Options{})
			if (err == nil) != tt.good || (s != nil) != tt.good || err != nil && strings.Contains(err.Error(), "CANARY") {
				t.Errorf("New = %v, %v, want good %v", s, err, tt.good)
			}
		})
	}
}

func TestFingerprint(t *testing.T) {
	one, err := totp.Fingerprint(pepper, "passes", "ab-1")
	same, err2 := totp.Fingerprint(pepper, "passes", "AB 1")
	other, err3 := totp.Fingerprint(pepper, "passes", "AB2")
	if err := errors.Join(err, err2, err3); err != nil || one != same || one == other {
		t.Errorf("Fingerprint = %x, %x, %x, %v, want the first two equal", one, same, other, err)
	}
	if _, err := totp.Fingerprint(pepper, "passes", "A.B"); err == nil {
		t.Error(`Fingerprint("A.B") = nil, want an error`)
	}
}

func FuzzSplit(f *testing.F) {
	for _, s := range []string{"A.12345678", "a-b 1.1234 5678", ".", "A.B.12345678", "\xff", strings.Repeat("A", 600), "A.１２"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		pass, password, err := totp.Split(gate.Secret(typed), 8)
		var denial *gate.Denial
		if err != nil {
			if !errors.As(err, &denial) || denial.Reason != gate.ReasonMalformed || pass+password != "" {
				t.Errorf("Split(%q) = %q, %q, %v, want malformed only", typed, pass, password, err)
			}
			return
		}
		again, digits, err := totp.Split(gate.Secret(pass+"."+password), 8)
		if again != pass || digits != password || err != nil || len(password) != 8 {
			t.Errorf("Split(%q) = %q, %q, and of that %q, %q, %v", typed, pass, password, again, digits, err)
		}
	})
}
