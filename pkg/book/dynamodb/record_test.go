package dynamodb_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/book/dynamodb"
	"github.com/handstamp/handstamp/pkg/book/dynamodb/internal/faketable"
	"github.com/handstamp/handstamp/pkg/gate"
)

// TestTerms: all that a ticket says of time comes back.
func TestTerms(t *testing.T) {
	t.Parallel()
	b := open(t, faketable.New())
	r := record("1")
	r.Terms = gate.Validity{Day: gate.Date{Year: 2026, Month: 7, Day: 1}, Slot: gate.Interval{From: noon, Until: noon.Add(time.Hour)},
		SlotOnly: true, Days: 3, Span: 72 * time.Hour, OneDay: true, EarlyAccess: time.Minute, Longest: time.Hour}
	if err := b.Issue(t.Context(), []book.Record{r}, book.AuditEvent{}); err != nil {
		t.Fatal(err)
	}
	got, err := b.Lookup(t.Context(), r.Code)
	if err != nil || fmt.Sprintf("%+v", *got) != fmt.Sprintf("%+v", r) {
		t.Errorf("Lookup = %+v, %v, want %+v", got, err, r)
	}
}

// list is n records that belong together.
func list(n int) (all []book.Record) {
	for i := range n {
		all = append(all, record(fmt.Sprint("list ", i)))
	}
	return all
}

// TestIssueBreaksOff: of more records than fit into a transaction, none is
// shown when the last step fails, and their codes and ids are free for others.
func TestIssueBreaksOff(t *testing.T) {
	t.Parallel()
	for _, dies := range []bool{false, true} {
		table, now := faketable.New(), noon
		client := &faulty{Owner: table}
		opts := dynamodb.Options{Budget: time.Second, Now: func() time.Time { return now }}
		b, err := dynamodb.Open(t.Context(), client, opts)
		if err != nil {
			t.Fatal(err)
		}
		writes := 0
		client.write = func(do func() error) error {
			if writes++; writes == 4 || dies && writes > 4 { // the process ends, or one write is refused
				return &faketable.Error{Code: "AccessDeniedException"}
			}
			return do()
		}
		if err := b.Issue(t.Context(), list(100), book.AuditEvent{Actor: "test"}); err == nil {
			t.Fatal("Issue succeeded")
		}
		client.write = nil
		if _, err := b.Lookup(t.Context(), list(1)[0].Code); !errors.Is(err, gate.ErrNoTarget) {
			t.Errorf("Lookup = %v, want ErrNoTarget", err)
		}
		if all, _, err := b.Records(t.Context(), book.Query{}); err != nil || len(all) != 0 {
			t.Errorf("Records = %d, %v, want none", len(all), err)
		}
		if dies {
			if err := b.Issue(t.Context(), list(2), book.AuditEvent{}); !errors.Is(err, book.ErrDuplicate) {
				t.Errorf("Issue while the first may go on = %v, want ErrDuplicate", err)
			}
			now = now.Add(11 * time.Minute)
		}
		third := record("third code")
		third.ID = list(1)[0].ID
		if err := b.Issue(t.Context(), []book.Record{third}, book.AuditEvent{}); err != nil {
			t.Errorf("Issue with an id that nobody has = %v", err)
		}
		if err := b.Issue(t.Context(), list(100)[1:], book.AuditEvent{Actor: "test"}); err != nil {
			t.Errorf("Issue again = %v", err)
		}
		other := record("another code")
		other.ID = list(1)[0].ID
		if err := b.Issue(t.Context(), []book.Record{other}, book.AuditEvent{}); !errors.Is(err, book.ErrDuplicate) {
			t.Errorf("Issue of a taken id = %v, want ErrDuplicate", err)
		}
		if last, err := b.VerifyAudit(t.Context()); err != nil || last.Seq != 1 {
			t.Errorf("VerifyAudit = %d, %v, want one event", last.Seq, err)
		}
	}
}

// TestImportOvertaken: the older of two imports of one batch fails.
func TestImportOvertaken(t *testing.T) {
	t.Parallel()
	b := open(t, faketable.New())
	older := func(yield func(book.Record) bool) {
		for i, r := range list(3) {
			if i == 1 {
				if n, _, err := b.Import(t.Context(), "spring", slices.Values(list(2)), book.AuditEvent{}); n != 2 || err != nil {
					t.Errorf("the newer Import = %d, %v, want 2", n, err)
				}
			}
			if !yield(r) {
				return
			}
		}
	}
	if n, _, err := b.Import(t.Context(), "spring", older, book.AuditEvent{}); n != 0 || err == nil {
		t.Errorf("the older Import = %d, %v, want an error", n, err)
	}
	for i, r := range list(3) {
		if _, err := b.Lookup(t.Context(), r.Code); (err == nil) != (i < 2) {
			t.Errorf("Lookup of record %d = %v, want the first two", i, err)
		}
	}
}

// TestAuditTampered: what was changed in the table behind the book's back shows.
func TestAuditTampered(t *testing.T) {
	t.Parallel()
	fill := func() (*faketable.Table, *dynamodb.Book) {
		table := faketable.New()
		b := open(t, table)
		for i := range 103 { // more than one partition
			if err := b.Append(t.Context(), book.AuditEvent{Actor: "test", Detail: fmt.Sprint(i)}); err != nil {
				t.Fatal(err)
			}
		}
		return table, b
	}
	table, b := fill()
	if last, err := b.VerifyAudit(t.Context()); err != nil || last.Seq != 103 {
		t.Errorf("VerifyAudit = %d, %v, want 103 events", last.Seq, err)
	}
	remove := func(faketable.Item) faketable.Item { return nil }
	for _, at := range []int64{103, 101, 50, 1} {
		table.Change(fmt.Sprintf("L#%d", (at-1)/100), fmt.Sprintf("%019d", at), remove)
		if last, err := b.VerifyAudit(t.Context()); !errors.Is(err, book.ErrAudit) || last.Seq != at-1 {
			t.Errorf("VerifyAudit without event %d = %d, %v, want ErrAudit after %d", at, last.Seq, err, at-1)
		}
	}
}
