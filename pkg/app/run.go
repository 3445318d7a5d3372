package app

import (
	"context"
	"errors"
	"sync"

	"github.com/handstamp/handstamp/pkg/keyring"
)

// Reload reads now what is otherwise read again when it has changed: the keys of
// a manifest and the lists of tickets. What cannot be read stays as it was. A
// changed configuration makes another App, see Live.
func (a *App) Reload(ctx context.Context) error {
	var problems []error
	if keys, ok := a.ring.(*keyring.Follower); ok {
		problems = append(problems, keys.Reload(ctx))
	}
	for _, source := range a.bare {
		switch list := source.(type) {
		case interface{ Reload() error }:
			problems = append(problems, list.Reload())
		case interface{ Reload(context.Context) error }:
			problems = append(problems, list.Reload(ctx))
		}
	}
	return errors.Join(problems...)
}

// Run does what goes on beside serving (pruning the book, exporting
// revocations), until ctx ends.
func (a *App) Run(ctx context.Context) {
	var tasks sync.WaitGroup
	for _, task := range a.tasks {
		tasks.Go(func() { task(ctx) })
	}
	tasks.Wait()
}
