package app

import "context"

// Watcher returns what looks at the files of l once, as Run does now and then.
func (l *Live) Watcher() (look func(context.Context)) { return (&watcher{live: l}).look }
