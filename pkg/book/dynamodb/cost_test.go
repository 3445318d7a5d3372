package dynamodb_test

import (
	"context"
	"sync"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/book/dynamodb"
	"github.com/handstamp/handstamp/pkg/book/dynamodb/internal/faketable"
	"github.com/handstamp/handstamp/pkg/gate"
)

// A meter counts what is asked of a table.
type meter struct {
	dynamodb.Owner
	mu sync.Mutex
	cost
}

func (m *meter) add(c cost) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.requests, m.reads, m.writes = m.requests+c.requests, m.reads+c.reads, m.writes+c.writes
}

// A cost is that of a call: requests, items read by key, items written.
type cost struct{ requests, reads, writes int }

func (m *meter) BatchGetItem(ctx context.Context, in *sdk.BatchGetItemInput, o ...func(*sdk.Options)) (*sdk.BatchGetItemOutput, error) {
	for _, ask := range in.RequestItems {
		m.add(cost{1, len(ask.Keys), 0})
	}
	return m.Owner.BatchGetItem(ctx, in, o...)
}

func (m *meter) Query(ctx context.Context, in *sdk.QueryInput, o ...func(*sdk.Options)) (*sdk.QueryOutput, error) {
	m.add(cost{1, 0, 0})
	return m.Owner.Query(ctx, in, o...)
}

func (m *meter) TransactWriteItems(ctx context.Context, in *sdk.TransactWriteItemsInput, o ...func(*sdk.Options)) (*sdk.TransactWriteItemsOutput, error) {
	m.add(cost{1, 0, len(in.TransactItems)})
	return m.Owner.TransactWriteItems(ctx, in, o...)
}

// TestCosts: what doc.go says of requests is so.
func TestCosts(t *testing.T) {
	t.Parallel()
	m := &meter{Owner: faketable.New()}
	b := open(t, m)
	enter(t, b, entry("first of all")) // opens the attraction
	call := func(f func() error) func(*testing.T) {
		return func(t *testing.T) {
			t.Helper()
			if err := f(); err != nil {
				t.Fatal(err)
			}
		}
	}
	e := entry("1")
	e.Ticket = fingerprint("B")
	joining := e
	joining.Session = session("2")
	tests := []struct {
		name string
		call func(*testing.T)
		want cost
	}{
		{"Enter, new visit", func(t *testing.T) { enter(t, b, e) }, cost{2, 2, 5}},
		{"Enter, joining", func(t *testing.T) { enter(t, b, joining) }, cost{2, 2, 3}},
		{"Find", call(func() error { _, err := b.Find(t.Context(), session("1"), noon); return err }), cost{2, 3, 0}},
		{"Renew", call(func() error { _, err := b.Renew(t.Context(), renewal("1", "1b", noon)); return err }), cost{3, 3, 3}},
		{"Renew, other tab", call(func() error { _, err := b.Renew(t.Context(), renewal("1", "1b", noon.Add(time.Second))); return err }), cost{2, 3, 0}},
		{"Leave", call(func() error { return b.Leave(t.Context(), session("2"), noon) }), cost{3, 3, 2}},
		{"Revoke a ticket", call(func() error {
			_, err := b.Revoke(t.Context(), gate.Target{Kind: gate.TargetTicket, Ticket: fingerprint("B")}, noon)
			return err
		}), cost{4, 3, 2}},
		{"Issue", call(func() error { return b.Issue(t.Context(), []book.Record{record("1")}, book.AuditEvent{}) }), cost{2, 2, 4}},
		{"Lookup", call(func() error { _, err := b.Lookup(t.Context(), fingerprint("1")); return err }), cost{1, 1, 0}},
		{"AddFile", call(func() error { return b.AddFile(t.Context(), upload("1")) }), cost{2, 1, 4}},
		{"ConfirmFile", call(func() error { return b.ConfirmFile(t.Context(), arrived("1")) }), cost{2, 1, 1}},
		{"ConfirmFile again", call(func() error { return b.ConfirmFile(t.Context(), arrived("1")) }), cost{1, 1, 0}},
		{"FilesOf", call(func() error { _, err := b.FilesOf(t.Context(), "ticket:A", "photos", "", 100); return err }), cost{2, 1, 0}},
		{"Files, 1,000", call(func() error { _, err := b.Files(t.Context(), keys(1_000)); return err }), cost{10, 1_000, 0}},
		{"DiscardFile", call(func() error { return b.DiscardFile(t.Context(), "1", noon) }), cost{2, 1, 1}},
		{"RemoveFile", call(func() error { return b.RemoveFile(t.Context(), "1") }), cost{2, 1, 4}},
	}
	for _, tt := range tests {
		m.cost = cost{}
		if tt.call(t); m.cost != tt.want {
			t.Errorf("%s costs %+v, want %+v", tt.name, m.cost, tt.want)
		}
	}
}
