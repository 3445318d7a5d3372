package cloudfront_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/handstamp/handstamp/pkg/cloudfront"
)

// TestStampOnceForACrowd: however they meet, one window costs one signature.
func TestStampOnceForACrowd(t *testing.T) {
	for round := range 30 {
		key := &slowKey{Signer: ecKey()}
		s := ecStamper(t, key, cloudfront.StamperOptions{})
		headers := make([]string, 200)
		start := make(chan struct{})
		var wg sync.WaitGroup
		for i := range headers {
			wg.Go(func() {
				<-start
				if stamp, err := s.Stamp(context.Background(), grant("castle")); err != nil {
					t.Errorf("Stamp: %v", err)
				} else {
					headers[i] = header(stamp)
				}
			})
		}
		close(start)
		wg.Wait()
		for _, h := range headers {
			if h != headers[0] {
				t.Fatalf("round %d: two viewers of one window got different stamps", round)
			}
		}
		if n := key.count.Load(); n != 1 {
			t.Fatalf("round %d: %d signatures for one window, want 1", round, n)
		}
	}
}

// TestStampBusy: beyond the queue there is an answer at once.
func TestStampBusy(t *testing.T) {
	for _, alone := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			key := &slowKey{Signer: ecKey(), gate: make(chan struct{})}
			s := ecStamper(t, key, cloudfront.StamperOptions{Queue: 2, Alone: alone})
			results := make(chan error, 2)
			for i := range 2 {
				go func() {
					_, err := s.Stamp(context.Background(), grant(fmt.Sprint("castle-", i)))
					results <- err
				}()
			}
			synctest.Wait()
			if stamp, err := s.Stamp(context.Background(), grant("zoo")); !errors.Is(err, cloudfront.ErrBusy) || stamp != nil {
				t.Errorf("alone %t: Stamp beyond the queue = %v, %v, want ErrBusy", alone, stamp, err)
			}
			close(key.gate)
			for range 2 {
				if err := <-results; err != nil {
					t.Errorf("alone %t: Stamp within the queue: %v", alone, err)
				}
			}
			stampOf(t, s, grant("zoo"))
		})
	}
}

// TestStampCancelled: who gives up takes nobody along, and leaves nothing behind.
func TestStampCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		key := &slowKey{Signer: ecKey(), gate: make(chan struct{})}
		s := ecStamper(t, key, cloudfront.StamperOptions{})
		ctx, cancel := context.WithCancel(context.Background())
		first, second := make(chan error, 1), make(chan error, 1)
		ask := func(ctx context.Context, result chan error) {
			_, err := s.Stamp(ctx, grant("castle"))
			result <- err
		}
		go ask(ctx, first)
		synctest.Wait() // the first one makes the signature
		go ask(context.Background(), second)
		synctest.Wait()
		cancel()
		if err := <-first; !errors.Is(err, context.Canceled) {
			t.Errorf("Stamp of the one who gave up = %v, want context.Canceled", err)
		}
		close(key.gate)
		if err := <-second; err != nil {
			t.Errorf("Stamp of the one who waited = %v, want none", err)
		}
		if n := key.count.Load(); n != 1 {
			t.Errorf("%d signatures made, want 1", n)
		}
	})
}

// TestStampCancelledInQueue is the same while all processors are busy.
func TestStampCancelledInQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		key := &slowKey{Signer: ecKey(), gate: make(chan struct{})}
		s := ecStamper(t, key, cloudfront.StamperOptions{})
		for i := range runtime.GOMAXPROCS(0) {
			go func() { _, _ = s.Stamp(context.Background(), grant(fmt.Sprint("castle-", i))) }()
		}
		synctest.Wait()
		ctx, cancel := context.WithCancel(context.Background())
		results := make(chan error, 1)
		go func() { _, _ = s.Stamp(ctx, grant("zoo")) }()
		synctest.Wait() // its signature waits for a processor
		go func() {
			_, err := s.Stamp(context.Background(), grant("zoo"))
			results <- err
		}()
		synctest.Wait()
		cancel()
		synctest.Wait()
		close(key.gate)
		if err := <-results; err != nil {
			t.Errorf("Stamp of the one who waited = %v, want none", err)
		}
	})
}

// TestStampAloneCancelled: nobody waits for a processor longer than they want to.
func TestStampAloneCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		key := &slowKey{Signer: ecKey(), gate: make(chan struct{})}
		s := ecStamper(t, key, cloudfront.StamperOptions{Alone: true})
		for range runtime.GOMAXPROCS(0) {
			go func() { _, _ = s.Stamp(context.Background(), grant("castle")) }()
		}
		synctest.Wait()
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if stamp, err := s.Stamp(ctx, grant("castle")); !errors.Is(err, context.DeadlineExceeded) || stamp != nil {
			t.Errorf("Stamp = %v, %v, want context.DeadlineExceeded", stamp, err)
		}
		if n := key.count.Load(); n != int64(runtime.GOMAXPROCS(0)) {
			t.Errorf("%d signatures at once, want %d", n, runtime.GOMAXPROCS(0))
		}
		close(key.gate)
	})
}
