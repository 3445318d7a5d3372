package app

import (
	"context"
	"time"

	"github.com/handstamp/handstamp/pkg/cloudfront"
	"github.com/handstamp/handstamp/pkg/telemetry"
)

// signing returns what times and traces signatures, or nil.
func (a *App) signing(purpose string) cloudfront.Signing {
	if !a.watched {
		return nil
	}
	return func(ctx context.Context, keyPairID string) func(error) {
		began := time.Now()
		_, span := a.opts.Tracer.Start(ctx, "sign", telemetry.Attr{Key: "handstamp.purpose", Value: purpose}, telemetry.Attr{Key: "handstamp.key_pair_id", Value: keyPairID})
		return func(err error) {
			outcome := "made"
			if err != nil {
				outcome = failed
			}
			a.opts.Meter.Observe(telemetry.SignSeconds, time.Since(began).Seconds(), purpose, outcome)
			span.End(err != nil)
		}
	}
}
