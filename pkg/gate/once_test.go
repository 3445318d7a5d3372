package gate_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
)

func TestAdmitOnce(t *testing.T) {
	w, _ := newOffice(gate.Options{Seats: 1})
	w.desk.ticket.Buys = []gate.Product{{Attraction: "castle"}}
	once := func(key gate.Secret, where string, previous ...gate.Session) (*gate.Pass, error) {
		return w.AdmitOnce(t.Context(), key, gate.Credential{Code: "a1", Attraction: where}, previous...)
	}
	first, err := once("K", "")
	if err != nil {
		t.Fatal(err)
	}
	w.later(time.Minute)
	again, err := once("K", "")
	if err != nil || again.Session != first.Session || again.Admission.Device != first.Admission.Device || again.Admission.Taken != 1 {
		t.Errorf("AdmitOnce again = %+v, %v, want the same session and device", again, err)
	}
	if again.Session.Reveal() == "K" || len(again.Session.Reveal()) != 26 {
		t.Errorf("session %q, want 26 characters that the key does not tell", again.Session.Reveal())
	}
	if _, err := once("K", "castle"); !errors.Is(err, gate.ErrOtherRequest) {
		t.Errorf("AdmitOnce at another attraction = %v, want ErrOtherRequest", err)
	}
	var denial *gate.Denial
	if _, err := once("another K", ""); !errors.As(err, &denial) || denial.Reason != gate.ReasonSeatsTaken {
		t.Errorf("AdmitOnce under another key = %v, want seats_taken", err)
	}
	if _, err := once("", ""); !errors.As(err, &denial) || denial.Reason != gate.ReasonSeatsTaken {
		t.Errorf("AdmitOnce without a key = %v, want seats_taken", err)
	}
	w.desk.ticket.Normal = "B2"
	if other, err := once("K", ""); err != nil || other.Admission.ID == first.Admission.ID || other.Session == first.Session {
		t.Errorf("AdmitOnce with another ticket = %+v, %v, want a visit of its own", other, err)
	}
	w.renew(t, first.Session)
}

// The key alone does not make the session, or whoever guesses a key had it.
func TestAdmitOnceSessionNeedsThePepper(t *testing.T) {
	seen := map[gate.Session]bool{}
	for _, pepper := range []string{"pepper", "salt"} {
		for _, normal := range []gate.Secret{"A1", "B2"} {
			for _, key := range []gate.Secret{"K", "L"} {
				w, _ := newOffice(gate.Options{Pepper: []byte(pepper)})
				w.desk.ticket.Normal = normal
				pass, err := w.AdmitOnce(t.Context(), key, gate.Credential{Code: "a1"})
				if err != nil || seen[pass.Session] {
					t.Errorf("pepper %q, ticket %q, key %q: %v, want a session of its own", pepper, normal.Reveal(), key.Reveal(), err)
				}
				seen[pass.Session] = true
				if e := w.book.entries[0]; strings.Contains(fmt.Sprint(e.Request), fmt.Sprint([]byte(key))) || e.Request.Key == e.Request.Body {
					t.Errorf("the book is told %v", e.Request)
				}
			}
		}
	}
}

// The first answer was lost together with the session that it replaced.
func TestAdmitOnceAfterALostSwap(t *testing.T) {
	w, _ := newOffice(gate.Options{Seats: 1})
	old := w.admit(t, "", "")
	var passes []*gate.Pass
	for range 2 {
		pass, err := w.AdmitOnce(t.Context(), "K", gate.Credential{Code: "a1"}, old.Session)
		if err != nil || pass.Admission.Taken != 1 || pass.Admission.Device != old.Admission.Device {
			t.Fatalf("AdmitOnce = %+v, %v, want the same device on its seat", pass, err)
		}
		passes = append(passes, pass)
	}
	if passes[0].Session != passes[1].Session || passes[0].Replaced != old.Session || passes[1].Replaced != "" {
		t.Errorf("sessions replace %q, then %q, want the old one, then none", passes[0].Replaced.Reveal(), passes[1].Replaced.Reveal())
	}
}

// A request that comes again after its session was renewed must not give that
// one out: it would count as stolen, and throw the visitor out.
func TestAdmitOnceAfterARenewal(t *testing.T) {
	for _, shows := range []bool{true, false} {
		w, _ := newOffice(gate.Options{Seats: 2})
		once := func(previous ...gate.Session) *gate.Pass {
			t.Helper()
			pass, err := w.AdmitOnce(t.Context(), "K", gate.Credential{Code: "a1"}, previous...)
			if err != nil {
				t.Fatal(err)
			}
			return pass
		}
		first := once()
		w.later(9 * time.Minute)
		renewed := w.renew(t, first.Session)
		w.later(time.Minute)
		want, shown := 2, []gate.Session(nil) // who shows nothing is somebody else
		if shows {
			want, shown = 1, []gate.Session{renewed.Session}
		}
		again := once(shown...)
		if again.Session == first.Session || again.Admission.Taken != want {
			t.Errorf("shows its session %v: %+v, want a new session and %d seats taken", shows, again.Admission, want)
		}
		w.later(9 * time.Minute)
		w.renew(t, again.Session)
	}
}

// Also when that was only a moment ago: the session before is good for a
// renewal or two that were on their way, not for a visit.
func TestAdmitOnceRightAfterARenewal(t *testing.T) {
	w, _ := newOffice(gate.Options{Seats: 1})
	first, err := w.AdmitOnce(t.Context(), "K", gate.Credential{Code: "a1"})
	if err != nil {
		t.Fatal(err)
	}
	w.later(9 * time.Minute)
	renewed := w.renew(t, first.Session)
	w.later(5 * time.Second)
	again, err := w.AdmitOnce(t.Context(), "K", gate.Credential{Code: "a1"}, renewed.Session)
	if err != nil || again.Session == first.Session || again.Session == renewed.Session || again.Admission.Taken != 1 || again.Replaced != renewed.Session {
		t.Fatalf("AdmitOnce = %+v, %v, want a new session on the same seat", again, err)
	}
	for range 3 {
		w.later(9 * time.Minute)
		again = w.renew(t, again.Session)
	}
}

func TestAdmitOnceFailures(t *testing.T) {
	w, _ := newOffice(gate.Options{Seats: 1})
	once := func() (*gate.Pass, error) { return w.AdmitOnce(t.Context(), "K", gate.Credential{Code: "a1"}) }
	w.press.err = errDown
	for range 3 {
		if _, err := once(); !errors.Is(err, errDown) {
			t.Fatalf("AdmitOnce = %v, want the stamper's error", err)
		}
	}
	w.press.err, w.book.enter = nil, errDown
	if _, err := once(); !errors.Is(err, errDown) {
		t.Fatalf("AdmitOnce = %v, want the book's error", err)
	}
	w.book.enter = nil
	if pass, err := once(); err != nil || pass.Admission.Taken != 1 {
		t.Errorf("AdmitOnce = %+v, %v, want the one seat", pass, err)
	}
	w.later(gate.DefaultLongest)
	if pass, err := once(); err != nil || !pass.Admission.Begins.Equal(w.now) {
		t.Errorf("AdmitOnce a day later = %+v, %v, want a new visit", pass, err)
	}
}
