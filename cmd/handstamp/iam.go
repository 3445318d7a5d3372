package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/handstamp/handstamp/pkg/config"
	"github.com/handstamp/handstamp/pkg/iam"
	"github.com/handstamp/handstamp/pkg/keyring"
	"github.com/handstamp/handstamp/pkg/objects/mirror"
)

// policyFlags are those of "check" that print an IAM policy instead.
type policyFlags struct {
	kind    string
	account iam.Account
	keys    []string
	to      string
	delete  bool
}

// policies are the values of --iam.
var policies = map[string]func(iam.Account, iam.Features) (*iam.Policy, error){
	"gateway": iam.Gateway, "keys": iam.KeyCommands, "book": iam.BookInit, "content": iam.ContentSync, "check": iam.Checks,
}

func (f *policyFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.kind, "iam", "", "instead of checking, print the IAM policy that AWS has to grant: for the gateway, or for --iam=keys, book, content or check, the commands of that name")
	flags.Lookup("iam").NoOptDefVal = "gateway"
	flags.StringVar(&f.account.ID, "account", "", "AWS account for --iam, 12 digits; empty is a placeholder")
	flags.StringVar(&f.account.Region, "region", "", "AWS region for --iam, of what has none in the configuration; empty is a placeholder")
	flags.StringVar(&f.account.Partition, "partition", "aws", "AWS partition for --iam: aws, aws-cn or aws-us-gov")
	flags.StringArrayVar(&f.keys, "key", nil, "key for --iam that is not in a manifest on this machine, like kms:ID or secretsmanager:NAME (may be repeated)")
	flags.StringVar(&f.to, "to", "", "place for --iam=content, like s3://BUCKET/PREFIX")
	flags.BoolVar(&f.delete, "delete", false, "for --iam=content, also allow what \"content sync --delete\" does")
}

// wanted reports whether a policy is to be printed.
func (f *policyFlags) wanted() bool { return f.kind != "" }

// print prints the policy. It asks nobody, so that it can be had before there
// are permissions.
func (f *policyFlags) print(cmd *cobra.Command, cfg *config.Config) error {
	build, ok := policies[f.kind]
	if !ok {
		return usagef("--iam=%s, want gateway, keys, book, content or check", f.kind)
	}
	features, err := f.features(cmd, cfg)
	if err != nil {
		return err
	}
	policy, err := build(f.account, *features)
	switch {
	case errors.Is(err, iam.ErrNothing):
		return fmt.Errorf("--iam=%s: %w, so there is no policy", f.kind, err)
	case err != nil:
		return usagef("--iam: %v", err)
	}
	out := json.NewEncoder(cmd.OutOrStdout())
	out.SetIndent("", "  ")
	out.SetEscapeHTML(false)
	return out.Encode(policy)
}

// features returns what a configuration uses at AWS. What has an endpoint of its
// own is not there.
func (f *policyFlags) features(cmd *cobra.Command, cfg *config.Config) (*iam.Features, error) {
	features := &iam.Features{Store: cfg.Denylist.KeyValueStore, Objects: privateFiles(cfg.Objects)}
	if cfg.Book.Kind == "dynamodb" && cfg.Book.Endpoint == "" {
		features.Table = iam.Table{Name: cfg.Book.Table, Region: cfg.Book.Region}
	}
	if err := f.content(&features.Content); err != nil {
		return nil, err
	}
	keys, err := f.ring(cmd, cfg)
	features.Keys = keys
	return features, err
}

func privateFiles(c config.Objects) iam.Objects {
	if c.Bucket == "" || c.Endpoint != "" {
		return iam.Objects{}
	}
	o := iam.Objects{Bucket: c.Bucket}
	for _, r := range c.Rules {
		o.Areas = append(o.Areas, iam.Area{Keys: r.Keys, Read: len(r.Read) > 0, Write: len(r.Write) > 0, Public: bool(r.Public && c.ACLs)})
	}
	return o
}

func (f *policyFlags) content(c *iam.Content) error {
	if f.kind != "content" {
		return nil
	}
	to, err := mirror.ParseTarget(f.to)
	if err != nil {
		return usagef("--to: %v", err)
	}
	*c = iam.Content{Bucket: to.Bucket, Prefix: to.Prefix, Delete: f.delete}
	return nil
}

// ring returns where the keys are: those of a manifest in a folder, and those
// that were named.
func (f *policyFlags) ring(cmd *cobra.Command, cfg *config.Config) (iam.Keys, error) {
	keys := iam.Keys{Group: cfg.Keys.Group != "", Region: cfg.Keys.Region, From: slices.Clone(f.keys)}
	if name, ok := strings.CutPrefix(cfg.Keys.Manifest, "secretsmanager:"); ok {
		keys.Manifest = name
		if len(f.keys) == 0 && f.kind != "content" && f.kind != "book" && f.kind != "check" {
			fmt.Fprintf(cmd.ErrOrStderr(), "handstamp: warning: the keys stand in %s, which was not asked (hint: --key names them, like --key kms:ID)\n", cfg.Keys.Manifest)
		}
		return keys, nil
	}
	if cfg.Keys.Manifest == "" {
		return keys, nil
	}
	m, err := keyring.FileStore(filepath.Join(cfg.Keys.Dir, keyring.ManifestName)).Load(cmd.Context())
	if errors.Is(err, fs.ErrNotExist) {
		return keys, nil // it begins with the first key
	}
	if err != nil {
		return keys, &setupError{err}
	}
	for _, e := range m.Keys {
		if e.State != keyring.StateRetired && e.State != keyring.StateRevoked {
			keys.From = append(keys.From, e.From)
		}
	}
	return keys, nil
}
