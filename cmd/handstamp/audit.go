package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/handstamp/handstamp/pkg/app"
	"github.com/handstamp/handstamp/pkg/book"
)

func newAudit() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "List and prove what the staff and its programs have done",
		Long: `Every change by the staff, by its programs and by commands stands in the book, with
a hash over it and over the event before. So nothing can be changed, taken out or put
in between without a trace, as long as the last hash is known elsewhere.`,
		Args: noSuchCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newAuditVerify(), newAuditList())
	return cmd
}

// auditFlags are those of both commands.
type auditFlags struct {
	config configFlags
	asJSON bool
}

// open opens the book of the configuration.
func (f *auditFlags) open(cmd *cobra.Command) (app.Ledger, io.Closer, error) {
	cfg, err := f.config.load(cmd.ErrOrStderr())
	if err != nil {
		return nil, nil, err
	}
	ledger, closer, err := app.OpenExisting(cmd.Context(), cfg)
	if errors.Is(err, app.ErrNoLedger) {
		return nil, nil, usagef("book.kind is %q, which keeps no audit", cfg.Book.Kind)
	}
	if err != nil {
		return nil, nil, &setupError{err}
	}
	return ledger, closer, nil
}

func (f *auditFlags) add(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.asJSON, "json", false, "print JSON")
	f.config.add(cmd)
}

// An auditVerdict says whether the audit is as it was written.
type auditVerdict struct {
	Intact bool      `json:"intact"`
	Seq    int64     `json:"seq"` // of the last event that is
	Hash   string    `json:"hash,omitempty"`
	At     time.Time `json:"at,omitzero"`
	Error  string    `json:"error,omitempty"` // what is wrong, and where
}

func newAuditVerify() *cobra.Command {
	var f auditFlags
	var since string
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Prove that the audit is as it was written",
		Long: `Read the whole audit and compute every hash anew. It sees every change, every gap
and every event put in between. That the last events are missing it sees only with
--known: the hash that it printed the last time, kept elsewhere. Exit status 1 means
that something is wrong with it, 78 that there is no book to read.`,
		Example: `  handstamp audit verify --config config.yaml
  handstamp audit verify --known 6f1c...e2`,
		Args: onlyFlags,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.verify(cmd, since) },
	}
	cmd.Flags().StringVar(&since, "known", "", "hash of an event that must be there still")
	f.add(cmd)
	return cmd
}

func (f *auditFlags) verify(cmd *cobra.Command, known string) error {
	hash, err := hex.DecodeString(known)
	if known != "" && (err != nil || len(hash) != sha256.Size) {
		return usagef("--known %.80q, want a hash as this command prints it, 64 hexadecimal digits", known)
	}
	ledger, closer, err := f.open(cmd)
	if err != nil {
		return err
	}
	defer closer.Close()
	last, err := ledger.VerifyAudit(cmd.Context())
	if err != nil && !errors.Is(err, book.ErrAudit) {
		return err
	}
	if err == nil && known != "" {
		err = hasEvent(cmd, ledger, hash)
	}
	v := auditVerdict{Intact: err == nil, Seq: last.Seq, At: last.At.UTC()}
	if last.Seq > 0 {
		v.Hash = hex.EncodeToString(last.Hash[:])
	}
	if f.asJSON {
		if err != nil {
			v.Error = err.Error()
		}
		if err := json.NewEncoder(cmd.OutOrStdout()).Encode(v); err != nil {
			return err
		}
		if !v.Intact {
			return &exitError{exitFailed}
		}
		return nil
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "the audit is as it was written: %d events, the last hash is %s\n", v.Seq, v.Hash)
	return err
}

// errNotKnown says that an event has gone.
var errNotKnown = errors.New("no event has the hash that is known: the audit was cut off, or is another")

// hasEvent returns an error unless the audit has an event with a hash.
func hasEvent(cmd *cobra.Command, ledger app.Ledger, hash []byte) error {
	for event, err := range events(cmd, ledger, 0, 0) {
		if err != nil {
			return err
		}
		if bytes.Equal(event.Hash[:], hash) {
			return nil
		}
	}
	return errNotKnown
}
