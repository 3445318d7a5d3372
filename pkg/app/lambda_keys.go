package app

import (
	"context"

	"github.com/handstamp/handstamp/pkg/config"
	"github.com/handstamp/handstamp/pkg/keyring"
)

// buildFunctionRing is buildRing with the clients of a function, and without a
// task that follows the manifest.
func (a *App) buildFunctionRing(ctx context.Context) (err error) {
	if a.ring = a.opts.Ring; a.ring != nil {
		return nil
	}
	if a.cfg.Keys.Manifest == "" {
		a.ring, err = folderRing(a.cfg)
		return err
	}
	store, openers := functionKeys(a.cfg)
	a.ring, err = followRing(ctx, store, openers, keyring.FollowOptions{Interval: a.cfg.Keys.Interval, Log: a.opts.Log, Check: a.canSign})
	return err
}

// functionKeys is Keys with the clients of a function.
func functionKeys(cfg *config.Config) (keyring.Store, keyring.Openers) {
	c := functionAWS(cfg.Keys.Region)
	return keysWith(cfg, newSecretsClient(c), newParametersClient(c), newKMSClient(c))
}
