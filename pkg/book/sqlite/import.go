package sqlite

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"iter"
	"slices"
	"time"

	"github.com/handstamp/handstamp/pkg/book"
)

// So many records of a list are sorted by code before they are put into the
// book, in parts that have a transaction each: one then changes a narrow part
// of the index, which makes a million several times quicker. Visitors who come
// meanwhile wait for one part at most, of 2,500 records.
const (
	importWindow = 50_000
	importParts  = 20

	// importPause leaves the lock free after each transaction: another process
	// that waits for it looks from time to time only.
	importPause = 5 * time.Millisecond
)

// Import puts the records of a list into the book, many at a time, as those of
// a batch, and returns how many were new. No record of it can be seen until all
// of them are there; then all can be, at once. Codes that are on record already
// stay as they are, so an import that was interrupted, or ended with an error,
// goes on when it is done again: within a week, see Prune, and by one caller at
// a time, as an older attempt at the same batch fails when a new one begins.
//
// The error names a record by its place in the list; what the counts say is on
// record then and waits. A list that breaks off looks like one that ends: who
// yields it has to end ctx. The event, unless it is zero, is written when all is
// done. A process that serves visitors may go on meanwhile.
func (b *Book) Import(ctx context.Context, batch string, records iter.Seq[book.Record], by book.AuditEvent) (added, unchanged int, err error) {
	if batch == "" {
		return 0, 0, b.explain("import", errors.New("a list without a name for its batch"))
	}
	s, err := b.stage(ctx, batch)
	if err != nil {
		return 0, 0, err
	}
	window := make([]*listed, 0, cmp.Or(b.opts.window, importWindow))
	number := 0
	for r := range records {
		number++
		r.Batch = batch
		window = append(window, &listed{r, number})
		if err = r.Check(); err != nil {
			return s.added, s.unchanged, b.explain("import", window[len(window)-1].blame(err))
		}
		if len(window) < cap(window) {
			continue
		}
		if err = s.put(ctx, window); err != nil {
			return s.added, s.unchanged, err
		}
		window = window[:0]
	}
	if err = s.put(ctx, window); err == nil {
		err = s.publish(ctx, by)
	}
	return s.added, s.unchanged, err
}

// put adds a part of the list. It changes the order.
func (s *staging) put(ctx context.Context, window []*listed) error {
	slices.SortStableFunc(window, func(a, b *listed) int { return bytes.Compare(a.Code[:], b.Code[:]) })
	for part := range slices.Chunk(window, max(1, cap(window)/importParts)) {
		known, err := s.add(ctx, part)
		if err != nil {
			return err
		}
		s.added, s.unchanged = s.added+len(part)-len(known), s.unchanged+len(known)
		time.Sleep(importPause)
	}
	return nil
}
