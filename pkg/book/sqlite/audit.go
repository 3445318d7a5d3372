package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/handstamp/handstamp/pkg/book"
)

const auditColumns = `seq, at, actor, action, target, request, before, after, detail, hash`

func auditFields(e *book.AuditEvent) []any {
	return []any{&e.Seq, instant{&e.At}, &e.Actor, &e.Action, &e.Target, &e.Request, &e.Before, &e.After, &e.Detail, digest{&e.Hash}}
}

// Append puts an event at the end of the audit.
func (b *Book) Append(ctx context.Context, e book.AuditEvent) error {
	_, err := answer(ctx, b, "audit", func(t *tx) (struct{}, error) { return struct{}{}, t.append(e) })
	return err
}

// sign puts the event of a change at the end of the audit, in the transaction
// of the change, unless it is the zero event.
func (t *tx) sign(by book.AuditEvent) error {
	if by == (book.AuditEvent{}) {
		return nil
	}
	return t.append(by)
}

func (t *tx) append(e book.AuditEvent) error {
	var last book.AuditEvent
	err := t.row(`SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1`, nil, &last.Seq, digest{&last.Hash})
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if e.At.IsZero() {
		e.At = t.book.opts.Now()
	}
	e.Seq = last.Seq + 1
	hash := e.Chain(last.Hash)
	_, err = t.exec(`INSERT INTO audit (`+auditColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		e.Seq, e.At.UnixMicro(), e.Actor, e.Action, e.Target, e.Request, e.Before, e.After, e.Detail, hash[:])
	return err
}

// Audit returns events with numbers above after, in order, at most limit of
// them: 0 or less means 100, and there is an end at 1,000.
func (b *Book) Audit(ctx context.Context, after int64, limit int) ([]book.AuditEvent, error) {
	events, _, err := list(ctx, b, `SELECT `+auditColumns+` FROM audit WHERE seq > ? ORDER BY seq`, []any{after}, limit,
		auditFields, func(e *book.AuditEvent) int64 { return e.Seq })
	return events, err
}

// VerifyAudit reads the whole audit and returns its last event, or ErrAudit.
// It sees every change, every gap and every event put in between. It cannot
// see that the last events are missing: compare what it returns with a number
// and a hash that were written down elsewhere.
func (b *Book) VerifyAudit(ctx context.Context) (last book.AuditEvent, err error) {
	for {
		page, err := b.Audit(ctx, last.Seq, maxLimit)
		if err != nil {
			return last, err
		}
		for _, e := range page {
			if e.Seq != last.Seq+1 || e.Hash != e.Chain(last.Hash) {
				return last, fmt.Errorf("event %d behind %d: %w", e.Seq, last.Seq, book.ErrAudit)
			}
			last = e
		}
		if len(page) < maxLimit {
			return last, nil
		}
	}
}
