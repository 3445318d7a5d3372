package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/spf13/cobra"
)

func newHealth() *cobra.Command {
	var url string
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:   "health",
		Short: "Ask a running gateway whether it is well",
		Long: `Ask /healthz of a gateway on this machine, and end with status 0 if it answers
200. It is for containers that have neither a shell nor curl; /readyz also says
no while the gateway drains.`,
		Example: `  handstamp health
  handstamp health --url http://127.0.0.1:8080/readyz`,
		Args: onlyFlags,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if timeout <= 0 {
				return usagef("--timeout %s, want more than 0s", timeout)
			}
			return askHealth(cmd.Context(), url, timeout)
		},
	}
	cmd.Flags().StringVar(&url, "url", "http://127.0.0.1:8080/healthz", "what to ask")
	cmd.Flags().DurationVar(&timeout, "timeout", 3*time.Second, "how long the answer may take")
	return cmd
}

// askHealth returns nil if url answers 200 in time. No proxy is asked and no
// redirect followed: who answers has to be the gateway itself.
func askHealth(ctx context.Context, url string, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return usagef("--url: %v", err)
	}
	client := &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s answers %s, want 200", url, resp.Status)
	}
	return errors.Join(err, resp.Body.Close())
}
