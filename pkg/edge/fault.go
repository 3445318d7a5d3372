package edge

import (
	"errors"
)

// A Fault is one thing that is wrong with a Config.
type Fault struct {
	Where string // like "site", "behaviors[0]" or "errors[1]"
	Err   error
}

func (f *Fault) Error() string { return f.Err.Error() }

// Unwrap returns what is wrong.
func (f *Fault) Unwrap() error { return f.Err }

// Faults returns what New found wrong, one by one.
func Faults(err error) []*Fault {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []*Fault
		for _, e := range joined.Unwrap() {
			all = append(all, Faults(e)...)
		}
		return all
	}
	var f *Fault
	if errors.As(err, &f) {
		return []*Fault{f}
	}
	return nil
}
