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
const recordColumns = `r.seq, r.id, r.code, r.products, r.seats, r.valid_from, r.valid_until, r.note, r.batch, r.issued, r.revoked`

// A recordRow is a Record as it is on record.
type recordRow struct {
	book.Record
	seq int64
}

func (r *recordRow) fields() []any {
	return []any{&r.seq, &r.ID, digest{(*[32]byte)(&r.Code)}, document{&products{&r.Products}}, &r.Seats, instant{&r.ValidFrom},
		instant{&r.ValidUntil}, &r.Note, &r.Batch, instant{&r.Issued}, instant{&r.Revoked}}
}

// Issue puts records into the book: all of them, or none. A code or id that is
// on record already is an ErrDuplicate that names it.
func (b *Book) Issue(ctx context.Context, records []book.Record) error {
	_, err := bulk(ctx, b, "issue", func(t *tx) (struct{}, error) {
		for i, r := range records {
			added, err := t.put(r)
			if err == nil && !added {
				err = fmt.Errorf("its code %w", book.ErrDuplicate)
			}
			if err != nil {
				return struct{}{}, fmt.Errorf("record %d, id %q: %w", i+1, r.ID, err)
			}
		}
		return struct{}{}, nil
	})
	return err
}

// put adds one record and reports whether its code was new.
func (t *tx) put(r book.Record) (added bool, err error) {
	if err := checkRecord(&r); err != nil {
		return false, err
	}
	if r.Issued.IsZero() {
		r.Issued = t.book.opts.Now()
	}
	if r.ID == "" {
		r.ID = recordID(r.Issued)
	}
	seq, n, err := t.insert(`INSERT INTO records (id, code, products, seats, valid_from, valid_until, note, batch, issued, revoked)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`, r.ID, r.Code[:], text(products{&r.Products}),
		r.Seats, micros(r.ValidFrom), micros(r.ValidUntil), r.Note, r.Batch, r.Issued.UnixMicro(), micros(r.Revoked))
	if err == nil && n == 0 {
		return false, t.sameRecord(r)
	}
	for _, p := range r.Products {
		if err != nil {
			break
		}
		_, err = t.exec(`INSERT INTO record_places (attraction, record) VALUES (?, ?) ON CONFLICT DO NOTHING`, p.Attraction, seq)
	}
	return err == nil, err
}

// sameRecord returns an error unless it is r's own code that stands in its way.
func (t *tx) sameRecord(r book.Record) error {
	var known bool
	err := t.row(`SELECT EXISTS (SELECT 1 FROM records WHERE substr(code, 1, 12) = substr(?1, 1, 12) AND code = ?1)`, []any{r.Code[:]}, &known)
	if err == nil && !known {
		err = fmt.Errorf("its id %w with another code", book.ErrDuplicate)
	}
	return err
}

func checkRecord(r *book.Record) error {
	switch {
	case r.Code == gate.Fingerprint{}:
		return errors.New("no code")
	case len(r.Products) == 0:
		return errors.New("it buys nothing")
	case r.Seats < 0:
		return fmt.Errorf("%d seats", r.Seats)
	case !r.ValidUntil.IsZero() && !r.ValidUntil.After(r.ValidFrom):
		return fmt.Errorf("valid until %s, and from %s", r.ValidUntil.Format(time.RFC3339), r.ValidFrom.Format(time.RFC3339))
	}
	for _, p := range r.Products {
		if p.Attraction == "" {
			return errors.New("a product without an attraction")
		}
	}
	return nil
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
	err := b.reader.QueryRowContext(ctx, `SELECT `+recordColumns+` FROM records r `+where, arg).Scan(r.fields()...)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, gate.ErrNoTarget
	}
	if err != nil {
		return nil, b.explain("find a record", err)
	}
	return &r.Record, nil
}

// RevokeRecord revokes a record and, for ever, the ticket that it is of. Doing
// it again changes nothing. It returns gate.ErrNoTarget for an unknown id.
func (b *Book) RevokeRecord(ctx context.Context, id string, at time.Time) error {
	_, err := answer(ctx, b, "revoke a record", func(t *tx) (int, error) {
		var code gate.Fingerprint
		err := t.row(`SELECT code FROM records WHERE id = ?`, []any{id}, digest{(*[32]byte)(&code)})
		if errors.Is(err, sql.ErrNoRows) {
			return 0, gate.ErrNoTarget
		}
		if err != nil {
			return 0, err
		}
		return t.revokeTicket(code, at)
	})
	return err
}
