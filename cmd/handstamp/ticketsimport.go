package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/handstamp/handstamp/pkg/app"
	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/ticket/roll"
)

func newTicketsImport() *cobra.Command {
	var batch, rejected string
	var asJSON bool
	cmd := deskCommand(&cobra.Command{
		Use:   "import FILE",
		Short: "Put a list of tickets into the book",
		Long: `Put the tickets of a CSV file, or of a file with one JSON object a line, into the
book. The columns are those of a list: code, attraction, packages, seats,
valid_from, valid_until, note, day, slot_from, slot_until, days, hours. Of the
codes only fingerprints are kept.

Every line that cannot be used is reported and left out; the others are imported,
and the exit status is 1. Nobody gets in with a ticket of the list before all of
it is there. An import that was interrupted goes on when it is done again, and
doing it once more changes nothing.`,
		Example: `  handstamp tickets import july.csv
  handstamp tickets import july.csv --batch july --rejected rejected.txt`,
		Args: cobra.ExactArgs(1),
	}, func(cmd *cobra.Command, d *desk, args []string) error {
		if batch == "" {
			batch = filepath.Base(args[0])
		}
		in := &importer{desk: d, file: args[0], batch: batch, asJSON: asJSON}
		return in.run(cmd, rejected)
	})
	cmd.Flags().StringVar(&batch, "batch", "", "name of the batch; empty is the name of the file")
	cmd.Flags().StringVar(&rejected, "rejected", "", "file for the report of rejected lines; empty is standard error")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// An importer puts one list into the book.
type importer struct {
	*desk
	file, batch string
	asJSON      bool
	report      *bufio.Writer
	bar         *progress
	done        int64 // bytes read
	lines       int64
	rejected    int64
}

func (in *importer) run(cmd *cobra.Command, report string) (err error) {
	file, err := os.Open(in.file)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	out, err := in.openReport(report, cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.report.Flush(), out.Close()) }()
	in.bar = newProgress(cmd.ErrOrStderr(), "tickets", info.Size())
	check, err := app.ProductCheck(in.cfg)
	if err != nil {
		return err
	}
	lines, failed := roll.Each(in.file, counting{file, &in.done}, roll.Options{Check: check})
	began := time.Now()
	ctx, broken := context.WithCancel(cmd.Context())
	defer broken()
	added, unchanged, err := in.book.Import(ctx, in.batch, in.records(lines, failed, broken), in.event("tickets.import", in.batch, "from "+filepath.Base(in.file)))
	in.bar.end()
	if bad := failed(); bad != nil {
		return fmt.Errorf("%s: %w; nothing of it is good yet (hint: mend the file and import it again)", in.file, bad)
	}
	if err != nil && cmd.Context().Err() != nil {
		return fmt.Errorf("interrupted after %d lines; nothing of %s is good yet (hint: the same command goes on)", in.lines, in.file)
	}
	if err != nil {
		return fmt.Errorf("import %s: %w", in.file, err)
	}
	return in.summary(cmd.OutOrStdout(), added, unchanged, time.Since(began))
}

func (in *importer) openReport(name string, stderr io.Writer) (io.Closer, error) {
	if name == "" {
		in.report = bufio.NewWriter(stderr)
		return io.NopCloser(nil), nil
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	in.report = bufio.NewWriter(f)
	return f, nil
}

// records are the lines that can be used. It calls broken when the list cannot
// be read to its end.
func (in *importer) records(lines iter.Seq[roll.Line], failed func() error, broken func()) iter.Seq[book.Record] {
	return func(yield func(book.Record) bool) {
		for line := range lines {
			in.lines++
			in.bar.at(in.done, in.lines)
			r, err := in.record(line)
			if err != nil {
				in.rejected++
				fmt.Fprintf(in.report, "%s:%d: %v\n", in.file, line.Number, err)
				continue
			}
			if !yield(r) {
				return
			}
		}
		if failed() != nil {
			broken() // or this would be taken for the end of the list
		}
	}
}

func (in *importer) record(line roll.Line) (book.Record, error) {
	if line.Err != nil {
		return book.Record{}, line.Err
	}
	print, err := in.issuer.Fingerprint(line.Code)
	if err != nil {
		return book.Record{}, fmt.Errorf("code: %w", err)
	}
	t := line.Ticket
	return book.Record{Code: print, Products: t.Buys, Seats: t.Seats, ValidFrom: t.ValidFrom, ValidUntil: t.ValidUntil,
		Terms: t.Terms, Note: line.Note, Batch: in.batch}, nil
}

func (in *importer) summary(w io.Writer, added, unchanged int, took time.Duration) error {
	var err error
	if in.asJSON {
		err = json.NewEncoder(w).Encode(map[string]any{"batch": in.batch, "added": added, "unchanged": unchanged, "rejected": in.rejected,
			"seconds": took.Seconds()})
	} else {
		_, err = fmt.Fprintf(w, "%s: %d tickets added, %d were on record, %d lines rejected, in %s\n", in.batch, added, unchanged, in.rejected, took.Round(time.Millisecond))
	}
	if err == nil && in.rejected > 0 {
		err = &exitError{exitFailed}
	}
	return err
}

// counting counts the bytes that are read through it.
type counting struct {
	io.Reader
	n *int64
}

func (c counting) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	*c.n += int64(n)
	return n, err
}
