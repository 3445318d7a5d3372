package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/handstamp/handstamp/pkg/objects/mirror"
)

// syncing is a "content sync" at work.
type syncing struct {
	flags *syncFlags
	to    mirror.Target
	began time.Time
	bar   *progress
	done  int64 // bytes
}

// sent moves the bar. It is called one at a time.
func (s *syncing) sent(n int64) {
	s.done += n
	s.bar.at(s.done, s.done>>20)
}

func (s *syncing) run(cmd *cobra.Command, m *mirror.Mirror) error {
	plan, err := m.Plan(cmd.Context())
	if err != nil {
		return err
	}
	if s.flags.dryRun {
		return s.printPlan(cmd.OutOrStdout(), plan)
	}
	s.bar = newProgress(cmd.ErrOrStderr(), "MiB", plan.Bytes())
	report, err := m.Do(cmd.Context(), plan)
	s.bar.end()
	if !s.flags.asJSON {
		s.complain(cmd.ErrOrStderr(), plan, report)
	}
	return errors.Join(s.summary(cmd.OutOrStdout(), plan, report), s.verdict(report, err))
}

// verdict is how the command ends.
func (s *syncing) verdict(r *mirror.Report, err error) error {
	if err != nil {
		return fmt.Errorf("interrupted; %s has only a part of it (hint: the same command goes on)", s.to)
	}
	if len(r.Failed) > 0 {
		return &exitError{exitFailed}
	}
	return nil
}

// complain says what was left out, and what did not work.
func (s *syncing) complain(w io.Writer, p *mirror.Plan, r *mirror.Report) {
	for _, skip := range p.Skipped {
		fmt.Fprintf(w, "%s is left out: %s\n", skip.Name, skip.Why)
	}
	for _, f := range r.Failed {
		fmt.Fprintf(w, "handstamp: error: %s: %v\n", f.Name, s.flags.hint(f.Err, s.to))
	}
	for _, name := range r.Held {
		fmt.Fprintf(w, "%s waits until the others are there\n", name)
	}
}

func (s *syncing) summary(w io.Writer, p *mirror.Plan, r *mirror.Report) error {
	took := time.Since(s.began)
	if s.flags.asJSON {
		out := planJSON(p)
		out["put"], out["deleted"], out["bytes"], out["seconds"] = r.Put, r.Deleted, r.Bytes, took.Seconds()
		out["failed"], out["held"] = failures(r.Failed), append([]string{}, r.Held...)
		return json.NewEncoder(w).Encode(out)
	}
	_, err := fmt.Fprintf(w, "%s: %s sent (%s), %d unchanged, %d deleted, %d failed, in %s\n", s.to, count(r.Put, "file"), size(r.Bytes),
		p.Unchanged, r.Deleted, len(r.Failed), took.Round(time.Millisecond))
	return err
}

// printPlan is what --dry-run says.
func (s *syncing) printPlan(w io.Writer, p *mirror.Plan) error {
	var err error
	if s.flags.asJSON {
		out := planJSON(p)
		out["dry_run"], out["steps"], out["failed"] = true, steps(p), failures(p.Failed)
		err = json.NewEncoder(w).Encode(out)
	} else {
		err = s.printSteps(w, p)
	}
	if err == nil && len(p.Failed) > 0 {
		err = &exitError{exitFailed}
	}
	return err
}

func (s *syncing) printSteps(w io.Writer, p *mirror.Plan) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	put, gone := 0, 0
	for _, step := range p.Steps {
		if step.Action == mirror.Delete {
			gone++
			fmt.Fprintf(table, "delete\t%s\t%s\t%s\t\t\n", step.Name, size(step.Size), step.Why)
			continue
		}
		put++
		fmt.Fprintf(table, "put\t%s\t%s\t%s\t%s\t%s\n", step.Name, size(step.Size), step.Why, step.Type, step.Cache)
	}
	for _, skip := range p.Skipped {
		fmt.Fprintf(table, "skip\t%s\t\t%s\t\t\n", skip.Name, skip.Why)
	}
	for _, f := range p.Failed {
		fmt.Fprintf(table, "cannot\t%s\t\t%v\t\t\n", f.Name, f.Err)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "%s: %s to send (%s), %d unchanged, %d to delete, %d left out, %d that cannot be sent; nothing was done\n",
		s.to, count(put, "file"), size(p.Bytes()), p.Unchanged, gone, len(p.Skipped), len(p.Failed))
	return err
}

// planJSON returns what all JSON about a plan has.
func planJSON(p *mirror.Plan) map[string]any {
	return map[string]any{"unchanged": p.Unchanged, "skipped": skips(p.Skipped)}
}

func steps(p *mirror.Plan) []map[string]any {
	all := []map[string]any{}
	for _, s := range p.Steps {
		one := map[string]any{"action": s.Action, "name": s.Name, "bytes": s.Size, "why": s.Why}
		if s.Action == mirror.Put {
			one["content_type"], one["cache_control"] = s.Type, s.Cache
		}
		all = append(all, one)
	}
	return all
}

func skips(skipped []mirror.Skip) []map[string]string {
	all := []map[string]string{}
	for _, s := range skipped {
		all = append(all, map[string]string{"name": s.Name, "why": s.Why})
	}
	return all
}

func failures(failed []mirror.Failure) []map[string]string {
	all := []map[string]string{}
	for _, f := range failed {
		all = append(all, map[string]string{"name": f.Name, "error": f.Err.Error()})
	}
	return all
}

// size returns bytes in words.
func size(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%d B", n)
}
