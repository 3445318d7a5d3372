package calm_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"testing"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/ticket/calm"
)

// vouched is an error whose Summary may be shown.
type vouched struct{ error }

func (vouched) Summary() string { return "status 503" }

// plain is an error that prints itself with any verb.
type plain string

func (p plain) Error() string { return string(p) }

// said prints an error in every way in which it could get into a log.
func said(err error) string {
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Error("x", "err", err)
	slog.New(slog.NewTextHandler(&log, nil)).Error("x", "err", err)
	text := fmt.Sprintf("%v %+v %#v %s %q %x %d", err, err, err, err, err, err, err) + log.String()
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(inner) {
		text += fmt.Sprintf("%v %+v %#v", inner, inner, inner)
	}
	return text
}

// What a source says of a failure reaches nobody, unless it vouches for it.
func TestFailuresAreMasked(t *testing.T) {
	secretly := func(err error) error {
		return fmt.Errorf("CANARYCODE %w", &url.Error{Op: "Get", URL: "https://CANARYKEY", Err: err})
	}
	dial := &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("CANARYHOST")}
	var nobody *gate.Denial
	tests := []struct {
		name   string
		answer func() (*gate.Ticket, error)
		want   string
		is     error
	}{
		{"any error", func() (*gate.Ticket, error) { return nil, errDown }, "it failed with a *errors.errorString", errDown},
		{"plain text", func() (*gate.Ticket, error) { return nil, plain("CANARYKEY") }, "it failed with a calm_test.plain", nil},
		{"vouched for", func() (*gate.Ticket, error) { return nil, secretly(vouched{errDown}) }, "status 503", nil},
		{"time", func() (*gate.Ticket, error) { return nil, secretly(context.DeadlineExceeded) }, "no answer in time", context.DeadlineExceeded},
		{"connection", func() (*gate.Ticket, error) { return nil, secretly(dial) }, "no connection", dial},
		{"name", func() (*gate.Ticket, error) { return nil, secretly(&net.DNSError{Name: "CANARYHOST"}) }, "its name is not found", nil},
		{"panic", func() (*gate.Ticket, error) { panic("CANARYCODE") }, "it panicked", calm.ErrPanic},
		{"panic with an error", func() (*gate.Ticket, error) { panic(errDown) }, "it panicked", calm.ErrPanic},
		{"nothing", func() (*gate.Ticket, error) { return nil, nil }, "it said nothing", nil},
		{"a refusal that is none", func() (*gate.Ticket, error) { return nil, nobody }, "it refused without a reason", nil},
		{"no reason", func() (*gate.Ticket, error) { return nil, gate.Deny("", errDown) }, "it refused without a reason", nil},
		{"both", func() (*gate.Ticket, error) { return &gate.Ticket{}, errDown }, "it failed with a *errors.errorString", errDown},
		{"refusal", func() (*gate.Ticket, error) { return nil, gate.Deny(gate.ReasonBlocked, errDown) }, "denied: blocked", nil},
		{"refusal, wrapped", func() (*gate.Ticket, error) { return nil, secretly(gate.Deny(gate.ReasonBlocked, errDown)) }, "denied: blocked", nil},
		{"refusal, vouched for", func() (*gate.Ticket, error) { return nil, gate.Deny(gate.ReasonBlocked, vouched{errDown}) }, "denied: blocked: status 503", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var log bytes.Buffer
			s := wrap(t, &desk{answer: func(context.Context, gate.Credential) (*gate.Ticket, error) { return tt.answer() }},
				calm.Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
			for range 2 { // the second may be remembered
				ticket, err := s.Verify(t.Context(), code("CANARYCODE"))
				if ticket != nil || err == nil || err.Error() != tt.want || tt.is != nil && !errors.Is(err, tt.is) {
					t.Fatalf("Verify = %v, %v, want %q that is %v", ticket, err, tt.want, tt.is)
				}
				if all := said(err) + log.String(); strings.Contains(all, "CANARY") {
					t.Errorf("a secret is shown: %s", all)
				}
				if denied(err, gate.ReasonBlocked) != strings.HasPrefix(tt.want, "denied") {
					t.Errorf("Verify = %v, a denial or not", err)
				}
			}
			if got := s.Stats(); got.Panics > 0 != errors.Is(tt.is, calm.ErrPanic) || got.Panics > 0 && !strings.Contains(log.String(), "failure_test.go") {
				t.Errorf("stats %+v, log %s, want panics counted and located", got, log.String())
			}
		})
	}
}
