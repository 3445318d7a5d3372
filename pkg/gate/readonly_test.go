package gate_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
)

// errFull is what a book says while its disk is full.
var errFull = fmt.Errorf("book: renew: the disk is full: %w", gate.ErrReadOnly)

// freeze lets the book take no entries; thaw ends that.
func (l *ledger) freeze() { l.enter, l.renew, l.revoke, l.leave = errFull, errFull, errFull, errFull }
func (l *ledger) thaw()   { l.enter, l.renew, l.revoke, l.leave = nil, nil, nil, nil }

// While nothing can be recorded, who is in goes on with the same session, and
// when something can be, all is as if nothing had been.
func TestRenewWhileTheBookTakesNoEntries(t *testing.T) {
	w, o := newOffice(gate.Options{Seats: 1})
	first := w.admit(t, "", "")
	w.book.freeze()
	for range 30 {
		w.later(10 * time.Minute)
		pass := w.renew(t, first.Session)
		if pass.Session != first.Session || !pass.Degraded || pass.Admission.ID != first.Admission.ID || pass.Admission.Taken != 1 {
			t.Fatalf("Renew = %+v, want the same session, degraded", pass)
		}
		if len(pass.Stamps) != 1 || !pass.Stamps[0].Grant.Expires.Equal(w.now.Add(gate.DefaultLifetime)) || pass.Refresh != 10*time.Minute {
			t.Fatalf("Renew = %+v, want a fresh stamp", pass)
		}
		if !pass.Admission.VerdictAt.Equal(noon) || o.asked == 0 {
			t.Fatalf("Renew = %+v, asked %d times: want the verdict on record, and the source asked", pass.Admission, o.asked)
		}
	}
	_, err := w.Admit(t.Context(), gate.Credential{Code: "a1"})
	var denial *gate.Denial
	if !errors.Is(err, gate.ErrReadOnly) || errors.As(err, &denial) {
		t.Errorf("Admit = %v, want that the book takes no entries", err)
	}
	w.book.thaw()
	pass := w.renew(t, first.Session)
	if pass.Session == first.Session || pass.Degraded || pass.Admission.Taken != 1 || !pass.Admission.VerdictAt.Equal(w.now) {
		t.Errorf("Renew = %+v, want the next session and a verdict on record", pass)
	}
}

// An answer was lost, and then the disk was full: the session after the lost
// one is on record, and it is the one that lives on.
func TestRenewAgainWhileTheBookTakesNoEntries(t *testing.T) {
	w, _ := newOffice(gate.Options{Seats: 1})
	first := w.admit(t, "", "")
	w.later(10 * time.Minute)
	second := w.renew(t, first.Session)
	w.book.freeze()
	w.later(5 * time.Second)
	again := w.renew(t, first.Session)
	if again.Session != second.Session || !again.Degraded {
		t.Errorf("Renew = %+v, want the session on record", again)
	}
	w.later(time.Hour)
	if pass := w.renew(t, second.Session); pass.Session != second.Session {
		t.Errorf("Renew = %+v, want the same session", pass)
	}
	// The first one is worth nothing any more, although nobody can write down
	// that it was stolen.
	w.refusesRenewal(t, first.Session, gate.ReasonNoSession)
	w.book.thaw()
	w.refusesRenewal(t, first.Session, gate.ReasonNoSession)
	w.refusesRenewal(t, second.Session, gate.ReasonRevoked)
}

// What the book can still be seen to know counts.
func TestReadOnlyBookStillRefuses(t *testing.T) {
	castle := gate.Target{Kind: gate.TargetAttraction, ID: "castle"}
	tests := []struct {
		name   string
		change func(t *testing.T, w *world, o *office, p *gate.Pass) // after the admission, before the disk is full
		within func(t *testing.T, w *world, p *gate.Pass)            // while the source is asked
		want   gate.Reason
	}{
		{name: "revoked before", want: gate.ReasonRevoked, change: func(t *testing.T, w *world, _ *office, p *gate.Pass) {
			w.mustRevoke(t, gate.Target{Kind: gate.TargetTicket, Ticket: p.Admission.Ticket})
		}},
		{name: "left before", want: gate.ReasonNoSession, change: func(t *testing.T, w *world, _ *office, p *gate.Pass) {
			if _, err := w.Leave(t.Context(), p.Session); err != nil {
				t.Fatal(err)
			}
		}},
		{name: "over", want: gate.ReasonNoSession, change: func(_ *testing.T, w *world, _ *office, _ *gate.Pass) { w.later(day) }},
		{name: "revoked meanwhile", want: gate.ReasonRevoked, within: func(t *testing.T, w *world, p *gate.Pass) {
			w.mustRevoke(t, gate.Target{Kind: gate.TargetDevice, ID: p.Admission.Device})
		}},
		{name: "attraction revoked meanwhile", want: gate.ReasonNoSession, within: func(t *testing.T, w *world, _ *gate.Pass) { w.mustRevoke(t, castle) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w, o := newOffice(gate.Options{})
			pass := w.admit(t, "", "")
			w.later(11 * time.Minute)
			if tt.change != nil {
				tt.change(t, w, o, pass)
			}
			o.ask = func() { // another process had room for that, a moment before
				if tt.within != nil {
					w.book.thaw()
					tt.within(t, w, pass)
					w.book.freeze()
				}
			}
			w.book.freeze()
			w.refusesRenewal(t, pass.Session, tt.want)
		})
	}
}

func (w *world) mustRevoke(t *testing.T, target gate.Target) {
	t.Helper()
	if _, err := w.Keeper.Revoke(t.Context(), target); err != nil {
		t.Fatalf("Revoke(%+v) = %v", target, err)
	}
}

// Off the record a visit opens what both its source and the book say now, not
// what either of them said before.
func TestReadOnlyBookOpensNoMore(t *testing.T) {
	opened := func(p *gate.Pass) (paths []string) {
		for _, s := range p.Stamps {
			paths = append(paths, s.Grant.Path)
		}
		return paths
	}
	w, o := newOffice(gate.Options{})
	w.desk.ticket.Buys = []gate.Product{{Attraction: "castle"}, {Attraction: "zoo"}}
	pass := w.admit(t, "", "")
	w.later(11 * time.Minute)
	w.book.freeze()
	o.again = &gate.Ticket{Buys: []gate.Product{{Attraction: "castle", Package: "audio"}, {Attraction: "zoo"}}}
	if got := opened(w.renew(t, pass.Session)); len(got) != 2 || got[0] != "castle/audio" || got[1] != "spain/zoo" {
		t.Errorf("opened %v, want what the source says now", got)
	}
	o.ask = func() {
		w.book.thaw()
		w.mustRevoke(t, gate.Target{Kind: gate.TargetAttraction, ID: "zoo"})
		w.book.freeze()
		o.ask = nil
	}
	if got := opened(w.renew(t, pass.Session)); len(got) != 1 || got[0] != "castle/audio" {
		t.Errorf("opened %v, want the zoo closed as the book has it", got)
	}
	o.again, o.err = nil, errDown // on its older word, all of that is forgotten, but not the zoo
	if got := opened(w.renew(t, pass.Session)); len(got) != 2 || got[0] != "castle/audio" || got[1] != "castle/premium" {
		t.Errorf("opened %v, want the castle as on record", got)
	}
}

// A refusal that cannot be written down is nobody's answer: no stamps, no blame.
func TestReadOnlyBookCannotDismiss(t *testing.T) {
	for _, reason := range []gate.Reason{gate.ReasonCancelled, gate.ReasonNotPaid} {
		w, o := newOffice(gate.Options{})
		pass := w.admit(t, "", "")
		w.later(11 * time.Minute)
		w.book.freeze()
		o.err = gate.Deny(reason, nil)
		w.fails(t, pass.Session, gate.ErrReadOnly)
		w.book.thaw()
		w.refusesRenewal(t, pass.Session, reason)
	}
}

// Only a book that is sure to have changed nothing lets a visitor go on.
func TestRenewGoesOnForReadOnlyAlone(t *testing.T) {
	w, _ := newOffice(gate.Options{})
	pass := w.admit(t, "", "")
	w.book.renew = errDown
	w.fails(t, pass.Session, errDown)
	w.book.renew, w.book.renewed = nil, func(*gate.Admission) { w.book.find = errDown } // too late to matter
	pass = w.renew(t, pass.Session)
	w.book.find, w.book.renewed = nil, nil
	w.later(gate.RotationGrace)
	w.book.renew = errFull
	w.press.err = errDown
	w.fails(t, pass.Session, errDown)
	w.press.err = nil
	if got := w.renew(t, pass.Session); got.Session != pass.Session || !got.Degraded {
		t.Errorf("Renew = %+v, want the same session", got)
	}
}
