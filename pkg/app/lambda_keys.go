package app

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/handstamp/handstamp/pkg/config"
	"github.com/handstamp/handstamp/pkg/keyring"
	"github.com/handstamp/handstamp/pkg/keyring/awskeys"
)

// buildFunctionRing is buildRing with the clients of a function, and without a
// task that follows the manifest.
func (a *App) buildFunctionRing(ctx context.Context) (err error) {
	if a.ring = a.opts.Ring; a.ring != nil {
		return nil
	}
	if a.cfg.Keys.Manifest == "" {
		ring, err := keyring.Load(a.cfg.Keys.Dir, a.cfg.Keys.Active, keyOptions(a.cfg))
		if err != nil {
			return fmt.Errorf("keys: %w", err)
		}
		a.ring = ring
		return nil
	}
	store, openers := functionKeys(a.cfg)
	follower, err := keyring.Follow(ctx, store, openers, keyring.FollowOptions{Interval: a.cfg.Keys.Interval, Log: a.opts.Log, Check: a.canSign})
	if err != nil {
		return fmt.Errorf("keys: %w", err)
	}
	a.ring = follower
	return nil
}

// functionKeys is Keys with the clients of a function.
func functionKeys(cfg *config.Config) (keyring.Store, keyring.Openers) {
	c := functionAWS(cfg.Keys.Region)
	secrets := newSecretsClient(c)
	openers := keyring.Openers{
		"file":           keyring.Files{Dir: cfg.Keys.Dir, Options: keyOptions(cfg)},
		"env":            keyring.Env{Options: keyOptions(cfg)},
		"secretsmanager": awskeys.Secrets{Client: secrets},
		"ssm":            awskeys.Parameters{Client: newParametersClient(c)},
		"kms":            awskeys.KMS{Client: newKMSClient(c)},
	}
	if name, ok := strings.CutPrefix(cfg.Keys.Manifest, "secretsmanager:"); ok {
		return awskeys.SecretStore{Client: secrets, ID: name}, openers
	}
	return keyring.FileStore(filepath.Join(cfg.Keys.Dir, keyring.ManifestName)), openers
}
