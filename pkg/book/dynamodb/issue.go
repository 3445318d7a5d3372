package dynamodb

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/handstamp/handstamp/pkg/book"
)

// A batch is some records that are put into the book together, at most as many
// as fit into a transaction.
type batch struct {
	first   int // number of the first one in its list, from 1
	records []book.Record
}

// cut returns how many of records fit into one transaction, beside what else it
// writes: each takes an item for itself, its id, its batch and its attractions.
func cut(records []book.Record) int {
	const others = 4
	room := maxWrites - others
	for i, r := range records {
		if room -= 3 + len(r.Products); room < 0 {
			return max(i, 1)
		}
	}
	return len(records)
}

// Issue puts records into the book: all of them, or none. A code or id that is
// on record already is an ErrDuplicate that names it. The event is written with
// them, or nothing is; the zero event means that none is wanted.
//
// About two dozen fit into one transaction. More are written one transaction
// after the other and shown by the last one, with the event. If that is never
// made, others may use their codes and ids again after ten minutes.
func (b *Book) Issue(ctx context.Context, records []book.Record, by book.AuditEvent) error {
	for i := range records {
		if err := records[i].Check(); err != nil {
			return b.explain("issue", numbered(i+1, records[i], err))
		}
	}
	if cut(records) == len(records) {
		return b.change(ctx, "issue", func(w *work) error {
			if _, err := w.add(batch{1, records}, run{}, true); err != nil {
				return err
			}
			return w.sign(by)
		})
	}
	return b.issueMany(ctx, records, by)
}

func numbered(n int, r book.Record, err error) error {
	return fmt.Errorf("record %d, id %q: %w", n, r.ID, err)
}

func (b *Book) issueMany(ctx context.Context, records []book.Record, by book.AuditEvent) error {
	if err := b.rehearse(ctx, records); err != nil {
		return b.explain("issue", err)
	}
	r, err := b.begin(ctx, issuing+rand.Text())
	if err != nil {
		return err
	}
	for some := range batches(records) {
		if _, err := b.addAll(ctx, "issue", some, r, true); err != nil {
			return errors.Join(err, b.withdraw(ctx, r))
		}
	}
	err = b.change(ctx, "issue", func(w *work) error {
		if err := w.end(r); err != nil {
			return err
		}
		return w.sign(by)
	})
	if err != nil {
		return errors.Join(err, b.withdraw(ctx, r))
	}
	return nil
}

// batches returns records in as many as fit into a transaction each.
func batches(records []book.Record) iter.Seq[batch] {
	return func(yield func(batch) bool) {
		for n := 0; n < len(records); {
			some := batch{n + 1, records[n : n+cut(records[n:])]}
			if !yield(some) {
				return
			}
			n += len(some.records)
		}
	}
}

// rehearse looks for what is on record already, before anything is written.
func (b *Book) rehearse(ctx context.Context, records []book.Record) error {
	for some := range batches(records) {
		err := func() error {
			ctx, cancel := b.limit(ctx)
			defer cancel()
			_, err := (&work{Book: b, ctx: ctx}).add(some, run{}, true)
			return err
		}()
		if err != nil {
			return err
		}
	}
	return nil
}

// withdraw makes sure that nothing of an issue is ever shown. If it was shown
// after all, as the answer got lost, it stays.
func (b *Book) withdraw(ctx context.Context, r run) error {
	return b.change(context.WithoutCancel(ctx), "take back an issue", func(w *work) error {
		_, err := w.drop(r.Name)
		return err
	})
}

// addAll adds a batch in a transaction of its own and returns how many records
// were new.
func (b *Book) addAll(ctx context.Context, what string, some batch, with run, strict bool) (added int, err error) {
	err = b.change(ctx, what, func(w *work) error {
		added, err = w.add(some, with, strict)
		return err
	})
	return added, err
}

// add puts records into the book and returns how many are new. One whose code
// is on record stays as it is, or is an ErrDuplicate if strict.
func (w *work) add(some batch, with run, strict bool) (added int, err error) {
	found, err := w.known(some)
	if err != nil {
		return 0, err
	}
	for i, r := range some.records {
		isNew, err := w.addOne(r, with, found)
		if err == nil && !isNew && strict {
			err = fmt.Errorf("its code %w", book.ErrDuplicate)
		}
		if err != nil {
			return 0, numbered(some.first+i, r, err)
		}
		if isNew {
			added++
		}
	}
	return added, nil
}

// known reads what is there under the codes and ids of a batch.
func (w *work) known(some batch) (items, error) {
	var keys []key
	for _, r := range some.records {
		keys = append(keys, recordKey(spell(r.Code)))
		if r.ID != "" {
			keys = append(keys, idKey(r.ID))
		}
	}
	return w.get(w.ctx, keys...)
}

// addOne puts one record into the book and reports whether its code was new.
// What it writes is found by those after it.
func (w *work) addOne(r book.Record, with run, found items) (bool, error) {
	name := spell(r.Code)
	it := found[recordKey(name)]
	was, free, err := w.free(it, with)
	if err != nil || !free {
		return false, err
	}
	kept := w.newRecord(r, with)
	if kept.Revoked.IsZero() {
		kept.Revoked = was.Revoked
	}
	id := found[idKey(kept.ID)]
	if id == nil {
		id = &item{key: idKey(kept.ID)}
		found[id.key] = id
	}
	if err := w.takeID(id, name, with, found); err != nil {
		return false, err
	}
	id.own, it.own = name, name
	it.listPK, it.listSK = shard(listRecords, name), kept.Order
	if err := w.putDoc(it, kept); err != nil {
		return false, err
	}
	id.doc = "{}"
	w.put(id)
	return true, w.listRecord(name, kept)
}

// free reports whether a code can be taken: nobody has it, or what it came with
// is not shown. An issue that goes on keeps it, and so does an earlier run of
// the same import.
func (w *work) free(it *item, with run) (r record, free bool, err error) {
	if it.doc == "" {
		return r, true, nil
	}
	if err := it.read(&r); err != nil || r.Run.Name == with.Name {
		return r, false, err
	}
	if shown, err := w.ended(w.ctx, r.Run); err != nil || shown {
		return r, false, err
	}
	if !strings.HasPrefix(r.Run.Name, issuing) {
		return r, true, nil
	}
	free, err = w.abandoned(r.Run)
	return r, free, err
}

// abandoned reports whether an issue was given up. One that takes too long is.
func (w *work) abandoned(r run) (dropped bool, err error) {
	_, all, err := w.runsOf(r.Name)
	if err != nil || all.Ended >= r.Number {
		return false, err
	}
	if all.Dropped || w.opts.Now().Sub(all.Begun) < patience {
		return all.Dropped, nil
	}
	err = w.change(w.ctx, "take back an issue", func(w *work) error {
		dropped, err = w.drop(r.Name)
		return err
	})
	return dropped, err
}

// takeID returns an ErrDuplicate if an id belongs to another code.
func (w *work) takeID(id *item, name string, with run, found items) error {
	if id.own == "" || id.own == name {
		return nil
	}
	taken := fmt.Errorf("its id %w with another code", book.ErrDuplicate)
	if w.writes(id.key) {
		return taken
	}
	it, err := w.one(w.ctx, recordKey(id.own))
	if err != nil || it.doc == "" {
		return errors.Join(err, taken)
	}
	if r, free, err := w.free(it, with); err != nil || !free && idKey(r.ID) == id.key {
		return errors.Join(err, taken)
	}
	return nil
}

// writes reports whether an item is among those to be written.
func (w *work) writes(k key) bool {
	return slices.ContainsFunc(w.puts, func(p types.TransactWriteItem) bool { return p.Put != nil && keyOf(p.Put.Item) == k })
}

// listRecord puts a record into the lists of its batch and its attractions.
func (w *work) listRecord(name string, r *record) error {
	if r.Batch != "" {
		if err := w.claimDoc(&item{key: batchKey(name), own: name, listPK: shard(listBatch(r.Batch), name), listSK: r.Order}, struct{}{}); err != nil {
			return err
		}
	}
	var places []string
	for _, p := range r.Products {
		if slices.Contains(places, p[0]) {
			continue
		}
		places = append(places, p[0])
		if err := w.claimDoc(&item{key: soldKey(name, p[0]), own: name, listPK: shard(listSold(p[0]), name), listSK: r.Order}, struct{}{}); err != nil {
			return err
		}
	}
	return nil
}
