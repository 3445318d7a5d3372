package dynamodb

import (
	"context"
	"time"
)

// pruned is how many admissions are looked at in one go.
const pruned = 500

// Prune forgets admissions 30 days after their end, with their devices, and
// returns how many. DynamoDB's time to live does the same for nothing, some
// days later; Prune reads the whole list of admissions and is for tables
// without it. Tickets stay: their first use never moves, and a revoked one
// never returns. So do records and the audit.
func (b *Book) Prune(ctx context.Context, at time.Time) (admissions int, err error) {
	l := listing{list: listAdmissions, limit: pruned}
	for {
		n, more, err := b.prunePage(ctx, &l, at)
		admissions += n
		if err != nil || !more {
			return admissions, b.explain("prune", err)
		}
	}
}

func (b *Book) prunePage(ctx context.Context, l *listing, at time.Time) (n int, more bool, err error) {
	within, cancel := b.limit(ctx)
	defer cancel()
	listed, more, err := b.page(within, *l)
	if err != nil || len(listed) == 0 {
		return 0, false, err
	}
	l.after = listed[len(listed)-1].listSK
	for _, it := range listed {
		gone, err := b.pruneOne(ctx, it.pk[len(admissionKey("").pk):], at)
		if err != nil {
			return n, false, err
		}
		if gone {
			n++
		}
	}
	return n, more, nil
}

// pruneOne forgets an admission that ended long ago.
func (b *Book) pruneOne(ctx context.Context, id string, at time.Time) (gone bool, err error) {
	err = b.change(ctx, "prune", func(w *work) error {
		gone = false
		t, v, err := w.visitByID(w.ctx, id)
		if isGone(err) {
			return nil
		}
		if err != nil || !v.Ends.Before(at.Add(-30*day)) {
			return err
		}
		gone = true
		return w.expire(t, v)
	})
	return gone, err
}

// expire leaves nothing of an admission that a reader sees. DynamoDB collects
// the items themselves.
func (w *work) expire(t *ticket, v *visit) error {
	past := w.opts.Now().Add(-day)
	if t.Visit == v {
		t.Visit = nil
		if err := w.save(t); err != nil {
			return err
		}
	}
	w.claim(&item{key: admissionKey(v.ID), own: t.name(), expires: past, doc: "{}"})
	for _, place := range v.Places {
		w.claim(&item{key: placeKey(v.ID, place), own: t.name(), expires: past, doc: "{}"})
	}
	return nil
}
