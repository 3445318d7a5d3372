package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"

	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/gate"
)

// The length of a page of a list.
const (
	defaultLimit = 100
	maxLimit     = 1_000
)

// Records returns a page of records, in the order in which they came, and
// where the next page begins; empty means that there is none. An After that
// was tampered with selects another page of the same list, or is an ErrCursor.
func (b *Book) Records(ctx context.Context, q book.Query) (records []book.Record, next string, err error) {
	after, err := cursor(q.After, 0)
	if err != nil {
		return nil, "", err
	}
	from, args := `records r WHERE r.seq > ?1`, []any{after, q.Batch, q.Attraction}
	if q.Attraction != "" {
		from = `record_places p JOIN records r ON r.seq = p.record WHERE p.attraction = ?3 AND p.record > ?1`
	}
	if q.Batch != "" {
		from += ` AND r.batch = ?2 AND r.batch <> ''` // as in the index
	}
	rows, next, err := list(ctx, b, `SELECT `+recordColumns+` FROM `+from+` AND `+counts+` ORDER BY r.seq`, args, q.Limit, (*recordRow).fields,
		func(r *recordRow) int64 { return r.seq })
	for _, r := range rows {
		records = append(records, r.Record)
	}
	return records, next, err
}

// Admissions returns a page of admissions, the newest first, and where the
// next page begins; empty means that there is none.
func (b *Book) Admissions(ctx context.Context, q book.AdmissionQuery) (admissions []gate.Admission, next string, err error) {
	after, err := cursor(q.After, 1<<62)
	if err != nil {
		return nil, "", err
	}
	from, args := `admissions a JOIN tickets t ON t.fingerprint = a.ticket WHERE a.seq < ?1`, []any{after, q.Ticket[:], q.Attraction}
	if q.Attraction != "" {
		from = `places p JOIN admissions a ON a.seq = p.admission JOIN tickets t ON t.fingerprint = a.ticket
			WHERE p.attraction = ?3 AND p.admission < ?1`
	}
	if q.Ticket != (gate.Fingerprint{}) {
		from += ` AND a.ticket = ?2`
	}
	rows, next, err := list(ctx, b, `SELECT `+visitColumns+` FROM `+from+` ORDER BY a.seq DESC`, args, q.Limit, (*visit).fields,
		func(v *visit) int64 { return v.seq })
	for _, v := range rows {
		admissions = append(admissions, v.Admission)
	}
	return admissions, next, err
}

// Admission returns the admission with an id in whatever state it is, or
// gate.ErrNoTarget.
func (b *Book) Admission(ctx context.Context, id string) (*gate.Admission, error) {
	v := &visit{}
	err := b.reader.QueryRowContext(ctx, `SELECT `+visitColumns+` FROM admissions a JOIN tickets t ON t.fingerprint = a.ticket
		WHERE a.id = ?`, id).Scan(v.fields()...)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, gate.ErrNoTarget
	}
	if err != nil {
		return nil, b.explain("find an admission", err)
	}
	return v.answer(), nil
}

// Devices returns the devices of an admission, oldest first and at most 1,000,
// or gate.ErrNoTarget if there is no such admission.
func (b *Book) Devices(ctx context.Context, admission string) ([]book.Device, error) {
	if _, err := b.Admission(ctx, admission); err != nil {
		return nil, err
	}
	devices, _, err := list(ctx, b, `SELECT d.id, d.state, d.first_seen, d.last_seen, d.ended
		FROM devices d JOIN admissions a ON a.seq = d.admission WHERE a.id = ?1 ORDER BY d.seq`, []any{admission}, maxLimit,
		func(d *book.Device) []any {
			return []any{&d.ID, &d.State, instant{&d.FirstSeen}, instant{&d.LastSeen}, instant{&d.Ended}}
		}, func(*book.Device) int64 { return 0 })
	return devices, err
}

// list returns the first rows that a query finds, and behind which of them
// there are more.
func list[T any](ctx context.Context, b *Book, query string, args []any, limit int, fields func(*T) []any, seq func(*T) int64) (all []T, next string, err error) {
	if limit = min(limit, maxLimit); limit <= 0 {
		limit = defaultLimit
	}
	rows, err := b.reader.QueryContext(ctx, fmt.Sprintf("%s LIMIT %d", query, limit+1), args...)
	if err != nil {
		return nil, "", b.explain("list", err)
	}
	defer rows.Close()
	for rows.Next() {
		if len(all) == limit {
			return all, strconv.FormatInt(seq(&all[limit-1]), 36), nil
		}
		var row T
		if err := rows.Scan(fields(&row)...); err != nil {
			return nil, "", b.explain("list", err)
		}
		all = append(all, row)
	}
	return all, "", b.explain("list", rows.Err())
}

// cursor returns the row that a page ended with.
func cursor(after string, start int64) (int64, error) {
	seq, err := strconv.ParseInt(cmp.Or(after, strconv.FormatInt(start, 36)), 36, 64)
	if err != nil || seq < 0 {
		return 0, fmt.Errorf("after %q: %w", after, book.ErrCursor)
	}
	return seq, nil
}
