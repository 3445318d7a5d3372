package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/handstamp/handstamp/pkg/keyring"
)

func newKeysRetire() *cobra.Command {
	var force, removed bool
	cmd := keysCommand(&cobra.Command{
		Use:   "retire ID",
		Short: "End the life of a key that signs no more",
		Long: `Retire a key and take its public half from CloudFront. It is refused while cookies
that it signed may be out. Without keys.group it says what to do at CloudFront by
hand; say --removed when that is done.`,
		Example: `  handstamp keys retire K2JCJMDEHXQW5F`,
		Args:    cobra.ExactArgs(1),
	}, func(cmd *cobra.Command, d *keyDesk, args []string) error {
		e, err := d.change(cmd.Context(), args[0], func(m *keyring.Manifest) error { return m.Retire(args[0], d.rules, d.now(), force) })
		if err != nil {
			return err
		}
		if !d.asJSON {
			fmt.Fprintf(cmd.OutOrStdout(), "%s is retired\n", args[0])
		}
		return d.remove(cmd, &e, removed)
	})
	cmd.Flags().BoolVar(&force, "force", false, "do not wait for the last cookie; visitors who hold one are refused until they renew")
	cmd.Flags().BoolVar(&removed, "removed", false, "the public key is no longer at CloudFront")
	return cmd
}

// remove takes a key that is over from CloudFront, or says how to.
func (d *keyDesk) remove(cmd *cobra.Command, e *keyring.Entry, removed bool) error {
	if e.ID == "" || !e.Removed.IsZero() {
		return d.say(cmd, e.Name(), "")
	}
	if d.group == nil && !removed {
		return d.say(cmd, e.ID, "%s", removeByHand(e))
	}
	if d.group != nil && !removed {
		if err := d.group.Remove(cmd.Context(), e.ID); err != nil {
			return fmt.Errorf("%w (hint: do it again when that is mended)", err)
		}
	}
	_, err := d.change(cmd.Context(), e.ID, func(m *keyring.Manifest) error { return m.Remove(e.ID, d.now()) })
	if err != nil {
		return err
	}
	return d.say(cmd, e.ID, "%s is not at CloudFront any more; edge locations follow within minutes\n", e.ID)
}

func newKeysRevoke() *cobra.Command {
	return keysCommand(&cobra.Command{
		Use:   "revoke ID",
		Short: "The drill for a private key that somebody else may have",
		Long: `Stop signing with a key at once, take its public half from CloudFront, and say
what else to do. Whoever has the private key can make cookies that open
everything until every edge location has forgotten the public one. If it is the
key that signs, the published key that was made last takes over.`,
		Example: `  handstamp keys revoke K2JCJMDEHXQW5F`,
		Args:    cobra.ExactArgs(1),
	}, func(cmd *cobra.Command, d *keyDesk, args []string) error {
		e, err := d.change(cmd.Context(), args[0], func(m *keyring.Manifest) error { return m.Revoke(args[0], d.now()) })
		if err != nil {
			return err
		}
		m, err := d.store.Load(cmd.Context())
		if err != nil {
			return err
		}
		out := cmd.OutOrStdout()
		signs := "nothing signs now"
		if active := m.Active(); active != nil {
			signs = active.ID + " signs within " + d.rules.Switch.String()
		}
		if !d.asJSON {
			fmt.Fprintf(out, "%s is revoked; %s\n", args[0], signs)
		}
		if err := d.remove(cmd, &e, false); err != nil || d.asJSON {
			return err
		}
		fmt.Fprintf(out, revokeHelp, args[0], e.From)
		return nil
	})
}

const revokeHelp = `
What else to do:
  1. Visitors who hold cookies by %[1]s are refused as soon as the edge forgets the
     key; their apps renew and go on. Nothing has to be done for them.
  2. See that it is gone: handstamp probe, check "retired".
  3. Delete the private key (%[2]s) and its copies: backups, images, CI secrets.
  4. Look into CloudFront's logs for requests with Key-Pair-Id %[1]s whose cookies
     no gateway gave out, and find out how the key got away.
  5. Make the next key, so that there is one in reserve: handstamp keys new, and
     handstamp keys publish.
`
