package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/handstamp/handstamp/pkg/app"
	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/ticket/web"
)

func newTicketsTry() *cobra.Command {
	var flags configFlags
	var source, attraction string
	var factors map[string]string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "try CODE",
		Short: "Show a ticket to one source and see what comes of it",
		Long: `Ask a source about a ticket, outside of the gateway, and print the exchange with
secrets masked, the mapping step by step, and what the ticket would open now: for
connecting a new box office. With "-" instead of a code it is read from standard
input, so that it is in no history of commands. A source that consumes tickets
consumes this one. Exit status 1 means that nobody would get in.`,
		Example: `  handstamp tickets try 7Q4M-2XKD --source box-office
  handstamp tickets try - --source octo --factor surname=Doe < code.txt`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if source == "" {
				return usagef("--source is missing: the id of the source to ask")
			}
			c, err := tried(cmd, args[0], attraction, factors)
			if err != nil {
				return err
			}
			cfg, err := flags.load(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			trial, err := app.Try(cmd.Context(), cfg, source, c)
			if err != nil {
				return &setupError{err}
			}
			if err := printTrial(cmd.OutOrStdout(), trial, asJSON); err != nil {
				return err
			}
			if trial.Err != nil {
				return &exitError{exitFailed}
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&source, "source", "", "id of the source")
	cmd.Flags().StringVar(&attraction, "attraction", "", "id of the attraction where the visitor stands; empty is wherever the ticket is good")
	cmd.Flags().StringToStringVar(&factors, "factor", nil, "what goes with the code, like surname=Doe (may be repeated)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	flags.add(cmd)
	return cmd
}

func tried(cmd *cobra.Command, code, attraction string, factors map[string]string) (gate.Credential, error) {
	if code == "-" {
		text, err := io.ReadAll(io.LimitReader(cmd.InOrStdin(), 8<<10))
		if err != nil {
			return gate.Credential{}, err
		}
		code = strings.TrimSpace(string(text))
	}
	c := gate.Credential{Code: gate.Secret(code), Attraction: attraction, Factors: map[string]gate.Secret{}}
	for name, value := range factors {
		c.Factors[name] = gate.Secret(value)
	}
	return c, nil
}

// A trialShown is a trial as JSON. Nothing in it is secret.
type trialShown struct {
	Admitted     bool       `json:"admitted"`
	Reason       string     `json:"reason,omitempty"` // of a refusal; empty if nobody knows
	Error        string     `json:"error,omitempty"`
	Milliseconds int64      `json:"milliseconds"`
	Request      string     `json:"request,omitempty"`
	Status       int        `json:"status,omitempty"`
	Fields       []string   `json:"fields,omitempty"`
	Steps        [][]string `json:"steps,omitempty"`
	Opens        []string   `json:"opens,omitempty"`
	Seats        int        `json:"seats,omitempty"`
}

func newTrialShown(t *app.Trial) trialShown {
	s := trialShown{Admitted: t.Err == nil, Milliseconds: t.Took.Milliseconds()}
	var denial *gate.Denial
	switch {
	case errors.As(t.Err, &denial):
		s.Reason, s.Error = string(denial.Reason), t.Err.Error()
	case t.Err != nil:
		s.Error = t.Err.Error()
	}
	if t.Trace != nil {
		s.Request, s.Status, s.Fields = t.Trace.Method+" "+t.Trace.URL, t.Trace.Status, t.Trace.Outline
		for _, step := range t.Trace.Steps {
			s.Steps = append(s.Steps, []string{step.Name, step.Source, result(step)})
		}
	}
	if t.Ticket != nil {
		s.Seats = t.Ticket.Seats
	}
	for _, e := range t.Entitlements {
		s.Opens = append(s.Opens, strings.TrimSuffix(e.Attraction+"/"+e.Package, "/")+" "+span(e.From, e.Until))
	}
	return s
}

func result(step web.Step) string {
	if step.Err != nil {
		return "failed: " + step.Err.Error()
	}
	return step.Result
}

func printTrial(w io.Writer, t *app.Trial, asJSON bool) error {
	s := newTrialShown(t)
	if asJSON {
		return json.NewEncoder(w).Encode(s)
	}
	if t.Trace != nil {
		fmt.Fprintf(w, "asked      %s\n", s.Request)
		for _, h := range t.Trace.Header {
			fmt.Fprintf(w, "           %s\n", h)
		}
		fmt.Fprintf(w, "answered   %d after %d ms\n", s.Status, s.Milliseconds)
		for _, f := range s.Fields {
			fmt.Fprintf(w, "           %s\n", f)
		}
		for _, step := range t.Trace.Steps {
			fmt.Fprintf(w, "mapped     %s\n", strings.TrimRight(step.Name+"  "+step.Source, " "))
			if step.Source != "" {
				fmt.Fprintf(w, "           = %s\n", result(step))
			}
		}
	}
	switch {
	case s.Reason != "":
		fmt.Fprintf(w, "refused    %s\n", s.Error)
	case s.Error != "":
		fmt.Fprintf(w, "nobody knows: %s\n", s.Error)
	}
	for _, o := range s.Opens {
		fmt.Fprintf(w, "opens      %s\n", o)
	}
	if s.Admitted && s.Seats > 0 {
		fmt.Fprintf(w, "seats      %d\n", s.Seats)
	}
	return nil
}
