package dynamodb_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/book/dynamodb"
	"github.com/handstamp/handstamp/pkg/book/dynamodb/internal/faketable"
	"github.com/handstamp/handstamp/pkg/gate"
)

// hurried returns a book that gives up soon.
func hurried(t *testing.T, client dynamodb.Client) *dynamodb.Book {
	t.Helper()
	b, err := dynamodb.Open(t.Context(), client, dynamodb.Options{Budget: 100 * time.Millisecond, Timeout: 20 * time.Millisecond})
	if err != nil {
		t.Fatalf("Open = %v", err)
	}
	return b
}

// TestBudgetSpent: what is told when no attempt succeeded. It is never a
// denial, and it is ErrReadOnly only if nothing can have been written.
func TestBudgetSpent(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		write    func(do func() error) error
		first    error // of each write, instead; nil means none
		readOnly bool
	}{
		{"throttled", func(func() error) error { return errThrottled }, nil, true},
		{"throughput exceeded", func(func() error) error { return errSpent }, nil, true},
		{"throttled within", func(func() error) error { return cancelled("ThrottlingError") }, nil, true},
		{"may not write", func(func() error) error { return &faketable.Error{Code: "AccessDeniedException"} }, nil, true},
		{"server fails", func(func() error) error { return errServer }, nil, false},
		{"always others", func(func() error) error { return cancelled("TransactionConflict") }, nil, false},
		{"no such table", func(func() error) error { return &faketable.Error{Code: "ResourceNotFoundException"} }, nil, false},
		{"unknown, then throttled", func(func() error) error { return errThrottled }, errServer, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			table := faketable.New()
			calm := open(t, table)
			before := enter(t, calm, entry("1"))
			if err := calm.AddFile(t.Context(), upload("1")); err != nil {
				t.Fatal(err)
			}
			client := &faulty{Owner: table}
			b := hurried(t, client)
			for name, write := range everyWrite(t, b) {
				client.write = tt.write
				if tt.first != nil {
					client.write = onceThen(tt.first, tt.write)
				}
				var denial *gate.Denial
				if err := write(); err == nil || errors.As(err, &denial) || errors.Is(err, gate.ErrReadOnly) != tt.readOnly {
					t.Errorf("%s = %v, want an error that is no denial, ErrReadOnly: %v", name, err, tt.readOnly)
				}
			}
			found, err := b.Find(t.Context(), session("1"), noon)
			if err != nil || found.ID != before.ID || found.Revision != before.Revision {
				t.Errorf("Find = %+v, %v, want %+v: reads go on", found, err, before)
			}
			if files, err := b.Files(t.Context(), []string{"1", "2"}); err != nil || len(files) != 1 || files[0] != upload("1") {
				t.Errorf("Files = %+v, %v, want only the first, as it was", files, err)
			}
		})
	}
}

// onceThen returns a fault that is an error once, and then another fault.
func onceThen(first error, then func(func() error) error) func(func() error) error {
	return func(do func() error) error {
		if err := first; err != nil {
			first = nil
			return err
		}
		return then(do)
	}
}

// everyWrite is one of each kind.
func everyWrite(t *testing.T, b *dynamodb.Book) map[string]func() error {
	return map[string]func() error{
		"Renew": func() error { _, err := b.Renew(t.Context(), renewal("1", "2", noon)); return err },
		"Enter": func() error { _, err := b.Enter(t.Context(), entry("3")); return err },
		"Leave": func() error { return b.Leave(t.Context(), session("1"), noon) },
		"Revoke": func() error {
			_, err := b.Revoke(t.Context(), gate.Target{Kind: gate.TargetTicket, Ticket: fingerprint("A")}, noon)
			return err
		},
		"Append": func() error { return b.Append(t.Context(), book.AuditEvent{Actor: "test"}) },
		"Issue":  func() error { return b.Issue(t.Context(), []book.Record{record("1")}, book.AuditEvent{}) },

		"AddFile":     func() error { return b.AddFile(t.Context(), upload("2")) },
		"ConfirmFile": func() error { return b.ConfirmFile(t.Context(), arrived("1")) },
		"DiscardFile": func() error { return b.DiscardFile(t.Context(), "1", noon) },
		"RemoveFile":  func() error { return b.RemoveFile(t.Context(), "1") },
	}
}

// TestLostAnswer: a change whose answer was lost is made once, recognised by
// its token or by what it wrote.
func TestLostAnswer(t *testing.T) {
	t.Parallel()
	for _, forgets := range []bool{false, true} {
		lost := 0
		client := &faulty{Owner: faketable.New(), forgets: forgets, write: func(do func() error) error {
			err := do()
			if lost++; lost%2 == 1 && err == nil {
				return errServer
			}
			return err
		}}
		b := open(t, client)
		for i := range 3 {
			if a := enter(t, b, entry(fmt.Sprint(i))); a.Taken != i+1 {
				t.Errorf("%d seats taken, want %d", a.Taken, i+1)
			}
		}
		for i := range 3 {
			if err := b.Append(t.Context(), book.AuditEvent{Actor: "test"}); err != nil {
				t.Fatal(err)
			}
			if last, err := b.VerifyAudit(t.Context()); err != nil || last.Seq != int64(i+1) {
				t.Errorf("VerifyAudit = %d, %v, want %d events", last.Seq, err, i+1)
			}
		}
		a, err := b.Renew(t.Context(), renewal("1", "next", noon))
		if err != nil || a.Held != session("next") {
			t.Errorf("Renew = %+v, %v, want the next session held", a, err)
		}
	}
}

// TestSeats: whoever comes at once, at however many instances and with however
// many faults, gets exactly the seats that there are.
func TestSeats(t *testing.T) {
	t.Parallel()
	seats(t, spread(t, &faulty{Owner: faketable.New(), percent: 20}))
}

func seats(t *testing.T, b gate.Book) {
	t.Helper()
	errs := make(chan error, 64)
	for i := range cap(errs) {
		go func() {
			_, err := b.Enter(t.Context(), entry(fmt.Sprint("crowd ", i)))
			errs <- err
		}()
	}
	in := 0
	for range cap(errs) {
		var denial *gate.Denial
		switch err := <-errs; {
		case err == nil:
			in++
		case !errors.As(err, &denial) || denial.Reason != gate.ReasonSeatsTaken:
			t.Errorf("Enter = %v, want a seat or that all are taken", err)
		}
	}
	if in != 3 {
		t.Errorf("%d devices got in, want 3", in)
	}
}

// TestStaleIndex: reads that are not consistent are far behind, and what counts
// holds all the same.
func TestStaleIndex(t *testing.T) {
	t.Parallel()
	table := faketable.New()
	table.Lag = 1_000
	b := spread(t, table)
	enter(t, b, entry("1"))
	if _, err := b.Renew(t.Context(), renewal("1", "2", noon)); err != nil {
		t.Fatalf("Renew = %v", err)
	}
	for _, target := range []gate.Target{{Kind: gate.TargetAttraction, ID: "castle"}, {Kind: gate.TargetTicket, Ticket: fingerprint("A")}} {
		if _, err := b.Revoke(t.Context(), target, noon); err != nil {
			t.Errorf("Revoke(%+v) = %v", target, err)
		}
		for _, device := range []string{"1", "2"} {
			if a, err := b.Find(t.Context(), session(device), noon); err == nil {
				t.Errorf("Find(%q) after Revoke(%+v) = %+v, want a denial", device, target, a)
			}
		}
	}
	if all, err := b.next().Revocations(t.Context(), noon); err != nil || len(all) != 1 || all[0].Attraction != "castle" {
		t.Errorf("Revocations = %+v, %v, want the attraction, as nobody was in any more", all, err)
	}
}

// TestExpired: DynamoDB may return what has expired for days.
func TestExpired(t *testing.T) {
	t.Parallel()
	table, now := faketable.New(), noon
	b, err := dynamodb.Open(t.Context(), table, dynamodb.Options{Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	e := entry("1")
	e.Request = gate.Idempotency{Key: session("key"), Body: session("body")}
	a := enter(t, b, e)
	if n, err := b.Revoke(t.Context(), gate.Target{Kind: gate.TargetDevice, ID: a.Device}, noon); n != 1 || err != nil {
		t.Fatalf("Revoke = %d, %v, want 1", n, err)
	}
	items := len(table.All())
	now = noon.Add(33 * 24 * time.Hour)
	if _, err := b.Admission(t.Context(), a.ID); !errors.Is(err, gate.ErrNoTarget) {
		t.Errorf("Admission = %v, want ErrNoTarget", err)
	}
	if _, err := b.Revoke(t.Context(), gate.Target{Kind: gate.TargetDevice, ID: a.Device}, now); !errors.Is(err, gate.ErrNoTarget) {
		t.Errorf("Revoke = %v, want ErrNoTarget", err)
	}
	if all, err := b.Revocations(t.Context(), time.Time{}); err != nil || len(all) != 0 {
		t.Errorf("Revocations = %+v, %v, want none", all, err)
	}
	if all, _, err := b.Admissions(t.Context(), book.AdmissionQuery{}); err != nil || len(all) != 0 {
		t.Errorf("Admissions = %+v, %v, want none", all, err)
	}
	if len(table.All()) != items {
		t.Fatalf("%d items, want all %d still there", len(table.All()), items)
	}
	e.At, e.Ends = now, now.Add(time.Hour) // the same request and session, written over what has expired
	if again := enter(t, b, e); again.ID == a.ID || again.Taken != 1 || !again.FirstUse.Equal(noon) {
		t.Errorf("entered %+v, want a new visit of a ticket first used at noon", again)
	}
}

// TestKeysAreSpread: visitors of one attraction do not all write to one partition.
func TestKeysAreSpread(t *testing.T) {
	t.Parallel()
	table := faketable.New()
	b := open(t, table)
	for i := range 50 {
		e := entry(fmt.Sprint(i))
		e.Ticket = fingerprint(fmt.Sprint(i))
		enter(t, b, e)
	}
	writes := map[string]int{}
	for _, i := range table.All() {
		for _, name := range []string{"pk", "lpk"} {
			if pk := faketable.Text(i[name]); pk != "" {
				writes[pk]++
			}
		}
	}
	most := slices.Max(slices.Collect(maps.Values(writes)))
	if most > 15 { // 50 over 16 shards of a list
		t.Errorf("%d of 50 entries share a partition, want them spread", most)
	}
}
