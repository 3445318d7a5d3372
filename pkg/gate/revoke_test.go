package gate_test

import (
	"errors"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
)

func TestRevoke(t *testing.T) {
	tests := []struct {
		name   string
		target func(*world, *gate.Pass) gate.Target
		want   gate.Reason // of the next renewal
	}{
		{"ticket", func(w *world, p *gate.Pass) gate.Target {
			return gate.Target{Kind: gate.TargetTicket, Ticket: p.Admission.Ticket}
		}, gate.ReasonRevoked},
		{"admission", func(w *world, p *gate.Pass) gate.Target {
			return gate.Target{Kind: gate.TargetAdmission, ID: p.Admission.ID}
		}, gate.ReasonRevoked},
		{"device", func(w *world, p *gate.Pass) gate.Target {
			return gate.Target{Kind: gate.TargetDevice, ID: p.Admission.Device}
		}, gate.ReasonRevoked},
		{"attraction", func(w *world, p *gate.Pass) gate.Target {
			return gate.Target{Kind: gate.TargetAttraction, ID: "castle"}
		}, gate.ReasonNoSession},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w, _ := newOffice(gate.Options{})
			pass := w.admit(t, "", "")
			for _, affected := range []int{1, 0} {
				got, err := w.Keeper.Revoke(t.Context(), tt.target(w, pass))
				if want := (gate.Revocation{Affected: affected, Exposure: 16 * time.Minute}); err != nil || got != want {
					t.Errorf("Revoke = %+v, %v, want %+v", got, err, want)
				}
				w.refusesRenewal(t, pass.Session, tt.want)
			}
		})
	}
	w, _ := newOffice(gate.Options{})
	if got, err := w.Keeper.Revoke(t.Context(), gate.Target{Kind: gate.TargetAdmission, ID: "x"}); !errors.Is(err, gate.ErrNoTarget) || got != (gate.Revocation{}) {
		t.Errorf("Revoke = %+v, %v, want ErrNoTarget", got, err)
	}
}

// No cookie that was out when something was revoked lives longer than Exposure says.
func TestExposure(t *testing.T) {
	for _, window := range []time.Duration{0, -1, 1, time.Second, 1500 * time.Millisecond, 7 * time.Second, time.Minute, time.Hour} {
		for _, lifetime := range []time.Duration{0, time.Second, time.Minute, 4*time.Minute + 500*time.Millisecond} {
			w, _ := newOffice(gate.Options{Window: window, Lifetime: lifetime, Seats: 1000})
			var longest time.Duration
			for i := range 200 {
				w.now = noon.Add(time.Duration(i)*time.Second/3 + time.Duration(i))
				pass := w.admit(t, "", "")
				longest = max(longest, pass.Stamps[0].Grant.Expires.Sub(w.now))
			}
			if e := w.Exposure(); longest > e || e > longest+max(window, gate.DefaultWindow)+time.Second {
				t.Errorf("window %v, lifetime %v: a cookie lives %v, Exposure says %v", window, lifetime, longest, e)
			}
		}
	}
	if e := gate.NewKeeper(nil, nil, nil, nil, gate.Options{}).Exposure(); e != 16*time.Minute {
		t.Errorf("Exposure = %v by default, want 16 minutes", e)
	}
}
