package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func newMan() *cobra.Command {
	return &cobra.Command{
		Use:     "man DIR",
		Short:   "Write the manual pages into a folder",
		Example: "  handstamp man /usr/local/share/man/man1",
		Hidden:  true, // for those who package handstamp
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("%s takes one folder, found %d arguments", cmd.CommandPath(), len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return writeManual(cmd.Root(), args[0])
		},
	}
}

// writeManual writes a page for cmd and for everything below it into dir, which
// it makes if need be. The same program writes the same bytes.
func writeManual(cmd *cobra.Command, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil { // #nosec G301 -- manuals are for everybody
		return err
	}
	file := filepath.Join(dir, pageName(cmd)+".1")
	if err := os.WriteFile(file, manualPage(cmd), 0o644); err != nil { // #nosec G306 -- the same
		return err
	}
	for _, below := range visible(cmd) {
		if err := writeManual(below, dir); err != nil {
			return err
		}
	}
	return nil
}

// visible returns the commands below cmd that help lists.
func visible(cmd *cobra.Command) []*cobra.Command {
	var all []*cobra.Command
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			all = append(all, c)
		}
	}
	return all
}

func pageName(cmd *cobra.Command) string { return strings.ReplaceAll(cmd.CommandPath(), " ", "-") }

// manualPage returns the page of one command in the man macros, see
// man-pages(7). It has no date, so that builds can be repeated.
func manualPage(cmd *cobra.Command) []byte {
	cmd.InitDefaultHelpFlag()
	var b bytes.Buffer
	fmt.Fprintf(&b, ".TH %q 1 \"\" %q \"handstamp manual\"\n", strings.ToUpper(pageName(cmd)), "handstamp "+version())
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n", roff(pageName(cmd)), roff(cmd.Short))
	fmt.Fprintf(&b, ".SH SYNOPSIS\n.B %s\n", roff(cmd.UseLine()))
	if cmd.Long != "" {
		fmt.Fprintf(&b, ".SH DESCRIPTION\n%s\n", paragraphs(cmd.Long))
	}
	writeOptions(&b, cmd)
	if cmd.Example != "" {
		fmt.Fprintf(&b, ".SH EXAMPLES\n.nf\n%s\n.fi\n", roff(cmd.Example))
	}
	writeExitStatus(&b)
	writeSeeAlso(&b, cmd)
	return b.Bytes()
}

func writeOptions(b *bytes.Buffer, cmd *cobra.Command) {
	b.WriteString(".SH OPTIONS\n")
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		value, usage := pflag.UnquoteUsage(f)
		name := "--" + f.Name
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + ", " + name
		}
		fmt.Fprintf(b, ".TP\n.B %s\n%s", roff(strings.TrimSpace(name+" "+value)), roff(usage))
		if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "[]" {
			fmt.Fprintf(b, " (default %s)", roff(f.DefValue))
		}
		b.WriteByte('\n')
	})
}

func writeExitStatus(b *bytes.Buffer) {
	fmt.Fprintf(b, `.SH "EXIT STATUS"
.TP
.B %d
done
.TP
.B %d
failed or refused
.TP
.B %d
a mistake in the command line
.TP
.B %d
a mistake in the configuration
`, exitDone, exitFailed, exitUsage, exitConfig)
}

func writeSeeAlso(b *bytes.Buffer, cmd *cobra.Command) {
	var pages []string
	if cmd.HasParent() {
		pages = append(pages, pageName(cmd.Parent()))
	}
	for _, below := range visible(cmd) {
		pages = append(pages, pageName(below))
	}
	for i, page := range pages {
		pages[i] = fmt.Sprintf("\\fB%s\\fR(1)", roff(page))
	}
	if len(pages) > 0 {
		fmt.Fprintf(b, ".SH \"SEE ALSO\"\n%s\n", strings.Join(pages, ", "))
	}
}

// paragraphs returns text whose blank lines part paragraphs.
func paragraphs(text string) string {
	return strings.ReplaceAll(roff(text), "\n\n", "\n.PP\n")
}

// roff returns text that stands for itself: no line is a request, no backslash
// an escape, and hyphens can be copied.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(text)
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "\n")
}
