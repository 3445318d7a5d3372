package calm

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
)

// What the zero Options mean.
const (
	DefaultAllow       = 30 * time.Second
	DefaultDeny        = 30 * time.Second
	DefaultEntries     = 10_000
	DefaultConcurrency = 32
	DefaultWait        = 8 * time.Second
	DefaultDeadline    = 2 * time.Second
	DefaultFailures    = 5
	DefaultPause       = 10 * time.Second
)

const (
	maxAge  = time.Minute // of a verdict, or a refund would not bite
	maxLine = 1000        // that wait where the rate says nothing
)

// Options tunes a Source. The zero value is ready for use.
type Options struct {
	// Normalise returns the one spelling of a code, which is then what the
	// source is asked about; its error is returned as it is. Two codes that it
	// makes one are one ticket. nil leaves codes as they are shown.
	Normalise func(gate.Secret) (gate.Secret, error)

	Allow   time.Duration // how long a ticket is remembered; 0 means DefaultAllow, below 0 not at all, at most a minute
	Deny    time.Duration // how long a refusal is remembered; 0 means DefaultDeny, below 0 not at all, at most a minute
	Entries int           // most tickets, and most refusals, that are remembered; 0 means DefaultEntries

	Rate        float64       // questions a second; 0 means that the source sets no limit
	Burst       int           // questions at once after a silence; 0 means 1
	Concurrency int           // questions that are being answered at a time; 0 means DefaultConcurrency
	Wait        time.Duration // the longest wait in line; 0 means DefaultWait
	Deadline    time.Duration // for an answer, once asked; 0 means DefaultDeadline

	Failures int           // failures in a row that open the breaker; 0 means DefaultFailures
	Pause    time.Duration // how long it stays open before one question is let through; 0 means DefaultPause

	Log *slog.Logger // nil means no log
}

// filled returns o with its defaults.
func (o Options) filled() Options {
	o.Allow = cmp.Or(o.Allow, DefaultAllow)
	o.Deny = cmp.Or(o.Deny, DefaultDeny)
	o.Entries = cmp.Or(o.Entries, DefaultEntries)
	o.Burst = cmp.Or(o.Burst, 1)
	o.Concurrency = cmp.Or(o.Concurrency, DefaultConcurrency)
	o.Wait = cmp.Or(o.Wait, DefaultWait)
	o.Deadline = cmp.Or(o.Deadline, DefaultDeadline)
	o.Failures = cmp.Or(o.Failures, DefaultFailures)
	o.Pause = cmp.Or(o.Pause, DefaultPause)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// check returns all that is wrong with filled options.
func (o Options) check() error {
	var problems []error
	want := func(ok bool, format string, args ...any) {
		if !ok {
			problems = append(problems, fmt.Errorf(format, args...))
		}
	}
	want(o.Allow <= maxAge, "allow: %v, want at most %v, or a refund would not bite", o.Allow, maxAge)
	want(o.Deny <= maxAge, "deny: %v, want at most %v", o.Deny, maxAge)
	want(o.Entries > 0, "entries: %d, want 1 or more", o.Entries)
	want(o.Rate >= 0 && !math.IsInf(o.Rate, 0), "rate: %v a second, want more than 0", o.Rate)
	want(o.Burst > 0, "burst: %d, want 1 or more", o.Burst)
	want(o.Concurrency > 0, "concurrency: %d, want 1 or more", o.Concurrency)
	want(o.Wait > 0, "wait: %v, want more than 0", o.Wait)
	want(o.Deadline > 0, "deadline: %v, want more than 0", o.Deadline)
	want(o.Failures > 0, "failures: %d, want 1 or more", o.Failures)
	want(o.Pause > 0, "pause: %v, want more than 0", o.Pause)
	return errors.Join(problems...)
}
