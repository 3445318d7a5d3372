package sqlite_test

import (
	"testing"

	"github.com/handstamp/handstamp/pkg/book/booktest"
	"github.com/handstamp/handstamp/pkg/book/sqlite"
)

// A ledger can lose its audit.
type ledger struct{ *sqlite.Book }

func (l ledger) BreakAudit(t *testing.T) {
	t.Helper()
	err := l.Write(t.Context(), func(exec func(string, ...any) error) error {
		return exec("CREATE TRIGGER audit_broken BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'no audit'); END")
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestLedger imports in small steps, so that there are records on disk in the
// middle of it.
func TestLedger(t *testing.T) {
	t.Parallel()
	booktest.RunLedger(t, func(t *testing.T) booktest.Ledger {
		b := fresh(t)
		b.SortAtATime(100)
		return ledger{b}
	})
}

var _ booktest.AuditBreaker = ledger{}
