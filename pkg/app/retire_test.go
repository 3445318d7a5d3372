package app

import (
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/handstamp/handstamp/pkg/httpapi"
)

// A generation that was replaced is closed when the last of its requests is
// answered, and at the latest after a minute or when the gateway stops.
func TestRetire(t *testing.T) {
	tests := []struct {
		name  string
		after func(l *Live, g *generation)
		want  time.Duration // from the replacement to the end
	}{
		{"all leave", func(_ *Live, g *generation) { time.Sleep(time.Second); g.leave(); time.Sleep(time.Second); g.leave() }, 2 * time.Second},
		{"one stays", func(_ *Live, g *generation) { g.leave() }, patience},
		{"drain", func(l *Live, _ *generation) { time.Sleep(time.Second); l.Drain() }, time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				var closed time.Duration
				old := &generation{app: newApp(nil, Options{}), left: make(chan struct{})}
				old.app.closers = append(old.app.closers, func() error { closed = time.Since(began); return nil })
				l := &Live{log: slog.New(slog.DiscardHandler), draining: make(chan struct{})}
				l.now.Store(old)
				for range 2 {
					if l.enter() != old {
						t.Fatal("enter() is not the only generation there is")
					}
				}
				l.now.Store(&generation{app: &App{api: new(httpapi.Server)}})
				l.retiring.Go(func() { l.retire(old) })
				tt.after(l, old)
				l.retiring.Wait()
				if closed != tt.want {
					t.Errorf("closed after %v, want %v", closed, tt.want)
				}
			})
		})
	}
}
