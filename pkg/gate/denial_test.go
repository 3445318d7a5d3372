package gate_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/handstamp/handstamp/pkg/gate"
)

func TestDenial(t *testing.T) {
	plain := gate.Deny(gate.ReasonUnknown, nil)
	if got := plain.Error(); got != "denied: unknown" {
		t.Errorf("Error() = %q", got)
	}
	if plain.Proven || plain.Unwrap() != nil {
		t.Errorf("Deny = %+v, want nothing proven and no cause", plain)
	}
	caused := fmt.Errorf("verify: %w", gate.Deny(gate.ReasonExpired, io.EOF))
	if got := caused.Error(); got != "verify: denied: expired: EOF" {
		t.Errorf("Error() = %q", got)
	}
	var denial *gate.Denial
	if !errors.As(caused, &denial) || denial.Reason != gate.ReasonExpired || !errors.Is(caused, io.EOF) {
		t.Errorf("errors.As(%v) = %+v, want the denial with its cause", caused, denial)
	}
}
