package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"

	"github.com/spf13/cobra"

	"github.com/handstamp/handstamp/pkg/app"
	"github.com/handstamp/handstamp/pkg/config"
	"github.com/handstamp/handstamp/pkg/edge"
)

type edgeFlags struct {
	config                   string
	root, origin             string
	s3Endpoint, s3Region     string
	s3Anonymous              bool
	keys, paid, free, parity []string
	addr, site               string
	tls                      bool
	tlsCert, tlsKey          string
	chaos, accessLog         string
	json, verbose            bool
}

func newEdge() *cobra.Command {
	var f edgeFlags
	cmd := &cobra.Command{
		Use:   "edge",
		Short: "Be a local CloudFront in front of a folder, a bucket or a server",
		Long: `Serve files as a CloudFront distribution would that trusts your public keys:
cache behaviors in order of precedence, signed cookies and signed URLs, its
refusals and headers. It needs no account and runs on your machine or in your CI.
Either --config names a file with everything, or --root one folder (or --origin a
bucket or a server) and --public-key who may sign for it; then all of it needs a signature except --free,
or only what --paid names.

Where it differs from CloudFront is the first thing that it prints. What AWS
leaves open is decided strictly; --parity changes one point, docs/parity.md and
docs/edge.md have them all.`,
		Example: `  handstamp keys new --id KLOCALEDGE01
  handstamp edge --root media --public-key KLOCALEDGE01=keys/KLOCALEDGE01.pub.pem --free '/castle/free/*'
  handstamp edge --root media --public-key KLOCALEDGE01=keys/KLOCALEDGE01.pub.pem --chaos refuse=5%,latency=0s-2s
  handstamp edge --origin s3://my-media/tours --public-key KLOCALEDGE01=keys/KLOCALEDGE01.pub.pem
  handstamp edge --config edge.yaml --json`,
		Args: onlyFlags,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	f.add(cmd)
	return cmd
}

func (f *edgeFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.config, "config", "", "configuration file, like examples/edge.yaml")
	flags.StringVar(&f.root, "root", "", "folder with the files, for an edge without configuration")
	flags.StringVar(&f.origin, "origin", "", "a bucket, s3://BUCKET/PREFIX, or a server, http://HOST, in the place of --root")
	flags.StringVar(&f.s3Endpoint, "s3-endpoint", "", "address of another store than AWS, with the bucket in the path (with --origin s3://...)")
	flags.StringVar(&f.s3Region, "s3-region", "", "AWS region of the bucket, if AWS_REGION does not say it (with --origin s3://...)")
	flags.BoolVar(&f.s3Anonymous, "s3-anonymous", false, "ask without credentials, for a public bucket (with --origin s3://...)")
	flags.StringArrayVar(&f.keys, "public-key", nil, "a key that is trusted, ID=FILE (with --root; may be repeated)")
	flags.StringArrayVar(&f.paid, "paid", nil, "path pattern that needs a signature; all others are public (with --root; may be repeated)")
	flags.StringArrayVar(&f.free, "free", nil, "path pattern that is public, before those of --paid (with --root; may be repeated)")
	flags.StringVar(&f.addr, "addr", "127.0.0.1:8081", "address to answer on; port 0 takes any free one")
	flags.StringVar(&f.site, "site", "", "scheme and host by which viewers come, if a proxy in front changes them")
	flags.BoolVar(&f.tls, "tls", false, "answer https too, with a certificate made on the spot")
	flags.StringVar(&f.tlsCert, "tls-cert", "", "PEM file of a certificate of your own")
	flags.StringVar(&f.tlsKey, "tls-key", "", "PEM file of its private key")
	flags.StringVar(&f.chaos, "chaos", "", "refuse a share of good requests and delay requests, like refuse=5%,latency=0s-2s,seed=1")
	flags.StringVar(&f.accessLog, "access-log", "", "write CloudFront's standard log to a file, - for standard output")
	flags.StringArrayVar(&f.parity, "parity", nil, "decide a point that AWS leaves open, NAME=VALUE (may be repeated)")
	flags.BoolVar(&f.json, "json", false, "print one line of JSON when ready")
	flags.BoolVarP(&f.verbose, "verbose", "v", false, "log every refusal")
}

func (f *edgeFlags) run(cmd *cobra.Command) error {
	outliveReaders()
	log := newLog(config.Log{Level: map[bool]string{true: "info", false: "warn"}[f.verbose]}, new(slog.LevelVar), cmd.ErrOrStderr())
	b, err := f.build(cmd, log)
	if err != nil {
		return err
	}
	defer b.close()
	listener, err := listen(b.d.Listen)
	if err != nil {
		return err
	}
	defer listener.Close()
	served, err := b.serve(cmd.OutOrStdout())
	if err != nil {
		return &setupError{err}
	}
	ready := b.ready(listener.Addr().(*net.TCPAddr))
	if b.d.TLS.Enabled {
		certificate, err := b.certificate(ready)
		if err != nil {
			return &setupError{err}
		}
		listener = edge.HTTPAndHTTPS(listener, &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}})
	}
	if err := f.announce(cmd.OutOrStdout(), ready); err != nil {
		return err
	}
	err = app.Serve(cmd.Context(), listener, served, noDrain{}, 0, log)
	return errors.Join(err, b.goodbye(cmd.ErrOrStderr(), served))
}

// noDrain is for a server that no load balancer asks.
type noDrain struct{}

func (noDrain) Drain() {}

// goodbye writes the last lines of the access log and says what chaos did.
func (b *edgeBuilder) goodbye(w io.Writer, served *edge.Edge) error {
	n := served.Counts()
	if b.d.Chaos != "" {
		fmt.Fprintf(w, "handstamp: chaos refused %d good requests and delayed %d of %d\n", n.ChaosRefused, n.ChaosDelayed, n.Requests)
	}
	if b.log == nil {
		return nil
	}
	err := b.log.Close()
	if lost := b.log.Dropped(); lost > 0 {
		fmt.Fprintf(w, "handstamp: warning: the access log lacks %d lines, its writer was too slow\n", lost)
	}
	if b.logFile != nil {
		err = errors.Join(err, b.logFile.Close())
	}
	return err
}

// openLog starts the access log.
func (b *edgeBuilder) openLog(stdout io.Writer) (*edge.AccessLog, error) {
	switch b.d.AccessLog {
	case "":
		return nil, nil
	case "-":
		return edge.NewAccessLog(stdout), nil
	}
	file, err := os.OpenFile(b.d.AccessLog, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("access log: %w", err)
	}
	b.logFile = file
	return edge.NewAccessLog(file), nil
}
