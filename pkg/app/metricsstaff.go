package app

import (
	"context"
	"time"

	"github.com/handstamp/handstamp/pkg/admin"
	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/gate"
)

// staffed returns the book as the administration has it, which writes what it
// revokes together with the audit, past the keeper.
func (a *App) staffed(b admin.Book) admin.Book {
	if !a.watched {
		return b
	}
	return staffBook{b, a.count}
}

// A staffBook is an admin.Book whose revocations are counted.
type staffBook struct {
	admin.Book
	count func(gate.Event)
}

// RevokeRecord implements admin.Tickets.
func (b staffBook) RevokeRecord(ctx context.Context, id string, at time.Time, by book.AuditEvent) (int, error) {
	n, err := b.Book.RevokeRecord(ctx, id, at, by)
	b.count(gate.Event{Act: gate.ActRevoke, Target: gate.TargetTicket, Affected: n, Err: err})
	return n, err
}

// TakeBack implements admin.Visits.
func (b staffBook) TakeBack(ctx context.Context, target gate.Target, at time.Time, by book.AuditEvent) (int, error) {
	n, err := b.Book.TakeBack(ctx, target, at, by)
	b.count(gate.Event{Act: gate.ActRevoke, Target: target.Kind, Affected: n, Err: err})
	return n, err
}
