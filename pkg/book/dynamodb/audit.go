package dynamodb

import (
	"context"
	"fmt"
	"time"

	"github.com/handstamp/handstamp/pkg/book"
)

// The length of a page of a list.
const (
	defaultLimit = 100
	maxLimit     = 1_000
)

// limited returns how long a page may be.
func limited(limit int) int {
	if limit <= 0 {
		return defaultLimit
	}
	return min(limit, maxLimit)
}

// An event is one of the audit as it is kept, its time in microseconds.
type event struct {
	Seq     int64  `json:"seq"`
	At      int64  `json:"at"`
	Actor   string `json:"actor"`
	Action  string `json:"action"`
	Target  string `json:"target"`
	Request string `json:"request,omitempty"`
	Before  string `json:"before,omitempty"`
	After   string `json:"after,omitempty"`
	Detail  string `json:"detail,omitempty"`
	Hash    hash   `json:"hash"`
}

// A head is the end of the audit. It moves with every event, so that two
// cannot follow the same one.
type head struct {
	Seq  int64 `json:"seq"`
	Hash hash  `json:"hash"`
}

// Append puts an event at the end of the audit.
func (b *Book) Append(ctx context.Context, e book.AuditEvent) error {
	return b.change(ctx, "audit", func(w *work) error { return w.append(e) })
}

// sign puts an event into the same transaction as the change, unless it is zero.
func (w *work) sign(by book.AuditEvent) error {
	if by == (book.AuditEvent{}) {
		return nil
	}
	return w.append(by)
}

func (w *work) append(e book.AuditEvent) error {
	it, err := w.one(w.ctx, headKey)
	if err != nil {
		return err
	}
	last, err := headOf(it)
	if err != nil {
		return err
	}
	if e.At.IsZero() {
		e.At = w.opts.Now()
	}
	e.Seq = last.Seq + 1
	next := head{e.Seq, e.Chain(last.Hash)}
	if err := w.putDoc(it, next); err != nil {
		return err
	}
	return w.putDoc(&item{key: eventKey(e.Seq)}, event{e.Seq, e.At.UnixMicro(), e.Actor, e.Action, e.Target, e.Request,
		e.Before, e.After, e.Detail, next.Hash})
}

func headOf(it *item) (h head, err error) {
	if it.doc != "" {
		err = it.read(&h)
	}
	return h, err
}

// head reads the end of the audit.
func (b *Book) head(ctx context.Context) (head, error) {
	ctx, cancel := b.limit(ctx)
	defer cancel()
	it, err := b.one(ctx, headKey)
	if err != nil {
		return head{}, err
	}
	return headOf(it)
}

// Audit returns events with numbers above after, in order, at most limit of
// them: 0 or less means 100, and there is an end at 1,000.
func (b *Book) Audit(ctx context.Context, after int64, limit int) ([]book.AuditEvent, error) {
	ctx, cancel := b.limit(ctx)
	defer cancel()
	last, err := b.head(ctx)
	if err != nil {
		return nil, b.explain("audit", err)
	}
	var events []book.AuditEvent
	after, limit = max(after, 0), limited(limit)
	for page := eventPage(after + 1); len(events) < limit && after < last.Seq; page = eventPage(after + 1) {
		found, err := b.find(ctx, query{pk: page, op: ">", sk: eventKey(after).sk, limit: limit - len(events)})
		if err != nil {
			return nil, b.explain("audit", err)
		}
		for _, it := range found {
			e, err := it.event()
			if err != nil {
				return nil, b.explain("audit", err)
			}
			events = append(events, e)
		}
		after = (after/pageSize + 1) * pageSize
	}
	return events[:min(len(events), limit)], nil
}

func (it *item) event() (book.AuditEvent, error) {
	var e event
	err := it.read(&e)
	return book.AuditEvent{Seq: e.Seq, At: time.UnixMicro(e.At).UTC(), Actor: e.Actor, Action: e.Action, Target: e.Target,
		Request: e.Request, Before: e.Before, After: e.After, Detail: e.Detail, Hash: e.Hash}, err
}

// VerifyAudit reads the whole audit and returns its last event, or ErrAudit
// and the last event that is as it was written. It sees every change, every
// gap and every event put in between. Somebody who can write the table can take
// the last events away together with the note of how many there are: compare
// what it returns with a number and a hash that were written down elsewhere.
func (b *Book) VerifyAudit(ctx context.Context) (last book.AuditEvent, err error) {
	end, err := b.head(ctx)
	if err != nil {
		return last, b.explain("audit", err)
	}
	for last.Seq < end.Seq {
		page, err := b.Audit(ctx, last.Seq, maxLimit)
		if err != nil {
			return last, err
		}
		for _, e := range page {
			if e.Seq != last.Seq+1 || e.Hash != e.Chain(last.Hash) || e.Seq == end.Seq && e.Hash != end.Hash {
				return last, fmt.Errorf("event %d behind %d: %w", e.Seq, last.Seq, book.ErrAudit)
			}
			last = e
		}
		if len(page) == 0 {
			return last, fmt.Errorf("event %d of %d is missing: %w", last.Seq+1, end.Seq, book.ErrAudit)
		}
	}
	return last, nil
}
