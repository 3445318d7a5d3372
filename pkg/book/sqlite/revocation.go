package sqlite

import (
	"context"
	"time"

	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/gate"
)

// Revocations returns what was revoked at since or later and may still be in
// somebody's hands, the newest first and at most book.MaxRevocations: both
// sessions of each device that had a seat in a visit that went on, the current
// one and that before it, and the attractions, each at the last time. A device
// whose session was stolen is among them. See Prune for how long.
func (b *Book) Revocations(ctx context.Context, since time.Time) ([]book.Revocation, error) {
	rows, err := b.reader.QueryContext(ctx, `SELECT at, coalesce(attraction, ''), session FROM revocations
		WHERE at >= ? ORDER BY at DESC, seq DESC LIMIT ?`, since.UnixMicro(), book.MaxRevocations)
	if err != nil {
		return nil, b.explain("list revocations", err)
	}
	defer rows.Close()
	var all []book.Revocation
	for rows.Next() {
		r := book.Revocation{Kind: gate.TargetDevice}
		if err := rows.Scan(instant{&r.At}, &r.Attraction, digest{(*[32]byte)(&r.Session)}); err != nil {
			return nil, b.explain("list revocations", err)
		}
		if r.Attraction != "" {
			r.Kind = gate.TargetAttraction
		}
		all = append(all, r)
	}
	return all, b.explain("list revocations", rows.Err())
}

// noteAttraction records when an attraction was revoked. What was handed out
// for it before ends with the last visit of all, at the latest.
func (t *tx) noteAttraction(id string, at time.Time) error {
	_, err := t.exec(`INSERT INTO revocations (at, ends, attraction)
		SELECT ?2, max(?2, coalesce((SELECT max(ends) FROM admissions), ?2)), ?1 WHERE true
		ON CONFLICT (attraction) DO UPDATE SET at = max(at, excluded.at), ends = max(ends, excluded.ends)`, id, at.UnixMicro())
	return err
}
