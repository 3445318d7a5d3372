package sqlite_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/book"
)

func TestAudit(t *testing.T) {
	t.Parallel()
	b := fresh(t)
	together(16, func(i int) {
		for j := range 100 {
			e := book.AuditEvent{At: noon, Actor: "anna", Action: "ticket.revoke", Target: fmt.Sprint(i), Request: fmt.Sprint(j), Before: "x", After: "y", Detail: "refund"}
			if err := b.Append(t.Context(), e); err != nil {
				t.Errorf("Append = %v", err)
			}
		}
	})
	last, err := b.VerifyAudit(t.Context())
	if err != nil || last.Seq != 1600 || last.Actor != "anna" {
		t.Fatalf("VerifyAudit = %+v, %v, want event 1600", last, err)
	}
	if err := b.Append(t.Context(), book.AuditEvent{Actor: "ben"}); err != nil {
		t.Fatal(err)
	}
	page, err := b.Audit(t.Context(), 1600, 10)
	if err != nil || len(page) != 1 || page[0].Seq != 1601 || time.Since(page[0].At).Abs() > time.Minute {
		t.Errorf("Audit = %+v, %v, want ben's event, now", page, err)
	}
	for _, forbidden := range []string{
		"UPDATE audit SET actor = 'nobody' WHERE seq = 7", "DELETE FROM audit WHERE seq = 7", "DELETE FROM audit",
		"INSERT OR REPLACE INTO audit SELECT * FROM audit WHERE seq = 7",
		"INSERT INTO audit SELECT seq + 10, at, actor, action, target, request, before, after, detail, hash FROM audit WHERE seq = 1601",
	} {
		err := b.Write(t.Context(), func(exec func(string, ...any) error) error { return exec(forbidden) })
		if err == nil || !strings.Contains(err.Error(), "the audit can only be appended to") {
			t.Errorf("%s: %v, want it forbidden", forbidden, err)
		}
	}
	for _, tampering := range []string{"UPDATE audit SET actor = 'nobody' WHERE seq = 7", "DELETE FROM audit WHERE seq = 7"} {
		err := b.Write(t.Context(), func(exec func(string, ...any) error) error {
			return errors.Join(exec("DROP TRIGGER IF EXISTS audit_update"), exec("DROP TRIGGER IF EXISTS audit_delete"), exec(tampering))
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.VerifyAudit(t.Context()); !errors.Is(err, book.ErrAudit) {
			t.Errorf("VerifyAudit after %s = %v, want ErrAudit", tampering, err)
		}
	}
}
