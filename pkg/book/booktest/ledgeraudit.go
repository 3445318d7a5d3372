package booktest

import (
	"fmt"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/gate"
)

func audits(t *testing.T, b Ledger) {
	together(8, func(i int) {
		for j := range 5 {
			e := by(fmt.Sprint("act ", i, " ", j))
			if err := b.Append(t.Context(), e); err != nil {
				t.Errorf("Append = %v", err)
			}
		}
	})
	if err := b.Append(t.Context(), book.AuditEvent{Actor: "ben", Action: "come late"}); err != nil {
		t.Fatalf("Append = %v", err)
	}
	last, err := b.VerifyAudit(t.Context())
	if err != nil || last.Seq != 41 || last.Actor != "ben" || time.Since(last.At).Abs() > time.Hour {
		t.Errorf("VerifyAudit = %+v, %v, want Ben's event, the 41st, now", last, err)
	}
	seen := map[string]bool{}
	hash := [32]byte{}
	for after := int64(0); ; {
		page, err := b.Audit(t.Context(), after, 7)
		if err != nil || len(page) > 7 {
			t.Fatalf("Audit after %d = %d events, %v", after, len(page), err)
		}
		if len(page) == 0 {
			break
		}
		for _, e := range page {
			if after++; e.Seq != after || e.Hash == hash {
				t.Errorf("event %d has the number %d and the hash %x", after, e.Seq, e.Hash)
			}
			hash, seen[e.Action] = e.Hash, true
			sameEvent(t, e, by(e.Action))
		}
	}
	if len(seen) != 41 || hash != last.Hash {
		t.Errorf("%d different events, the last with the hash %x, want 41 and %x", len(seen), hash, last.Hash)
	}
}

func sameEvent(t *testing.T, got, want book.AuditEvent) {
	t.Helper()
	if want.Action == "come late" {
		return
	}
	at := got.At
	got.At, got.Seq, got.Hash = want.At, 0, [32]byte{}
	if got != want || !at.Equal(want.At) {
		t.Errorf("event %+v at %s, want %+v", got, at, want)
	}
}

// A change is something that staff do, with its event.
type change struct {
	action string
	do     func(t *testing.T, b Ledger, by book.AuditEvent) error
	done   func(t *testing.T, b Ledger) bool
}

// changes are all kinds of changes to a book that prepare has prepared.
func changes() []change {
	takeBack := func(target gate.Target) func(*testing.T, Ledger, book.AuditEvent) error {
		return func(t *testing.T, b Ledger, by book.AuditEvent) error {
			_, err := b.TakeBack(t.Context(), target, later, by)
			return err
		}
	}
	denies := func(device string) func(*testing.T, Ledger) bool {
		return func(t *testing.T, b Ledger) bool {
			_, err := b.Find(t.Context(), session(device), later)
			return err != nil
		}
	}
	has := func(code string) func(*testing.T, Ledger) bool {
		return func(t *testing.T, b Ledger) bool {
			_, err := b.Lookup(t.Context(), fingerprint(code))
			return err == nil
		}
	}
	return []change{
		{"issue", func(t *testing.T, b Ledger, by book.AuditEvent) error {
			return b.Issue(t.Context(), []book.Record{record("issued")}, by)
		}, has("issued")},
		{"import", func(t *testing.T, b Ledger, by book.AuditEvent) error {
			_, _, err := b.Import(t.Context(), "list", records("L", 1, 3), by)
			return err
		}, has("L2")},
		{"revoke record", func(t *testing.T, b Ledger, by book.AuditEvent) error {
			_, err := b.RevokeRecord(t.Context(), "id-record", later, by)
			return err
		}, denies("record")},
		{"revoke ticket", takeBack(ticketOf("ticket")), denies("ticket")},
		{"revoke admission", func(t *testing.T, b Ledger, by book.AuditEvent) error {
			return takeBack(gate.Target{Kind: gate.TargetAdmission, ID: find(t, b, "admission", noon).ID})(t, b, by)
		}, denies("admission")},
		{"revoke device", func(t *testing.T, b Ledger, by book.AuditEvent) error {
			return takeBack(gate.Target{Kind: gate.TargetDevice, ID: find(t, b, "device", noon).Device})(t, b, by)
		}, denies("device")},
		{"revoke attraction", takeBack(gate.Target{Kind: gate.TargetAttraction, ID: "zoo"}), denies("attraction")},
	}
}

func prepare(t *testing.T, b Ledger) {
	t.Helper()
	issue(t, b, record("record"))
	for _, device := range []string{"record", "ticket", "admission", "device", "attraction"} {
		e := entry(device)
		e.Ticket = fingerprint(device)
		if device == "attraction" {
			e.Entitlements[0].Attraction = "zoo"
		}
		enter(t, b, e)
	}
}

func auditsChanges(t *testing.T, b Ledger) {
	prepare(t, b)
	for i, c := range changes() {
		if c.done(t, b) {
			t.Fatalf("%s: it is done before it was", c.action)
		}
		if err := c.do(t, b, by(c.action)); err != nil || !c.done(t, b) {
			t.Errorf("%s = %v, want it done", c.action, err)
		}
		events, err := b.Audit(t.Context(), int64(i), 0)
		if err != nil || len(events) != 1 {
			t.Fatalf("after %q the audit has %+v, %v, want one more event", c.action, events, err)
		}
		sameEvent(t, events[0], by(c.action))
	}
	if _, err := b.VerifyAudit(t.Context()); err != nil {
		t.Errorf("VerifyAudit = %v", err)
	}
	enter(t, b, entry("nobody did it"))
	if n, err := b.TakeBack(t.Context(), ticketOf("A"), later, book.AuditEvent{}); n != 1 || err != nil {
		t.Errorf("TakeBack = %d, %v, want 1", n, err)
	}
	if last, err := b.VerifyAudit(t.Context()); err != nil || int(last.Seq) != len(changes()) {
		t.Errorf("VerifyAudit = %+v, %v, want no event for the zero event", last, err)
	}
}

func auditsNoFailure(t *testing.T, b Ledger) {
	prepare(t, b)
	_ = b.Issue(t.Context(), []book.Record{record("record")}, by("x"))
	_, _ = b.RevokeRecord(t.Context(), "nobody's", later, by("x"))
	for _, kind := range []gate.TargetKind{gate.TargetAdmission, gate.TargetDevice, gate.TargetAttraction, "x"} {
		_, _ = b.TakeBack(t.Context(), gate.Target{Kind: kind, ID: "nobody's"}, later, by("x"))
	}
	if events, err := b.Audit(t.Context(), 0, 0); err != nil || len(events) > 0 {
		t.Errorf("Audit = %+v, %v, want nothing", events, err)
	}
}

func auditFailsClosed(t *testing.T, b Ledger) {
	breaker, ok := b.(AuditBreaker)
	if !ok {
		t.Skipf("a %T cannot break its audit", b)
	}
	prepare(t, b)
	breaker.BreakAudit(t)
	for _, c := range changes() {
		if err := c.do(t, b, by(c.action)); err == nil || c.done(t, b) {
			t.Errorf("%s = %v without an audit, want it refused", c.action, err)
		}
	}
	if list, err := b.Revocations(t.Context(), noon); err != nil || len(list) > 0 {
		t.Errorf("Revocations = %+v, %v, want nothing", list, err)
	}
	for _, c := range changes() { // which need no audit
		if err := c.do(t, b, book.AuditEvent{}); err != nil || !c.done(t, b) {
			t.Errorf("%s = %v without an event, want it done", c.action, err)
		}
	}
}
