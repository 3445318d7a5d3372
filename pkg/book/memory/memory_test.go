package memory_test

import (
	"errors"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/book/booktest"
	"github.com/handstamp/handstamp/pkg/book/memory"
	"github.com/handstamp/handstamp/pkg/gate"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestBook(t *testing.T) {
	booktest.Run(t, func(*testing.T) gate.Book { return memory.New() })
}

func TestRevokedIsFinal(t *testing.T) {
	noon := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	device := gate.NewSession().Hash()
	b := memory.New()
	e := gate.Entry{At: noon, Ends: noon.Add(time.Hour), Seats: 5, Session: device}
	if _, err := b.Enter(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	if n, err := b.Revoke(t.Context(), gate.Target{Kind: gate.TargetTicket, Ticket: e.Ticket}, noon); n != 1 || err != nil {
		t.Fatalf("Revoke = %d, %v, want 1", n, err)
	}
	_, found := b.Find(t.Context(), device, noon)
	again, later := e, e
	again.Session, again.Previous = gate.NewSession().Hash(), device
	later.At, later.Ends = noon.Add(2*time.Hour), noon.Add(3*time.Hour)
	_, joined := b.Enter(t.Context(), again)
	_, reopened := b.Enter(t.Context(), later)
	for _, err := range []error{found, joined, reopened} {
		var denial *gate.Denial
		if !errors.As(err, &denial) || denial.Reason != gate.ReasonRevoked {
			t.Errorf("after Revoke: %v, want revoked", err)
		}
	}
}

// TestModel does 100,000 operations under "make trouble".
func TestModel(t *testing.T) {
	operations := 2_000
	if os.Getenv("FULL_TESTS") != "" {
		operations = 100_000
	}
	booktest.Model(t, func(*testing.T) gate.Book { return memory.New() }, operations)
}

func TestFiles(t *testing.T) {
	booktest.RunFiles(t, func(*testing.T) book.Files { return memory.New() })
}
