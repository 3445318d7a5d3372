package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"runtime/debug"
	"sync/atomic"
)

// errBad makes database/sql close a connection instead of keeping it.
var errBad = driver.ErrBadConn

// A job is one write that waits for the writer.
type job struct {
	ctx   context.Context
	write func(*tx) error     // part of a transaction; or
	alone func(*writer) error // between transactions
	state atomic.Int32
	err   error
	done  chan error // one answer, if it was started
}

const (
	waiting int32 = iota
	started
	abandoned
)

// start reports whether the job is to be done, from when on it cannot be
// abandoned.
func (j *job) start() bool {
	if j.ctx.Err() != nil {
		j.state.CompareAndSwap(waiting, abandoned)
	}
	return j.state.CompareAndSwap(waiting, started)
}

// abandon reports whether the job will not be done.
func (j *job) abandon() bool {
	return j.state.CompareAndSwap(waiting, abandoned) || j.state.Load() == abandoned
}

// call makes an error of a panic, which would end the process here: it is one
// request's mistake.
func (j *job) call(t *tx) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return j.write(t)
}

// answer lets the writer run f as part of a transaction.
func answer[T any](ctx context.Context, b *Book, what string, f func(*tx) (T, error)) (T, error) {
	var result T
	err := b.writer.do(ctx, &job{write: func(t *tx) (err error) {
		result, err = f(t)
		return err
	}})
	if err != nil {
		var none T
		return none, b.explain(what, err)
	}
	return result, nil
}

// bulk is answer for a write of many rows, which gets a transaction of its own:
// in a savepoint, SQLite would keep a second copy of each page that it changes.
func bulk[T any](ctx context.Context, b *Book, what string, f func(*tx) (T, error)) (T, error) {
	var result T
	err := b.writer.do(ctx, &job{alone: func(w *writer) error {
		err := w.whole(&job{write: func(t *tx) (err error) {
			result, err = f(t)
			return err
		}})
		w.checkpoint()
		return err
	}})
	if err != nil {
		var none T
		return none, b.explain(what, err)
	}
	return result, nil
}

// A tx is one write inside a transaction. Its statements are kept prepared.
type tx struct {
	*writer
	keep bool // what was written stays, although the answer is an error
}

func (t *tx) prepare(query string) (*sql.Stmt, error) {
	if s := t.statements[query]; s != nil {
		return s, nil
	}
	s, err := t.conn.PrepareContext(context.Background(), query)
	if err != nil {
		return nil, err
	}
	t.statements[query] = s
	return s, nil
}

// exec runs a statement and returns how many rows it changed. Nobody's context
// stops it half-way: the transaction belongs to others too.
func (t *tx) exec(query string, args ...any) (n int, err error) {
	_, n, err = t.insert(query, args...)
	return n, err
}

// row runs a statement and scans its first row; without one it returns
// sql.ErrNoRows.
func (t *tx) row(query string, args []any, to ...any) error {
	s, err := t.prepare(query)
	if err != nil {
		return err
	}
	return s.QueryRowContext(context.Background(), args...).Scan(to...)
}

// insert runs a statement and returns the new row's number and how many there
// are: one, or none.
func (t *tx) insert(query string, args ...any) (seq int64, n int, err error) {
	s, err := t.prepare(query)
	if err != nil {
		return 0, 0, err
	}
	result, err := s.ExecContext(context.Background(), args...)
	if err != nil {
		return 0, 0, err
	}
	rows, err := result.RowsAffected()
	if err != nil {
		return 0, 0, err
	}
	seq, err = result.LastInsertId()
	return seq, int(rows), err
}
