package throttle_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/handstamp/handstamp/pkg/throttle"
)

func TestFloor(t *testing.T) {
	const ms = time.Millisecond
	tests := []struct {
		name                string
		took, floor, jitter time.Duration
		least, most         time.Duration // from the start
	}{
		{"at once", 0, 400 * ms, 0, 400 * ms, 400 * ms},
		{"took a while", 399 * ms, 400 * ms, 0, 400 * ms, 400 * ms},
		{"took as long", 400 * ms, 400 * ms, 0, 800 * ms, 800 * ms},
		{"took long", 1000 * ms, 400 * ms, 0, 1200 * ms, 1200 * ms},
		{"jitter", 100 * ms, 400 * ms, 50 * ms, 400 * ms, 450 * ms},
		{"jitter alone", 100 * ms, 0, 50 * ms, 100 * ms, 150 * ms},
		{"nothing", 100 * ms, 0, 0, 100 * ms, 100 * ms},
		{"nonsense", 100 * ms, -ms, -ms, 100 * ms, 100 * ms},
		{"begins later", -100 * ms, 400 * ms, 0, 400 * ms, 400 * ms},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				begun := start
				if tt.took < 0 {
					begun = start.Add(-tt.took)
				}
				time.Sleep(tt.took)
				throttle.Floor(t.Context(), begun, tt.floor, tt.jitter)
				if got := time.Since(start); got < tt.least || got > tt.most {
					t.Errorf("Floor after %v returned after %v, want %v to %v", tt.took, got, tt.least, tt.most)
				}
			})
		})
	}
}

func TestFloorEndsWithTheRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		start := time.Now()
		throttle.Floor(ctx, start, time.Hour, time.Hour)
		if got := time.Since(start); got != 100*time.Millisecond {
			t.Errorf("Floor returned after %v, want 100ms", got)
		}
	})
}
