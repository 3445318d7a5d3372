package bucket

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

const (
	renewTime  = 3 * time.Second  // for new credentials, while the last ones live
	renewAgain = 10 * time.Second // after which they are asked for again
)

// A wallet keeps the last credentials that a provider gave. The SDK's cache has
// none at all when it was told to renew early and whoever gives them is down, while
// the old ones are good for minutes or hours.
type wallet struct {
	provider aws.CredentialsProvider
	log      *slog.Logger

	mu    sync.Mutex
	last  aws.Credentials // without keys if there were none yet
	pause time.Time       // until when nobody asks again
}

// Retrieve implements aws.CredentialsProvider.
func (w *wallet) Retrieve(ctx context.Context) (aws.Credentials, error) {
	last, wait := w.living()
	if wait {
		return last, nil
	}
	limited := ctx
	if last.HasKeys() {
		var cancel context.CancelFunc
		limited, cancel = context.WithTimeout(ctx, renewTime)
		defer cancel()
	}
	creds, err := w.provider.Retrieve(limited)
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case err == nil:
		w.last, w.pause = creds, time.Time{}
	case !last.HasKeys():
		return aws.Credentials{}, err
	case ctx.Err() != nil: // whoever asks has gone, which says nothing
		return last, nil
	default:
		w.pause = time.Now().Add(renewAgain)
		w.log.WarnContext(ctx, "credentials cannot be renewed", "expires", last.Expires, "err", err)
		return last, nil
	}
	return creds, nil
}

// living returns the last credentials if they live, and whether to ask for no
// others now.
func (w *wallet) living() (last aws.Credentials, wait bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.last.HasKeys() || w.last.CanExpire && !time.Now().Before(w.last.Expires) {
		return aws.Credentials{}, false
	}
	return w.last, time.Now().Before(w.pause)
}

// Invalidate drops what the provider remembers, if it can. The last credentials
// stay for the case that there are no others.
func (w *wallet) Invalidate() {
	if cache, ok := w.provider.(interface{ Invalidate() }); ok {
		cache.Invalidate()
	}
}

// IsCredentialsProvider is for the SDK, which sends no signature for some.
func (w *wallet) IsCredentialsProvider(target aws.CredentialsProvider) bool {
	return aws.IsCredentialsProvider(w.provider, target)
}
