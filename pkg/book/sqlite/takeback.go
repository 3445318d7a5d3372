package sqlite

import (
	"context"
	"fmt"
	"time"

	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/gate"
)

// TakeBack is Revoke, with an event that says who did it. Both are on disk, or
// neither is. The zero event means that none is wanted.
func (b *Book) TakeBack(ctx context.Context, target gate.Target, at time.Time, by book.AuditEvent) (affected int, err error) {
	return answer(ctx, b, "revoke", func(t *tx) (int, error) {
		n, err := t.takeBack(target, at)
		if err != nil {
			return 0, err
		}
		return n, t.sign(by)
	})
}

func (t *tx) takeBack(target gate.Target, at time.Time) (int, error) {
	switch target.Kind {
	case gate.TargetTicket:
		return t.revokeTicket(target.Ticket, at)
	case gate.TargetAdmission:
		return t.revokeAdmission(target.ID, at)
	case gate.TargetDevice:
		return t.revokeDevice(target.ID, at)
	case gate.TargetAttraction:
		n, err := t.revokeAttraction(target.ID, at)
		if err != nil {
			return 0, err
		}
		return n, t.noteAttraction(target.ID, at)
	}
	return 0, fmt.Errorf("a target of kind %q: %w", target.Kind, gate.ErrNoTarget)
}
