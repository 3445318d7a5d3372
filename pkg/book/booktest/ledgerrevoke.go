package booktest

import (
	"slices"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/gate"
)

// outstanding makes sure of what was revoked at since or later: these sessions,
// and these attractions.
func outstanding(t *testing.T, b Ledger, since time.Time, sessions []string, attractions ...string) []book.Revocation {
	t.Helper()
	list, err := b.Revocations(t.Context(), since)
	if err != nil {
		t.Fatalf("Revocations = %v", err)
	}
	var want, got []string
	for _, s := range sessions {
		h := session(s)
		want = append(want, "device "+string(h[:]))
	}
	for _, id := range attractions {
		want = append(want, "attraction "+id)
	}
	for i, r := range list {
		switch {
		case r.Kind == gate.TargetDevice && r.Attraction == "":
			got = append(got, "device "+string(r.Session[:]))
		case r.Kind == gate.TargetAttraction && r.Session == gate.SessionHash{}:
			got = append(got, "attraction "+r.Attraction)
		default:
			t.Errorf("a revocation is %+v", r)
		}
		if r.At.Before(since) || i > 0 && r.At.After(list[i-1].At) {
			t.Errorf("a revocation is of %s, behind one of %s, want none before %s and the newest first", r.At, list[max(i-1, 0)].At, since)
		}
	}
	slices.Sort(got)
	if slices.Sort(want); !slices.Equal(got, want) {
		t.Errorf("Revocations since %s = %+v, want the sessions %q and the attractions %q", since, list, sessions, attractions)
	}
	return list
}

func revokedSessions(t *testing.T, b Ledger) {
	for i, kind := range []gate.TargetKind{gate.TargetDevice, gate.TargetAdmission, gate.TargetTicket} {
		name := string(kind)
		e := entry(name)
		e.Ticket = fingerprint(name)
		first := enter(t, b, e)
		e.Session = session(name + " other")
		enter(t, b, e)
		renew(t, b, renewal(name, name+" 2", noon.Add(time.Minute)))
		renew(t, b, renewal(name+" 2", name+" 3", noon.Add(5*time.Minute)))
		target := gate.Target{Kind: kind, ID: map[gate.TargetKind]string{gate.TargetDevice: first.Device, gate.TargetAdmission: first.ID}[kind], Ticket: e.Ticket}
		at := later.Add(time.Duration(i) * time.Minute)
		outstanding(t, b, at, nil)
		revoke(t, b, target, at, 1)
		want := []string{name + " 2", name + " 3"}
		if kind != gate.TargetDevice {
			want = append(want, name+" other")
		}
		for _, r := range outstanding(t, b, at, want) {
			if !r.At.Equal(at) {
				t.Errorf("a revocation is of %s, want %s", r.At, at)
			}
		}
	}
	list, err := b.Revocations(t.Context(), time.Time{})
	if err != nil || len(list) != 8 {
		t.Errorf("Revocations = %d, %v, want all 8", len(list), err)
	}
	outstanding(t, b, later.Add(time.Hour), nil)
}

func revokedOnce(t *testing.T, b Ledger) {
	issue(t, b, record("A"))
	a := enter(t, b, entry("1"))
	enter(t, b, entry("2"))
	revoke(t, b, gate.Target{Kind: gate.TargetDevice, ID: a.Device}, later, 1)
	at := later.Add(time.Minute)
	revoke(t, b, gate.Target{Kind: gate.TargetAdmission, ID: a.ID}, at, 1)
	outstanding(t, b, noon, []string{"1", "2"})
	revoke(t, b, ticketOf("A"), at.Add(time.Minute), 0)
	if n, err := b.RevokeRecord(t.Context(), "id-A", at.Add(time.Minute), book.AuditEvent{}); n != 0 || err != nil {
		t.Errorf("RevokeRecord = %d, %v, want 0", n, err)
	}
	outstanding(t, b, noon, []string{"1", "2"})
	outstanding(t, b, at, []string{"2"})
}

func revokedTooLate(t *testing.T, b Ledger) {
	a := enter(t, b, entry("1"))
	enter(t, b, entry("2"))
	leave(t, b, "2")
	revoke(t, b, ticketOf("A"), a.Ends, 0)
	outstanding(t, b, noon, nil)
}

// revokedAndLeft: who leaves after that may have kept the cookies.
func revokedAndLeft(t *testing.T, b Ledger) {
	a := enter(t, b, entry("1"))
	revoke(t, b, gate.Target{Kind: gate.TargetAdmission, ID: a.ID}, later, 1)
	if err := b.Leave(t.Context(), session("1"), later.Add(time.Second)); err != nil {
		t.Fatalf("Leave = %v", err)
	}
	outstanding(t, b, noon, []string{"1"})
}

func revokedForTheft(t *testing.T, b Ledger) {
	enter(t, b, entry("1"))
	renew(t, b, renewal("1", "2", noon.Add(time.Minute)))
	renew(t, b, renewal("2", "3", noon.Add(5*time.Minute)))
	refusesRenewal(t, b, renewal("1", "x", later), gate.ReasonNoSession)
	outstanding(t, b, later, []string{"2", "3"})
}

func revokedAttractions(t *testing.T, b Ledger) {
	enter(t, b, entry("1"))
	zoo := gate.Target{Kind: gate.TargetAttraction, ID: "zoo"}
	if _, err := b.TakeBack(t.Context(), zoo, later, book.AuditEvent{}); err == nil {
		t.Error("TakeBack of an attraction that is not on record succeeded")
	}
	outstanding(t, b, noon, nil)
	castle := gate.Target{Kind: gate.TargetAttraction, ID: "castle"}
	revoke(t, b, castle, later, 1)
	outstanding(t, b, later, nil, "castle")
	revoke(t, b, castle, later.Add(time.Minute), 0)
	outstanding(t, b, noon, nil, "castle")
	outstanding(t, b, later.Add(time.Minute), nil, "castle") // the last time
}
