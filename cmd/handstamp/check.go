package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/handstamp/handstamp/pkg/app"
	"github.com/handstamp/handstamp/pkg/config"
	"github.com/handstamp/handstamp/pkg/probe"
)

// checkFlags are those of "check".
type checkFlags struct {
	config  configFlags
	policy  policyFlags
	offline bool
	asJSON  bool
	bucket  string
}

func newCheck() *cobra.Command {
	var f checkFlags
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Say whether a configuration is sound, without serving",
		Long: `Read the configuration, the keys, the ticket lists and the catalogues as "serve"
would, and look at everything that it names: is the key in CloudFront's key group,
can the book be written, do the ticketing systems answer, does the distribution
open with our cookies and stay shut without, does a cache keep answers of the API,
is the bucket public, are the clocks right. Every line says what was found and, if
it is wrong, what to change. Nothing is changed.

Exit status 0 means that it is sound, warnings included, 1 that something it names
does not work, 78 that a gateway could not even start with it.`,
		Example: `  handstamp check --config config.yaml
  handstamp check --offline --json
  handstamp check --iam --account 123456789012 --region eu-west-1`,
		Args: onlyFlags,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	cmd.Flags().BoolVar(&f.offline, "offline", false, "ask no ticketing system, no distribution and no bucket")
	cmd.Flags().StringVar(&f.bucket, "bucket", "", "URL of the bucket behind media.url, which must refuse everybody")
	cmd.Flags().BoolVar(&f.asJSON, "json", false, "print one JSON object")
	f.policy.add(cmd)
	f.config.add(cmd)
	return cmd
}

func (f *checkFlags) run(cmd *cobra.Command) error {
	if f.policy.wanted() {
		cfg, err := f.config.load(cmd.ErrOrStderr())
		if err != nil {
			return err
		}
		return f.policy.print(cmd, cfg)
	}
	cfg, err := f.config.read() // its warnings are checks here
	if err != nil {
		return f.unreadable(cmd.OutOrStdout(), err)
	}
	out := cmd.OutOrStdout()
	opts := app.CheckOptions{Offline: f.offline, Bucket: f.bucket}
	if !f.asJSON {
		colour := isTerminal(out)
		opts.Tell = func(c probe.Check) { printFinding(out, c, colour) }
	}
	report, failed := app.Check(cmd.Context(), cfg, opts)
	if err := f.conclude(out, cfg, report); err != nil {
		return err
	}
	switch {
	case failed != nil:
		return &setupError{failed}
	case !report.OK:
		return &exitError{exitFailed}
	}
	return nil
}

// unreadable returns err, the reason why there is no configuration to check. With
// --json it is a report, too.
func (f *checkFlags) unreadable(w io.Writer, err error) error {
	if !f.asJSON {
		return err
	}
	return errors.Join(err, json.NewEncoder(w).Encode(&app.CheckReport{Checks: []probe.Check{{ID: "config", Says: "the configuration can be read",
		Result: probe.Failed, Found: err.Error(), Fix: "mend what it says; nothing else was looked at"}}}))
}

// conclude prints what came out.
func (f *checkFlags) conclude(w io.Writer, cfg *config.Config, r *app.CheckReport) error {
	if f.asJSON {
		return json.NewEncoder(w).Encode(r)
	}
	verdict := "is sound"
	if !r.OK {
		verdict = "is not sound"
	}
	_, err := fmt.Fprintf(w, "%s %s: %d attractions, %d ticket sources; %d checks passed, %d failed, %d with a warning, %d not tried\n",
		f.config.file, verdict, len(cfg.Attractions), len(cfg.Sources),
		r.Count(probe.Passed), r.Count(probe.Failed), r.Count(probe.Warned), r.Count(probe.Skipped))
	return err
}

// printFinding is printCheck for checks that need not have a cause.
func printFinding(w io.Writer, c probe.Check, colour bool) {
	fix := c.Fix
	if c.Cause == "" {
		c.Fix = ""
	}
	printCheck(w, c, colour)
	if c.Cause == "" && fix != "" && c.Result != probe.Passed {
		fmt.Fprintf(w, "      do:     %s\n", fix)
	}
}
