package gate_test

import (
	"errors"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
)

const day = 24 * time.Hour

// dayEnd is the end of the civil day of noon, so many days later.
func dayEnd(days int) time.Time { return noon.Add(12*time.Hour + time.Duration(days)*day) }

// A ticket for some days ends so many days after its first use, whoever knows
// of that: its source, or the book.
func TestDaysFromTheFirstUseOnRecord(t *testing.T) {
	days, span := gate.Validity{Days: 2}, gate.Validity{Span: 30 * time.Hour}
	tests := []struct {
		name    string
		terms   gate.Validity
		source  time.Duration   // first use that it knows of the first time; 0 means none
		later   time.Duration   // first use that it knows of from then on; 0 means none
		visits  []time.Duration // after noon, good ones
		refused time.Duration   // after noon
		ends    []time.Time     // of the visits
	}{
		{"source that knows nothing", days, 0, 0, []time.Duration{0, day, 35 * time.Hour}, 36 * time.Hour, []time.Time{noon.Add(day), dayEnd(1), dayEnd(1)}},
		{"span", span, 0, 0, []time.Duration{0, 29 * time.Hour}, 30 * time.Hour, []time.Time{noon.Add(day), noon.Add(30 * time.Hour)}},
		{"source that knew it earlier", days, -13 * time.Hour, -13 * time.Hour, []time.Duration{0}, 12 * time.Hour, []time.Time{dayEnd(0)}},
		{"source that forgets", days, -13 * time.Hour, 0, []time.Duration{0}, 12 * time.Hour, []time.Time{dayEnd(0)}},
		{"source that learns of an earlier one", span, 0, -6 * time.Hour, []time.Duration{0, 23 * time.Hour}, 24 * time.Hour, []time.Time{noon.Add(day), noon.Add(day)}},
		{"source that only heard of the second visit", span, 0, 25 * time.Hour, []time.Duration{0, 25 * time.Hour, 29 * time.Hour}, 30 * time.Hour,
			[]time.Time{noon.Add(day), noon.Add(30 * time.Hour), noon.Add(30 * time.Hour)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(gate.Options{})
			w.desk.ticket.Terms = tt.terms
			if tt.source != 0 {
				w.desk.ticket.FirstUse = noon.Add(tt.source)
			}
			for i, at := range tt.visits {
				w.now = noon.Add(at)
				said := w.desk.ticket.FirstUse
				pass := w.admit(t, "", "")
				if !w.desk.ticket.FirstUse.Equal(said) {
					t.Errorf("%v after the first: the source's ticket was changed", at)
				}
				if _, err := w.Leave(t.Context(), pass.Session); err != nil {
					t.Fatal(err)
				}
				if got := pass.Admission.Ends; !got.Equal(tt.ends[i]) {
					t.Errorf("%v after the first: the visit ends %v, want %v", at, got, tt.ends[i])
				}
				w.desk.ticket.FirstUse = time.Time{}
				if tt.later != 0 {
					w.desk.ticket.FirstUse = noon.Add(tt.later)
				}
			}
			w.now = noon.Add(tt.refused)
			var denial *gate.Denial
			if _, err := w.Admit(t.Context(), gate.Credential{Code: "a1"}); !errors.As(err, &denial) || denial.Reason != gate.ReasonExpired {
				t.Errorf("Admit %v after the first visit = %v, want expired", tt.refused, err)
			}
		})
	}
}

// A verdict at a renewal counts from the first use, too.
func TestRenewCountsFromTheFirstUse(t *testing.T) {
	w, o := newOffice(gate.Options{})
	w.desk.ticket.Terms = gate.Validity{Span: 3 * time.Hour}
	pass := w.admit(t, "", "")
	for range 17 {
		w.later(10 * time.Minute)
		pass = w.renew(t, pass.Session)
		end := noon.Add(3 * time.Hour)
		if !pass.Admission.Ends.Equal(end) || !pass.Admission.Entitlements[0].Until.Equal(end) {
			t.Fatalf("Renew = %+v, want all of it to end 3 h after its beginning", pass.Admission)
		}
	}
	if o.asked == 0 {
		t.Error("the source was never asked again")
	}
	w.later(10 * time.Minute)
	w.refusesRenewal(t, pass.Session, gate.ReasonNoSession)
}

// The book is asked only where it matters, and while it does not know, nobody does.
func TestAdmitAsksForTheFirstUse(t *testing.T) {
	for _, terms := range []gate.Validity{{}, {Until: noon.Add(day)}, {OneDay: true}, {Days: 3}, {Span: time.Hour}} {
		w := newWorld(gate.Options{})
		w.desk.ticket.Terms, w.book.used = terms, errDown
		_, err := w.Admit(t.Context(), gate.Credential{Code: "a1"})
		want := 0
		if terms.Days > 0 || terms.Span > 0 {
			want = 1
		}
		var denial *gate.Denial
		if w.book.uses != want || errors.Is(err, errDown) != (want == 1) || errors.As(err, &denial) {
			t.Errorf("%+v: asked %d times, %v, want %d and the book's failure only if it was asked", terms, w.book.uses, err, want)
		}
		if want == 1 && len(w.book.entries) != 0 {
			t.Errorf("%+v: entered although nobody knows the first use", terms)
		}
	}
}
