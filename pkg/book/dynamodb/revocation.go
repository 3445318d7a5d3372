package dynamodb

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/gate"
)

// A revocation is what Revocations lists, in one item for all that ended together.
type revocation struct {
	At         time.Time `json:"at"`
	Attraction string    `json:"attraction,omitempty"`
	Sessions   []hash    `json:"sessions,omitempty"`
}

// noteSessions records that devices were thrown out that had a seat in a visit
// which went on.
func (w *work) noteSessions(devices []device, ends, at time.Time) error {
	r := revocation{At: at.UTC()}
	for _, d := range devices {
		r.Sessions = append(r.Sessions, d.Session)
		if d.Previous != (hash{}) {
			r.Sessions = append(r.Sessions, d.Previous)
		}
	}
	if len(r.Sessions) == 0 {
		return nil
	}
	return w.putRevocation(r, ends)
}

// noteAttraction records that an attraction was closed.
func (w *work) noteAttraction(place string, at time.Time) error {
	return w.putRevocation(revocation{At: at.UTC(), Attraction: place}, at.Add(keepAdmissions))
}

func (w *work) putRevocation(r revocation, ends time.Time) error {
	return w.putDoc(&item{key: revocationKey(sortable(r.At), w.place()+rand.Text()), expires: w.keepUntil(ends, day)}, r)
}

// sortable spells a time so that texts sort as times do, from 1678 to 2262.
func sortable(at time.Time) string { return fmt.Sprintf("%016x", uint64(at.UnixNano())^1<<63) }

// Revocations returns what was revoked at since or later and may still be in
// somebody's hands, the newest first and at most book.MaxRevocations: both
// sessions of each device that had a seat in a visit that went on, the current
// one and that before it, until a day after the visit's end, and the
// attractions, each at the last time. A device whose session was stolen is
// among them.
func (b *Book) Revocations(ctx context.Context, since time.Time) ([]book.Revocation, error) {
	ctx, cancel := b.limit(ctx)
	defer cancel()
	q := query{pk: revocations, backward: true, limit: book.MaxRevocations}
	if !since.IsZero() {
		q.op, q.sk = ">=", sortable(since)
	}
	found, err := b.find(ctx, q)
	if err != nil {
		return nil, b.explain("list revocations", err)
	}
	var all []book.Revocation
	seen := map[string]bool{}
	for _, it := range found {
		var r revocation
		if err := it.read(&r); err != nil {
			return nil, b.explain("list revocations", err)
		}
		all = append(all, r.spread(seen)...)
	}
	return all[:min(len(all), book.MaxRevocations)], nil
}

// spread returns what the item stands for. An attraction that was seen is not
// listed again.
func (r *revocation) spread(seen map[string]bool) (all []book.Revocation) {
	if r.Attraction != "" && !seen[r.Attraction] {
		seen[r.Attraction] = true
		return []book.Revocation{{At: r.At, Kind: gate.TargetAttraction, Attraction: r.Attraction}}
	}
	for _, s := range r.Sessions {
		all = append(all, book.Revocation{At: r.At, Kind: gate.TargetDevice, Session: gate.SessionHash(s)})
	}
	return all
}
