package dynamodb

import (
	"context"
	"errors"
	"iter"
	"strings"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/handstamp/handstamp/pkg/book"
)

// importing begins the names of runs that the next one can take up.
const importing = "import#"

// importers is how many transactions of an import are on their way at once.
const importers = 8

// Import puts the records of a list into the book, many at a time, as those of
// a batch, and returns how many were new. None of them is shown, and no visitor
// gets in with one, until all of them are there; then all are, at once, and the
// event is written with that. Codes that are on record stay as they are, so an
// import that was interrupted, or ended with an error, goes on when it is done
// again. What waits in an import that has not ended is free for others.
//
// The error names a record by its place in the list; what the counts say was
// reached then and waits. A list that breaks off looks like one that ends: who
// yields it has to end ctx. Of two imports of the same batch at the same time
// the older one fails.
func (b *Book) Import(ctx context.Context, name string, records iter.Seq[book.Record], by book.AuditEvent) (added, unchanged int, err error) {
	if name == "" {
		return 0, 0, b.explain("import", errors.New("an import without a name"))
	}
	r, err := b.begin(ctx, importing+name)
	if err != nil {
		return 0, 0, err
	}
	i := importer{book: b, run: r}
	if err := i.all(ctx, records); err != nil {
		return int(i.added.Load()), int(i.unchanged.Load()), b.explain("import", err)
	}
	err = b.change(ctx, "import", func(w *work) error {
		if err := w.end(r); err != nil {
			return err
		}
		return w.sign(by)
	})
	return int(i.added.Load()), int(i.unchanged.Load()), err
}

// An importer adds the records of one run.
type importer struct {
	book             *Book
	run              run
	added, unchanged atomic.Int64
}

// all adds records, a window of some transactions after the other.
func (i *importer) all(ctx context.Context, records iter.Seq[book.Record]) error {
	var window []book.Record
	first := 1
	for r := range records {
		r.Batch = strings.TrimPrefix(i.run.Name, importing)
		if err := r.Check(); err != nil {
			return numbered(first+len(window), r, err)
		}
		if window = append(window, r); len(window) < importers*maxWrites/4 {
			continue
		}
		if err := i.window(ctx, first, window); err != nil {
			return err
		}
		first, window = first+len(window), window[:0]
	}
	return i.window(ctx, first, window)
}

func (i *importer) window(ctx context.Context, first int, window []book.Record) error {
	if err := i.book.goesOn(ctx, i.run); err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(importers)
	for some := range batches(window) {
		some.first += first - 1
		group.Go(func() error {
			added, err := i.book.addAll(ctx, "import", some, i.run, false)
			if err == nil {
				i.added.Add(int64(added))
				i.unchanged.Add(int64(len(some.records) - added))
			}
			return err
		})
	}
	return group.Wait()
}
