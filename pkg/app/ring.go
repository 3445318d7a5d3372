package app

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	awscloudfront "github.com/aws/aws-sdk-go-v2/service/cloudfront"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/handstamp/handstamp/pkg/cloudfront"
	"github.com/handstamp/handstamp/pkg/config"
	"github.com/handstamp/handstamp/pkg/keyring"
	"github.com/handstamp/handstamp/pkg/keyring/awskeys"
	"github.com/handstamp/handstamp/pkg/keyring/keygroup"
)

// buildRing loads the signing keys: those of a manifest, which are followed
// from then on, or those of a folder, which stay as they are until a Live sees
// that they have changed.
func (a *App) buildRing(ctx context.Context) (err error) {
	if a.ring = a.opts.Ring; a.ring != nil {
		return nil
	}
	a.ring, err = loadRing(ctx, a.cfg, keyring.FollowOptions{Interval: a.cfg.Keys.Interval, Log: a.opts.Log, Check: a.canSign}, a.manifest)
	if follower, ok := a.ring.(*keyring.Follower); ok {
		a.tasks = append(a.tasks, follower.Run)
		a.keeps(follower, readFollower(follower))
	}
	return err
}

// LoadRing loads the signing keys of cfg, for commands.
func LoadRing(ctx context.Context, cfg *config.Config) (Ring, error) {
	return loadRing(ctx, cfg, keyring.FollowOptions{}, nil)
}

func loadRing(ctx context.Context, cfg *config.Config, opts keyring.FollowOptions, seen *seenManifest) (Ring, error) {
	if cfg.Keys.Manifest == "" {
		return folderRing(cfg)
	}
	store, openers, err := Keys(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("keys: %w", err)
	}
	return followRing(ctx, seen.of(store), openers, opts)
}

// folderRing loads the keys of a folder, which stay as they are.
func folderRing(cfg *config.Config) (Ring, error) {
	ring, err := keyring.Load(cfg.Keys.Dir, cfg.Keys.Active, keyOptions(cfg))
	if err != nil {
		return nil, fmt.Errorf("keys: %w", err)
	}
	return ring, nil
}

// followRing loads the keys of a manifest, which change.
func followRing(ctx context.Context, store keyring.Store, openers keyring.Openers, opts keyring.FollowOptions) (Ring, error) {
	follower, err := keyring.Follow(ctx, store, openers, opts)
	if err != nil {
		return nil, fmt.Errorf("keys: %w", err)
	}
	return follower, nil
}

// canSign returns an error for a ring whose active key does not go with the
// configured hash, so that a gateway never begins to follow it.
func (a *App) canSign(r *keyring.Ring) error {
	id, key, err := r.Active()
	if err != nil {
		return err
	}
	_, err = cloudfront.NewSigner(id, key, cloudfront.Hash(a.cfg.Cookies.Hash))
	return err
}

func keyOptions(cfg *config.Config) keyring.Options {
	return keyring.Options{InsecureAllowExample: !cfg.Production(), AllowGroupRead: bool(cfg.Keys.GroupRead)}
}

// Keys returns where the manifest of cfg is kept, and how to get at the keys
// that it names. It is for commands about keys too.
func Keys(ctx context.Context, cfg *config.Config) (keyring.Store, keyring.Openers, error) {
	c, err := loadAWS(ctx, cfg.Keys.Region)
	if err != nil {
		return nil, nil, err
	}
	store, openers := keysWith(cfg, secretsmanager.NewFromConfig(c), ssm.NewFromConfig(c), kms.NewFromConfig(c))
	return store, openers, nil
}

// keysWith is Keys with clients for AWS.
func keysWith(cfg *config.Config, secrets awskeys.SecretsClient, parameters awskeys.ParametersClient, vault awskeys.KMSClient) (keyring.Store, keyring.Openers) {
	openers := keyring.Openers{
		"file":           keyring.Files{Dir: cfg.Keys.Dir, Options: keyOptions(cfg)},
		"env":            keyring.Env{Options: keyOptions(cfg)},
		"secretsmanager": awskeys.Secrets{Client: secrets},
		"ssm":            awskeys.Parameters{Client: parameters},
		"kms":            awskeys.KMS{Client: vault},
	}
	if name, ok := strings.CutPrefix(cfg.Keys.Manifest, "secretsmanager:"); ok {
		return awskeys.SecretStore{Client: secrets, ID: name}, openers
	}
	return keyring.FileStore(filepath.Join(cfg.Keys.Dir, keyring.ManifestName)), openers
}

// KeyGroup returns the key group of cfg at CloudFront.
func KeyGroup(ctx context.Context, cfg *config.Config) (*keygroup.Group, error) {
	c, err := loadAWS(ctx, "us-east-1") // where CloudFront's API is
	if err != nil {
		return nil, err
	}
	return keygroup.New(awscloudfront.NewFromConfig(c), cfg.Keys.Group), nil
}

// KeyRules returns the spans that a rotation of the keys of cfg has to wait for.
func KeyRules(cfg *config.Config) keyring.Rules {
	return keyring.Rules{
		Settle:  cfg.Keys.Settle,
		Longest: max(Exposure(cfg), time.Minute),
		Switch:  cfg.Keys.Interval + keyring.DefaultInterval,
	}
}
