package sqlite

import (
	"context"
	"database/sql"
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
	w.conn, w.statements = conn, map[string]*sql.Stmt{}
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
	_ = w.endBackup()
	for _, s := range w.statements {
		_ = s.Close()
	}
	_ = w.conn.Raw(func(any) error { return errBad })
	_ = w.conn.Close()
	w.conn = nil
}

func (w *writer) exec(query string) error {
	_, err := (&tx{writer: w}).exec(query)
	return err
}
