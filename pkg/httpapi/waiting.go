package httpapi

import (
	"context"
	"errors"
	"time"

	"github.com/handstamp/handstamp/pkg/throttle"
)

// DefaultWaiting is how many refusals wait for the floor at a time.
const DefaultWaiting = 1000

// errCrowded is what is answered instead of a refusal that has no place to wait
// in: its own time would tell what was looked up for it.
var errCrowded = errors.New("too many refusals wait for the floor")

// A waitingRoom is where refusals wait until they have all taken the same time.
// Nothing else is held meanwhile.
type waitingRoom struct {
	floor, jitter time.Duration
	places        chan struct{}
}

func newWaitingRoom(floor, jitter time.Duration, size int) *waitingRoom {
	return &waitingRoom{floor: floor, jitter: jitter, places: make(chan struct{}, size)}
}

// wait returns when the floor has passed since began. It returns false at once
// if size places or more are taken.
func (room *waitingRoom) wait(ctx context.Context, began time.Time, size int) bool {
	if room.floor <= 0 && room.jitter <= 0 {
		return true
	}
	if len(room.places) >= size {
		return false
	}
	select {
	case room.places <- struct{}{}:
	default:
		return false
	}
	defer func() { <-room.places }()
	if p := placeOf(ctx); p != nil {
		p.yield()
		defer p.resume()
	}
	throttle.Floor(ctx, began, room.floor, room.jitter)
	return true
}

// refusal waits for somebody whose ticket was refused.
func (room *waitingRoom) refusal(ctx context.Context, began time.Time) bool {
	return room.wait(ctx, began, cap(room.places))
}

// turnedAway waits for somebody who was told to come back. Such an answer says
// itself that nothing was looked up, so a flood of them leaves half the places
// to refusals.
func (room *waitingRoom) turnedAway(ctx context.Context, began time.Time) bool {
	return room.wait(ctx, began, (cap(room.places)+1)/2)
}
