package sqlite

import (
	"context"
	"time"
)

// How long things are kept after an admission has ended: what devices did for
// a day, as swaps are counted over one; that there was an admission for a month.
const (
	keepDevices    = day
	keepAdmissions = 30 * day
	pruneBatch     = 1_000 // rows in a transaction
)

// Prune forgets devices a day after their admission has ended, admissions
// after 30 days, and requests that could come again no more. It returns how
// many admissions are gone. Tickets stay: their first use never moves, and a
// revoked one never returns. So do records and the audit.
func (b *Book) Prune(ctx context.Context, at time.Time) (admissions int, err error) {
	for more := true; more; {
		more, err = answer(ctx, b, "prune", func(t *tx) (bool, error) { return t.pruneDevices(at) })
		if err != nil {
			return 0, err
		}
	}
	for {
		n, err := answer(ctx, b, "prune", func(t *tx) (int, error) { return t.pruneAdmissions(at) })
		admissions += n
		if err != nil || n < pruneBatch {
			return admissions, err
		}
	}
}

// pruneDevices forgets some devices, and all old requests, and reports whether
// there may be more.
func (t *tx) pruneDevices(at time.Time) (more bool, err error) {
	const old = `(SELECT d.seq FROM devices d JOIN admissions a ON a.seq = d.admission WHERE a.ends < ? ORDER BY d.seq LIMIT ?)`
	before := at.Add(-keepDevices).UnixMicro()
	if _, err := t.exec(`DELETE FROM requests WHERE at < ?`, before); err != nil {
		return false, err
	}
	if _, err := t.exec(`DELETE FROM spent WHERE device IN `+old, before, pruneBatch); err != nil {
		return false, err
	}
	n, err := t.exec(`DELETE FROM devices WHERE seq IN `+old, before, pruneBatch)
	return n > 0, err
}

// pruneAdmissions forgets some admissions.
func (t *tx) pruneAdmissions(at time.Time) (int, error) {
	const old = `(SELECT seq FROM admissions WHERE ends < ?1 ORDER BY ends LIMIT ?2)`
	before := at.Add(-keepAdmissions).UnixMicro()
	if _, err := t.exec(`DELETE FROM places WHERE admission IN `+old, before, pruneBatch); err != nil {
		return 0, err
	}
	return t.exec(`DELETE FROM admissions WHERE seq IN `+old, before, pruneBatch)
}
