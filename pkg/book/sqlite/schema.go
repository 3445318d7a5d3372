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

// migrations returns the steps to the newest schema: the nth makes version n
// out of version n-1. Steps only ever add, so that the program of yesterday
// could still read what they leave.
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
	var version int
	if err := db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil || version >= len(steps) {
		return err == nil, err
	}
	tx, err := db.BeginTx(ctx, nil) // immediate, see dsn
	if err != nil {
		return false, err
	}
	defer func() { _ = tx.Rollback() }()
	if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return false, err
	}
	if version >= len(steps) {
		return true, nil
	}
	mark := fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d", applicationID, version+1)
	for _, script := range []string{steps[version], mark} {
		if _, err := tx.ExecContext(ctx, script); err != nil {
			return false, fmt.Errorf("schema version %d: %w", version+1, err)
		}
	}
	return false, tx.Commit()
}
