package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/handstamp/handstamp/pkg/app"
	"github.com/handstamp/handstamp/pkg/probe"
)

type probeFlags struct {
	config                         configFlags
	attraction, paid, free, bucket string
	metrics                        string
	every                          time.Duration
	asJSON                         bool
}

func newProbe() *cobra.Command {
	var f probeFlags
	cmd := &cobra.Command{
		Use:   "probe [URL]",
		Short: "Ask the real distribution whether it guards what it should",
		Long: `Send about twenty requests of one byte each to the distribution: without a cookie,
with good ones, and with cookies that are expired, changed, signed by a stranger or
by a retired key. Also look at http, at the bucket behind the distribution, at the
API and at the clock. Where something is wrong, it says what is likely
misconfigured. The keys are those of the configuration; nothing is changed.

With --metrics the result is written for the textfile collector of Prometheus'
node exporter, and with --every it goes on until it is stopped. Exit status 1
means that a check failed.`,
		Example: `  handstamp probe https://media.example.org --attraction castle
  handstamp probe --attraction castle --bucket https://BUCKET.s3.eu-west-1.amazonaws.com
  handstamp probe --attraction castle --every 5m --metrics /var/lib/node_exporter/handstamp.prom`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args) },
	}
	cmd.Flags().StringVar(&f.attraction, "attraction", "", "id of the attraction whose cookies are tried")
	cmd.Flags().StringVar(&f.paid, "paid", "", "path of one of its paid files; empty is the first of its catalogue")
	cmd.Flags().StringVar(&f.free, "free", "", "path of one of its free files; empty is the first of its catalogue")
	cmd.Flags().StringVar(&f.bucket, "bucket", "", "URL of the bucket itself, which must refuse everybody")
	cmd.Flags().StringVar(&f.metrics, "metrics", "", "write the result to this file for Prometheus")
	cmd.Flags().DurationVar(&f.every, "every", 0, "probe again after so long, like 5m; 0 probes once")
	cmd.Flags().BoolVar(&f.asJSON, "json", false, "print JSON, a report a line")
	f.config.add(cmd)
	return cmd
}

func (f *probeFlags) run(cmd *cobra.Command, args []string) error {
	if f.attraction == "" {
		return usagef("--attraction is missing: the id of the attraction to try")
	}
	if f.every < 0 || f.every > 0 && f.every < 10*time.Second {
		return usagef("--every %s, want at least 10s", f.every)
	}
	cfg, err := f.config.load(cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	for {
		site := strings.TrimSuffix(strings.Join(args, ""), "/")
		target, err := app.ProbeTarget(cmd.Context(), cfg, site, f.attraction) // again each time: keys rotate
		if err != nil {
			return &setupError{err}
		}
		if f.paid != "" {
			target.Place.Paid = f.paid
		}
		if f.free != "" {
			target.Place.Free = f.free
		}
		if target.Place.Paid == "" {
			return usagef("--paid is missing: %s has no catalogue that names a paid file", f.attraction)
		}
		target.Bucket = f.bucket
		report, err := f.once(cmd, target)
		switch {
		case err != nil:
			return err
		case f.every == 0 && !report.OK():
			return &exitError{exitFailed}
		case f.every == 0:
			return nil
		}
		select {
		case <-time.After(f.every):
		case <-cmd.Context().Done():
			return nil
		}
	}
}

// once probes and says what came out.
func (f *probeFlags) once(cmd *cobra.Command, t *probe.Target) (*probe.Report, error) {
	out := cmd.OutOrStdout()
	var opts probe.Options
	if !f.asJSON {
		colour := isTerminal(out)
		opts.Tell = func(c probe.Check) { printCheck(out, c, colour) }
	}
	report := probe.Run(cmd.Context(), *t, opts)
	if f.asJSON {
		if err := json.NewEncoder(out).Encode(report); err != nil {
			return nil, err
		}
	} else {
		fmt.Fprintf(out, "%d passed, %d failed, %d with a warning, %d not tried\n",
			report.Count(probe.Passed), report.Count(probe.Failed), report.Count(probe.Warned), report.Count(probe.Skipped))
	}
	if f.metrics == "" {
		return report, nil
	}
	return report, writeProbeMetrics(f.metrics, report)
}

func printCheck(w io.Writer, c probe.Check, colour bool) {
	mark := map[probe.Result]string{probe.Passed: "ok  ", probe.Failed: "FAIL", probe.Warned: "warn", probe.Skipped: "-   "}[c.Result]
	if colour {
		mark = map[probe.Result]string{probe.Passed: "\x1b[32m", probe.Failed: "\x1b[31m", probe.Warned: "\x1b[33m", probe.Skipped: "\x1b[2m"}[c.Result] + mark + "\x1b[0m"
	}
	fmt.Fprintf(w, "%s  %s  (%s)\n", mark, c.Says, c.Found)
	if c.Cause != "" {
		fmt.Fprintf(w, "      likely: %s\n      do:     %s\n", c.Cause, c.Fix)
	}
}

// writeProbeMetrics replaces the file in one step, as a collector may read it at
// any moment.
func writeProbeMetrics(name string, r *probe.Report) error {
	var b strings.Builder
	b.WriteString("# HELP handstamp_probe_checks Checks of the last probe by how they ended.\n# TYPE handstamp_probe_checks gauge\n")
	for _, result := range []probe.Result{probe.Passed, probe.Failed, probe.Warned, probe.Skipped} {
		fmt.Fprintf(&b, "handstamp_probe_checks{attraction=%q,result=%q} %d\n", r.Place, result, r.Count(result))
	}
	b.WriteString("# HELP handstamp_probe_ok Whether no check of the last probe failed.\n# TYPE handstamp_probe_ok gauge\n")
	ok := 0
	if r.OK() {
		ok = 1
	}
	fmt.Fprintf(&b, "handstamp_probe_ok{attraction=%q} %d\n", r.Place, ok)
	b.WriteString("# HELP handstamp_probe_timestamp_seconds When the last probe began, seconds since 1970.\n# TYPE handstamp_probe_timestamp_seconds gauge\n")
	fmt.Fprintf(&b, "handstamp_probe_timestamp_seconds{attraction=%q} %d\n", r.Place, r.At.Unix())
	temp, err := os.CreateTemp(filepath.Dir(name), ".handstamp-*")
	if err != nil {
		return err
	}
	_, err = temp.WriteString(b.String())
	if err == nil {
		err = temp.Chmod(0o644)
	}
	if closed := temp.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(temp.Name(), name)
	}
	if err != nil {
		_ = os.Remove(temp.Name())
	}
	return err
}
