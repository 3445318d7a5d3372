package web

import (
	"errors"

	"github.com/handstamp/handstamp/pkg/gate"
)

// A Failure says that nobody knows whether a ticket is good. Its text may be
// logged: it has nothing that a viewer showed, that the API said or that it is
// asked with.
type Failure struct{ Err error }

func (f *Failure) Error() string { return f.Err.Error() }

// Summary returns what Error does.
func (f *Failure) Summary() string { return f.Error() }

// Unwrap returns the cause.
func (f *Failure) Unwrap() error { return f.Err }

// failure returns err as a Failure if it is no denial.
func failure(err error) error {
	var denial *gate.Denial
	if errors.As(err, &denial) {
		return err
	}
	return &Failure{err}
}
