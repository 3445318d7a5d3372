package main

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/handstamp/handstamp/pkg/app"
	"github.com/handstamp/handstamp/pkg/book"
)

func newTicketsPass() *cobra.Command {
	var flags configFlags
	var o order
	var source, id string
	cmd := &cobra.Command{
		Use:   "pass",
		Short: "Make a pass whose barcode changes every half minute",
		Long: `Put a pass for a source of kind totp into the book, and print the secret that its
holder's wallet makes the barcodes from. The secret follows from the master key of
the source, so it is kept nowhere; whoever has it has the pass. Doing it again with
the id of a pass is an error, as that pass is somebody's.`,
		Example: `  handstamp tickets pass --source annual --attraction castle --valid-until 2027-07-01T00:00:00+02:00
  handstamp tickets pass --source annual --id ANNUAL7F3K --attraction castle --json`,
		Args: onlyFlags,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := flags.load(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			passes, err := app.OpenPasses(cfg, source)
			if err != nil {
				return &setupError{err}
			}
			ledger, closer, err := app.OpenLedger(cmd.Context(), cfg)
			if err != nil {
				return &setupError{err}
			}
			d := &desk{cfg: cfg, book: ledger, closer: closer}
			return errors.Join(o.pass(cmd, d, passes, id), closer.Close())
		},
	}
	cmd.Flags().StringVar(&source, "source", "", "id of the source of kind totp")
	cmd.Flags().StringVar(&id, "id", "", "id of the pass, capitals and digits; empty makes one")
	cmd.Flags().StringVar(&o.attraction, "attraction", "", "id of the attraction")
	cmd.Flags().StringSliceVar(&o.packages, "packages", nil, "ids of the packages; none means all of them")
	cmd.Flags().IntVar(&o.seats, "seats", 0, "devices at a time; 0 means as configured")
	cmd.Flags().StringVar(&o.from, "valid-from", "", "RFC 3339 time; empty means at once")
	cmd.Flags().StringVar(&o.until, "valid-until", "", "RFC 3339 time, exclusive; empty means for ever")
	cmd.Flags().StringVar(&o.note, "note", "", "for people")
	cmd.Flags().StringVar(&o.batch, "batch", "", "name of the batch; empty makes one")
	cmd.Flags().BoolVar(&o.asJSON, "json", false, "print JSON")
	flags.add(cmd)
	return cmd
}

func (o *order) pass(cmd *cobra.Command, d *desk, passes *app.Passes, id string) error {
	o.count = 1
	if err := o.check(d); err != nil {
		return err
	}
	if id == "" {
		id = rand.Text()[:12]
	}
	id = strings.NewReplacer(" ", "", "-", "").Replace(strings.ToUpper(id)) // as totp.Split reads it
	code, secret, err := passes.Pass(id)
	if err != nil {
		return usagef("--id: %v", err)
	}
	record := book.Record{ID: rand.Text(), Code: code, Products: o.products, Seats: o.seats, ValidFrom: o.validFrom, ValidUntil: o.ends,
		Note: o.note, Batch: o.batch, Issued: time.Now()}
	if err := d.book.Issue(cmd.Context(), []book.Record{record}, d.event("ticket.issue", record.ID, "a pass")); err != nil {
		return fmt.Errorf("pass %s: %w", id, err)
	}
	text := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(secret)
	link := url.URL{Scheme: "otpauth", Host: "totp", Path: "/" + o.attraction + ":" + id, RawQuery: url.Values{"secret": {text}, "issuer": {o.attraction},
		"algorithm": {string(passes.Algorithm)}, "digits": {strconv.Itoa(passes.Digits)}, "period": {"30"}}.Encode()}
	if o.asJSON {
		return json.NewEncoder(cmd.OutOrStdout()).Encode(map[string]any{"id": record.ID, "pass": id, "secret_base32": text, "secret_base16": hex.EncodeToString(secret),
			"algorithm": passes.Algorithm, "digits": passes.Digits, "otpauth": link.String(), "value_pattern": id + ".{totp_value_0}"})
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "pass       %s  (record %s)\nsecret     %s  (base16; shown this once, whoever has it has the pass)\nfor apps   %s\nfor Google Wallet, rotatingBarcode.valuePattern: %s.{totp_value_0}\n",
		id, record.ID, hex.EncodeToString(secret), link.String(), id)
	return err
}
