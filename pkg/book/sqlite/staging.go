package sqlite

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/handstamp/handstamp/pkg/book"
)

// A staging is an attempt at an import whose records nobody sees yet.
type staging struct {
	book             *Book
	batch, run       string
	seq              int64
	added, unchanged int
}

// errOvertaken is returned to an attempt after another one has begun.
var errOvertaken = errors.New("another import of the batch has begun or ended meanwhile")

// stage begins an import, or goes on with one that has not ended.
func (b *Book) stage(ctx context.Context, batch string) (*staging, error) {
	s := &staging{book: b, batch: batch, run: rand.Text()}
	_, err := answer(ctx, b, "import", func(t *tx) (struct{}, error) {
		return struct{}{}, t.row(`INSERT INTO imports (batch, run, first, touched)
			SELECT ?1, ?2, coalesce(max(seq), 0) + 1, ?3 FROM records WHERE true
			ON CONFLICT (batch) WHERE done IS NULL DO UPDATE SET run = excluded.run, touched = excluded.touched
			RETURNING seq`, []any{batch, s.run, b.opts.Now().UnixMicro()}, &s.seq)
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// hold keeps the import from being forgotten, and from two who do it at once.
func (s *staging) hold(t *tx) error {
	return s.update(t, `UPDATE imports SET touched = ?3 WHERE seq = ?1 AND run = ?2 AND done IS NULL`)
}

// publish makes all records of the import count.
func (s *staging) publish(ctx context.Context, by book.AuditEvent) error {
	_, err := answer(ctx, s.book, "import", func(t *tx) (struct{}, error) {
		if err := s.update(t, `UPDATE imports SET done = ?3 WHERE seq = ?1 AND run = ?2 AND done IS NULL`); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, t.sign(by)
	})
	return err
}

func (s *staging) update(t *tx, query string) error {
	n, err := t.exec(query, s.seq, s.run, s.book.opts.Now().UnixMicro())
	if err == nil && n == 0 {
		err = fmt.Errorf("batch %q: %w", s.batch, errOvertaken)
	}
	return err
}

// add puts records into the import and returns those that were on record. It
// does not wait for the disk: what it wrote may be lost if the power is. The
// next write that does wait brings it along, for both are in one log, so what
// publish says is true of all that came before.
func (s *staging) add(ctx context.Context, part []*listed) (known []*listed, err error) {
	err = s.book.writer.do(ctx, &job{alone: func(w *writer) error {
		defer w.checkpoint()
		return w.lazily(&job{write: func(t *tx) (err error) {
			if err = s.hold(t); err == nil {
				known, err = t.add(part, s.seq)
			}
			return err
		}})
	}})
	return known, s.book.explain("import", err)
}

// lazily is whole, without a sync.
func (w *writer) lazily(j *job) error {
	err := w.synchronous(1)
	if err == nil {
		err = w.whole(j)
	}
	if w.conn != nil && w.synchronous(2) != nil {
		w.drop() // the next one begins as every connection does
	}
	return err
}

// synchronous sets the pragma. It takes effect when it is compiled, so it must
// not be kept prepared.
func (w *writer) synchronous(level int) error {
	_, err := w.conn.ExecContext(context.Background(), fmt.Sprintf("PRAGMA synchronous = %d", level))
	return err
}
