package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
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
	var patience time.Duration
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the gateway",
		Long: `Run the gateway with a configuration file. Everything is checked before it
listens; a wrong configuration ends it with status 78 and all problems listed.
SIGTERM makes it report not ready, answer what is open and leave; a second one ends
it at once.

A changed configuration is taken on while it serves, and so are changed settings
of sources, catalogues, certificates, files of secrets and keys in a folder, within
some seconds or at SIGHUP, which also makes it read the keys of a manifest and the
ticket lists again. What is wrong is refused and logged, and the old configuration
goes on.
Where it listens, whether with TLS, log.format and traces.endpoint take a restart,
and so do environment variables.`,
		Example: `  handstamp serve --config config.yaml
  HANDSTAMP_HTTP_LISTEN=:9000 handstamp serve
  handstamp serve --set cookies.lifetime=10m`,
		Args: onlyFlags,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if patience <= 0 {
				return usagef("--patience %v, want more than 0, like %v", patience, app.DefaultPatience)
			}
			return serve(cmd, &flags, patience)
		},
	}
	cmd.Flags().DurationVar(&patience, "patience", app.DefaultPatience, "how long open requests may take once it has stopped listening")
	flags.add(cmd)
	return cmd
}

func serve(cmd *cobra.Command, flags *configFlags, patience time.Duration) error {
	hangups := catchHangups()
	outliveReaders()
	cfg, err := flags.read()
	if err != nil {
		return err
	}
	var level slog.LevelVar
	log, sink := newServeLog(cfg.Log, &level, cmd.ErrOrStderr())
	defer sink.Close()
	if err := noCore(); err != nil {
		log.Warn("core files are not switched off, and they would have the keys in them", "err", err)
	}
	seen, err := newWatch(cmd.Context(), cfg, log)
	if err != nil {
		return err
	}
	defer seen.close()
	if seen.metrics != nil {
		seen.metrics.Attach(sink, sink.Read)
	}
	gateway, err := newLive(cmd, flags, cfg, seen, &level)
	if err != nil && cmd.Context().Err() != nil {
		return nil // asked to stop meanwhile, which is no mistake in the configuration
	}
	if err != nil {
		return err
	}
	defer func() {
		if err := gateway.Close(); err != nil {
			log.Error("gateway not closed cleanly", "err", err)
		}
	}()
	if cmd.Context().Err() != nil {
		return nil // asked to stop before anybody came
	}
	listener, err := listen(cfg.HTTP.Listen)
	if err != nil {
		return err
	}
	defer listener.Close()
	scraped, err := seen.listen(cfg)
	if err != nil {
		return err
	}
	if scraped != nil {
		defer scraped.Close()
	}
	group, ctx := errgroup.WithContext(cmd.Context())
	if staffed := gateway.Admin(); staffed != nil {
		staff, err := listenAdmin(cfg.Admin, gateway.Certificate)
		if err != nil {
			return err
		}
		log.Info("administration listening", "address", staff.Addr().String())
		group.Go(func() error { return app.Serve(ctx, staff, staffed, nobody{}, 0, log) })
	}
	log.Info("listening", "address", listener.Addr().String(), "public_url", cfg.HTTP.PublicURL, "media_url", cfg.Media.URL)
	drain := func() time.Duration { return gateway.Config().HTTP.Drain }
	scraping, leave := context.WithCancel(context.WithoutCancel(ctx)) // metrics are there for as long as viewers are
	group.Go(func() error {
		defer leave()
		return app.ServeUntil(ctx, listener, gateway, gateway, app.Farewell{Drain: drain, Patience: patience}, log)
	})
	group.Go(func() error { return seen.serve(scraping, scraped, 0) })
	group.Go(func() error { gateway.Run(ctx); return nil })
	group.Go(func() error { reloadOnHangup(ctx, gateway, hangups); return nil })
	return group.Wait()
}

// newLive returns the gateway, which begins with cfg and follows the file that
// it is from. Warnings go to the log: nobody waits for that.
func newLive(cmd *cobra.Command, flags *configFlags, cfg *config.Config, seen *watch, level *slog.LevelVar) (*app.Live, error) {
	first := true
	load := func() (*config.Config, error) {
		if first {
			first = false
			return cfg, nil
		}
		return flags.read()
	}
	live, err := app.NewLive(cmd.Context(), load, app.LiveOptions{
		App: seen.options(), File: flags.file,
		Applied: func(cfg *config.Config) {
			_ = level.UnmarshalText([]byte(cfg.Log.Level)) // checked with the configuration
			seen.applied(cfg)
			for _, w := range cfg.Warnings {
				seen.log.Warn("configuration", "warning", w)
			}
		},
	})
	if err != nil {
		return nil, &setupError{err}
	}
	return live, nil
}

// catchHangups returns where SIGHUP arrives. It is never let go: the signal would
// end a gateway that starts or drains.
func catchHangups() <-chan os.Signal {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	return hangups
}

// outliveReaders keeps a server alive when whoever reads its standard output or
// standard error goes away: a write there is an error then, and not the end.
func outliveReaders() { signal.Ignore(syscall.SIGPIPE) }

// reloadOnHangup has the gateway read everything again at every SIGHUP.
func reloadOnHangup(ctx context.Context, gateway *app.Live, hangups <-chan os.Signal) {
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
// certificate, which may change.
func listenAdmin(c config.Admin, certificate func(*tls.ClientHelloInfo) (*tls.Certificate, error)) (net.Listener, error) {
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
	return tls.NewListener(l, &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: certificate}), nil
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
