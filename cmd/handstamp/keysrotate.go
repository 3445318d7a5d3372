package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/handstamp/handstamp/pkg/keyring"
)

func newKeysRotate() *cobra.Command {
	var plan bool
	var kind, from string
	cmd := keysCommand(&cobra.Command{
		Use:   "rotate",
		Short: "Replace the key that signs, step by step",
		Long: `Walk the whole procedure: make a key, publish it, wait until every edge location
has it, sign with it, wait for the last cookie of the old one, retire that. Most of
it is waiting, so it takes hours. It can be interrupted anywhere; the same command
goes on from there.`,
		Example: `  handstamp keys rotate --plan
  handstamp keys rotate --type ecdsa
  handstamp keys rotate --from kms:arn:aws:kms:eu-west-1:111122223333:key/1234`,
		Args: onlyFlags,
	}, func(cmd *cobra.Command, d *keyDesk, _ []string) error {
		if plan {
			return d.printPlan(cmd)
		}
		out := cmd.OutOrStdout()
		r := keyring.Rotation{Store: d.store, Distribution: d.distribution(), Now: d.now, Rules: d.rules,
			Make: func(ctx context.Context) (keyring.Entry, error) { return d.make(ctx, kind, from, "") },
			Wait: waitUntil(d.now),
			Tell: func(s keyring.Step) { d.tell(out, s) }}
		if err := r.Run(cmd.Context()); err != nil || d.asJSON {
			return err
		}
		fmt.Fprintln(out, "the rotation is complete")
		return nil
	})
	cmd.Flags().BoolVar(&plan, "plan", false, "only print the steps, with their times")
	addMakeFlags(cmd, &kind, &from)
	return cmd
}

// tell prints a step that is next.
func (d *keyDesk) tell(w io.Writer, s keyring.Step) {
	if d.asJSON {
		_ = json.NewEncoder(w).Encode(s)
		return
	}
	fmt.Fprintf(w, "%s  %s\n", s.At.Local().Format(time.DateTime), s)
}

func (d *keyDesk) printPlan(cmd *cobra.Command) error {
	m, err := d.load(cmd.Context())
	if err != nil {
		return err
	}
	steps := m.Plan(d.rules, d.now())
	if d.asJSON {
		return json.NewEncoder(cmd.OutOrStdout()).Encode(map[string]any{"steps": steps})
	}
	for _, s := range steps {
		d.tell(cmd.OutOrStdout(), s)
	}
	return nil
}
