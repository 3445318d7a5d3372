package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/handstamp/handstamp/pkg/app"
	"github.com/handstamp/handstamp/pkg/book/dynamodb"
	"github.com/handstamp/handstamp/pkg/book/sqlite"
	"github.com/handstamp/handstamp/pkg/config"
)

func newBook() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "book",
		Short: "Make, check, back up and restore the book of admissions",
		Args:  noSuchCommand,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		newInit(),
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
		newRestore(),
	)
	return cmd
}

func newInit() *cobra.Command {
	var flags configFlags
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Make the file or the table of the book",
		Long: `In production a gateway does not make a missing book anew: it would let in
again whom the lost one had kept out. This makes it, once. A table in DynamoDB is
made with on-demand capacity, time to live and point-in-time recovery.`,
		Example: `  handstamp book init --config config.yaml`,
		Args:    onlyFlags,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := flags.load(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			name, err := initBook(cmd.Context(), cfg)
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s is ready\n", name)
			return nil
		},
	}
	flags.add(cmd)
	return cmd
}

// initBook makes the book of cfg and returns its name.
func initBook(ctx context.Context, cfg *config.Config) (string, error) {
	switch cfg.Book.Kind {
	case "sqlite":
		book, err := sqlite.Open(ctx, cfg.Book.File, sqlite.Options{Create: true})
		if err != nil {
			return "", err
		}
		return cfg.Book.File, book.Close()
	case "dynamodb":
		client, err := app.Table(ctx, cfg)
		if err != nil {
			return "", err
		}
		return "table " + cfg.Book.Table, dynamodb.Create(ctx, client, dynamodb.Options{Table: cfg.Book.Table})
	}
	return "", usagef("book.kind is %q, which has nothing to make", cfg.Book.Kind)
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

func newRestore() *cobra.Command {
	var flags configFlags
	var from string
	cmd := &cobra.Command{
		Use:   "restore",
		Short: "Put a backup in the place of a lost book",
		Long: `Copy a backup to where the configuration has the book. Stop the gateway first.
The copy is checked from first to last before it becomes the book, and the backup
is only read.

Nothing is overwritten: while there is a book, or a log that one has left beside
it, this refuses and says what to move where. SQLite would replay that log into the
restored file and damage it. Run it as the user of the gateway, who has to own the
book. What was admitted or revoked since the backup is forgotten.`,
		Example: `  handstamp book restore --config config.yaml --from backup.db
  handstamp-once book restore --from /var/lib/handstamp/backup/20260701T043000Z.db`,
		Args: onlyFlags,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := flags.load(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			switch {
			case cfg.Book.Kind == "dynamodb":
				return usagef("book.kind is %q: restore the table at AWS to a point in time, and name the new one in book.table", cfg.Book.Kind)
			case cfg.Book.Kind != "sqlite":
				return usagef("book.kind is %q, which has no file", cfg.Book.Kind)
			case from == "":
				return usagef("--from is missing: the backup")
			}
			if err := sqlite.Restore(cmd.Context(), from, cfg.Book.File); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s is restored from %s and sound\n", cfg.Book.File, from)
			return nil
		},
	}
	flags.add(cmd)
	cmd.Flags().StringVar(&from, "from", "", "the backup")
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
