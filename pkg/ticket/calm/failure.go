package calm

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
)

// Errors that a Failure may be, for errors.Is.
var (
	ErrBusy  = errors.New("too many wait for the ticket source")
	ErrOpen  = errors.New("the ticket source is left alone for a while")
	ErrPanic = errors.New("the ticket source panicked")

	errNothing = errors.New("neither a ticket nor an error")
)

// A Failure says that nobody knows whether a ticket is good. What it prints was
// written here, or by an error of the source that has a method Summary() string
// and so vouches for its text; all else that a source says may hold what the
// viewer showed, or what the source is asked with. So the cause can be compared
// with errors.Is, but not be had.
type Failure struct {
	what  string
	retry time.Duration
	quiet time.Duration // for which the source wants to be left alone
	cause error
}

// Error returns what happened, without anything from outside.
func (f *Failure) Error() string { return f.what }

// Is reports whether the cause is target.
func (f *Failure) Is(target error) bool { return errors.Is(f.cause, target) }

// RetryAfter returns after which time it makes sense to ask again, 0 if that is
// not known. It is spread, so that a crowd does not come back at once.
func (f *Failure) RetryAfter() time.Duration { return f.retry }

// Format and GoString print what Error returns, as others would show the cause.
func (f *Failure) Format(s fmt.State, verb rune) {
	if verb == 'q' {
		_, _ = fmt.Fprintf(s, "%q", f.what)
		return
	}
	_, _ = io.WriteString(s, f.what)
}

// GoString returns what Error returns.
func (f *Failure) GoString() string { return f.what }

// denial returns the refusal that err is, or nil.
func denial(err error) *gate.Denial {
	var d *gate.Denial
	if errors.As(err, &d) {
		return d
	}
	return nil
}

// masked returns err as one that may be logged.
func masked(err error) error {
	if d := denial(err); d != nil {
		return refusal(d)
	}
	quiet := wanted(err)
	return &Failure{what: summary(err), cause: err, retry: jittered(quiet), quiet: quiet}
}

// refusal returns d with a cause that may be logged, if there is one.
func refusal(d *gate.Denial) *gate.Denial {
	safe := &gate.Denial{Reason: d.Reason, Proven: d.Proven}
	var s summarizer
	if errors.As(d.Err, &s) {
		safe.Err = &Failure{what: s.Summary(), cause: d.Err}
	}
	return safe
}

// A summarizer is an error whose Summary holds nothing from outside.
type summarizer interface{ Summary() string }

// wanted returns how long the source wants to be left alone, 0 if it did not say.
func wanted(err error) time.Duration {
	var w interface{ RetryAfter() time.Duration }
	if errors.As(err, &w) {
		return min(max(0, w.RetryAfter()), maxHint)
	}
	return 0
}

// summary says what happened, and nothing of what the error holds.
func summary(err error) string {
	var s summarizer
	var timeout net.Error
	var name *net.DNSError
	var certificate *tls.CertificateVerificationError
	var connection *net.OpError
	switch {
	case errors.As(err, &s):
		return s.Summary()
	case errors.Is(err, context.Canceled):
		return "the question was given up"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "no answer in time"
	case errors.Is(err, errors.ErrUnsupported):
		return "it cannot be asked"
	case errors.As(err, &certificate):
		return "its certificate is not trusted"
	case errors.As(err, &name):
		return "its name is not found"
	case errors.As(err, &connection):
		return "no connection"
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "its answer breaks off"
	}
	return fmt.Sprintf("it failed with a %T", err)
}
