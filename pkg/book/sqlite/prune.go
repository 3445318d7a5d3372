package sqlite

import (
	"context"
	"time"
)

// How long things are kept after an admission has ended: what devices did for
// a day, as swaps are counted over one; that there was an admission for a
// month. An import that does not go on is kept for a week.
const (
	keepDevices    = day
	keepAdmissions = 30 * day
	keepImports    = 7 * day
	pruneBatch     = 200 // rows in a transaction, some milliseconds
)

// Prune forgets devices a day after their admission has ended, admissions
// after 30 days, requests that could come again no more, revocations of what is
// good no more, and imports that have not gone on for a week. It returns how
// many admissions are gone. It may be called while visitors come: what it takes
// from them is a few rows at a time.
//
// Tickets stay: their first use never moves, and a revoked one never returns.
// All that is kept of them is the fingerprint, which says nothing to somebody
// without the pepper. So do records and the audit.
func (b *Book) Prune(ctx context.Context, at time.Time) (admissions int, err error) {
	if err := b.pruneDevices(ctx, at); err != nil {
		return 0, err
	}
	if err := b.pruneImports(ctx, at); err != nil {
		return 0, err
	}
	for _, old := range []struct {
		query  string
		before time.Time
	}{
		{`DELETE FROM requests WHERE key IN (SELECT key FROM requests WHERE at < ? ORDER BY at LIMIT ?)`, at.Add(-keepDevices)},
		{`DELETE FROM revocations WHERE seq IN (SELECT seq FROM revocations WHERE ends < ? ORDER BY ends LIMIT ?)`, at.Add(-keepDevices)},
		{`DELETE FROM places WHERE (attraction, admission) IN (SELECT p.attraction, p.admission
			FROM places p JOIN admissions a ON a.seq = p.admission WHERE a.ends < ? ORDER BY a.ends LIMIT ?)`, at.Add(-keepAdmissions)},
	} {
		if _, err := b.pruneRows(ctx, old.query, old.before.UnixMicro(), pruneBatch); err != nil {
			return 0, err
		}
	}
	return b.pruneRows(ctx, `DELETE FROM admissions WHERE seq IN (SELECT seq FROM admissions a WHERE ends < ?
		AND NOT EXISTS (SELECT 1 FROM devices WHERE admission = a.seq) ORDER BY ends LIMIT ?)`, at.Add(-keepAdmissions).UnixMicro(), pruneBatch)
}

// pruneRows runs a deletion until it finds nothing more. Its last argument
// limits what is found at a time.
func (b *Book) pruneRows(ctx context.Context, query string, args ...any) (total int, err error) {
	for {
		n, err := answer(ctx, b, "prune", func(t *tx) (int, error) { return t.exec(query, args...) })
		total += n
		if err != nil || n == 0 {
			return total, err
		}
	}
}

// pruneDevices forgets old devices and their sessions. A reader looks for them,
// as nobody waits for that.
func (b *Book) pruneDevices(ctx context.Context, at time.Time) error {
	for last := int64(0); ; {
		seqs, err := b.numbers(ctx, `SELECT d.seq FROM devices d CROSS JOIN admissions a ON a.seq = d.admission
			WHERE d.seq > ? AND a.ends < ? ORDER BY d.seq LIMIT ?`, last, at.Add(-keepDevices).UnixMicro(), pruneBatch)
		if err != nil || len(seqs) == 0 {
			return err
		}
		last = seqs[len(seqs)-1]
		_, err = b.pruneRows(ctx, `DELETE FROM spent WHERE session IN
			(SELECT session FROM spent WHERE device IN (SELECT value FROM json_each(?)) LIMIT ?)`, text(seqs), 5*pruneBatch)
		if err == nil {
			_, err = b.pruneRows(ctx, `DELETE FROM devices WHERE seq IN (SELECT value FROM json_each(?))`, text(seqs))
		}
		if err != nil {
			return err
		}
	}
}

// pruneImports forgets what waits in imports that do not go on.
func (b *Book) pruneImports(ctx context.Context, at time.Time) error {
	before := at.Add(-keepImports).UnixMicro()
	imports, err := b.numbers(ctx, `SELECT seq FROM imports WHERE done IS NULL AND touched < ?`, before)
	for _, seq := range imports {
		for more := true; more && err == nil; {
			more, err = answer(ctx, b, "prune", func(t *tx) (bool, error) { return t.pruneImport(seq, before) })
		}
	}
	return err
}

// pruneImport forgets some records of an import, or the import if it has none,
// and reports whether there may be more.
func (t *tx) pruneImport(seq, before int64) (more bool, err error) {
	var records string
	err = t.row(`SELECT json_group_array(seq) FROM (SELECT r.seq FROM imports i JOIN records r
		ON r.batch = i.batch AND r.batch <> '' AND r.seq >= i.first AND r.import = i.seq
		WHERE i.seq = ? AND i.done IS NULL AND i.touched < ? LIMIT ?)`, []any{seq, before, pruneBatch}, &records)
	if err != nil {
		return false, err
	}
	if records != "[]" {
		return true, t.forget(records)
	}
	_, err = t.exec(`DELETE FROM imports WHERE seq = ? AND done IS NULL AND touched < ?`, seq, before)
	return false, err
}

// numbers returns the integers that a query finds.
func (b *Book) numbers(ctx context.Context, query string, args ...any) ([]int64, error) {
	rows, err := b.reader.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, b.explain("prune", err)
	}
	defer rows.Close()
	var all []int64
	for rows.Next() {
		var n int64
		if err := rows.Scan(&n); err != nil {
			return nil, b.explain("prune", err)
		}
		all = append(all, n)
	}
	return all, b.explain("prune", rows.Err())
}
