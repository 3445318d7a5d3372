package app

import (
	"context"
	"sync"
)

// Run does what goes on beside serving (pruning the book, exporting
// revocations), until ctx ends.
func (a *App) Run(ctx context.Context) {
	var tasks sync.WaitGroup
	for _, task := range a.tasks {
		tasks.Go(func() { task(ctx) })
	}
	tasks.Wait()
}
