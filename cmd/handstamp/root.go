package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/handstamp/handstamp/pkg/app"
	"github.com/handstamp/handstamp/pkg/config"
)

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "handstamp",
		Short: "Show your ticket once; the browser carries the stamp",
		Long: `handstamp is a gateway for visitor attractions. A visitor's app shows a ticket,
handstamp asks whoever sold it, and answers with CloudFront signed cookies that
open the attraction's content and nothing else.

New here? "handstamp demo" plays an audio guide on this machine.`,
		SilenceUsage:  true,
		SilenceErrors: true,
		Version:       version(),
	}
	root.SetVersionTemplate("handstamp {{.Version}}\n")
	root.AddCommand(newDemo(), newServe(), newCheck(), newKeys(), newBook(), newAudit(), newTickets(), newContent(), newSign(), newExplain(), newEdge(), newProbe(),
		newConfig(), newHealth(), newVersion(), newMan())
	addCompletions(root)
	return root
}

// onlyFlags is for commands that take no arguments.
func onlyFlags(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("%s takes no arguments, found %q", cmd.CommandPath(), args[0])
	}
	return nil
}

// noSuchCommand is for commands that only have commands below them.
func noSuchCommand(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("%s has no command %q", cmd.CommandPath(), args[0])
	}
	return nil
}

// configFlags are the flags of every command that reads the configuration.
type configFlags struct {
	file string
	set  map[string]string
}

func (f *configFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.file, "config", "config.yaml", "configuration file")
	cmd.Flags().StringToStringVar(&f.set, "set", nil, "override a key, like --set cookies.lifetime=10m (may be repeated)")
}

// read reads the configuration.
func (f *configFlags) read() (*config.Config, error) {
	cfg, err := config.Load(f.file, config.Options{Overrides: f.set})
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%w (hint: --config names the file)", err)
	}
	return cfg, err
}

// load is read for commands that people wait for: it prints warnings.
func (f *configFlags) load(stderr io.Writer) (*config.Config, error) {
	cfg, err := f.read()
	if err != nil {
		return nil, err
	}
	for _, w := range cfg.Warnings {
		fmt.Fprintln(stderr, "handstamp: warning:", w)
	}
	return cfg, nil
}

// newLog returns the log that the configuration asks for, at a level that can
// be changed.
func newLog(c config.Log, level *slog.LevelVar, w io.Writer) *slog.Logger {
	_ = level.UnmarshalText([]byte(c.Level)) // checked with the configuration
	return app.NewLog(c, level, w)
}
