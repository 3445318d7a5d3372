package rotation_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
)

var moods = map[string]func(context.Context) error{"throttled": throttled, "away": away}

// Signatures that are shared serve to their end. Then the answer is 503, and
// never a part of the cookies.
func TestNoSignaturesFromKMS(t *testing.T) {
	for name, mood := range moods {
		t.Run(name, func(t *testing.T) {
			virtually(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				w := newWorld(t, usual)
				w.open(ctx, t, inKMS(kmstypes.KeySpecEccNistP256))
				w.gateways = w.gateways[:1]
				time.Sleep(time.Until(time.Now().Truncate(w.window).Add(w.window))) // a new window
				first := w.newViewer(t, "FIRST", false)
				wantStatus(t, "show of the first", first.show(), http.StatusOK)
				w.kms.turn(mood)
				wantStatus(t, "show of the second", w.newViewer(t, "SECOND", false).show(), http.StatusOK)
				wantStatus(t, "renewal of the first", first.renew(), http.StatusOK)
				wantStatus(t, "show with one signature of two", w.newViewer(t, premium+"THIRD", false).show(), http.StatusServiceUnavailable)
				time.Sleep(w.window)
				wantStatus(t, "show in the next window", w.newViewer(t, "FOURTH", false).show(), http.StatusOK)
				end := first.ends
				for time.Until(end) > 5*time.Second {
					wantStatus(t, "renewal in a later window", first.renew(), http.StatusOK)
					if !first.ends.Equal(end) {
						t.Fatalf("renewed until %s, want %s: nothing was signed since", first.ends, end)
					}
					first.listen()
					time.Sleep(min(time.Minute, time.Until(end)-4*time.Second))
				}
				time.Sleep(time.Until(end))
				wantStatus(t, "show when what was shared has ended", w.newViewer(t, "FIFTH", false).show(), http.StatusServiceUnavailable)
				wantStatus(t, "renewal when what was shared has ended", first.renew(), http.StatusServiceUnavailable)
				w.kms.turn(nil)
				wantStatus(t, "renewal when KMS is back", first.renew(), http.StatusOK)
				first.listen()
				w.report(t, 0)
			})
		})
	}
}

func wantStatus(t *testing.T, what string, got, want int) {
	t.Helper()
	if got != want {
		t.Errorf("%s = %d, want %d", what, got, want)
	}
}

// While KMS is away for less than the last third of the cookies' life, nobody
// who renews in time is silent for a moment.
func TestKMSAwayUnderLoad(t *testing.T) {
	for name, mood := range moods {
		t.Run(name, func(t *testing.T) {
			virtually(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				w := newWorld(t, usual)
				w.open(ctx, t, inKMS(kmstypes.KeySpecRsa2048))
				stop := w.crowd(ctx, t, 6)
				for range 3 {
					time.Sleep(w.lifetime)
					w.kms.turn(mood)
					// A shared signature is up to a window old, a question hangs for a
					// while, and who was turned away asks again after a pause.
					time.Sleep(w.lifetime/3 - w.window/3 - 2*w.pause)
					w.kms.turn(nil)
				}
				time.Sleep(w.lifetime)
				stop()
				w.report(t, 0)
				if w.kms.told == 0 {
					t.Error("nobody noticed that KMS was away: the test is worth nothing")
				}
				if n := w.tally.silent.Load(); n != 0 {
					t.Errorf("%d times a viewer who renews in time had no cookies, want none", n)
				}
			})
		})
	}
}
