package httpapi

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// Those who wait have their turns in the order in which they came; nobody waits
// beyond the end of the line, and who gives up leaves nothing behind.
func TestLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine("test", maxBody, Line{Working: 1, Waiting: 3})
		if err := l.enter(t.Context()); err != nil {
			t.Fatalf("enter an empty line = %v", err)
		}
		var order []int
		var all sync.WaitGroup
		for i := range 3 {
			ctx, cancel := context.WithCancel(t.Context())
			all.Go(func() {
				if err := l.enter(ctx); err != nil {
					if !errors.Is(err, context.Canceled) || i != 1 {
						t.Errorf("enter number %d = %v", i, err)
					}
					return
				}
				order = append(order, i)
				l.leave()
			})
			synctest.Wait()
			defer cancel()
			if i == 1 {
				time.AfterFunc(time.Second, cancel)
			}
		}
		if err := l.enter(t.Context()); !errors.Is(err, ErrBusy) {
			t.Errorf("enter a full line = %v, want %v", err, ErrBusy)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if l.turns.Len() != 2 {
			t.Errorf("%d wait after one gave up, want 2", l.turns.Len())
		}
		l.leave()
		all.Wait()
		if want := []int{0, 2}; !slices.Equal(order, want) || l.working != 0 || l.turns.Len() != 0 {
			t.Errorf("turns %v, want %v; %d working and %d waiting at the end", order, want, l.working, l.turns.Len())
		}
	})
}

// Whatever comes, goes, gives up and steps aside, the line is empty in the end,
// and without those who come back from aside never too full.
func TestLineProperty(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const working = 4
		l := newLine("test", maxBody, Line{Working: working, Waiting: 10})
		away := &asides{most: 5, waiting: map[string]int{}}
		random := rand.New(rand.NewPCG(7, 7))
		var all sync.WaitGroup
		for range 2000 {
			patience, work := time.Duration(random.IntN(50)), time.Duration(random.IntN(20))
			steps := random.IntN(3)
			all.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				defer cancel()
				if l.enter(ctx) != nil {
					return
				}
				p := &place{line: l, aside: away}
				defer p.end()
				inside := context.WithValue(context.Background(), placeKey{}, p)
				for range steps {
					time.Sleep(work)
					back, err := Aside(inside, "office")
					if err != nil {
						continue
					}
					time.Sleep(2 * work)
					back()
				}
				if steps == 0 {
					l.mu.Lock()
					if l.working > working+5 { // who may come back at once
						t.Errorf("%d working, want %d and at most 5 who were aside", l.working, working)
					}
					l.mu.Unlock()
					time.Sleep(work)
				}
			})
			time.Sleep(time.Duration(random.IntN(4)))
		}
		all.Wait()
		if l.working != 0 || l.turns.Len() != 0 || len(away.waiting) != 0 {
			t.Errorf("at the end %d working, %d waiting, aside %v; want none", l.working, l.turns.Len(), away.waiting)
		}
	})
}

// A request that is over, and whose question is not, comes back to no place.
func TestBackAfterTheEnd(t *testing.T) {
	l := newLine("test", maxBody, Line{Working: 1})
	if err := l.enter(t.Context()); err != nil {
		t.Fatal(err)
	}
	p := &place{line: l, aside: &asides{most: 1, waiting: map[string]int{}}}
	back, err := Aside(context.WithValue(t.Context(), placeKey{}, p), "office")
	if err != nil || l.working != 0 {
		t.Fatalf("Aside = %v with %d working, want none", err, l.working)
	}
	if _, err := Aside(context.WithValue(t.Context(), placeKey{}, p), "office"); !errors.Is(err, ErrBusy) {
		t.Errorf("a second request aside = %v, want %v", err, ErrBusy)
	}
	if again, err := Aside(context.WithValue(t.Context(), placeKey{}, p), "other"); err != nil {
		t.Errorf("aside for another system = %v", err)
	} else {
		again()
	}
	p.end()
	back()
	if l.working != 0 {
		t.Errorf("%d working after all is over, want none", l.working)
	}
}
