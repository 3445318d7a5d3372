package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"time"

	engine "modernc.org/sqlite"
)

// readers is how many connections read.
const readers = 4

// busyTimeout is how long a connection waits for a lock that another process holds.
const busyTimeout = 5 * time.Second

// pragmas are set on every connection and read back before it is used.
func pragmas() map[string]string {
	return map[string]string{
		"journal_mode":       "wal",
		"synchronous":        "2", // FULL: a sync for each commit
		"busy_timeout":       strconv.Itoa(int(busyTimeout.Milliseconds())),
		"foreign_keys":       "1",
		"trusted_schema":     "0",
		"query_only":         "0",
		"wal_autocheckpoint": "0",      // the writer does that, see checkpoint
		"cache_size":         "-32768", // KiB
		"temp_store":         "2",      // memory: no half-forgotten rows in other files
	}
}

// pool returns at most n connections to the file, each of them verified.
func (b *Book) pool(mode string, n int, change map[string]string) (*sql.DB, error) {
	want := pragmas()
	maps.Copy(want, change)
	inner, err := engine.NewConnector(b.dsn(mode, want))
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(&connector{Connector: inner, want: want})
	db.SetMaxOpenConns(n)
	db.SetMaxIdleConns(n)
	return db, nil
}

// dsn is the driver's name for the file. A missing file is never created, and
// double quotes never make a string.
func (b *Book) dsn(mode string, set map[string]string) string {
	query := url.Values{"mode": {mode}, "_txlock": {"immediate"}, "_defensive": {"1"}, "_dqs": {"0"}, "_error_rc": {"1"}}
	for _, name := range slices.Sorted(maps.Keys(set)) {
		query.Add("_pragma", name+"("+set[name]+")")
	}
	if b.opts.vfs != "" {
		query.Set("vfs", b.opts.vfs)
	}
	return "file:" + (&url.URL{Path: b.path}).EscapedPath() + "?" + query.Encode()
}

// A connector refuses connections on which a pragma did not take effect.
type connector struct {
	driver.Connector
	want map[string]string
}

func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	for name, want := range c.want {
		got, err := pragma(ctx, conn, name)
		if err == nil && got != want {
			err = fmt.Errorf("pragma %s is %q, want %q", name, got, want)
		}
		if err != nil {
			return nil, errors.Join(err, conn.Close())
		}
	}
	return conn, nil
}

// pragma reads one setting.
func pragma(ctx context.Context, conn driver.Conn, name string) (string, error) {
	queryer, ok := conn.(driver.QueryerContext)
	if !ok {
		return "", fmt.Errorf("the driver's %T cannot query", conn)
	}
	rows, err := queryer.QueryContext(ctx, "PRAGMA "+name, nil)
	if err != nil {
		return "", err
	}
	defer rows.Close()
	value := make([]driver.Value, len(rows.Columns()))
	if err := rows.Next(value); err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	return fmt.Sprint(value[0]), nil
}
