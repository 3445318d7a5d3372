package app

import "context"

// AgainAfter is after how many looks a refused configuration is tried again.
const AgainAfter = againAfter

// Watcher returns what looks at the files of l once, as Run does now and then.
func (l *Live) Watcher() (look func(context.Context)) { return (&watcher{live: l}).look }
