package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/handstamp/handstamp/pkg/admin"
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
SIGTERM makes it report not ready, answer what is open and leave; a second one ends
it at once.

A changed configuration is taken on while it serves, and so are changed settings
of sources and catalogues, within some seconds or at SIGHUP, which also makes it
read the keys of a manifest and the ticket lists again. What is wrong is refused
and logged, and the old configuration goes on. Only where it listens takes a
restart.`,
		Example: `  handstamp serve --config config.yaml
  HANDSTAMP_HTTP_LISTEN=:9000 handstamp serve
  handstamp serve --set cookies.lifetime=10m`,
		Args: onlyFlags,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return serve(cmd, &flags)
		},
	}
	flags.add(cmd)
	return cmd
}

func serve(cmd *cobra.Command, flags *configFlags) error {
	cfg, err := flags.load(cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	var level slog.LevelVar
	log := newLog(cfg.Log, &level, cmd.ErrOrStderr())
	if err := noCore(); err != nil {
		log.Warn("core files are not switched off, and they would have the keys in them", "err", err)
	}
	gateway, err := newLive(cmd, flags, cfg, log, &level)
	if err != nil {
		return err
	}
	defer func() {
		if err := gateway.Close(); err != nil {
			log.Error("gateway not closed cleanly", "err", err)
		}
	}()
	listener, err := listen(cfg.HTTP.Listen)
	if err != nil {
		return err
	}
	defer listener.Close()
	group, ctx := errgroup.WithContext(cmd.Context())
	if staffed := gateway.Admin(); staffed != nil {
		staff, err := listenAdmin(cfg.Admin)
		if err != nil {
			return err
		}
		log.Info("administration listening", "address", staff.Addr().String())
		group.Go(func() error { return app.Serve(ctx, staff, staffed, nobody{}, 0, log) })
	}
	log.Info("listening", "address", listener.Addr().String(), "public_url", cfg.HTTP.PublicURL, "media_url", cfg.Media.URL)
	group.Go(func() error { return app.Serve(ctx, listener, gateway, gateway, cfg.HTTP.Drain, log) })
	group.Go(func() error { gateway.Run(ctx); return nil })
	group.Go(func() error { reloadOnHangup(ctx, gateway); return nil })
	return group.Wait()
}

// newLive returns the gateway, which begins with cfg and follows the file that
// it is from.
func newLive(cmd *cobra.Command, flags *configFlags, cfg *config.Config, log *slog.Logger, level *slog.LevelVar) (*app.Live, error) {
	first := true
	load := func() (*config.Config, error) {
		if first {
			first = false
			return cfg, nil
		}
		return flags.load(cmd.ErrOrStderr())
	}
	live, err := app.NewLive(cmd.Context(), load, app.LiveOptions{
		App: app.Options{Log: log}, File: flags.file,
		Applied: func(cfg *config.Config) { _ = level.UnmarshalText([]byte(cfg.Log.Level)) }, // checked with the configuration
	})
	if err != nil {
		return nil, &setupError{err}
	}
	return live, nil
}

// reloadOnHangup has the gateway read everything again at every SIGHUP.
func reloadOnHangup(ctx context.Context, gateway *app.Live) {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangups:
			gateway.Hangup(ctx)
		}
	}
}

// nobody is who need not be told that the administration drains.
type nobody struct{}

func (nobody) Drain() {}

// listenAdmin listens where the administration is configured to be: a Unix
// socket that its owner may use, or an address, with TLS if there is a
// certificate.
func listenAdmin(c config.Admin) (net.Listener, error) {
	if path, ok := strings.CutPrefix(c.Listen, "unix:"); ok {
		return listenSocket(path)
	}
	if err := admin.CheckListen(c.Listen, c.TLSCert != "", bool(c.InsecurePublic)); err != nil {
		return nil, err
	}
	l, err := listen(c.Listen)
	if err != nil || c.TLSCert == "" {
		return l, err
	}
	cert, err := tls.LoadX509KeyPair(c.TLSCert, c.TLSKey)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("admin.tls_cert: %w", err), l.Close())
	}
	return tls.NewListener(l, &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{cert}}), nil
}

// listenSocket listens on a Unix socket. One that a process left behind when it
// was killed is taken away; one that somebody answers on is not.
func listenSocket(path string) (net.Listener, error) {
	if conn, err := net.DialTimeout("unix", path, time.Second); err == nil {
		_ = conn.Close()
		return nil, fmt.Errorf("%s is taken by another program", path)
	}
	if info, err := os.Lstat(path); err == nil && info.Mode().Type() == os.ModeSocket {
		if err := os.Remove(path); err != nil {
			return nil, err
		}
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
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
	var offline bool
	var policy policyFlags
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Say whether a configuration is sound, without serving",
		Long: `Read the configuration, the keys, the ticket lists and the catalogues as "serve"
would, and report everything that is wrong with them. Ticketing systems that can
tell without a ticket are asked whether their configuration works.`,
		Example: `  handstamp check --config config.yaml
  handstamp check --iam --account 123456789012 --region eu-west-1`,
		Args: onlyFlags,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := flags.load(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			if policy.wanted() {
				return policy.print(cmd, cfg)
			}
			gateway, err := app.New(cmd.Context(), cfg, app.Options{})
			if err != nil {
				return &setupError{err}
			}
			defer gateway.Close()
			if !offline {
				if err := probeSources(cmd, gateway); err != nil {
					return err
				}
			}
			id, _, err := gateway.Ring().Active()
			if err != nil {
				return err
			}
			kind := ""
			for _, k := range gateway.Ring().Keys() {
				if k.ID == id {
					kind = k.Kind()
				}
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s is sound: %d attractions, %d ticket sources, signing with %s (%s)\n",
				flags.file, len(cfg.Attractions), len(cfg.Sources), id, kind)
			return nil
		},
	}
	cmd.Flags().BoolVar(&offline, "offline", false, "ask no ticketing system")
	policy.add(cmd)
	flags.add(cmd)
	return cmd
}

// probeSources asks the ticketing systems that can be asked without a ticket.
func probeSources(cmd *cobra.Command, gateway *app.App) error {
	var problems []error
	found := gateway.ProbeSources(cmd.Context())
	for _, id := range slices.Sorted(maps.Keys(found)) {
		if err := found[id]; err != nil {
			problems = append(problems, fmt.Errorf("source %q: %w", id, err))
			continue
		}
		fmt.Fprintf(cmd.OutOrStdout(), "source %q answers\n", id)
	}
	return errors.Join(problems...)
}
