package main

import (
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/handstamp/handstamp/pkg/keyring"
)

func newKeysAdopt() *cobra.Command {
	return keysCommand(&cobra.Command{
		Use:   "adopt",
		Short: "Begin a manifest for keys that are in use",
		Long: `Write the keys of keys.dir into a new manifest: keys.active as the one that signs,
the others as retiring ones. CloudFront has them all already.`,
		Example: `  handstamp keys adopt --config config.yaml`,
		Args:    onlyFlags,
	}, func(cmd *cobra.Command, d *keyDesk, _ []string) error {
		ring, err := keyring.Load(d.cfg.Keys.Dir, d.cfg.Keys.Active, keyring.Options{InsecureAllowExample: !d.cfg.Production(), AllowGroupRead: bool(d.cfg.Keys.GroupRead)})
		if err != nil {
			return &setupError{err}
		}
		if _, err := d.store.Load(cmd.Context()); err == nil {
			return errors.New(`there is a manifest already (hint: "handstamp keys list" shows it)`)
		}
		m := &keyring.Manifest{Revision: 1}
		now := d.now().UTC()
		for _, k := range ring.Keys() {
			e, err := keyring.NewEntry(k.ID, "file:"+k.ID+".pem", k.Public)
			if err != nil {
				return err
			}
			e.Made, e.Published, e.State, e.Relieved = now, now, keyring.StateRetiring, now
			if k.ID == d.cfg.Keys.Active {
				e.State, e.Activated, e.Relieved = keyring.StateActive, now, time.Time{}
			}
			m.Keys = append(m.Keys, e)
		}
		if err := d.store.Save(cmd.Context(), m, 0); err != nil {
			return err
		}
		return d.say(cmd, d.cfg.Keys.Active, "%d keys adopted, %s signs\n", len(m.Keys), d.cfg.Keys.Active)
	})
}

func newKeysActivate() *cobra.Command {
	var force bool
	cmd := keysCommand(&cobra.Command{
		Use:   "activate ID",
		Short: "Sign with another key from now on",
		Long: `Make a published key the one that signs. Every gateway follows within keys.interval
and 10 seconds. A key is refused before every edge location has it, keys.settle
after it was published: there, what it signs would be refused.`,
		Example: `  handstamp keys activate K2JCJMDEHXQW5F`,
		Args:    cobra.ExactArgs(1),
	}, func(cmd *cobra.Command, d *keyDesk, args []string) error {
		e, err := d.change(cmd.Context(), args[0], func(m *keyring.Manifest) error { return m.Activate(args[0], d.rules, d.now(), force) })
		if err != nil {
			return err
		}
		return d.say(cmd, e.ID, "%s signs; every gateway follows within %s\n", e.ID, d.rules.Switch)
	})
	cmd.Flags().BoolVar(&force, "force", false, "do not wait for the edge locations; visitors there are refused until they have the key")
	return cmd
}
