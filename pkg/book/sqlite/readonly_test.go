package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/book/sqlite"
	"github.com/handstamp/handstamp/pkg/gate"
)

// A door is a Keeper in front of a book, with a clock to set.
type door struct {
	*gate.Keeper
	now time.Time
}

func newDoor(b *sqlite.Book) *door {
	d := &door{now: noon}
	rules := &gate.Rules{Attractions: []*gate.Attraction{{ID: "castle", Prefix: "castle"}}}
	d.Keeper = gate.NewKeeper(seller{}, rules, b, press{}, gate.Options{Now: func() time.Time { return d.now }})
	return d
}

// A seller sells everything.
type seller struct{}

func (seller) Verify(_ context.Context, c gate.Credential) (*gate.Ticket, error) {
	return &gate.Ticket{Source: "list", Normal: c.Code, Buys: []gate.Product{{Attraction: "castle"}}}, nil
}

type press struct{}

func (press) Stamp(_ context.Context, g gate.Grant) (*gate.Stamp, error) {
	return &gate.Stamp{Grant: g}, nil
}
func (press) Clear(string) []*http.Cookie { return nil }

func (d *door) admit(t *testing.T, code gate.Secret) *gate.Pass {
	t.Helper()
	pass, err := d.Admit(t.Context(), gate.Credential{Code: code})
	if err != nil {
		t.Fatalf("Admit = %v", err)
	}
	return pass
}

// goesOn renews as often as said, ten minutes apart, while nothing can be
// written: with fresh stamps and the same session.
func (d *door) goesOn(t *testing.T, s gate.Session, times int) {
	t.Helper()
	for range times {
		d.now = d.now.Add(10 * time.Minute)
		pass, err := d.Renew(t.Context(), s)
		if err != nil || pass.Session != s || !pass.Degraded || len(pass.Stamps) != 1 || !pass.Stamps[0].Grant.Expires.After(d.now.Add(14*time.Minute)) {
			t.Fatalf("Renew = %+v, %v, want the same session and a fresh stamp", pass, err)
		}
	}
}

// takesNoEntries makes sure that err says so, and blames nobody.
func takesNoEntries(t *testing.T, what string, err error) {
	t.Helper()
	var denial *gate.Denial
	if !errors.Is(err, gate.ErrReadOnly) || errors.As(err, &denial) {
		t.Errorf("%s = %v, want that the book takes no entries, and no denial", what, err)
	}
}

// TestWritesOfAReadOnlyConnection makes the writer's connection read-only, which
// lasts until a write has failed.
func TestWritesOfAReadOnlyConnection(t *testing.T) {
	t.Parallel()
	b := fresh(t)
	enter(t, b, entry("1"))
	ctx := t.Context()
	if err := b.AddFile(ctx, upload("1")); err != nil {
		t.Fatal(err)
	}
	writes := map[string]func() error{
		"Enter": func() error { _, err := b.Enter(ctx, entry("2")); return err },
		"Renew": func() error { _, err := b.Renew(ctx, renewal("1", "2", noon)); return err },
		"Leave": func() error { return b.Leave(ctx, session("1"), noon) },
		"Revoke": func() error {
			_, err := b.Revoke(ctx, gate.Target{Kind: gate.TargetTicket, Ticket: fingerprint("A")}, noon)
			return err
		},
		"Issue":  func() error { return b.Issue(ctx, []book.Record{record("1")}, book.AuditEvent{}) },
		"Append": func() error { return b.Append(ctx, book.AuditEvent{Action: "test"}) },

		"AddFile":     func() error { return b.AddFile(ctx, upload("2")) },
		"ConfirmFile": func() error { return b.ConfirmFile(ctx, arrived("1")) },
		"DiscardFile": func() error { return b.DiscardFile(ctx, "1", noon) },
		"RemoveFile":  func() error { return b.RemoveFile(ctx, "1") },
	}
	for name, write := range writes {
		err := b.Alone(ctx, func(conn *sql.Conn) error {
			_, err := conn.ExecContext(ctx, "PRAGMA query_only = 1")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		takesNoEntries(t, name, write())
	}
	if a, err := b.Find(ctx, session("1"), noon); err != nil || a.Taken != 1 || a.Held != session("1") {
		t.Errorf("Find = %+v, %v, want nothing changed", a, err)
	}
	if files, err := b.Files(ctx, []string{"1", "2"}); err != nil || len(files) != 1 || files[0] != upload("1") {
		t.Errorf("Files = %+v, %v, want only the first, as it was", files, err)
	}
	enter(t, b, entry("2"))
}

// refuses makes sure of what the book does not do while nothing can be written:
// forget a revocation, let anybody in or out.
func (d *door) refuses(t *testing.T, b *sqlite.Book, in, revoked *gate.Pass) {
	t.Helper()
	if _, err := d.Renew(t.Context(), revoked.Session); !isRevoked(err) {
		t.Errorf("Renew of a revoked visit = %v, want revoked", err)
	}
	_, err := d.Admit(t.Context(), gate.Credential{Code: "new"})
	takesNoEntries(t, "Admit", err)
	_, err = d.Leave(t.Context(), in.Session)
	takesNoEntries(t, "Leave", err)
	_, err = d.Revoke(t.Context(), gate.Target{Kind: gate.TargetAdmission, ID: in.Admission.ID})
	takesNoEntries(t, "Revoke", err)
	_, err = b.Renew(t.Context(), gate.Renewal{Session: in.Session.Hash(), Next: session("next"), At: d.now, Grace: gate.RotationGrace})
	takesNoEntries(t, "the book's Renew", err)
	if a, err := b.Find(t.Context(), in.Session.Hash(), d.now); err != nil || a.Taken != 1 || a.Held != in.Session.Hash() {
		t.Errorf("Find = %+v, %v, want nothing changed", a, err)
	}
}

// recovers makes sure that all is well, without a restart, when there is room.
func (d *door) recovers(t *testing.T, in *gate.Pass) {
	t.Helper()
	d.now = d.now.Add(10 * time.Minute)
	next, err := d.Renew(t.Context(), in.Session)
	if err != nil || next.Session == in.Session || next.Degraded || next.Admission.Device != in.Admission.Device || next.Admission.Taken != 1 {
		t.Fatalf("Renew = %+v, %v, want the next session of the same device", next, err)
	}
	d.admit(t, "new")
	if _, err := d.Revoke(t.Context(), gate.Target{Kind: gate.TargetAdmission, ID: in.Admission.ID}); err != nil {
		t.Errorf("Revoke = %v", err)
	}
	if _, err := d.Renew(t.Context(), next.Session); !isRevoked(err) {
		t.Errorf("Renew = %v, want revoked", err)
	}
}
