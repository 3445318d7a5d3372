package gate_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
)

// TestEvents follows a visit with everything that can be asked of a Keeper.
func TestEvents(t *testing.T) {
	var told []string
	w := newWorld(gate.Options{Seats: 1, Watch: func(e gate.Event) {
		what := fmt.Sprintf("%s at %q", e.Act, e.Attraction)
		var denial *gate.Denial
		switch {
		case errors.As(e.Err, &denial):
			what += ": " + string(denial.Reason)
		case e.Err != nil:
			what += ": " + e.Err.Error()
		case e.Act == gate.ActAdmit:
			what += fmt.Sprintf(": %d entitlements, seated %t", len(e.Admission.Entitlements), e.Seated)
		case e.Act == gate.ActRenew:
			what += fmt.Sprintf(": degraded %t", e.Degraded)
		case e.Act == gate.ActRevoke:
			what += fmt.Sprintf(": %s, %d", e.Target, e.Affected)
		}
		told = append(told, what)
	}})
	ctx := t.Context()
	pass := w.admit(t, "castle", "")
	pass = w.admit(t, "castle", pass.Session)
	_, _ = w.AdmitOnce(ctx, "key", gate.Credential{Code: "a1"})
	_, _ = w.Admit(ctx, gate.Credential{Code: "a1", Attraction: "moon"})
	w.desk.err = errDown
	_, _ = w.Admit(ctx, gate.Credential{Code: "a1"})
	w.now = w.now.Add(time.Minute)
	pass, err := w.Renew(ctx, pass.Session)
	if err != nil {
		t.Fatal(err)
	}
	w.book.renew = gate.ErrReadOnly
	_, _ = w.Renew(ctx, pass.Session)
	w.book.renew = nil
	_, _ = w.Admission(ctx, pass.Session) // looks and does nothing
	_, _ = w.Leave(ctx, pass.Session, "") // an empty one is none
	_, _ = w.Leave(ctx)
	_, _ = w.Renew(ctx, pass.Session)
	_, _ = w.Revoke(ctx, gate.Target{Kind: gate.TargetAdmission, ID: pass.Admission.ID})
	want := []string{
		`admit at "castle": 1 entitlements, seated true`,
		`admit at "castle": 1 entitlements, seated false`,
		`admit at "": seats_taken`,
		`admit at "moon": wrong_attraction`,
		`admit at "": connection refused`,
		`renew at "": degraded false`,
		`renew at "": degraded true`,
		`leave at ""`,
		`renew at "": no_session`,
		`revoke at "": admission, 1`,
	}
	if !slices.Equal(told, want) {
		t.Errorf("told\n%q\nwant\n%q", told, want)
	}
}
