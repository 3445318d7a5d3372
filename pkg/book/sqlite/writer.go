package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
)

// ErrClosed is returned for writes after Close.
var ErrClosed = errors.New("the book is closed")

// maxBatch is how many writes share a commit; as many again may wait.
const maxBatch = 512

// A writer owns the connection that writes. Its goroutine ends with close.
type writer struct {
	book  *Book
	db    *sql.DB
	queue chan *job
	ended chan struct{}

	mu     sync.RWMutex // held while a job is put into the queue
	closed bool

	// The rest belongs to the goroutine.
	conn       *sql.Conn
	statements map[string]*sql.Stmt // of conn
	log        thresholds
	turn       turn

	commits, writes, failures atomic.Int64
}

func newWriter(b *Book, db *sql.DB) *writer {
	w := &writer{book: b, db: db, queue: make(chan *job, maxBatch), ended: make(chan struct{})}
	go w.run()
	return w
}

// do hands a write over and waits until it is on disk, or was not done. When
// ctx ends first, a write that has not begun is not done at all; of one that
// has begun nobody knows.
func (w *writer) do(ctx context.Context, j *job) error {
	j.ctx, j.done = ctx, make(chan error, 1)
	if err := w.submit(j); err != nil {
		return err
	}
	select {
	case err := <-j.done:
		return err
	case <-ctx.Done():
		if j.abandon() {
			return ctx.Err()
		}
		return fmt.Errorf("outcome not known: %w", ctx.Err())
	}
}

func (w *writer) submit(j *job) error {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.closed {
		return ErrClosed
	}
	select {
	case w.queue <- j:
		return nil
	case <-j.ctx.Done():
		return j.ctx.Err()
	}
}

// close lets what waits be written and then stops.
func (w *writer) close() {
	w.mu.Lock()
	if !w.closed {
		w.closed = true
		close(w.queue)
	}
	w.mu.Unlock()
	<-w.ended
}

func (w *writer) run() {
	defer close(w.ended)
	defer w.drop()
	for first := range w.queue {
		w.serve(w.gather(first))
	}
}

// gather returns first and everything that waits behind it. It waits for
// nobody: the crowd comes together while the disk is busy with the last one.
func (w *writer) gather(first *job) []*job {
	batch := []*job{first}
	for len(batch) < maxBatch {
		select {
		case j, ok := <-w.queue:
			if !ok {
				return batch
			}
			batch = append(batch, j)
		default:
			return batch
		}
	}
	return batch
}

// serve does what is in the batch: the writes in one transaction, then what
// wants the connection for itself.
func (w *writer) serve(batch []*job) {
	var writes, alone []*job
	for _, j := range batch {
		if j.alone != nil {
			alone = append(alone, j)
		} else {
			writes = append(writes, j)
		}
	}
	if len(writes) > 0 {
		w.commit(writes)
		w.checkpoint()
	}
	for _, j := range alone {
		if err := w.ready(); err != nil {
			j.done <- err
		} else if j.start() {
			j.done <- j.alone(w)
		}
	}
}

// commit makes the writes, each in its savepoint, and answers them once they
// are on disk. If that fails, even the refusals among them are not true.
func (w *writer) commit(writes []*job) {
	started, err := w.transaction(writes)
	if err != nil {
		w.failures.Add(1)
		w.rollback()
	}
	for _, j := range started {
		if err != nil {
			j.err = err
		}
		j.done <- readOnly(j.err)
	}
}

func (w *writer) transaction(writes []*job) ([]*job, error) {
	if err := w.begin(); err != nil {
		return writes, err // nothing has begun, but nobody could do better now
	}
	var started []*job
	for _, j := range writes {
		if !j.start() {
			continue
		}
		started = append(started, j)
		if err := w.attempt(j); err != nil {
			return writes, err
		}
	}
	if err := w.exec("COMMIT"); err != nil {
		return started, err
	}
	w.unlocked()
	w.commits.Add(1)
	w.writes.Add(int64(len(started)))
	return started, nil
}

func (w *writer) begin() error {
	if err := w.ready(); err != nil {
		return err
	}
	return w.lock()
}

// attempt runs j in a savepoint. Its own failure is j.err; an error means that
// the transaction is lost, for some failures make SQLite roll all of it back.
func (w *writer) attempt(j *job) error {
	if err := w.exec("SAVEPOINT job"); err != nil {
		return err
	}
	t := &tx{writer: w}
	j.err = j.call(t)
	if j.err != nil && !t.keep {
		if err := w.exec("ROLLBACK TO job"); err != nil {
			return j.err
		}
	}
	return w.exec("RELEASE job")
}

// whole runs j in a transaction of its own, without a savepoint.
func (w *writer) whole(j *job) error {
	err := w.begin()
	if err == nil {
		err = j.call(&tx{writer: w})
	}
	if err == nil {
		err = w.exec("COMMIT")
	}
	if err != nil {
		w.rollback()
		return readOnly(err)
	}
	w.unlocked()
	w.commits.Add(1)
	w.writes.Add(1)
	return nil
}
