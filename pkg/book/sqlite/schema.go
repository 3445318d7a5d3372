package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"path"
)

// applicationID marks our files: "hstb", see PRAGMA application_id.
const applicationID = 0x68737462

//go:embed schema/*.sql
var schemaFiles embed.FS

// oldest is the version of the first program that can use the file, as PRAGMA
// user_version says it. Steps only ever add, so it has never changed: the
// program of yesterday reads and writes what the newest step has left. One that
// takes something away would have to raise it.
const oldest = 1

// migrations returns the steps to the newest schema: the nth makes version n
// out of version n-1.
func migrations() ([]string, error) {
	names, err := fs.Glob(schemaFiles, "schema/*.sql") // in order
	if err != nil {
		return nil, err
	}
	steps := make([]string, len(names))
	for i, name := range names {
		if want := fmt.Sprintf("%04d.sql", i+1); path.Base(name) != want {
			return nil, fmt.Errorf("schema step %s, want %s", path.Base(name), want)
		}
		step, err := schemaFiles.ReadFile(name)
		if err != nil {
			return nil, err
		}
		steps[i] = string(step)
	}
	return steps, nil
}

// migrate takes the file from whatever version it has to the newest. Each step
// is a transaction, so it can be interrupted anywhere, and of two processes
// that start together one waits for the other.
func migrate(ctx context.Context, db *sql.DB, steps []string) error {
	for {
		done, err := step(ctx, db, steps)
		if err != nil || done {
			return err
		}
	}
}

// step makes one version, or reports that there is nothing to do. Most often
// that is so, and then it waits for nobody.
func step(ctx context.Context, db *sql.DB, steps []string) (done bool, err error) {
	if version, err := made(ctx, db); err != nil || version >= len(steps) {
		return err == nil, err
	}
	tx, err := db.BeginTx(ctx, nil) // immediate, see dsn
	if err != nil {
		return false, err
	}
	defer func() { _ = tx.Rollback() }()
	version, err := made(ctx, tx) // somebody else may have been quicker
	if err != nil || version >= len(steps) {
		return err == nil, err
	}
	mark := fmt.Sprintf(`PRAGMA application_id = %d; PRAGMA user_version = %d;
		CREATE TABLE IF NOT EXISTS steps (one INTEGER PRIMARY KEY CHECK (one = 1), made INTEGER NOT NULL) STRICT;
		INSERT INTO steps VALUES (1, %d) ON CONFLICT DO UPDATE SET made = excluded.made`, applicationID, oldest, version+1)
	for _, script := range []string{steps[version], mark} {
		if _, err := tx.ExecContext(ctx, script); err != nil {
			return false, fmt.Errorf("schema version %d: %w", version+1, err)
		}
	}
	return false, tx.Commit()
}

// made returns the version that a file has. One without a table of steps was
// made when user_version said that.
func made(ctx context.Context, db interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}) (version int, err error) {
	var counted bool
	err = db.QueryRowContext(ctx, `SELECT v.user_version, EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'steps')
		FROM pragma_user_version v`).Scan(&version, &counted)
	if err == nil && counted {
		err = db.QueryRowContext(ctx, "SELECT made FROM steps").Scan(&version)
	}
	return version, err
}
