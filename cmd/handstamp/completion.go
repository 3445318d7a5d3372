package main

import (
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/handstamp/handstamp/pkg/config"
)

// completions are the flags, by name, whose values a shell can offer.
var completions = map[string]cobra.CompletionFunc{
	"config":      fileEnding("yaml", "yml"),
	"dir":         folders,
	"root":        folders,
	"type":        cobra.FixedCompletions([]string{"rsa", "ecdsa"}, cobra.ShellCompDirectiveNoFileComp),
	"attraction":  fromConfig(func(c *config.Config) []string { return attractionIDs(c) }),
	"attractions": fromConfig(func(c *config.Config) []string { return attractionIDs(c) }),
	"source":      fromConfig(func(c *config.Config) []string { return sourceIDs(c) }),
	"set":         settableKeys,
}

// addCompletions registers completions for cmd and everything below it.
func addCompletions(cmd *cobra.Command) {
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if complete, ok := completions[f.Name]; ok {
			// The flag is there, and a function for it was there before at most.
			_ = cmd.RegisterFlagCompletionFunc(f.Name, complete)
		}
	})
	for _, below := range cmd.Commands() {
		addCompletions(below)
	}
}

// fileEnding completes to files with one of these endings.
func fileEnding(endings ...string) cobra.CompletionFunc {
	return cobra.FixedCompletions(endings, cobra.ShellCompDirectiveFilterFileExt)
}

func folders(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveFilterDirs
}

// fromConfig completes to what the configuration names that the command would
// read: nothing when there is none or it is not sound.
func fromConfig(ids func(*config.Config) []string) cobra.CompletionFunc {
	return func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		file := "config.yaml"
		if f := cmd.Flags().Lookup("config"); f != nil && f.Value.String() != "" {
			file = f.Value.String()
		}
		cfg, err := config.Load(file, config.Options{})
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return ids(cfg), cobra.ShellCompDirectiveNoFileComp
	}
}

func attractionIDs(c *config.Config) []string {
	var ids []string
	for _, a := range c.Attractions {
		ids = append(ids, a.ID)
	}
	return ids
}

func sourceIDs(c *config.Config) []string {
	var ids []string
	for _, s := range c.Sources {
		ids = append(ids, s.ID)
	}
	return ids
}

// settableKeys completes --set to the keys that a flag can set.
func settableKeys(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	var keys []string
	for _, k := range config.Keys() {
		if k.Env != "" && !slices.Contains(keys, k.Path+"=") {
			keys = append(keys, k.Path+"=")
		}
	}
	return keys, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}
