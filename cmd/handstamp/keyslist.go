package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/handstamp/handstamp/pkg/keyring"
	"github.com/handstamp/handstamp/pkg/keyring/keygroup"
)

func newKeysList() *cobra.Command {
	var atCloudFront bool
	cmd := keysCommand(&cobra.Command{
		Use:     "list",
		Short:   "Show the ring and, side by side, what CloudFront has",
		Example: "  handstamp keys list\n  handstamp keys list --cloudfront --json",
		Args:    onlyFlags,
	}, func(cmd *cobra.Command, d *keyDesk, _ []string) error {
		lines, err := d.list(cmd.Context(), atCloudFront)
		if err != nil {
			return err
		}
		if d.asJSON {
			return json.NewEncoder(cmd.OutOrStdout()).Encode(map[string]any{"keys": lines})
		}
		return printKeys(cmd.OutOrStdout(), lines, atCloudFront)
	})
	cmd.Flags().BoolVar(&atCloudFront, "cloudfront", false, "compare with the key group keys.group")
	return cmd
}

// A keyLine is one key, here and at CloudFront.
type keyLine struct {
	Name        string        `json:"name"`
	State       keyring.State `json:"state,omitempty"` // empty if only CloudFront has it
	Kind        string        `json:"kind,omitempty"`
	Fingerprint string        `json:"fingerprint"`
	From        string        `json:"from,omitempty"`
	Published   *time.Time    `json:"published,omitempty"`
	Activated   *time.Time    `json:"activated,omitempty"`
	Next        string        `json:"next,omitempty"`
	CloudFront  string        `json:"cloudfront,omitempty"` // there, missing, another key, still there, unknown here
	Differs     bool          `json:"differs,omitempty"`
}

func (d *keyDesk) list(ctx context.Context, atCloudFront bool) ([]keyLine, error) {
	m, err := d.load(ctx)
	if err != nil {
		return nil, err
	}
	var there []keygroup.PublicKey
	if atCloudFront {
		if d.group == nil {
			return nil, usagef("--cloudfront needs keys.group, the name of the key group")
		}
		if there, err = d.group.Keys(ctx); err != nil && !errors.Is(err, keygroup.ErrNotThere) {
			return nil, err
		}
	}
	var lines []keyLine
	for i := range m.Keys {
		e := &m.Keys[i]
		line := d.line(e)
		if atCloudFront {
			line.compare(e, there)
		}
		lines = append(lines, line)
	}
	for _, k := range there {
		if !slices.ContainsFunc(m.Keys, func(e keyring.Entry) bool { return e.ID == k.ID }) {
			lines = append(lines, keyLine{Name: k.ID, Fingerprint: k.Fingerprint, CloudFront: "unknown here", Differs: true})
		}
	}
	return lines, nil
}

func (d *keyDesk) line(e *keyring.Entry) keyLine {
	return keyLine{Name: e.Name(), State: e.State, Kind: e.Kind(), Fingerprint: e.Fingerprint, From: e.From,
		Published: optional(e.Published), Activated: optional(e.Activated), Next: d.next(e)}
}

// next says what a key waits for.
func (d *keyDesk) next(e *keyring.Entry) string {
	switch {
	case e.State == keyring.StateUpcoming && e.Published.IsZero():
		return "publish"
	case e.State == keyring.StateUpcoming:
		return "may sign from " + d.rules.Ready(e).Local().Format(time.DateTime)
	case e.State == keyring.StateRetiring:
		return "may retire from " + d.rules.Done(e).Local().Format(time.DateTime)
	case (e.State == keyring.StateRetired || e.State == keyring.StateRevoked) && !e.Published.IsZero() && e.Removed.IsZero():
		return "remove from CloudFront"
	}
	return ""
}

// compare says whether CloudFront has what it should.
func (l *keyLine) compare(e *keyring.Entry, there []keygroup.PublicKey) {
	i := slices.IndexFunc(there, func(k keygroup.PublicKey) bool { return k.ID == e.ID && e.ID != "" })
	over := e.State == keyring.StateRetired || e.State == keyring.StateRevoked
	switch {
	case i < 0 && (over || e.Published.IsZero()):
	case i < 0:
		l.CloudFront, l.Differs = "missing", true
	case there[i].Fingerprint != e.Fingerprint:
		l.CloudFront, l.Differs = "another key", true
	case over:
		l.CloudFront, l.Differs = "still there", true
	default:
		l.CloudFront = "there"
	}
}

func printKeys(w io.Writer, lines []keyLine, atCloudFront bool) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	head := "KEY\tSTATE\tKIND\tFINGERPRINT\tNEXT"
	if atCloudFront {
		head += "\tCLOUDFRONT"
	}
	fmt.Fprintln(table, head)
	for _, l := range lines {
		cells := []string{l.Name, string(l.State), l.Kind, l.Fingerprint[:min(12, len(l.Fingerprint))], l.Next}
		if atCloudFront {
			mark := l.CloudFront
			if l.Differs {
				mark = "! " + mark
			}
			cells = append(cells, mark)
		}
		fmt.Fprintln(table, strings.Join(cells, "\t"))
	}
	return table.Flush()
}
