package bucket

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// An office gives out credentials for an hour, or none. The SDK's cache lets it take
// its time, whoever has stopped waiting.
type office struct {
	err   error
	slow  time.Duration
	asked atomic.Int32
}

func (o *office) Retrieve(context.Context) (aws.Credentials, error) {
	o.asked.Add(1)
	time.Sleep(o.slow)
	return aws.Credentials{AccessKeyID: "AKIA", SecretAccessKey: "x", CanExpire: true, Expires: time.Now().Add(time.Hour)}, o.err
}

// Credentials that live are not thrown away for new ones that are not to be had.
func TestCredentialsThatCannotBeRenewed(t *testing.T) {
	for name, fail := range map[string]func(*office){
		"refused": func(o *office) { o.err = errors.New("the role is not to be had") },
		"silent":  func(o *office) { o.err, o.slow = errors.New("no answer"), time.Hour },
	} {
		synctest.Test(t, func(t *testing.T) {
			var log strings.Builder
			o := &office{}
			w := &wallet{provider: aws.NewCredentialsCache(o), log: slog.New(slog.NewTextHandler(&log, nil))}
			first, err := w.Retrieve(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			fail(o)
			o.asked.Store(0)
			for range 30 { // a purse tries every ten seconds
				w.Invalidate()
				for range 3 {
					begun := time.Now()
					got, err := w.Retrieve(t.Context())
					if err != nil || got != first || time.Since(begun) > renewTime {
						t.Fatalf("%s: Retrieve = %+v, %v after %v, want the credentials that live", name, got, err, time.Since(begun))
					}
				}
				time.Sleep(renewAgain)
			}
			if n := o.asked.Load(); n > 31 || n < 20 && o.slow == 0 {
				t.Errorf("%s: asked %d times, want once in ten seconds", name, n)
			}
			if n := strings.Count(log.String(), "credentials cannot be renewed"); n == 0 || n > 31 {
				t.Errorf("%s: logged %d times, want it now and then", name, n)
			}
			time.Sleep(time.Hour)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			if got, err := w.Retrieve(ctx); err == nil {
				t.Errorf("%s: Retrieve once they are over = %+v, want an error", name, got)
			}
			time.Sleep(2 * time.Hour) // until nobody is asked any more
		})
	}
}

func TestCredentialsAreRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &office{}
		w := &wallet{provider: aws.NewCredentialsCache(o), log: slog.New(slog.DiscardHandler)}
		first, err := w.Retrieve(t.Context())
		if again, _ := w.Retrieve(t.Context()); err != nil || again != first || o.asked.Load() != 1 {
			t.Errorf("Retrieve again = %+v after %d questions, want the same after one", again, o.asked.Load())
		}
		time.Sleep(time.Minute)
		w.Invalidate()
		if next, err := w.Retrieve(t.Context()); err != nil || !next.Expires.After(first.Expires) {
			t.Errorf("Retrieve = %+v, %v, want new ones", next, err)
		}
		o.err = errors.New("the role is not to be had")
		w.Invalidate()
		ctx, leave := context.WithCancel(t.Context())
		leave()
		if got, err := w.Retrieve(ctx); err != nil || !got.HasKeys() {
			t.Errorf("Retrieve for somebody who has left = %+v, %v", got, err)
		}
		if !w.IsCredentialsProvider(&office{}) || w.IsCredentialsProvider(aws.AnonymousCredentials{}) {
			t.Error("IsCredentialsProvider does not say whose credentials they are")
		}
	})
}
