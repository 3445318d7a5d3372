package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	engine "modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"

	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/gate"
)

// inspect makes sure that the file is ours, or empty and meant to become ours,
// before anything is changed in it.
func (b *Book) inspect(ctx context.Context) error {
	db, err := sql.Open("sqlite", b.dsn("rw", map[string]string{"query_only": "1", "trusted_schema": "0"}))
	if err != nil {
		return err
	}
	defer db.Close()
	var id, version, tables int
	err = db.QueryRowContext(ctx, `SELECT a.application_id, v.user_version, (SELECT count(*) FROM sqlite_schema)
		FROM pragma_application_id AS a, pragma_user_version AS v`).Scan(&id, &version, &tables)
	if err != nil {
		return err
	}
	steps, err := migrations()
	switch empty := id == 0 && version == 0 && tables == 0; {
	case err != nil:
		return err
	case empty && !b.opts.Create:
		return errors.New("the file is empty, and no book is made unasked")
	case empty:
		return nil
	case id != applicationID:
		return fmt.Errorf("it belongs to another program: application id %#x, want %#x", id, applicationID)
	case version > len(steps):
		return fmt.Errorf("it has schema version %d, and this handstamp knows versions up to %d (hint: a newer one wrote it, use that)", version, len(steps))
	}
	return nil
}

// writable returns an error if SQLite could open the file for reading only.
func writable(ctx context.Context, db *sql.DB) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	return conn.Raw(func(c any) error {
		readOnly, ok := c.(interface{ IsReadOnly(string) (bool, error) })
		if !ok {
			return fmt.Errorf("the driver's %T does not say whether it may write", c)
		}
		if yes, err := readOnly.IsReadOnly("main"); err != nil || yes {
			return errors.Join(err, errors.New("the file is read-only"))
		}
		return nil
	})
}

// integrity runs one of SQLite's checks.
func integrity(ctx context.Context, db *sql.DB, check string) error {
	var found string
	if err := db.QueryRowContext(ctx, "PRAGMA "+check+"(1)").Scan(&found); err != nil {
		return err
	}
	if found != "ok" {
		return fmt.Errorf("the file is damaged: %s", strings.ReplaceAll(found, "\n", " "))
	}
	return nil
}

// Check reads the whole file and returns an error if anything in it is
// damaged. It takes seconds for each million rows; others go on meanwhile.
func (b *Book) Check(ctx context.Context) error { return b.explain("check", whole(ctx, b.reader)) }

// whole returns an error if anything in a file is damaged.
func whole(ctx context.Context, db *sql.DB) error {
	if err := integrity(ctx, db, "integrity_check"); err != nil {
		return err
	}
	var table string
	err := db.QueryRowContext(ctx, `SELECT "table" FROM pragma_foreign_key_check LIMIT 1`).Scan(&table)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err == nil {
		err = fmt.Errorf("the file is damaged: a row of %s refers to nothing", table)
	}
	return err
}

// explain says which book could not do what, and in plain words why. What
// callers branch on is left as it is.
func (b *Book) explain(what string, err error) error {
	var denial *gate.Denial
	if err == nil || errors.As(err, &denial) || errors.Is(err, gate.ErrOtherRequest) || errors.Is(err, gate.ErrNoTarget) || errors.Is(err, book.ErrNoFile) {
		return err
	}
	if plain := plainly(err); plain != "" {
		return fmt.Errorf("book %s: %s: %s: %w", b.path, what, plain, err)
	}
	return fmt.Errorf("book %s: %s: %w", b.path, what, err)
}

// plainly returns what SQLite's error means for somebody who runs handstamp.
func plainly(err error) string {
	var failure *engine.Error
	if !errors.As(err, &failure) {
		return ""
	}
	switch failure.Code() & 0xff {
	case codes.SQLITE_BUSY, codes.SQLITE_LOCKED:
		return fmt.Sprintf("another process held the lock for more than %s", busyTimeout)
	case codes.SQLITE_FULL:
		return "the disk is full"
	case codes.SQLITE_NOTADB:
		return "it is not a book, or its beginning is damaged"
	case codes.SQLITE_CORRUPT:
		return "the file is damaged"
	case codes.SQLITE_READONLY:
		return "the file or its folder is read-only"
	case codes.SQLITE_CANTOPEN:
		return "it cannot be opened for writing, or its folder cannot be written"
	case codes.SQLITE_IOERR:
		return "the disk cannot be read or written"
	}
	return ""
}
