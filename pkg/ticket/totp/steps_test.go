package totp_test

import (
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/ticket/totp"
)

func TestMemory(t *testing.T) {
	now := noon
	m := &totp.Memory{Now: func() time.Time { return now }}
	used := func(pass string, step int64, want bool) {
		t.Helper()
		if got, err := m.Used(t.Context(), pass, step); got != want || err != nil {
			t.Errorf("Used(%s, %d) = %v, %v, want %v", pass, step, got, err, want)
		}
	}
	at := totp.StepOf(noon)
	used("A", at, false)
	used("A", at, true)
	used("A", at+1, false)
	used("A", at-1, false)
	used("B", at, false)
	used("A1", at, false)
	now = noon.Add(2 * totp.Step)
	used("A", at+1, true)
	now = noon // a clock that was set back
	used("A", at, true)
}

// Memory is bounded, and what is full gets room again as time goes by.
func TestMemoryIsBounded(t *testing.T) {
	now := noon
	m := &totp.Memory{Now: func() time.Time { return now }}
	for i := range 100_000 {
		if _, err := m.Used(t.Context(), strconv.Itoa(i), totp.StepOf(now)); err != nil {
			t.Fatalf("Used(%d) = %v", i, err)
		}
	}
	if _, err := m.Used(t.Context(), "one more", totp.StepOf(now)); !errors.Is(err, totp.ErrFull) {
		t.Errorf("Used = %v, want ErrFull", err)
	}
	if used, err := m.Used(t.Context(), "7", totp.StepOf(now)); !used || err != nil {
		t.Errorf("Used(7) = %v, %v, want true", used, err)
	}
	now = now.Add(4 * totp.Step)
	if used, err := m.Used(t.Context(), "one more", totp.StepOf(now)); used || err != nil {
		t.Errorf("Used = %v, %v two minutes later, want room", used, err)
	}
}
