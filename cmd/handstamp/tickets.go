package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/user"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/handstamp/handstamp/pkg/app"
	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/config"
	"github.com/handstamp/handstamp/pkg/gate"
)

func newTickets() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "tickets",
		Short: "Issue, import, find and revoke tickets of your own",
		Long: `Tickets that are kept in the book of admissions, for a source of kind "issued".
The gateway may run meanwhile.`,
		Args: noSuchCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newTicketsIssue(), newTicketsImport(), newTicketsShow(), newTicketsRevoke(), newTicketsExport(), newTicketsMint(), newTicketsPass(), newTicketsTry())
	return cmd
}

// A desk is what commands about tickets work with.
type desk struct {
	cfg    *config.Config
	book   app.Ledger
	closer io.Closer
	issuer *app.Issuer
}

// openDesk opens the configured book.
func (f *configFlags) openDesk(cmd *cobra.Command) (*desk, error) {
	cfg, err := f.load(cmd.ErrOrStderr())
	if err != nil {
		return nil, err
	}
	issuer, err := app.OpenIssuer(cfg)
	if err != nil {
		return nil, &setupError{err}
	}
	ledger, closer, err := app.OpenLedger(cmd.Context(), cfg)
	if err != nil {
		return nil, &setupError{err}
	}
	return &desk{cfg: cfg, book: ledger, closer: closer, issuer: issuer}, nil
}

// deskCommand makes a command that works with the book.
func deskCommand(cmd *cobra.Command, do func(*cobra.Command, *desk, []string) error) *cobra.Command {
	var flags configFlags
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		d, err := flags.openDesk(cmd)
		if err != nil {
			return err
		}
		return errors.Join(do(cmd, d, args), d.closer.Close())
	}
	flags.add(cmd)
	return cmd
}

// event is what the audit says of a command.
func (d *desk) event(action, target, detail string) book.AuditEvent {
	actor := "command line"
	if u, err := user.Current(); err == nil {
		actor += " (" + u.Username + ")"
	}
	return book.AuditEvent{Actor: actor, Action: action, Target: target, Detail: detail}
}

// A ticketShown is a ticket as it is printed, without its code.
type ticketShown struct {
	ID         string     `json:"id"`
	Products   []string   `json:"products"` // attraction, or attraction/package
	Seats      int        `json:"seats,omitzero"`
	ValidFrom  *time.Time `json:"valid_from,omitempty"`
	ValidUntil *time.Time `json:"valid_until,omitempty"`
	Note       string     `json:"note,omitempty"`
	Batch      string     `json:"batch,omitempty"`
	Issued     time.Time  `json:"issued"`
	Revoked    *time.Time `json:"revoked,omitempty"`
	Code       string     `json:"code_fingerprint"`     // keyed hash
	FileOwner  string     `json:"file_owner,omitempty"` // of one ticket, with private files
}

func shown(r *book.Record) ticketShown {
	s := ticketShown{ID: r.ID, Seats: r.Seats, Note: r.Note, Batch: r.Batch, Issued: r.Issued, Code: hex.EncodeToString(r.Code[:]),
		ValidFrom: optional(r.ValidFrom), ValidUntil: optional(r.ValidUntil), Revoked: optional(r.Revoked)}
	for _, p := range r.Products {
		s.Products = append(s.Products, strings.TrimSuffix(p.Attraction+"/"+p.Package, "/"))
	}
	return s
}

func optional(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func newTicketsShow() *cobra.Command {
	var asJSON bool
	cmd := deskCommand(&cobra.Command{
		Use:   "show ID",
		Short: "Show a ticket, by its id or by its code",
		Long: `Show a ticket and the visits that it was used for. With "-" instead of an id the
code is read from standard input, so that it is in no history of commands.`,
		Example: `  handstamp tickets show 6M2K4QZ7BRC3
  handstamp tickets show - <<< 1ZK2M-...`,
		Args: cobra.ExactArgs(1),
	}, func(cmd *cobra.Command, d *desk, args []string) error {
		r, err := d.find(cmd, args[0])
		if err != nil {
			return err
		}
		visits, _, err := d.book.Admissions(cmd.Context(), book.AdmissionQuery{Ticket: r.Code, Limit: 20})
		if err != nil {
			return err
		}
		s := shown(r)
		if d.cfg.Objects.Bucket != "" {
			s.FileOwner = d.issuer.FileOwner(r.Code)
		}
		return printTicket(cmd.OutOrStdout(), &s, r, visits, asJSON)
	})
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// find returns the record that an argument names.
func (d *desk) find(cmd *cobra.Command, arg string) (*book.Record, error) {
	if arg != "-" {
		r, err := d.book.Record(cmd.Context(), arg)
		if _, malformed := d.issuer.Fingerprint(gate.Secret(arg)); errors.Is(err, gate.ErrNoTarget) && malformed == nil {
			return nil, errors.New(`no ticket with this id is on record (hint: a code is read from standard input, "handstamp tickets show -")`)
		}
		return r, notThere(err, arg)
	}
	text, err := io.ReadAll(io.LimitReader(cmd.InOrStdin(), 1024))
	if err != nil {
		return nil, err
	}
	print, err := d.issuer.Fingerprint(gate.Secret(strings.TrimSpace(string(text))))
	if err != nil {
		return nil, fmt.Errorf("that cannot be a code: %w", err)
	}
	r, err := d.book.Lookup(cmd.Context(), print)
	return r, notThere(err, "with this code")
}

func notThere(err error, what string) error {
	if errors.Is(err, gate.ErrNoTarget) {
		return fmt.Errorf(`no ticket %s is on record (hint: "handstamp tickets export" lists them)`, what)
	}
	return err
}

func printTicket(w io.Writer, s *ticketShown, r *book.Record, visits []gate.Admission, asJSON bool) error {
	type visit struct {
		ID     string     `json:"id"`
		State  gate.State `json:"state"`
		Begins time.Time  `json:"begins"`
		Ends   time.Time  `json:"ends"`
		Taken  int        `json:"devices"`
		Seats  int        `json:"seats"`
	}
	var list []visit
	for _, a := range visits {
		list = append(list, visit{a.ID, a.State, a.Begins, a.Ends, a.Taken, a.Seats})
	}
	if asJSON {
		return json.NewEncoder(w).Encode(struct {
			*ticketShown
			Admissions []visit `json:"admissions"`
		}{s, list})
	}
	fmt.Fprintf(w, "ticket     %s\nopens      %s\nseats      %s\nvalid      %s\nissued     %s\n", s.ID, strings.Join(s.Products, ", "),
		orDefault(r.Seats), span(r.ValidFrom, r.ValidUntil), r.Issued.Format(time.RFC3339))
	for label, text := range map[string]string{"batch": r.Batch, "note": r.Note, "files of": s.FileOwner} {
		if text != "" {
			fmt.Fprintf(w, "%-10s %s\n", label, text)
		}
	}
	if s.Revoked != nil {
		fmt.Fprintf(w, "revoked    %s\n", s.Revoked.Format(time.RFC3339))
	}
	for _, v := range list {
		fmt.Fprintf(w, "visit      %s  %s, from %s until %s, %d of %d devices\n", v.ID, v.State, v.Begins.Format(time.RFC3339), v.Ends.Format(time.RFC3339), v.Taken, v.Seats)
	}
	return nil
}

func orDefault(seats int) string {
	if seats == 0 {
		return "as configured"
	}
	return fmt.Sprint(seats)
}

func span(from, until time.Time) string {
	switch {
	case from.IsZero() && until.IsZero():
		return "always"
	case from.IsZero():
		return "until " + until.Format(time.RFC3339)
	case until.IsZero():
		return "from " + from.Format(time.RFC3339)
	}
	return "from " + from.Format(time.RFC3339) + " until " + until.Format(time.RFC3339)
}

func newTicketsRevoke() *cobra.Command {
	var batch string
	var asJSON bool
	cmd := deskCommand(&cobra.Command{
		Use:   "revoke ID...",
		Short: "Take tickets back for good",
		Long: `Take tickets back, by their ids or a whole batch. No visit with them is renewed
any more; cookies that are out live on for as long as the command says.`,
		Example: `  handstamp tickets revoke 6M2K4QZ7BRC3
  handstamp tickets revoke --batch school-2026-07`,
	}, func(cmd *cobra.Command, d *desk, args []string) error {
		if (len(args) == 0) == (batch == "") {
			return usagef("name tickets by their ids, or a batch with --batch")
		}
		ids := args
		if batch != "" {
			err := d.each(cmd.Context(), book.Query{Batch: batch}, func(r *book.Record) error { ids = append(ids, r.ID); return nil })
			if err != nil {
				return err
			}
			if len(ids) == 0 {
				return fmt.Errorf("no ticket of batch %q is on record", batch)
			}
		}
		affected, exposure := 0, time.Duration(0)
		for _, id := range ids {
			r, err := d.find(cmd, id)
			if err != nil {
				return err
			}
			n, err := d.book.RevokeRecord(cmd.Context(), r.ID, time.Now(), d.event("ticket.revoke", r.ID, ""))
			if err != nil {
				return notThere(err, r.ID)
			}
			affected += n
			visits, _, err := d.book.Admissions(cmd.Context(), book.AdmissionQuery{Ticket: r.Code, Limit: 1})
			if err != nil {
				return err
			}
			if len(visits) > 0 { // what nobody has shown is in nobody's hands
				exposure = app.Exposure(d.cfg)
			}
		}
		if asJSON {
			return json.NewEncoder(cmd.OutOrStdout()).Encode(map[string]any{"revoked": len(ids), "affected": affected, "exposure_seconds": int(exposure.Seconds())})
		}
		fmt.Fprintf(cmd.OutOrStdout(), "revoked %d, which ended %d visits; cookies that are out open files for %s more at most\n", len(ids), affected, exposure)
		return nil
	})
	cmd.Flags().StringVar(&batch, "batch", "", "revoke every ticket of this batch")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// each calls do for every record that q selects.
func (d *desk) each(ctx context.Context, q book.Query, do func(*book.Record) error) error {
	q.Limit = 1000
	for {
		records, next, err := d.book.Records(ctx, q)
		if err != nil {
			return err
		}
		for i := range records {
			if err := do(&records[i]); err != nil {
				return err
			}
		}
		if next == "" {
			return nil
		}
		q.After = next
	}
}
