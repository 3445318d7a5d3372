package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/gate"
)

// Revoke takes back what target names and returns how many admissions, or
// devices, had been good until then. Doing it again affects none. It returns
// gate.ErrNoTarget for an admission, device or attraction that is not on
// record; a ticket is put on record, so that one can be revoked before it is
// ever shown.
//
// A ticket is revoked for ever, here and among the records. An admission that
// is revoked alone bars its ticket until it would have ended. A device that is
// revoked leaves its seat to others. An attraction is taken out of every
// admission that goes on; those that open nothing else have ended, and their
// tickets may begin new ones.
//
// When it returns, no renewal succeeds any more. Cookies that are out live for
// as long as they were signed for.
func (b *Book) Revoke(ctx context.Context, target gate.Target, at time.Time) (affected int, err error) {
	return b.TakeBack(ctx, target, at, book.AuditEvent{})
}

func (t *tx) revokeTicket(ticket gate.Fingerprint, at time.Time) (int, error) {
	_, err := t.exec(`INSERT INTO tickets (fingerprint, revoked) VALUES (?1, ?2)
		ON CONFLICT (fingerprint) DO UPDATE SET revoked = coalesce(revoked, excluded.revoked)`, ticket[:], micros(at))
	if err != nil {
		return 0, err
	}
	_, err = t.exec(`UPDATE records SET revoked = ?2
		WHERE substr(code, 1, 12) = substr(?1, 1, 12) AND code = ?1 AND revoked IS NULL`, ticket[:], micros(at))
	if err != nil {
		return 0, err
	}
	return t.end(`ticket = ?1`, ticket[:], at)
}

func (t *tx) revokeAdmission(id string, at time.Time) (int, error) {
	n, err := t.end(`id = ?1`, id, at)
	return t.orNoTarget(n, err, `SELECT count(*) FROM admissions WHERE id = ?`, id)
}

// end revokes the admission that is active, if there is one, and counts it if
// it goes on. One that is over is revoked too: clocks can be set back.
func (t *tx) end(where string, arg any, at time.Time) (living int, err error) {
	err = t.row(`UPDATE admissions SET state = 'revoked', revoked = ?2, revision = revision + 1
		WHERE `+where+` AND state = 'active' RETURNING ends > ?2`, []any{arg, at.UnixMicro()}, &living)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return living, err
}

func (t *tx) revokeDevice(id string, at time.Time) (int, error) {
	n, err := t.exec(`UPDATE devices SET state = 'revoked', ended = ? WHERE id = ? AND state = 'seated'`, micros(at), id)
	if err == nil && n > 0 {
		_, err = t.exec(`UPDATE admissions SET revision = revision + 1
			WHERE seq = (SELECT admission FROM devices WHERE id = ?)`, id)
	}
	return t.orNoTarget(n, err, `SELECT count(*) FROM devices WHERE id = ?`, id)
}

func (t *tx) revokeAttraction(id string, at time.Time) (int, error) {
	const open = `state = 'active' AND ends > ?2 AND seq IN (SELECT admission FROM places WHERE attraction = ?1)
		AND EXISTS (SELECT 1 FROM json_each(entitlements) WHERE value ->> 'attraction' = ?1)`
	const elsewhere = `FROM json_each(entitlements) WHERE value ->> 'attraction' <> ?1`
	const only = open + ` AND NOT EXISTS (SELECT 1 ` + elsewhere + `)`
	total := 0
	for _, change := range []struct {
		query  string
		counts int
	}{
		{`UPDATE devices SET state = 'left', session = NULL, previous = NULL, ended = ?2
			WHERE state = 'seated' AND admission IN (SELECT seq FROM admissions WHERE ` + only + `)`, 0},
		{`UPDATE admissions SET state = 'ended', entitlements = '[]', revision = revision + 1 WHERE ` + only, 1},
		{`UPDATE admissions SET entitlements = (SELECT json_group_array(json(value)) ` + elsewhere + `),
			lost = json_insert(lost, '$[#]', ?1), revision = revision + 1 WHERE ` + open, 1},
	} {
		n, err := t.exec(change.query, id, at.UnixMicro())
		if err != nil {
			return 0, err
		}
		total += n * change.counts
	}
	return t.orNoTarget(total, nil, `SELECT count(*) FROM (SELECT 1 FROM places WHERE attraction = ? LIMIT 1)`, id)
}

// orNoTarget tells what was affected already from what never was on record.
func (t *tx) orNoTarget(n int, err error, count, id string) (int, error) {
	if err != nil || n > 0 {
		return n, err
	}
	var known int
	if err := t.row(count, []any{id}, &known); err != nil {
		return 0, err
	}
	if known == 0 {
		return 0, gate.ErrNoTarget
	}
	return 0, nil
}
