package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/handstamp/handstamp/pkg/app"
	"github.com/handstamp/handstamp/pkg/keyring"
	"github.com/handstamp/handstamp/pkg/keyring/keygroup"
	"github.com/handstamp/handstamp/pkg/probe"
)

func newKeysPublish() *cobra.Command {
	var dryRun bool
	var id, wait string
	cmd := keysCommand(&cobra.Command{
		Use:   "publish NAME",
		Short: "Give the public half of a key to CloudFront",
		Long: `Create the public key at CloudFront, put it into the key group keys.group, which is
made if there is none, and read both back. --dry-run prints the same for the AWS
CLI and for CloudFormation. Where somebody else has done it, --id notes the key
pair ID that CloudFront gave; with keys.group it is refused unless the group has
this key under that ID.

With --wait it then asks the distribution (media.url) again and again, until a
cookie by the new key opens the first paid file of an attraction. That tells of the
edge location that answers here; the others follow, see keys.settle.`,
		Example: `  handstamp keys publish unpublished-1f9c2ab04d77
  handstamp keys publish unpublished-1f9c2ab04d77 --dry-run
  handstamp keys publish unpublished-1f9c2ab04d77 --id K2JCJMDEHXQW5F`,
		Args: cobra.ExactArgs(1),
	}, func(cmd *cobra.Command, d *keyDesk, args []string) error {
		published, err := d.publish(cmd, args[0], id, dryRun)
		if err != nil || wait == "" || dryRun {
			return err
		}
		return d.await(cmd, published, wait)
	})
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "only print what would be done, for the AWS CLI and CloudFormation")
	cmd.Flags().StringVar(&id, "id", "", "the key pair ID, if the key is at CloudFront already")
	cmd.Flags().StringVar(&wait, "wait", "", "id of an attraction: wait until the distribution takes its cookies by the new key")
	return cmd
}

// publish returns the key pair ID that the key has at CloudFront.
func (d *keyDesk) publish(cmd *cobra.Command, name, id string, dryRun bool) (string, error) {
	m, err := d.load(cmd.Context())
	if err != nil {
		return "", err
	}
	e, err := m.Entry(name)
	if err != nil {
		return "", err
	}
	if dryRun {
		_, err := fmt.Fprint(cmd.OutOrStdout(), publishByHand(e, d.groupName()))
		return "", err
	}
	if id == "" && d.group == nil && !e.Published.IsZero() {
		id = e.ID // somebody has done it
	}
	if id == "" {
		id, err = d.distribution().Publish(cmd.Context(), e)
	} else {
		err = d.trusted(cmd.Context(), e, id)
	}
	if err != nil {
		return "", err
	}
	published, err := d.change(cmd.Context(), name, func(m *keyring.Manifest) error { return m.Publish(name, id, d.now()) })
	if err != nil {
		return "", err
	}
	return id, d.say(cmd, id, "%s is at CloudFront as %s; it can sign from %s\n", name, id, d.rules.Ready(&published).Local().Format(time.DateTime))
}

// trusted returns an error unless the key group has e under id: a gateway that
// signs with another key than CloudFront checks by opens nothing for anybody.
// Without keys.group nobody asks CloudFront.
func (d *keyDesk) trusted(ctx context.Context, e *keyring.Entry, id string) error {
	if d.group == nil {
		return nil
	}
	there, err := d.group.Keys(ctx)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(there, func(k keygroup.PublicKey) bool { return k.ID == id })
	switch {
	case i < 0:
		return fmt.Errorf(`%w: key group %q has no %s (hint: without --id this command puts the key there)`, keygroup.ErrNotThere, d.groupName(), id)
	case there[i].Fingerprint != e.Fingerprint:
		return fmt.Errorf("%w: %s has fingerprint %.12s, and %s, of %s, has %.12s (hint: was the private key of another pair put there?)",
			keygroup.ErrDiffers, id, there[i].Fingerprint, e.Name(), e.From, e.Fingerprint)
	}
	return nil
}

// awaitEvery is how often the distribution is asked whether it has a key.
const awaitEvery = 15 * time.Second

// await waits until the distribution takes cookies by a key.
func (d *keyDesk) await(cmd *cobra.Command, id, attraction string) error {
	for {
		target, err := app.ProbeTarget(cmd.Context(), d.cfg, "", attraction)
		if err != nil {
			return err
		}
		known, err := probe.Trusts(cmd.Context(), *target, id, probe.Options{})
		switch {
		case err != nil:
			return err
		case known:
			return d.say(cmd, id, "the distribution takes cookies by %s\n", id)
		}
		if err := waitUntil(d.now)(cmd.Context(), d.now().Add(awaitEvery)); err != nil {
			return err
		}
	}
}
