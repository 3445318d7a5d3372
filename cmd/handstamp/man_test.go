package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// TestManual: every command has a page that names each of its flags, and no two
// runs differ.
func TestManual(t *testing.T) {
	dir, again := t.TempDir(), t.TempDir()
	for _, d := range []string{dir, again} {
		if err := writeManual(newRoot(), d); err != nil {
			t.Fatal(err)
		}
	}
	pages := 0
	everyCommand(newRoot(), func(cmd *cobra.Command) {
		pages++
		name := pageName(cmd) + ".1"
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if other, err := os.ReadFile(filepath.Join(again, name)); err != nil || !bytes.Equal(text, other) {
			t.Errorf("%s differs the second time (%v)", name, err)
		}
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if want := roff("--" + f.Name); !f.Hidden && !bytes.Contains(text, []byte(want)) {
				t.Errorf("%s does not have %s", name, want)
			}
		})
	})
	if files, err := os.ReadDir(dir); err != nil || len(files) != pages {
		t.Errorf("%d pages for %d commands, %v", len(files), pages, err)
	}
}

func everyCommand(cmd *cobra.Command, do func(*cobra.Command)) {
	do(cmd)
	for _, below := range visible(cmd) {
		everyCommand(below, do)
	}
}

func TestRoff(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"plain", "plain"},
		{".hidden", `\&.hidden`},
		{"a\n'b", "a\n" + `\&'b`},
		{`a \ b`, `a \e b`},
		{"--dry-run", `\-\-dry\-run`},
	} {
		if got := roff(tt.text); got != tt.want {
			t.Errorf("roff(%q) = %q, want %q", tt.text, got, tt.want)
		}
	}
}

// TestCommandsHaveExamples: whoever asks for help sees how it is done.
func TestCommandsHaveExamples(t *testing.T) {
	everyCommand(newRoot(), func(cmd *cobra.Command) {
		if cmd.Runnable() && len(visible(cmd)) == 0 && cmd.Example == "" {
			t.Errorf("%s has no example", cmd.CommandPath())
		}
	})
}
