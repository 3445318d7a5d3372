package booktest

import (
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
)

// usedAt makes sure of a ticket's first use; a zero one means never.
func usedAt(t *testing.T, b gate.Book, ticket string, want time.Time) {
	t.Helper()
	got, err := b.FirstUse(t.Context(), fingerprint(ticket))
	if err != nil || !got.Equal(want) || got.IsZero() != want.IsZero() {
		t.Errorf("FirstUse(%q) = %v, %v, want %v", ticket, got, err, want)
	}
}

func knowsFirstUse(t *testing.T, b gate.Book) {
	usedAt(t, b, "A", time.Time{})
	a := enter(t, b, entry("1"))
	usedAt(t, b, "A", noon)
	usedAt(t, b, "B", time.Time{})
	e := entry("2")
	e.At, e.FirstUse = later, noon.Add(-time.Hour) // late news from the source
	enter(t, b, e)
	usedAt(t, b, "A", noon)

	e = entry("3")
	e.Ticket, e.FirstUse = fingerprint("B"), noon.Add(-time.Hour)
	enter(t, b, e)
	usedAt(t, b, "B", e.FirstUse)

	for _, device := range []string{"1", "2"} {
		leave(t, b, device)
	}
	usedAt(t, b, "A", noon)
	e = entry("4")
	e.At, e.Ends = a.Ends, a.Ends.Add(time.Hour)
	enter(t, b, e)
	usedAt(t, b, "A", noon)
	revoke(t, b, ticketOf("A"), e.At, 1)
	usedAt(t, b, "A", noon)
}

// What let nobody in was no use.
func refusalIsNoUse(t *testing.T, b gate.Book) {
	revoke(t, b, ticketOf("A"), noon, 0)
	usedAt(t, b, "A", time.Time{})
	refusesEntry(t, b, entry("1"), gate.ReasonRevoked)
	usedAt(t, b, "A", time.Time{})

	e := entry("2")
	e.Ticket = fingerprint("B")
	enter(t, b, e)
	e.Ticket = fingerprint("C") // with a session that a device has
	if a, err := b.Enter(t.Context(), e); a != nil || err == nil {
		t.Errorf("Enter = %+v, %v, want an error", a, err)
	}
	usedAt(t, b, "C", time.Time{})
}
