package sqlite

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/gate"
)

// recordColumns are what a record is scanned from, with records as r.
const recordColumns = `r.seq, r.id, r.code, r.products, r.seats, r.valid_from, r.valid_until, r.note, r.batch, r.issued, r.revoked, r.terms`

// counts is true of records that are not part of an import under way.
const counts = `(r.import IS NULL OR EXISTS (SELECT 1 FROM imports i WHERE i.seq = r.import AND i.done IS NOT NULL))`

// A recordRow is a Record as it is on record.
type recordRow struct {
	book.Record
	seq int64
}

func (r *recordRow) fields() []any {
	return []any{&r.seq, &r.ID, digest{(*[32]byte)(&r.Code)}, document{&products{&r.Products}}, &r.Seats, instant{&r.ValidFrom},
		instant{&r.ValidUntil}, &r.Note, &r.Batch, instant{&r.Issued}, instant{&r.Revoked}, terms{&r.Terms}}
}

// Issue puts records into the book: all of them, or none. A code or id that is
// on record already is an ErrDuplicate that names the record. The event, unless
// it is zero, is written with them.
func (b *Book) Issue(ctx context.Context, records []book.Record, by book.AuditEvent) error {
	list := make([]*listed, len(records))
	for i, r := range records {
		list[i] = &listed{r, i + 1}
		if err := list[i].Check(); err != nil {
			return b.explain("issue", list[i].blame(err))
		}
	}
	_, err := bulk(ctx, b, "issue", func(t *tx) (struct{}, error) {
		known, err := t.add(list, 0)
		if err == nil && len(known) > 0 {
			err = known[0].blame(fmt.Errorf("its code %w", book.ErrDuplicate))
		}
		if err != nil {
			return struct{}{}, err
		}
		return struct{}{}, t.sign(by)
	})
	return err
}

// recordID returns an id that begins with the time, in microseconds, so that
// those of one import lie together, and goes on with 75 random bits. It has 26
// characters, and sorts as the times do.
func recordID(issued time.Time) string {
	const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUV"
	id := make([]byte, 11, 26)
	for i, rest := len(id)-1, uint64(issued.UnixMicro()); i >= 0; i, rest = i-1, rest>>5 {
		id[i] = alphabet[rest&31]
	}
	return string(append(id, rand.Text()[:15]...))
}

// Record returns the record with an id, or gate.ErrNoTarget.
func (b *Book) Record(ctx context.Context, id string) (*book.Record, error) {
	return b.record(ctx, `WHERE r.id = ?`, id)
}

// Lookup returns the record of a code, or gate.ErrNoTarget. A revoked one is
// returned like any other: see its Revoked.
func (b *Book) Lookup(ctx context.Context, code gate.Fingerprint) (*book.Record, error) {
	return b.record(ctx, `WHERE substr(r.code, 1, 12) = substr(?1, 1, 12) AND r.code = ?1`, code[:])
}

func (b *Book) record(ctx context.Context, where string, arg any) (*book.Record, error) {
	r := &recordRow{}
	err := b.reader.QueryRowContext(ctx, `SELECT `+recordColumns+` FROM records r `+where+` AND `+counts, arg).Scan(r.fields()...)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, gate.ErrNoTarget
	}
	if err != nil {
		return nil, b.explain("find a record", err)
	}
	return &r.Record, nil
}

// RevokeRecord revokes a record and, for ever, the ticket that it is of. It
// returns how many living admissions that ended; doing it again ends none. It
// returns gate.ErrNoTarget for an unknown id. The event, unless it is zero, is
// written with it.
func (b *Book) RevokeRecord(ctx context.Context, id string, at time.Time, by book.AuditEvent) (affected int, err error) {
	return answer(ctx, b, "revoke a record", func(t *tx) (int, error) {
		var code gate.Fingerprint
		err := t.row(`SELECT code FROM records r WHERE id = ? AND `+counts, []any{id}, digest{(*[32]byte)(&code)})
		if errors.Is(err, sql.ErrNoRows) {
			return 0, gate.ErrNoTarget
		}
		if err != nil {
			return 0, err
		}
		n, err := t.revokeTicket(code, at)
		if err != nil {
			return 0, err
		}
		return n, t.sign(by)
	})
}
