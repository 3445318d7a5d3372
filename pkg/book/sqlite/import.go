package sqlite

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/handstamp/handstamp/pkg/book"
)

// Records of an import share a transaction with so many others; visitors who
// come meanwhile wait for one of those at most. So many are sorted by code
// before that: each transaction then changes a narrow part of the index, which
// makes a million several times quicker.
const (
	importBatch  = 2_500
	importWindow = 50_000

	// importPause leaves the lock free after each transaction: another process
	// that waits for it looks from time to time only.
	importPause = 10 * time.Millisecond
)

// An imported record has its place in the list.
type imported struct {
	book.Record
	number int
}

// Import puts records into the book, many at a time, and returns how many
// were new. Codes that are on record already stay as they are, so an import
// that was interrupted is simply done again. After an error, what the counts
// say is in the book and nothing else is; the error names a record by its
// place in the list. A process that serves visitors may go on meanwhile.
func (b *Book) Import(ctx context.Context, records iter.Seq[book.Record]) (added, unchanged int, err error) {
	window := make([]imported, 0, importWindow)
	number := 0
	flush := func() bool {
		var n, done int
		n, done, err = b.importWindow(ctx, window)
		added, unchanged, window = added+n, unchanged+done-n, window[:0]
		return err == nil
	}
	for r := range records {
		number++
		if window = append(window, imported{r, number}); len(window) == importWindow && !flush() {
			return added, unchanged, err
		}
	}
	flush()
	return added, unchanged, err
}

// importWindow adds records and returns how many were new of how many that are
// on record now.
func (b *Book) importWindow(ctx context.Context, window []imported) (added, done int, err error) {
	slices.SortStableFunc(window, func(a, b imported) int { return bytes.Compare(a.Code[:], b.Code[:]) })
	for batch := range slices.Chunk(window, importBatch) {
		n, err := b.importBatch(ctx, batch)
		if err != nil {
			return added, done, err
		}
		added, done = added+n, done+len(batch)
		time.Sleep(importPause)
	}
	return added, done, nil
}

func (b *Book) importBatch(ctx context.Context, batch []imported) (added int, err error) {
	return bulk(ctx, b, "import", func(t *tx) (added int, err error) {
		for _, r := range batch {
			isNew, err := t.put(r.Record)
			if err != nil {
				return 0, fmt.Errorf("record %d, id %q: %w", r.number, r.ID, err)
			}
			if isNew {
				added++
			}
		}
		return added, nil
	})
}
