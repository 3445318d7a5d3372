package dynamodb

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/gate"
)

// A record is a book.Record as it is kept.
type record struct {
	ID       string        `json:"id"`
	Products [][2]string   `json:"products"`
	Seats    int           `json:"seats"`
	From     time.Time     `json:"from,omitzero"`
	Until    time.Time     `json:"until,omitzero"`
	Terms    gate.Validity `json:"terms,omitzero"`
	Note     string        `json:"note,omitempty"`
	Batch    string        `json:"batch,omitempty"`
	Issued   time.Time     `json:"issued"`
	Revoked  time.Time     `json:"revoked,omitzero"`
	Run      run           `json:"run,omitzero"` // with which it came, if not alone
	Order    string        `json:"order"`        // its place in lists
}

// book returns the record of a ticket as others see it.
func (r *record) book(print gate.Fingerprint) *book.Record {
	b := &book.Record{ID: r.ID, Code: print, Seats: r.Seats, ValidFrom: r.From, ValidUntil: r.Until, Terms: r.Terms,
		Note: r.Note, Batch: r.Batch, Issued: r.Issued, Revoked: r.Revoked}
	for _, p := range r.Products {
		b.Products = append(b.Products, gate.Product{Attraction: p[0], Package: p[1]})
	}
	return b
}

// newRecord returns what is kept of r, which gets an id and a time if it has none.
func (b *Book) newRecord(r book.Record, with run) *record {
	if r.Issued.IsZero() {
		r.Issued = b.opts.Now()
	}
	if r.ID == "" {
		r.ID = rand.Text()
	}
	kept := &record{ID: r.ID, Seats: r.Seats, From: r.ValidFrom.UTC(), Until: r.ValidUntil.UTC(), Terms: r.Terms,
		Note: r.Note, Batch: r.Batch, Issued: r.Issued.UTC(), Revoked: r.Revoked.UTC(), Run: with, Order: b.place()}
	kept.Terms.From, kept.Terms.Until = time.Time{}, time.Time{} // they are in From and Until
	kept.Terms.Slot = gate.Interval{From: r.Terms.Slot.From.UTC(), Until: r.Terms.Slot.Until.UTC()}
	for _, p := range r.Products {
		kept.Products = append(kept.Products, [2]string{p.Attraction, p.Package})
	}
	return kept
}

func (r *record) opens(place string) bool {
	for _, p := range r.Products {
		if p[0] == place {
			return true
		}
	}
	return false
}

// Lookup returns the record of a code, or gate.ErrNoTarget. A revoked one is
// returned like any other: see its Revoked. One that came with an import is
// not there until all of that is.
func (b *Book) Lookup(ctx context.Context, code gate.Fingerprint) (*book.Record, error) {
	ctx, cancel := b.limit(ctx)
	defer cancel()
	it, err := b.one(ctx, recordKey(spell(code)))
	if err == nil {
		var r *record
		if r, err = b.shownRecord(ctx, it); err == nil {
			return r.book(code), nil
		}
	}
	return nil, b.explain("find a record", err)
}

// shownRecord reads a record's item. It returns gate.ErrNoTarget if there is
// none, or it came with an import that has not ended.
func (b *Book) shownRecord(ctx context.Context, it *item) (*record, error) {
	if it.doc == "" {
		return nil, gate.ErrNoTarget
	}
	var r record
	if err := it.read(&r); err != nil {
		return nil, err
	}
	shown, err := b.ended(ctx, r.Run)
	if err == nil && !shown {
		err = gate.ErrNoTarget
	}
	return &r, err
}

// Record returns the record with an id, or gate.ErrNoTarget.
func (b *Book) Record(ctx context.Context, id string) (*book.Record, error) {
	ctx, cancel := b.limit(ctx)
	defer cancel()
	print, r, err := b.recordByID(ctx, id)
	if err != nil {
		return nil, b.explain("find a record", err)
	}
	return r.book(print), nil
}

func (b *Book) recordByID(ctx context.Context, id string) (print gate.Fingerprint, r *record, err error) {
	it, err := b.one(ctx, idKey(id))
	if err != nil {
		return print, nil, err
	}
	if it.own == "" {
		return print, nil, gate.ErrNoTarget
	}
	if err := (*hash)(&print).UnmarshalText([]byte(it.own)); err != nil {
		return print, nil, err
	}
	if it, err = b.one(ctx, recordKey(it.own)); err != nil {
		return print, nil, err
	}
	if r, err = b.shownRecord(ctx, it); err == nil && r.ID != id {
		err = gate.ErrNoTarget // the id is a leftover of an issue that failed
	}
	return print, r, err
}

// RevokeRecord revokes a record and, for ever, the ticket that it is of, and
// returns how many living admissions that ended. Doing it again changes
// nothing. It returns gate.ErrNoTarget for an unknown id. The event is written
// with the change, or neither is; the zero event means that none is wanted.
func (b *Book) RevokeRecord(ctx context.Context, id string, at time.Time, by book.AuditEvent) (affected int, err error) {
	err = b.change(ctx, "revoke a record", func(w *work) error {
		print, _, err := b.recordByID(w.ctx, id)
		if err != nil {
			return err
		}
		if affected, err = w.revokeTicket(print, at); err != nil {
			return err
		}
		return w.sign(by)
	})
	if err != nil {
		return 0, err
	}
	return affected, nil
}

// revokeRecord notes in the ticket's record, if there is one, that it is revoked.
func (w *work) revokeRecord(t *ticket, at time.Time) error {
	it, err := w.one(w.ctx, recordKey(t.name()))
	if err != nil || it.doc == "" {
		return err
	}
	var r record
	if err := it.read(&r); err != nil || !r.Revoked.IsZero() {
		return err
	}
	r.Revoked = at.UTC()
	return w.putDoc(it, r)
}
