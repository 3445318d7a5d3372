package gate_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
)

// grants asks for what a session opens.
func (w *world) grants(t *testing.T, s gate.Session) (*gate.Admission, []gate.Grant) {
	t.Helper()
	admission, grants, err := w.Grants(t.Context(), s)
	if err != nil {
		t.Fatalf("Grants = %v", err)
	}
	return admission, grants
}

// TestGrants: what a stamp would open, and for as long; nothing is recorded.
func TestGrants(t *testing.T) {
	w := newWorld(gate.Options{})
	w.desk.ticket.ValidUntil = noon.Add(time.Hour + time.Nanosecond)
	pass := w.admit(t, "", "")
	for after, want := range map[time.Duration]time.Duration{
		0: 15 * time.Minute, 1: 16 * time.Minute, time.Minute: 16 * time.Minute, 30 * time.Minute: 45 * time.Minute, 50 * time.Minute: time.Hour,
	} {
		w.now = noon.Add(after)
		admission, grants := w.grants(t, pass.Session)
		wanted := gate.Grant{Attraction: "castle", Package: "audio", Path: "castle/audio", Expires: noon.Add(want)}
		if !slices.Equal(grants, []gate.Grant{wanted}) || admission.ID != pass.Admission.ID {
			t.Errorf("Grants after %v = %+v of %s, want %+v", after, grants, admission.ID, wanted)
		}
	}
	if n := len(w.press.grants); n != 1 {
		t.Errorf("%d stamps, want that of the ticket alone", n)
	}
	if again := w.renew(t, pass.Session); again.Session == pass.Session || again.Admission.Revision != pass.Admission.Revision+1 {
		t.Errorf("renewal = %+v after %+v, want the first change since", again.Admission, pass.Admission)
	}
	w.now = noon.Add(time.Hour)
	if _, grants, err := w.Grants(t.Context(), pass.Session); len(grants) != 0 {
		t.Errorf("Grants at the end = %+v, %v, want none", grants, err)
	}
}

// TestGrantsLeaveOutWhatOpensLater: a URL cannot say from when it holds.
func TestGrantsLeaveOutWhatOpensLater(t *testing.T) {
	w := newWorld(gate.Options{})
	w.book.changeFound = func(a *gate.Admission) { a.Entitlements[0].From = noon.Add(5 * time.Minute) }
	pass := w.admit(t, "", "")
	if _, grants := w.grants(t, pass.Session); len(grants) != 0 {
		t.Errorf("Grants = %+v, want none before five minutes have passed", grants)
	}
	w.now = noon.Add(5 * time.Minute)
	if _, grants := w.grants(t, pass.Session); len(grants) != 1 || !grants[0].NotBefore.IsZero() {
		t.Errorf("Grants five minutes later = %+v, want one that holds at once", grants)
	}
}

// TestGrantsAskAgain: a device that never renews does not outlive a refund, and a
// source that is down is waited for as by a renewal.
func TestGrantsAskAgain(t *testing.T) {
	w, o := newOffice(gate.Options{})
	pass := w.admit(t, "", "")
	w.now = noon.Add(gate.DefaultVerdict - 1)
	w.grants(t, pass.Session)
	if o.asked != 0 {
		t.Errorf("the source was asked %d times about its fresh word, want not", o.asked)
	}
	w.now = noon.Add(gate.DefaultVerdict)
	w.grants(t, pass.Session)
	if o.asked != 1 {
		t.Errorf("the source was asked %d times, want once", o.asked)
	}
	o.err = errDown
	w.grants(t, pass.Session)
	w.now = noon.Add(gate.DefaultVerdict + gate.DefaultOutage)
	var denial *gate.Denial
	if _, grants, err := w.Grants(t.Context(), pass.Session); !errors.Is(err, errDown) || errors.As(err, &denial) || grants != nil {
		t.Errorf("Grants after the outage = %+v, %v, want %v", grants, err, errDown)
	}
	o.err = gate.Deny(gate.ReasonCancelled, nil)
	if _, grants, err := w.Grants(t.Context(), pass.Session); !errors.As(err, &denial) || denial.Reason != gate.ReasonCancelled || !denial.Proven || grants != nil {
		t.Errorf("Grants after a refund = %+v, %v, want a proven denial", grants, err)
	}
	o.err = nil
	w.refusesRenewal(t, pass.Session, gate.ReasonRevoked)
}

func TestGrantsRefuse(t *testing.T) {
	w := newWorld(gate.Options{})
	pass := w.admit(t, "", "")
	var denial *gate.Denial
	if _, _, err := w.Grants(t.Context(), "MADEUP"); !errors.As(err, &denial) || denial.Reason != gate.ReasonNoSession {
		t.Errorf("Grants of a made-up session = %v, want a denial", err)
	}
	w.book.find = errDown
	if _, _, err := w.Grants(t.Context(), pass.Session); !errors.Is(err, errDown) {
		t.Errorf("Grants without a book = %v, want %v", err, errDown)
	}
	w.book.find = nil
	if _, err := w.Revoke(t.Context(), gate.Target{Kind: gate.TargetAdmission, ID: pass.Admission.ID}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.Grants(t.Context(), pass.Session); !errors.As(err, &denial) || denial.Reason != gate.ReasonRevoked {
		t.Errorf("Grants after a revocation = %v, want a denial", err)
	}
}

func TestPermit(t *testing.T) {
	list := places()
	list[0].Free, list[1].Free = []string{"free", "press"}, []string{"map"}
	k := gate.NewKeeper(nil, &gate.Rules{Attractions: list}, nil, nil, gate.Options{})
	early, late := noon.Add(time.Minute), noon.Add(time.Hour)
	grants := []gate.Grant{{Path: "castle/audio", Expires: early}, {Path: "castle/audio", Expires: late}, {Path: "castle/audio", Expires: early}, {Path: "spain/zoo", Expires: early}}
	tests := []struct {
		path string
		ends time.Time // zero with ok means free
		ok   bool
	}{
		{"/castle/audio/01.m4a", late, true},
		{"/castle/audio/a/b/c", late, true},
		{"/spain/zoo/lions.m4a", early, true},
		{"/castle/free/map.svg", time.Time{}, true},
		{"/castle/press/a/b.jpg", time.Time{}, true},
		{"/spain/zoo/map/1.svg", time.Time{}, true},
		{"/spain/zoo/map", early, true}, // a file, as the free folder is below it
		{"/castle/free", time.Time{}, false},
		{"/castle/free/", time.Time{}, false},
		{"/castle/freedom/x", time.Time{}, false},
		{"/castle/premium/01.m4a", time.Time{}, false},
		{"/castle/audio", time.Time{}, false},
		{"/castle/audio/", time.Time{}, false},
		{"/castle/audiobook/x", time.Time{}, false},
		{"/castle/map/x", time.Time{}, false},
		{"castle/audio/x", time.Time{}, false},
		{"/Castle/audio/x", time.Time{}, false},
		{"/free/x", time.Time{}, false},
		{"", time.Time{}, false},
	}
	for _, tt := range tests {
		permit, ok := k.Permit(tt.path, grants)
		if ok != tt.ok || permit.Path != tt.path || !permit.Expires.Equal(tt.ends) {
			t.Errorf("Permit(%q) = %+v, %t, want until %v, %t", tt.path, permit, ok, tt.ends, tt.ok)
		}
	}
	if permit, ok := k.Permit("/castle/audio/01.m4a", nil); ok {
		t.Errorf("Permit without grants = %+v, want none", permit)
	}
}
