package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/handstamp/handstamp/pkg/objects/mirror/inventory"
)

func newContentCheck() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "check DIR",
		Short: "Hold the catalogues of a folder against its files",
		Long: `Read every guide.yaml in a folder, and say which files it names that are not
there or empty, which playlists name segments that are not there or that another
ticket opens, and which files nobody names. The folder is that of one attraction,
with guide.yaml in it, or one above several of them.

Files that nobody names are a note; everything else is a problem and ends the
command with status 1.`,
		Example: `  handstamp content check media/castle`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			folder, err := openContent(args[0])
			if err != nil {
				return err
			}
			defer folder.Close()
			r := folder.check()
			if len(r.Catalogues) == 0 {
				return fmt.Errorf(`%s has no guide.yaml, nor has any folder in it`, args[0])
			}
			if asJSON {
				err = json.NewEncoder(cmd.OutOrStdout()).Encode(r.json())
			} else {
				err = r.print(cmd.OutOrStdout())
			}
			if err == nil && len(r.Problems) > 0 {
				err = &exitError{exitFailed}
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (r *contentReport) print(w io.Writer) error {
	r.printProblems(w)
	for _, f := range r.Notes {
		fmt.Fprintf(w, "note: %s\n", line(f))
	}
	for _, s := range r.Skipped {
		fmt.Fprintf(w, "note: %s is left out: %s\n", s.Name, s.Why)
	}
	_, err := fmt.Fprintf(w, "%s, %s, %s: %s, %s\n", count(len(r.Catalogues), "catalogue"), count(r.Items, "item"), count(r.Files, "file"),
		count(len(r.Problems), "problem"), count(len(r.Notes)+len(r.Skipped), "note"))
	return err
}

func (r *contentReport) printProblems(w io.Writer) {
	for _, f := range r.Problems {
		fmt.Fprintln(w, line(f))
	}
}

func line(f inventory.Finding) string {
	if f.File == "" {
		return f.Text
	}
	return f.File + ": " + f.Text
}

// count returns n things in words.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// json returns the report as --json prints it.
func (r *contentReport) json() map[string]any {
	lines := func(findings []inventory.Finding) []map[string]string {
		all := []map[string]string{}
		for _, f := range findings {
			all = append(all, map[string]string{"file": f.File, "says": f.Text})
		}
		return all
	}
	return map[string]any{"catalogues": r.Catalogues, "items": r.Items, "files": r.Files,
		"problems": lines(r.Problems), "notes": lines(r.Notes), "skipped": skips(r.Skipped)}
}
