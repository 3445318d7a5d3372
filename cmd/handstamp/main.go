// Command handstamp is the gateway and its tools in one binary.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/handstamp/handstamp/pkg/config"
)

// The exit statuses. A supervisor must not restart a gateway whose
// configuration is wrong, so that has one of its own (EX_CONFIG of sysexits.h).
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
	exitConfig = 78
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	go func() {
		<-ctx.Done()
		stop() // a second signal ends the process at once
	}()
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is main without its globals.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := newRoot()
	started := false
	root.PersistentPreRun = func(*cobra.Command, []string) { started = true }
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitDone
	}
	var quiet *exitError
	if errors.As(err, &quiet) {
		return quiet.code
	}
	fmt.Fprintln(stderr, "handstamp: error:", err)
	var wrong *config.Error
	var setup *setupError
	var usage *usageError
	switch {
	case errors.As(err, &usage) || !started:
		fmt.Fprintln(stderr, `(hint: "handstamp help" lists the commands, "handstamp help COMMAND" shows examples)`)
		return exitUsage
	case errors.As(err, &wrong) || errors.As(err, &setup):
		return exitConfig
	}
	return exitFailed
}

// An exitError ends the program with a status and no further words.
type exitError struct{ code int }

func (e *exitError) Error() string { return fmt.Sprintf("exit status %d", e.code) }

// A setupError says that what the configuration names cannot be used: a key, a
// ticket list, a catalogue.
type setupError struct{ err error }

func (e *setupError) Error() string { return e.err.Error() }
func (e *setupError) Unwrap() error { return e.err }

// A usageError is a mistake in the command line.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

func usagef(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }
