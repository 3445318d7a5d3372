package sqlite_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/book/sqlite"
	"github.com/handstamp/handstamp/pkg/gate"
)

// TestNoSecretsInTheFiles looks for sessions and ticket codes in every byte.
func TestNoSecretsInTheFiles(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "book.db")
	b := open(t, path)
	ticket := gate.Ticket{Source: "roll", Kind: "code", Normal: "PLANTED-TICKET-CODE"}
	first, next := gate.NewSession(), gate.NewSession()
	e := entry("1")
	e.Ticket, e.Session = ticket.Fingerprint([]byte("PLANTED-PEPPER")), first.Hash()
	a := enter(t, b, e)
	renew(t, b, gate.Renewal{Session: first.Hash(), Next: next.Hash(), At: noon})
	r := record("1")
	r.Code = e.Ticket
	err := errors.Join(b.Issue(t.Context(), []book.Record{r}, book.AuditEvent{}), b.Backup(t.Context(), path+".copy"),
		b.Append(t.Context(), book.AuditEvent{Actor: "anna", Target: a.ID}))
	if err != nil {
		t.Fatal(err)
	}
	_, err = b.Renew(t.Context(), gate.Renewal{Session: first.Hash(), Next: next.Hash(), At: noon.Add(time.Minute)})
	denied(t, "Renew", err, gate.ReasonNoSession)
	names, err := filepath.Glob(path + "*")
	if err != nil || len(names) != 4 {
		t.Fatalf("files %q, %v, want the book, its log, the log's index and the copy", names, err)
	}
	for _, name := range names {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{first.Reveal(), next.Reveal(), "PLANTED"} {
			if bytes.Contains(content, []byte(secret)) {
				t.Errorf("%s has the secret %.4s… in clear", name, secret)
			}
		}
		if hash := next.Hash(); strings.HasSuffix(name, "-wal") && !bytes.Contains(content, hash[:]) {
			t.Errorf("%s does not even have the hash: this test looks in the wrong place", name)
		}
	}
}

// TestMigrate takes a file through three versions, the last of which fails at
// first.
func TestMigrate(t *testing.T) {
	t.Parallel()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(t.TempDir(), "book.db")+"?_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	steps := []string{"CREATE TABLE a (n INTEGER) STRICT; INSERT INTO a VALUES (1)", "ALTER TABLE a ADD m INTEGER; UPDATE a SET m = n + 1"}
	version := func() (n int) {
		if err := db.QueryRow("SELECT made FROM steps").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	for _, step := range []struct {
		steps []string
		want  int
		fails bool
	}{
		{steps[:1], 1, false}, {append(steps, "INSERT INTO a VALUES (7, 7); no SQL"), 2, true},
		{append(steps, "INSERT INTO a VALUES (7, 7)"), 3, false}, {append(steps, "INSERT INTO a VALUES (7, 7)"), 3, false},
	} {
		if err := sqlite.Migrate(t.Context(), db, step.steps); (err != nil) != step.fails || version() != step.want {
			t.Errorf("Migrate to %d = %v, version %d, want %d", len(step.steps), err, version(), step.want)
		}
	}
	var rows, sum int
	if err := db.QueryRow("SELECT count(*), sum(m) FROM a").Scan(&rows, &sum); err != nil || rows != 2 || sum != 9 {
		t.Errorf("%d rows, sum %d, %v, want each step done once", rows, sum, err)
	}
}

// TestNobodyKnows spoils the file under an open book: every method fails, and
// none of them blames the ticket.
func TestNobodyKnows(t *testing.T) {
	t.Parallel()
	e := entry("2")
	e.Request = gate.Idempotency{Key: session("key")}
	e.Previous = session("1")
	r := renewal("1", "3", noon)
	r.Fresh = &gate.Verdict{At: noon, Entitlements: entry("1").Entitlements}
	methods := map[string]func(context.Context, *sqlite.Book) error{
		"Enter": func(ctx context.Context, b *sqlite.Book) error { _, err := b.Enter(ctx, e); return err },
		"Find":  func(ctx context.Context, b *sqlite.Book) error { _, err := b.Find(ctx, session("1"), noon); return err },
		"Renew": func(ctx context.Context, b *sqlite.Book) error { _, err := b.Renew(ctx, r); return err },
		"Leave": func(ctx context.Context, b *sqlite.Book) error { return b.Leave(ctx, session("1"), noon) },
		"Issue": func(ctx context.Context, b *sqlite.Book) error {
			return b.Issue(ctx, []book.Record{record("1")}, book.AuditEvent{})
		},
		"Append": func(ctx context.Context, b *sqlite.Book) error { return b.Append(ctx, book.AuditEvent{}) },
		"Record": func(ctx context.Context, b *sqlite.Book) error { _, err := b.Record(ctx, "id A"); return err },
		"Lookup": func(ctx context.Context, b *sqlite.Book) error { _, err := b.Lookup(ctx, fingerprint("A")); return err },
		"Prune": func(ctx context.Context, b *sqlite.Book) error {
			_, err := b.Prune(ctx, noon.Add(1000*time.Hour))
			return err
		},
		"Audit": func(ctx context.Context, b *sqlite.Book) error { _, err := b.VerifyAudit(ctx); return err },
		"Check": func(ctx context.Context, b *sqlite.Book) error { return b.Check(ctx) },
		"Records": func(ctx context.Context, b *sqlite.Book) error {
			_, _, err := b.Records(ctx, book.Query{})
			return err
		},
		"Devices": func(ctx context.Context, b *sqlite.Book) error { _, err := b.Devices(ctx, "x"); return err },
		"RevokeRecord": func(ctx context.Context, b *sqlite.Book) error {
			_, err := b.RevokeRecord(ctx, "id A", noon, book.AuditEvent{})
			return err
		},
	}
	for _, target := range []gate.Target{{Kind: gate.TargetTicket, Ticket: fingerprint("A")}, {Kind: gate.TargetAdmission, ID: "x"},
		{Kind: gate.TargetDevice, ID: "x"}, {Kind: gate.TargetAttraction, ID: "castle"}} {
		methods["Revoke "+string(target.Kind)] = func(ctx context.Context, b *sqlite.Book) error {
			_, err := b.Revoke(ctx, target, noon)
			return err
		}
	}
	methods["AddFile"] = func(ctx context.Context, b *sqlite.Book) error { return b.AddFile(ctx, upload("2")) }
	methods["ConfirmFile"] = func(ctx context.Context, b *sqlite.Book) error { return b.ConfirmFile(ctx, arrived("1")) }
	methods["DiscardFile"] = func(ctx context.Context, b *sqlite.Book) error { return b.DiscardFile(ctx, "1", noon) }
	methods["RemoveFile"] = func(ctx context.Context, b *sqlite.Book) error { return b.RemoveFile(ctx, "1") }
	methods["Files"] = func(ctx context.Context, b *sqlite.Book) error { _, err := b.Files(ctx, []string{"1"}); return err }
	methods["FilesOf"] = func(ctx context.Context, b *sqlite.Book) error { _, err := b.FilesOf(ctx, "x", "y", "", 1); return err }
	methods["FilesIn"] = func(ctx context.Context, b *sqlite.Book) error { _, err := b.FilesIn(ctx, "y", "", 1); return err }
	methods["UnconfirmedFiles"] = func(ctx context.Context, b *sqlite.Book) error {
		_, err := b.UnconfirmedFiles(ctx, noon, 1)
		return err
	}
	harmed := map[string][]string{ // Prune last, as it may do a part of its work
		"admissions": {"Enter", "Find", "Renew", "Leave", "Devices", "Revoke admission", "Revoke ticket", "Revoke attraction", "Prune"},
		"devices":    {"Enter", "Find", "Renew", "Leave", "Devices", "Revoke device", "Revoke attraction", "Prune"},
		"tickets":    {"Enter", "Find", "Renew", "Leave", "Revoke ticket"},
		"places":     {"Enter", "Renew", "Revoke attraction", "Prune"},
		"spent":      {"Find", "Renew", "Leave", "Prune"},
		"requests":   {"Enter", "Prune"},
		"records":    {"Issue", "Record", "Lookup", "Records", "RevokeRecord", "Revoke ticket"},
		"audit":      {"Append", "Audit"},
		"files":      {"AddFile", "ConfirmFile", "DiscardFile", "RemoveFile", "Files", "FilesOf", "FilesIn", "UnconfirmedFiles"},
	}
	for table, names := range harmed {
		b := fresh(t)
		enter(t, b, entry("1"))
		if err := b.Issue(t.Context(), []book.Record{record("A")}, book.AuditEvent{}); err != nil {
			t.Fatal(err)
		}
		err := b.Alone(t.Context(), func(conn *sql.Conn) error {
			_, err := conn.ExecContext(t.Context(), "PRAGMA foreign_keys = 0; ALTER TABLE "+table+" RENAME TO gone")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			var denial *gate.Denial
			if err := methods[name](t.Context(), b); err == nil || errors.As(err, &denial) || errors.Is(err, gate.ErrNoTarget) {
				t.Errorf("%s without %s = %v, want that nobody knows", name, table, err)
			}
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	b := fresh(t)
	for name, method := range methods {
		var denial *gate.Denial
		if err := method(ctx, b); err == nil || errors.As(err, &denial) {
			t.Errorf("%s for nobody = %v, want an error and no denial", name, err)
		}
	}
}

// A row that refers to nothing is found by Check.
func TestCheckFindsOrphans(t *testing.T) {
	t.Parallel()
	b := fresh(t)
	enter(t, b, entry("1"))
	if err := b.Check(t.Context()); err != nil {
		t.Fatalf("Check = %v", err)
	}
	err := b.Alone(t.Context(), func(conn *sql.Conn) error {
		_, err := conn.ExecContext(t.Context(), "PRAGMA foreign_keys = 0; DELETE FROM admissions; PRAGMA foreign_keys = 1")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "a row of devices refers to nothing") {
		t.Errorf("Check = %v, want that a device has no admission", err)
	}
}
