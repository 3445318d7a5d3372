package sqlite_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/book/sqlite"
	"github.com/handstamp/handstamp/pkg/gate"
)

// together calls f in n goroutines that start at the same time.
func together(n int, f func(i int)) {
	var ready, done sync.WaitGroup
	ready.Add(n)
	for i := range n {
		done.Go(func() {
			ready.Done()
			ready.Wait()
			f(i)
		})
	}
	done.Wait()
}

// A crowd of 64 with a ticket for three: the 61 refusals share commits with
// the three that get in, and leave no trace.
func TestCrowdAtThreeSeats(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "book.db")
	b := open(t, path)
	errs := make([]error, 64)
	together(64, func(i int) {
		e := entry(fmt.Sprint(i))
		e.Entitlements[0].Package = fmt.Sprint(i)
		_, errs[i] = b.Enter(t.Context(), e)
	})
	in := 0
	for i, err := range errs {
		if err == nil {
			in++
			finds(t, b, fmt.Sprint(i), noon, "")
			continue
		}
		denied(t, "Enter", err, gate.ReasonSeatsTaken)
		finds(t, b, fmt.Sprint(i), noon, gate.ReasonNoSession)
	}
	admissions, devices := oversold(t, b)
	page, _, err := b.Admissions(t.Context(), book.AdmissionQuery{})
	if in != 3 || admissions != 1 || devices != 3 || err != nil || len(page[0].Entitlements) != 3 {
		t.Errorf("%d got in, %d devices in %d admissions: %+v, %v", in, devices, admissions, page, err)
	}
}

func TestWritesShareCommits(t *testing.T) {
	t.Parallel()
	b := fresh(t)
	release := busy(b)
	var done sync.WaitGroup
	const n = 200
	for i := range n {
		done.Go(func() {
			e := entry(fmt.Sprint(i))
			e.Ticket = fingerprint(fmt.Sprint(i / 2))
			e.Seats = 1 // every second one is refused
			_, _ = b.Enter(t.Context(), e)
		})
	}
	waitFor(b, n)
	before := b.Stats()
	release()
	done.Wait()
	s := b.Stats()
	if s.Commits-before.Commits != 1 || s.Writes-before.Writes != n || s.Waiting != 0 {
		t.Errorf("Stats = %+v, before %+v; want %d writes in one commit", s, before, n)
	}
	if admissions, devices := oversold(t, b); admissions != n/2 || devices != n/2 {
		t.Errorf("%d devices in %d admissions, want %d", devices, admissions, n/2)
	}
}

// A write whose viewer went away while it waited is not done; one of many that
// breaks is its own problem.
func TestOneOfManyFails(t *testing.T) {
	t.Parallel()
	b := fresh(t)
	release := busy(b)
	var done sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan error)
	go func() { _, err := b.Enter(ctx, entry("gone")); gone <- err }()
	waitFor(b, 1)
	broken := make(chan error, 2)
	done.Go(func() {
		broken <- b.Write(t.Context(), func(exec func(string, ...any) error) error {
			return errors.Join(exec("UPDATE meta SET open = 7"), exec("no SQL at all"))
		})
	})
	done.Go(func() {
		broken <- b.Write(t.Context(), func(func(string, ...any) error) error { panic("a mistake") })
	})
	done.Go(func() { enter(t, b, entry("good")) })
	waitFor(b, 4)
	cancel()
	if err := <-gone; !errors.Is(err, context.Canceled) {
		t.Errorf("Enter = %v, want canceled", err)
	}
	release()
	done.Wait()
	for range 2 {
		if err := <-broken; err == nil || !strings.Contains(err.Error(), "syntax error") && !strings.Contains(err.Error(), "panic: a mistake") {
			t.Errorf("Write = %v, want what went wrong", err)
		}
	}
	finds(t, b, "good", noon, "")
	finds(t, b, "gone", noon, gate.ReasonNoSession)
	var open int
	if err := b.Reader().QueryRow("SELECT open FROM meta").Scan(&open); err != nil || open != 1 {
		t.Errorf("open is %d, %v: the broken write has left a trace", open, err)
	}
}

// busy keeps the writer from writing until release is called.
func busy(b *sqlite.Book) (release func()) {
	begun, end, ended := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		_ = b.Alone(context.Background(), func(*sql.Conn) error { close(begun); <-end; return nil })
	}()
	<-begun
	return func() { close(end); <-ended }
}

func waitFor(b *sqlite.Book, n int) {
	for b.Stats().Waiting < n {
		time.Sleep(time.Millisecond)
	}
}

// TestPragmas reads the settings back on every connection there is.
func TestPragmas(t *testing.T) {
	t.Parallel()
	b := fresh(t)
	check := func(conn *sql.Conn, queryOnly, busyTimeout string) error {
		want := sqlite.Pragmas()
		want["query_only"], want["busy_timeout"] = queryOnly, busyTimeout
		for name, want := range want {
			var got string
			if err := conn.QueryRowContext(t.Context(), "PRAGMA "+name).Scan(&got); err != nil || got != want {
				t.Errorf("PRAGMA %s = %q, %v, want %q", name, got, err, want)
			}
		}
		return nil
	}
	for name, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "busy_timeout": "5000", "foreign_keys": "1", "trusted_schema": "0"} {
		if got := sqlite.Pragmas()[name]; got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	for range sqlite.Readers {
		conn, err := b.Reader().Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_ = check(conn, "1", "5000")
		if _, err := conn.ExecContext(t.Context(), "UPDATE meta SET open = 0"); err == nil {
			t.Error("a reader could write")
		}
	}
	if n := b.Reader().Stats().OpenConnections; n != sqlite.Readers {
		t.Errorf("%d readers, want %d", n, sqlite.Readers)
	}
	err := b.Alone(t.Context(), func(conn *sql.Conn) error { return check(conn, "0", "0") }) // it waits for locks itself
	if err != nil {
		t.Error(err)
	}
}

// TestLogStaysSmall keeps four readers busy while many pages are written.
func TestLogStaysSmall(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "book.db")
	b := open(t, path)
	ctx, stop := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for ctx.Err() == nil {
				_, _, _ = b.Records(ctx, book.Query{Limit: 50})
			}
		})
	}
	largest := int64(0)
	for list := range rounds(t, "HANDSTAMP_LOG_ROUNDS", max(heavy(8), 3)) {
		if _, _, err := b.Import(t.Context(), "list", records(list, max(heavy(4_000), 500)), book.AuditEvent{}); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(path + "-wal"); err == nil {
			largest = max(largest, info.Size())
		}
	}
	stop()
	readers.Wait()
	t.Logf("the log was %d KiB at most", largest>>10)
	if largest > 64<<20 || largest == 0 {
		t.Errorf("the log grew to %d MiB, want less than 64", largest>>20)
	}
}

// TestEndlessReader holds one read open: the log has to grow then, which is
// said, and shrinks when the read ends.
func TestEndlessReader(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "book.db")
	var out bytes.Buffer
	b, err := sqlite.OpenVFS(t.Context(), path, sqlite.Options{Create: true, Log: slog.New(slog.NewTextHandler(&out, nil))}, "", 20)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	rows, err := b.Reader().QueryContext(t.Context(), "SELECT seq FROM sqlite_schema, (SELECT 1 AS seq UNION ALL SELECT 2)")
	if err != nil || !rows.Next() {
		t.Fatalf("Query = %v", err)
	}
	write := func(n int) int64 {
		for i := range n {
			e := entry(fmt.Sprint(n, " ", i))
			e.Ticket = fingerprint(fmt.Sprint(n, " ", i))
			enter(t, b, e)
		}
		info, err := os.Stat(path + "-wal")
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	grown := write(60)
	if err := rows.Close(); err != nil {
		t.Fatal(err)
	}
	if shrunk := write(30); grown < 16*20*4096 || shrunk > 5*20*4096 {
		t.Errorf("the log had %d bytes while somebody read, and %d afterwards", grown, shrunk)
	}
	if err := b.Close(); err != nil || !strings.Contains(out.String(), "the write-ahead log grows") {
		t.Errorf("Close = %v; the log says %q, want a warning", err, out.String())
	}
}
