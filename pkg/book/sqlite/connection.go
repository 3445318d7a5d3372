package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// ready makes sure that there is a connection to the file that has our name.
func (w *writer) ready() error {
	if err := w.book.file.check(); err != nil {
		return err
	}
	if w.conn != nil {
		return nil
	}
	conn, err := w.db.Conn(context.Background())
	if err != nil {
		return err
	}
	w.conn, w.statements, w.turn = conn, map[string]*sql.Stmt{}, turn{}
	if err := w.patience(0); err != nil { // see lock
		w.drop()
		return err
	}
	return w.book.file.note() // its log may be a new one
}

// rollback ends a transaction that failed. SQLite may have done that already,
// or the connection may be beyond help; either way the next one is fresh.
func (w *writer) rollback() {
	if w.conn != nil && w.exec("ROLLBACK") != nil {
		w.drop()
	}
}

// drop closes the connection and with it whatever transaction is open on it.
func (w *writer) drop() {
	if w.conn == nil {
		return
	}
	for _, s := range w.statements {
		_ = s.Close()
	}
	_ = w.conn.Raw(func(any) error { return errBad })
	_ = w.conn.Close()
	w.conn = nil
}

// patience sets how long SQLite itself waits for others.
func (w *writer) patience(d time.Duration) error {
	_, err := w.conn.ExecContext(context.Background(), fmt.Sprintf("PRAGMA busy_timeout = %d", d.Milliseconds()))
	return err
}

func (w *writer) exec(query string) error {
	_, err := (&tx{writer: w}).exec(query)
	return err
}
