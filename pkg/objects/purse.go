package objects

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

const (
	maxLeast   = 5 * time.Minute  // role credentials are renewed about this long before they end
	renewEvery = 10 * time.Second // at most, for renewals before the provider's own
	purseTime  = 6 * time.Second  // for both questions to the provider, less than callTime
)

// A purse keeps the credentials that sign. Within a window they stay the same,
// and so do the URLs, even if the provider has new ones by then.
type purse struct {
	provider     aws.CredentialsProvider
	window, life time.Duration
	log          *slog.Logger

	mu    sync.Mutex
	held  aws.Credentials
	since time.Time // beginning of the window that held is for; zero means that nothing is held
	tried time.Time // when a renewal was last asked for
}

// errOver is returned when the provider has no living credentials.
var errOver = errors.New("the credentials have expired")

// least is how long a URL must live when it is handed out, as far as credentials
// that live for hours allow.
func (p *purse) least() time.Duration { return min(p.life-p.window, maxLeast) }

// steady returns the credentials of now's window. They live when they are
// returned; if they have less than the least life left, new ones are asked for.
func (p *purse) steady(ctx context.Context, now time.Time) (aws.Credentials, error) {
	since := now.Truncate(p.window)
	p.mu.Lock()
	held, same := p.held, p.since.Equal(since)
	p.mu.Unlock()
	if same && lasts(held, now.Add(p.least())) {
		return held, nil
	}
	fresh, err := p.fresh(ctx, now, since.Add(p.window+p.least()))
	if err != nil {
		if same && lasts(held, now.Add(time.Second)) {
			p.log.WarnContext(ctx, "signing with credentials that end soon", "expires", held.Expires, "err", err)
			return held, nil
		}
		return aws.Credentials{}, err
	}
	return p.keep(fresh, since, now), nil
}

// keep holds fresh for a window, unless another caller was faster.
func (p *purse) keep(fresh aws.Credentials, since, now time.Time) aws.Credentials {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.since.Equal(since) && lasts(p.held, now.Add(p.least())) {
		return p.held
	}
	p.held, p.since = fresh, since
	return fresh
}

// fresh returns the provider's credentials. If they end before a time, it asks
// for new ones once in a while, and goes on with the old if there are none. That
// the provider has the old ones still, if it finds no new ones, is its own business:
// that of bucket.Open has.
func (p *purse) fresh(ctx context.Context, now, until time.Time) (aws.Credentials, error) {
	ctx, cancel := context.WithTimeout(ctx, purseTime)
	defer cancel()
	creds, err := p.provider.Retrieve(ctx)
	if err != nil {
		return aws.Credentials{}, fmt.Errorf("credentials: %w", err)
	}
	if !lasts(creds, until) && p.renew(now) {
		if better, err := p.provider.Retrieve(ctx); err == nil {
			creds = better
		} else if !lasts(creds, now.Add(time.Second)) {
			return aws.Credentials{}, fmt.Errorf("credentials: %w", err)
		}
	}
	if !lasts(creds, now.Add(time.Second)) {
		return aws.Credentials{}, fmt.Errorf("%w: at %v", errOver, creds.Expires)
	}
	return creds, nil
}

// renew drops what the provider remembers, if it can, and reports whether it did.
func (p *purse) renew(now time.Time) bool {
	cache, ok := p.provider.(interface{ Invalidate() })
	p.mu.Lock()
	defer p.mu.Unlock()
	if !ok || now.Sub(p.tried).Abs() < renewEvery {
		return false
	}
	p.tried = now
	cache.Invalidate()
	return true
}

// lasts reports whether c is good until a time.
func lasts(c aws.Credentials, until time.Time) bool {
	return !c.CanExpire || !c.Expires.Before(until)
}
