package dynamodb

import (
	"context"
	"errors"
	"time"
)

// A run is one go at putting many records into the book: more than fit into a
// transaction. They carry its number and are not shown until it has ended.
type run struct {
	Name   string `json:"name,omitempty"` // of the import; empty means that the record came alone
	Number int64  `json:"number,omitempty"`
}

// runs are those of one name.
type runs struct {
	Last    int64     `json:"last"`  // number of the one that was begun last
	Ended   int64     `json:"ended"` // all up to this number are shown
	Begun   time.Time `json:"begun"`
	Dropped bool      `json:"dropped,omitempty"` // what is not shown never will be
}

// issuing begins the names of runs that are all or nothing. A run of an import
// can be taken up by the next one.
const issuing = "issue#"

// patience is how long an issue may take. What it has left behind then is free
// for others.
const patience = 10 * time.Minute

// errOvertaken is an import that another one of the same batch has taken over from.
var errOvertaken = errors.New("another import of the same batch has begun")

// begin starts a run.
func (b *Book) begin(ctx context.Context, name string) (r run, err error) {
	err = b.change(ctx, "import", func(w *work) error {
		it, all, err := w.runsOf(name)
		if err != nil {
			return err
		}
		all.Last, all.Begun = all.Last+1, w.opts.Now().UTC()
		r = run{name, all.Last}
		return w.putDoc(it, all)
	})
	return r, err
}

// runsOf reads the runs of a name.
func (w *work) runsOf(name string) (*item, runs, error) {
	var all runs
	it, err := w.one(w.ctx, importKey(name))
	if err == nil && it.doc != "" {
		err = it.read(&all)
	}
	return it, all, err
}

// end shows everything that came with the run or those before it.
func (w *work) end(r run) error {
	it, all, err := w.runsOf(r.Name)
	switch {
	case err != nil:
		return err
	case all.Last != r.Number || all.Dropped:
		return errOvertaken
	}
	all.Ended = r.Number
	return w.putDoc(it, all)
}

// drop makes sure that nothing which came with a run of an issue is ever shown.
func (w *work) drop(name string) (dropped bool, err error) {
	it, all, err := w.runsOf(name)
	switch {
	case err != nil || all.Ended > 0:
		return false, err
	case all.Dropped:
		return true, nil
	}
	all.Dropped = true
	return true, w.putDoc(it, all)
}

// goesOn returns errOvertaken if another run of the name was begun since.
func (b *Book) goesOn(ctx context.Context, r run) error {
	ctx, cancel := b.limit(ctx)
	defer cancel()
	_, all, err := (&work{Book: b, ctx: ctx}).runsOf(r.Name)
	if err == nil && (all.Last != r.Number || all.Dropped) {
		err = errOvertaken
	}
	return err
}

// ended reports whether what came with a run is shown. What is shown once stays
// so, and is not asked again.
func (b *Book) ended(ctx context.Context, r run) (bool, error) {
	if r.Name == "" {
		return true, nil
	}
	if last, ok := b.done.Load(r.Name); ok && last.(int64) >= r.Number {
		return true, nil
	}
	_, all, err := (&work{Book: b, ctx: ctx}).runsOf(r.Name)
	if err != nil || all.Ended < r.Number {
		return false, err
	}
	b.done.Store(r.Name, all.Ended)
	return true, nil
}
