package sqlite_test

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/book/sqlite"
)

// A handstamp whose schema has one step only writes like this.
const (
	oldRecord = `INSERT INTO records (id, code, products, seats, note, batch, issued) VALUES ('id-%[1]s', x'%[2]x', '[["castle",""]]', 2, '', 'list', 1)`
	oldVisit  = `INSERT INTO tickets VALUES (x'%[2]x', %[4]d, NULL);
		INSERT INTO admissions (id, ticket, state, begins, ends, seats, entitlements, source, ref, revision)
		VALUES ('visit-%[1]s', x'%[2]x', 'active', %[4]d, %[5]d, 2, '[]', '', '', 1);
		INSERT INTO devices (id, admission, state, session, first_seen, last_seen)
		VALUES ('device-%[1]s', last_insert_rowid(), 'seated', x'%[3]x', %[4]d, %[4]d)`
	oldRevocation = `UPDATE admissions SET state = 'revoked', revision = revision + 1 WHERE id = 'visit-%[1]s'`
)

// oldWrites does what an old handstamp would for a ticket of which a visit ends
// in an hour.
func oldWrites(t *testing.T, db *sql.DB, script, name string) {
	t.Helper()
	code, shown, now := fingerprint(name), session(name), time.Now()
	script = fmt.Sprintf(script+"; -- %[1]s %[2]x %[3]x %[4]d %[5]d", name, code[:], shown[:], now.UnixMicro(), now.Add(time.Hour).UnixMicro())
	if _, err := db.ExecContext(t.Context(), script); err != nil {
		t.Fatalf("%s: %v", script, err)
	}
}

// TestUpgrade takes a file of the first version to the newest, and lets a
// program of the first one go on with it.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "book.db")
	db, err := sql.Open("sqlite", "file:"+path+"?_txlock=immediate&_pragma=foreign_keys(1)&_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	steps, err := sqlite.Migrations()
	if err != nil {
		t.Fatal(err)
	}
	// The first version did not count its steps.
	if _, err := db.ExecContext(t.Context(), steps[0]+"; PRAGMA application_id = 0x68737462; PRAGMA user_version = 1"); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	oldWrites(t, db, oldRecord, "before")
	oldWrites(t, db, oldVisit, "before")
	b := open(t, path)
	for _, name := range []string{"before", "after"} {
		if name == "after" { // the old one is still there, or comes back
			if err := sqlite.Migrate(t.Context(), db, steps[:1]); err != nil {
				t.Errorf("Migrate = %v", err)
			}
			oldWrites(t, db, oldRecord, name)
			oldWrites(t, db, oldVisit, name)
		}
		if r, err := b.Lookup(t.Context(), fingerprint(name)); err != nil || r.ID != "id-"+name {
			t.Errorf("Lookup(%q) = %+v, %v, want its record", name, r, err)
		}
		finds(t, b, name, time.Now(), "")
	}
	oldWrites(t, db, oldRevocation, "after")
	list, err := b.Revocations(t.Context(), time.Now().Add(-time.Minute))
	if err != nil || len(list) != 1 || list[0].Session != session("after") {
		t.Errorf("Revocations = %+v, %v, want the session that an old handstamp has revoked", list, err)
	}
	if _, _, err := b.Import(t.Context(), "list", records(1, 3), book.AuditEvent{}); err != nil {
		t.Errorf("Import = %v", err)
	}
	oldWrites(t, db, oldVisit, "again") // beside what the old one does not know
	if err := b.AddFile(t.Context(), upload("1")); err != nil {
		t.Errorf("AddFile = %v", err)
	}
	if files, err := b.FilesOf(t.Context(), "ticket:A", "photos", "", 10); err != nil || len(files) != 1 || files[0] != upload("1") {
		t.Errorf("FilesOf = %+v, %v, want the file", files, err)
	}
	var made, oldest int
	if err := db.QueryRow("SELECT made, user_version FROM steps, pragma_user_version").Scan(&made, &oldest); err != nil || made != len(steps) || oldest != 1 {
		t.Errorf("%d steps were made, for programs from version %d on, %v; want %d, 1", made, oldest, err, len(steps))
	}
}
