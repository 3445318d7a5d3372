package sqlite

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// An AuditEvent is something that somebody did, or that the book did itself
// when it met a stolen session.
type AuditEvent struct {
	Seq     int64     // counts from 1 without a gap; set by Append
	At      time.Time // zero means now
	Actor   string    // who
	Action  string    // did what, such as "ticket.revoke"
	Target  string    // to what
	Request string    // id of the request
	Before  string    // hash of what it was; empty means that it was not
	After   string    // hash of what it is now; empty means that it is gone
	Detail  string    // for people; no secrets
	Hash    [32]byte  // of this event and all before it; set by Append
}

// ErrAudit is returned by VerifyAudit when the audit is not what was written.
var ErrAudit = errors.New("the audit was tampered with")

const auditColumns = `seq, at, actor, action, target, request, before, after, detail, hash`

func (e *AuditEvent) fields() []any {
	return []any{&e.Seq, instant{&e.At}, &e.Actor, &e.Action, &e.Target, &e.Request, &e.Before, &e.After, &e.Detail, digest{&e.Hash}}
}

// Append puts an event at the end of the audit.
func (b *Book) Append(ctx context.Context, e AuditEvent) error {
	_, err := answer(ctx, b, "audit", func(t *tx) (struct{}, error) { return struct{}{}, t.append(e) })
	return err
}

func (t *tx) append(e AuditEvent) error {
	var last AuditEvent
	err := t.row(`SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1`, nil, &last.Seq, digest{&last.Hash})
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if e.At.IsZero() {
		e.At = t.book.opts.Now()
	}
	e.Seq = last.Seq + 1
	hash := e.chain(last.Hash)
	_, err = t.exec(`INSERT INTO audit (`+auditColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		e.Seq, e.At.UnixMicro(), e.Actor, e.Action, e.Target, e.Request, e.Before, e.After, e.Detail, hash[:])
	return err
}

// chain returns the hash of e behind an event with the hash last: SHA-256 of
// last, number, time, and each text with its length in front.
func (e *AuditEvent) chain(last [32]byte) [32]byte {
	text := binary.BigEndian.AppendUint64(last[:], uint64(e.Seq))
	text = binary.BigEndian.AppendUint64(text, uint64(e.At.UnixMicro()))
	for _, part := range []string{e.Actor, e.Action, e.Target, e.Request, e.Before, e.After, e.Detail} {
		text = binary.BigEndian.AppendUint64(text, uint64(len(part)))
		text = append(text, part...)
	}
	return sha256.Sum256(text)
}

// Audit returns events with numbers above after, in order, at most limit of
// them: 0 or less means 100, and there is an end at 1,000.
func (b *Book) Audit(ctx context.Context, after int64, limit int) ([]AuditEvent, error) {
	events, _, err := list(ctx, b, `SELECT `+auditColumns+` FROM audit WHERE seq > ? ORDER BY seq`, []any{after}, limit,
		(*AuditEvent).fields, func(e *AuditEvent) int64 { return e.Seq })
	return events, err
}

// VerifyAudit reads the whole audit and returns its last event, or ErrAudit.
// It sees every change, every gap and every event put in between. It cannot
// see that the last events are missing: compare what it returns with a number
// and a hash that were written down elsewhere.
func (b *Book) VerifyAudit(ctx context.Context) (last AuditEvent, err error) {
	for {
		page, err := b.Audit(ctx, last.Seq, maxLimit)
		if err != nil {
			return last, err
		}
		for _, e := range page {
			if e.Seq != last.Seq+1 || e.Hash != e.chain(last.Hash) {
				return last, fmt.Errorf("event %d behind %d: %w", e.Seq, last.Seq, ErrAudit)
			}
			last = e
		}
		if len(page) < maxLimit {
			return last, nil
		}
	}
}
