package main

import (
	"crypto/rand"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/handstamp/handstamp/pkg/app"
	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/sheet"
)

// An order is what "tickets issue" is asked for.
type order struct {
	attraction      string
	packages        []string
	seats, count    int
	from, until     string
	note, batch     string
	csv, pdf, svg   string
	asJSON          bool
	validFrom, ends time.Time
	products        []gate.Product
}

// maxIssue is how many tickets are issued at once.
const maxIssue = 10_000

func newTicketsIssue() *cobra.Command {
	var o order
	cmd := deskCommand(&cobra.Command{
		Use:   "issue",
		Short: "Make new tickets",
		Long: `Make tickets with codes that nobody can guess. The codes are shown this once: the
book keeps only fingerprints of them.`,
		Example: `  handstamp tickets issue --attraction castle --packages audio,premium --seats 4
  handstamp tickets issue --attraction castle --count 40 --valid-until 2026-07-02T00:00:00+02:00 \
    --batch school-visit --pdf school-visit.pdf`,
		Args: onlyFlags,
	}, func(cmd *cobra.Command, d *desk, _ []string) error { return o.run(cmd, d) })
	cmd.Flags().StringVar(&o.attraction, "attraction", "", "id of the attraction")
	cmd.Flags().StringSliceVar(&o.packages, "packages", nil, "ids of the packages; none means all of them")
	cmd.Flags().IntVar(&o.seats, "seats", 0, "devices at a time; 0 means as configured")
	cmd.Flags().IntVar(&o.count, "count", 1, "how many tickets, at most 10000")
	cmd.Flags().StringVar(&o.from, "valid-from", "", "RFC 3339 time; empty means at once")
	cmd.Flags().StringVar(&o.until, "valid-until", "", "RFC 3339 time, exclusive; empty means for ever")
	cmd.Flags().StringVar(&o.note, "note", "", "for people")
	cmd.Flags().StringVar(&o.batch, "batch", "", "name of the batch; empty makes one")
	cmd.Flags().StringVar(&o.csv, "csv", "", "write a table with the codes to this new file")
	cmd.Flags().StringVar(&o.pdf, "pdf", "", "write sheets of QR codes to cut out to this new file")
	cmd.Flags().StringVar(&o.svg, "svg", "", "write the same as SVG, a file a page: NAME.svg, NAME-2.svg, ...")
	cmd.Flags().BoolVar(&o.asJSON, "json", false, "print JSON")
	return cmd
}

func (o *order) run(cmd *cobra.Command, d *desk) error {
	if err := o.check(d); err != nil {
		return err
	}
	records, codes, err := o.make(d)
	if err != nil {
		return err
	}
	files, err := o.files() // before the tickets exist
	if err != nil {
		return err
	}
	event := d.event("ticket.issue", o.batch, fmt.Sprintf("%d tickets", o.count))
	if err := d.book.Issue(cmd.Context(), records, event); err != nil {
		return fmt.Errorf("issue: %w", err)
	}
	if err := files.write(o.sheet(d, codes)); err != nil {
		return fmt.Errorf("the tickets are issued as batch %q, but not all files are written: %w", o.batch, err)
	}
	return o.print(cmd.OutOrStdout(), d, records, codes)
}

func (o *order) check(d *desk) (err error) {
	check, err := app.ProductCheck(d.cfg)
	if err != nil {
		return err
	}
	if o.products = []gate.Product{{Attraction: o.attraction}}; len(o.packages) > 0 {
		o.products = nil
	}
	for _, p := range o.packages {
		o.products = append(o.products, gate.Product{Attraction: o.attraction, Package: p})
	}
	for _, p := range o.products {
		if err := check(p); err != nil {
			return usagef("--attraction, --packages: %v", err)
		}
	}
	if o.validFrom, err = optionalTime("--valid-from", o.from); err != nil {
		return err
	}
	if o.ends, err = optionalTime("--valid-until", o.until); err != nil {
		return err
	}
	switch {
	case o.count < 1 || o.count > maxIssue:
		return usagef("--count %d, want 1 to %d", o.count, maxIssue)
	case o.seats < 0 || o.seats > 1000:
		return usagef("--seats %d, want 1 to 1000", o.seats)
	case !o.ends.IsZero() && !o.ends.After(time.Now()):
		return usagef("--valid-until %s is in the past", o.until)
	case !o.ends.IsZero() && !o.ends.After(o.validFrom):
		return usagef("--valid-until %s is not after --valid-from", o.until)
	}
	if o.batch == "" {
		o.batch = time.Now().UTC().Format("2006-01-02-") + strings.ToLower(rand.Text()[:6])
	}
	return nil
}

func optionalTime(flag, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return t, usagef("%s %q is not an RFC 3339 time like 2026-07-01T18:00:00+02:00", flag, text)
	}
	return t, nil
}

// make makes the codes and what the book is to keep of them.
func (o *order) make(d *desk) (records []book.Record, codes []gate.Secret, err error) {
	for range o.count {
		code, err := d.issuer.New()
		if err != nil {
			return nil, nil, err
		}
		print, err := d.issuer.Fingerprint(code)
		if err != nil {
			return nil, nil, err
		}
		codes = append(codes, d.issuer.Show(code))
		records = append(records, book.Record{ID: rand.Text(), Code: print, Products: o.products, Seats: o.seats,
			ValidFrom: o.validFrom, ValidUntil: o.ends, Note: o.note, Batch: o.batch, Issued: time.Now()})
	}
	return records, codes, nil
}

func (o *order) sheet(d *desk, codes []gate.Secret) sheet.Sheet {
	s := sheet.Sheet{Attraction: o.attraction, ValidFrom: o.validFrom, ValidUntil: o.ends, Foot: o.batch}
	if place, err := app.Place(d.cfg, o.attraction); err == nil {
		s.Attraction, s.Zone, s.Packages = place.Name, place.Zone, app.PackageNames(place, o.packages)
	}
	for _, c := range codes {
		s.Tickets = append(s.Tickets, sheet.Ticket{Code: c, Content: app.TicketLink(strings.TrimSuffix(d.cfg.HTTP.PublicURL, "/"), c)})
	}
	return s
}

// A printout is a new file that tickets are written to.
type printout struct {
	file  *os.File
	write func(io.Writer, sheet.Sheet) error
}

type printouts struct {
	all []printout
	svg string // name of the first page
}

// files opens the files that were asked for. One that exists is kept, and an
// error.
func (o *order) files() (p printouts, err error) {
	add := func(name string, write func(io.Writer, sheet.Sheet) error) {
		if name == "" || err != nil {
			return
		}
		var f *os.File
		if f, err = os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600); err == nil {
			p.all = append(p.all, printout{f, write})
		}
	}
	add(o.csv, sheet.CSV)
	add(o.pdf, sheet.PDF)
	add(o.svg, func(w io.Writer, s sheet.Sheet) error { return sheet.SVG(w, s, 1) })
	p.svg = o.svg
	return p, err
}

func (p printouts) write(s sheet.Sheet) error {
	for _, out := range p.all {
		if err := out.write(out.file, s); err != nil {
			return err
		}
		if err := out.file.Close(); err != nil {
			return err
		}
	}
	if p.svg == "" {
		return nil
	}
	pages, err := s.Pages()
	for page := 2; err == nil && page <= pages; page++ {
		err = writePage(p.svg, s, page)
	}
	return err
}

func writePage(first string, s sheet.Sheet, page int) error {
	ext := filepath.Ext(first)
	f, err := os.OpenFile(fmt.Sprintf("%s-%d%s", strings.TrimSuffix(first, ext), page, ext), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := sheet.SVG(f, s, page); err != nil {
		return err
	}
	return f.Close()
}

func (o *order) print(w io.Writer, d *desk, records []book.Record, codes []gate.Secret) error {
	type issued struct {
		ID   string `json:"id"`
		Code string `json:"code"`
	}
	if o.asJSON {
		var list []issued
		for i, r := range records {
			list = append(list, issued{r.ID, codes[i].Reveal()})
		}
		return json.NewEncoder(w).Encode(map[string]any{"batch": o.batch, "tickets": list})
	}
	for i, r := range records {
		fmt.Fprintf(w, "%s  %s\n", codes[i].Reveal(), r.ID)
	}
	_, err := fmt.Fprintf(w, "batch %s: %d tickets for %s. The codes are shown this once.\n", o.batch, len(records), o.attraction)
	return err
}

func newTicketsExport() *cobra.Command {
	var q book.Query
	var asJSON bool
	cmd := deskCommand(&cobra.Command{
		Use:   "export",
		Short: "List the tickets in the book",
		Long: `Print the tickets in the book as CSV, or as JSON, one a line. There is a
fingerprint in the place of each code, as the codes themselves are not kept.`,
		Example: `  handstamp tickets export > tickets.csv
  handstamp tickets export --batch school-visit --json`,
		Args: onlyFlags,
	}, func(cmd *cobra.Command, d *desk, _ []string) error {
		if asJSON {
			enc := json.NewEncoder(cmd.OutOrStdout())
			return d.each(cmd.Context(), q, func(r *book.Record) error { return enc.Encode(shown(r)) })
		}
		w := csv.NewWriter(cmd.OutOrStdout())
		if err := w.Write([]string{"id", "products", "seats", "valid_from", "valid_until", "batch", "note", "issued", "revoked", "code_fingerprint"}); err != nil {
			return err
		}
		err := d.each(cmd.Context(), q, func(r *book.Record) error { return w.Write(exported(r)) })
		w.Flush()
		if err == nil {
			err = w.Error()
		}
		return err
	})
	cmd.Flags().StringVar(&q.Attraction, "attraction", "", "only tickets that open this attraction")
	cmd.Flags().StringVar(&q.Batch, "batch", "", "only tickets of this batch")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, one ticket a line")
	return cmd
}

// exported is a line of the table.
func exported(r *book.Record) []string {
	s := shown(r)
	line := []string{s.ID, strings.Join(s.Products, ";"), fmt.Sprint(s.Seats), when(r.ValidFrom), when(r.ValidUntil), s.Batch, s.Note,
		when(s.Issued), when(r.Revoked), s.Code}
	for i, cell := range line {
		line[i] = sheet.Cell(cell)
	}
	return line
}

func when(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
