package dynamodb_test

import (
	"testing"

	"github.com/handstamp/handstamp/pkg/book/booktest"
	"github.com/handstamp/handstamp/pkg/book/dynamodb"
	"github.com/handstamp/handstamp/pkg/book/dynamodb/internal/faketable"
)

func TestLedger(t *testing.T) {
	t.Parallel()
	booktest.RunLedger(t, func(t *testing.T) booktest.Ledger { return newLedger(t, faketable.New()) })
}

func TestLedgerWithFaults(t *testing.T) {
	t.Parallel()
	booktest.RunLedger(t, func(t *testing.T) booktest.Ledger {
		client := &faulty{Owner: faketable.New(), percent: 2}
		return ledger{open(t, client), client}
	})
}

// A ledger is a book whose audit can be broken.
type ledger struct {
	*dynamodb.Book
	client *faulty
}

func newLedger(t *testing.T, owner dynamodb.Owner) ledger {
	t.Helper()
	client := &faulty{Owner: owner}
	return ledger{open(t, client), client}
}

// BreakAudit implements booktest.AuditBreaker.
func (l ledger) BreakAudit(*testing.T) { l.client.noAudit.Store(true) }
