package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"iter"
	"time"

	"github.com/spf13/cobra"

	"github.com/handstamp/handstamp/pkg/app"
	"github.com/handstamp/handstamp/pkg/book"
)

// An auditLine is an event as "audit list --json" prints it.
type auditLine struct {
	Seq     int64     `json:"seq"`
	At      time.Time `json:"at"`
	Actor   string    `json:"actor"`
	Action  string    `json:"action"`
	Target  string    `json:"target"`
	Request string    `json:"request,omitempty"`
	Before  string    `json:"before,omitempty"`
	After   string    `json:"after,omitempty"`
	Detail  string    `json:"detail,omitempty"`
	Hash    string    `json:"hash"`
}

func newAuditList() *cobra.Command {
	var f auditFlags
	var after int64
	var most int
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the events of the audit, oldest first",
		Example: `  handstamp audit list --config config.yaml
  handstamp audit list --after 1200 --limit 50 --json`,
		Args: onlyFlags,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.list(cmd, after, most) },
	}
	cmd.Flags().Int64Var(&after, "after", 0, "only events with higher numbers")
	cmd.Flags().IntVar(&most, "limit", 0, "at most so many; 0 is all of them")
	f.add(cmd)
	return cmd
}

func (f *auditFlags) list(cmd *cobra.Command, after int64, most int) error {
	if after < 0 || most < 0 {
		return usagef("--after and --limit are 0 or more")
	}
	ledger, closer, err := f.open(cmd)
	if err != nil {
		return err
	}
	defer closer.Close()
	out := json.NewEncoder(cmd.OutOrStdout())
	for e, err := range events(cmd, ledger, after, most) {
		if err == nil && f.asJSON {
			err = out.Encode(auditLine{e.Seq, e.At.UTC(), e.Actor, e.Action, e.Target, e.Request, e.Before, e.After, e.Detail, hex.EncodeToString(e.Hash[:])})
		} else if err == nil {
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%6d  %s  %-16q  %-24q  %q  %q\n", e.Seq, e.At.UTC().Format(time.RFC3339), e.Actor, e.Action, e.Target, e.Detail)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// auditPage is how many events are read at a time.
const auditPage = 1000

// events returns those with numbers above after, in order, and at most so many
// of them; 0 is all. An error is the last.
func events(cmd *cobra.Command, ledger app.Ledger, after int64, most int) iter.Seq2[book.AuditEvent, error] {
	return func(yield func(book.AuditEvent, error) bool) {
		for n := 0; most == 0 || n < most; {
			page, err := ledger.Audit(cmd.Context(), after, auditPage)
			if err != nil {
				yield(book.AuditEvent{}, err)
				return
			}
			for _, e := range page {
				if n++; !yield(e, nil) || n == most {
					return
				}
				after = e.Seq
			}
			if len(page) < auditPage {
				return
			}
		}
	}
}
