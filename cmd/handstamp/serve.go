package main

import (
	"errors"
	"fmt"
	"net"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/handstamp/handstamp/pkg/app"
	"github.com/handstamp/handstamp/pkg/config"
)

func newServe() *cobra.Command {
	var flags configFlags
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the gateway",
		Long: `Run the gateway with a configuration file. Everything is checked before it
listens; a wrong configuration ends it with status 78 and all problems listed.
SIGTERM makes it report not ready, answer what is open and leave.`,
		Example: `  handstamp serve --config config.yaml
  HANDSTAMP_HTTP_LISTEN=:9000 handstamp serve
  handstamp serve --set cookies.lifetime=10m`,
		Args: onlyFlags,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := flags.load(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			return serve(cmd, cfg)
		},
	}
	flags.add(cmd)
	return cmd
}

func serve(cmd *cobra.Command, cfg *config.Config) error {
	log := newLog(cfg.Log, cmd.ErrOrStderr())
	gateway, err := app.New(cmd.Context(), cfg, app.Options{Log: log})
	if err != nil {
		return &setupError{err}
	}
	defer func() {
		if err := gateway.Close(); err != nil {
			log.Error("book not closed cleanly", "err", err)
		}
	}()
	listener, err := listen(cfg.HTTP.Listen)
	if err != nil {
		return err
	}
	log.Info("listening", "address", listener.Addr().String(), "public_url", cfg.HTTP.PublicURL, "media_url", cfg.Media.URL)
	return app.Serve(cmd.Context(), listener, gateway.Handler, gateway, cfg.HTTP.Drain, log)
}

func listen(address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s is taken by another program (hint: use another port, 0 takes any free one)", address)
	}
	return l, err
}

func newCheck() *cobra.Command {
	var flags configFlags
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Say whether a configuration is sound, without serving",
		Long: `Read the configuration, the keys, the ticket lists and the catalogues as "serve"
would, and report everything that is wrong with them.`,
		Example: `  handstamp check --config config.yaml`,
		Args:    onlyFlags,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := flags.load(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			gateway, err := app.New(cmd.Context(), cfg, app.Options{})
			if err != nil {
				return &setupError{err}
			}
			defer gateway.Close()
			id, key, err := gateway.Ring().Active()
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s is sound: %d attractions, %d ticket sources, signing with %s (%T)\n",
				flags.file, len(cfg.Attractions), len(cfg.Sources), id, key.Public())
			return nil
		},
	}
	flags.add(cmd)
	return cmd
}
