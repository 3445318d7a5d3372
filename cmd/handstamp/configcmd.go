package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/handstamp/handstamp/pkg/config"
)

func newConfig() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Show the configuration, and what can be configured",
		Args:  noSuchCommand,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newConfigPrint(), newConfigReference())
	return cmd
}

func newConfigPrint() *cobra.Command {
	var flags configFlags
	cmd := &cobra.Command{
		Use:   "print",
		Short: "Print the configuration that counts, with every key",
		Long: `Read the configuration as "serve" would, with variables and flags laid over the
file, and print all of it as one file that means the same. Secrets are printed as
references; one that stands in the file itself is left out.`,
		Example: `  handstamp config print --config config.yaml
  HANDSTAMP_COOKIES_LIFETIME=10m handstamp config print`,
		Args: onlyFlags,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := flags.load(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			text, err := cfg.Redacted()
			if err != nil {
				return err
			}
			_, err = cmd.OutOrStdout().Write(text)
			return err
		},
	}
	flags.add(cmd)
	return cmd
}

func newConfigReference() *cobra.Command {
	var edge bool
	cmd := &cobra.Command{
		Use:   "reference",
		Short: "Print what can be configured, as a page of Markdown",
		Long: `Print every key of config.yaml with its default, its range and the variable that
sets it: the page docs/configuration.md. With --edge it is the keys of the file
for "handstamp edge".`,
		Example: `  handstamp config reference
  handstamp config reference --edge`,
		Args: onlyFlags,
		RunE: func(cmd *cobra.Command, _ []string) error {
			page := configReference(config.Keys(), limitsOf[config.Config]())
			if edge {
				page = keyTables(config.DistributionKeys(), limitsOf[config.Distribution]())
			}
			_, err := fmt.Fprint(cmd.OutOrStdout(), page)
			return err
		},
	}
	cmd.Flags().BoolVar(&edge, "edge", false, "the keys of edge.yaml")
	return cmd
}
