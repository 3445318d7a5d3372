package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/handstamp/handstamp/pkg/app"
	"github.com/handstamp/handstamp/pkg/config"
	"github.com/handstamp/handstamp/pkg/keyring"
	"github.com/handstamp/handstamp/pkg/keyring/keygroup"
)

// A keyDesk is what commands about the life of keys work with.
type keyDesk struct {
	cfg     *config.Config
	store   keyring.Store
	openers keyring.Openers
	group   *keygroup.Group // nil means that CloudFront is looked after by hand
	rules   keyring.Rules
	now     func() time.Time
	asJSON  bool // print the key as JSON, and no words
}

func (f *configFlags) openKeys(cmd *cobra.Command) (*keyDesk, error) {
	cfg, err := f.load(cmd.ErrOrStderr())
	if err != nil {
		return nil, err
	}
	if cfg.Keys.Manifest == "" {
		return nil, usagef("%s has no keys.manifest, where the life of the keys is written down (hint: set it to folder, and \"handstamp keys adopt\" begins it)", f.file)
	}
	d := &keyDesk{cfg: cfg, rules: app.KeyRules(cfg), now: time.Now}
	if d.store, d.openers, err = app.Keys(cmd.Context(), cfg); err != nil {
		return nil, err
	}
	if cfg.Keys.Group != "" {
		d.group, err = app.KeyGroup(cmd.Context(), cfg)
	}
	return d, err
}

// keysCommand makes a command that works with the ring of a configuration.
func keysCommand(cmd *cobra.Command, do func(*cobra.Command, *keyDesk, []string) error) *cobra.Command {
	var flags configFlags
	var asJSON bool
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		d, err := flags.openKeys(cmd)
		if err != nil {
			return err
		}
		d.asJSON = asJSON
		return do(cmd, d, args)
	}
	flags.add(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// say prints what was done to a key: words, or the key as it is now.
func (d *keyDesk) say(cmd *cobra.Command, name, format string, args ...any) error {
	if !d.asJSON {
		_, err := fmt.Fprintf(cmd.OutOrStdout(), format, args...)
		return err
	}
	m, err := d.load(cmd.Context())
	if err != nil {
		return err
	}
	e, err := m.Entry(name)
	if err != nil {
		return err
	}
	return json.NewEncoder(cmd.OutOrStdout()).Encode(d.line(e))
}

// load returns the manifest.
func (d *keyDesk) load(ctx context.Context) (*keyring.Manifest, error) {
	m, err := d.store.Load(ctx)
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf(`%w (hint: "handstamp keys adopt" begins a manifest with the keys that are in use)`, err)
	}
	return m, err
}

// change changes the manifest and returns the entry that it was about.
func (d *keyDesk) change(ctx context.Context, name string, do func(*keyring.Manifest) error) (e keyring.Entry, err error) {
	err = keyring.Change(ctx, d.store, func(m *keyring.Manifest) error {
		found, err := m.Entry(name)
		if err != nil {
			return err
		}
		if err := do(m); err != nil {
			return err
		}
		e = *found
		return nil
	})
	return e, err
}

func addMakeFlags(cmd *cobra.Command, kind, from *string) {
	cmd.Flags().StringVar(kind, "type", "rsa", "rsa (RSA-2048) or ecdsa (P-256, signs with SHA-256)")
	cmd.Flags().StringVar(from, "from", "", "a key that exists: file:NAME, env:NAME, secretsmanager:NAME, ssm:NAME or kms:ARN; empty makes one in keys.dir")
}

// waitUntil returns a function that waits until a time, or until ctx ends.
func waitUntil(now func() time.Time) func(context.Context, time.Time) error {
	return func(ctx context.Context, until time.Time) error {
		timer := time.NewTimer(until.Sub(now()))
		defer timer.Stop()
		select {
		case <-timer.C:
			return nil
		case <-ctx.Done():
			return errors.New("interrupted (hint: the same command goes on)")
		}
	}
}

// make makes a private key, or takes one that exists, and returns its entry.
func (d *keyDesk) make(ctx context.Context, kind, from, id string) (keyring.Entry, error) {
	if from != "" {
		key, err := d.openers.Open(ctx, from)
		if err != nil {
			return keyring.Entry{}, err
		}
		return keyring.NewEntry(id, from, key.Public())
	}
	key, err := keyring.Generate(keyring.Type(kind))
	if err != nil {
		return keyring.Entry{}, err
	}
	pair, err := keyring.Write(d.cfg.Keys.Dir, id, key)
	if err != nil {
		return keyring.Entry{}, err
	}
	return keyring.NewEntry(id, "file:"+filepath.Base(pair.PrivateFile), key.Public())
}

// distribution is CloudFront's side.
func (d *keyDesk) distribution() keyring.Distribution {
	if d.group != nil {
		return d.group
	}
	return byHand{}
}

// byHand is CloudFront where somebody else does what is to be done.
type byHand struct{}

func (byHand) Publish(_ context.Context, e *keyring.Entry) (string, error) {
	return "", fmt.Errorf("that is to be done by hand:\n\n%s\nThen: handstamp keys publish %s --id K..., and go on", publishByHand(e, "handstamp"), e.Name())
}

func (byHand) Remove(_ context.Context, id string) error {
	return fmt.Errorf("that is to be done by hand:\n\n%s\nThen: handstamp keys retire %s --removed, and go on", removeByHand(&keyring.Entry{ID: id}), id)
}

func (d *keyDesk) groupName() string {
	if d.cfg.Keys.Group == "" {
		return "handstamp"
	}
	return d.cfg.Keys.Group
}
