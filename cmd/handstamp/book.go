package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/handstamp/handstamp/pkg/book/sqlite"
)

func newBook() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "book",
		Short: "Make, check and back up the book of admissions",
		Args:  noSuchCommand,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		newBookCommand("init", "Make the file of the book", "In production a gateway does not make a missing book anew: it would let in\nagain whom the lost one had kept out. This makes it, once.",
			`  handstamp book init --config config.yaml`, sqlite.Options{Create: true},
			func(cmd *cobra.Command, _ *sqlite.Book, file string) error {
				fmt.Fprintf(cmd.OutOrStdout(), "%s is ready\n", file)
				return nil
			}),
		newBookCommand("check", "Check the whole file", "Read every page of the book and compare its indexes.",
			`  handstamp book check --config config.yaml`, sqlite.Options{},
			func(cmd *cobra.Command, book *sqlite.Book, file string) error {
				if err := book.Check(cmd.Context()); err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%s is sound\n", file)
				return nil
			}),
		newBackup(),
	)
	return cmd
}

func newBackup() *cobra.Command {
	var to string
	cmd := newBookCommand("backup", "Copy the book while it is in use", "Copy the book to a new file. The gateway goes on meanwhile.",
		`  handstamp book backup --config config.yaml --to backup.db`, sqlite.Options{},
		func(cmd *cobra.Command, book *sqlite.Book, file string) error {
			if to == "" {
				return usagef("--to is missing: the file to copy to")
			}
			if err := book.Backup(cmd.Context(), to); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s is copied to %s\n", file, to)
			return nil
		})
	cmd.Flags().StringVar(&to, "to", "", "the new file; it must not exist")
	return cmd
}

// newBookCommand returns a command that opens the configured book.
func newBookCommand(use, short, long, example string, opts sqlite.Options, do func(*cobra.Command, *sqlite.Book, string) error) *cobra.Command {
	var flags configFlags
	cmd := &cobra.Command{Use: use, Short: short, Long: long, Example: example, Args: onlyFlags,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := flags.load(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			if cfg.Book.Kind != "sqlite" {
				return usagef("book.kind is %q, which has no file", cfg.Book.Kind)
			}
			book, err := sqlite.Open(cmd.Context(), cfg.Book.File, opts)
			if err != nil {
				return err
			}
			defer book.Close()
			return do(cmd, book, cfg.Book.File)
		}}
	flags.add(cmd)
	return cmd
}
