package main

import (
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/handstamp/handstamp/pkg/app"
	"github.com/handstamp/handstamp/pkg/config"
	"github.com/handstamp/handstamp/pkg/edge"
)

type edgeFlags struct {
	config                   string
	root                     string
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
		Short: "Be a local CloudFront in front of a folder or a server",
		Long: `Serve files as a CloudFront distribution would that trusts your public keys:
cache behaviors in order of precedence, signed cookies and signed URLs, its
refusals and headers. It needs no account and runs on your machine or in your CI.
Either --config names a file with everything, or --root one folder and
--public-key who may sign for it; then all of it needs a signature except --free,
or only what --paid names.

Where it differs from CloudFront is the first thing that it prints. What AWS
leaves open is decided strictly; --parity changes one point, docs/parity.md and
docs/edge.md have them all.`,
		Example: `  handstamp keys new --id KLOCALEDGE01
  handstamp edge --root media --public-key KLOCALEDGE01=keys/KLOCALEDGE01.pub.pem --free '/castle/free/*'
  handstamp edge --root media --public-key KLOCALEDGE01=keys/KLOCALEDGE01.pub.pem --chaos refuse=5%,latency=0s-2s
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
	log := newLog(config.Log{Level: map[bool]string{true: "info", false: "warn"}[f.verbose]}, cmd.ErrOrStderr())
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

// An edgeReady is the line that --json prints.
type edgeReady struct {
	URL         string         `json:"url"`
	Site        string         `json:"site,omitempty"`
	Behaviors   []edgeBehavior `json:"behaviors"`
	Differences []string       `json:"differences"`
	Explain     string         `json:"explain,omitempty"` // the page
	Chaos       string         `json:"chaos,omitempty"`
	Certificate string         `json:"certificate,omitempty"` // PEM
	Fingerprint string         `json:"certificate_sha256,omitempty"`
}

// An edgeBehavior is a row of the table of behaviors.
type edgeBehavior struct {
	Path           string   `json:"path"`
	Origin         string   `json:"origin"`
	KeyGroup       string   `json:"key_group"` // empty is public
	Methods        []string `json:"methods"`
	ViewerProtocol string   `json:"viewer_protocol"`
}

// ready says where the edge is and what it does.
func (b *edgeBuilder) ready(address *net.TCPAddr) *edgeReady {
	r := &edgeReady{URL: "http://" + address.String(), Site: b.d.Site, Differences: edge.Differences(), Chaos: b.chaosText()}
	if address.IP.IsUnspecified() {
		r.URL = fmt.Sprintf("http://127.0.0.1:%d", address.Port)
	}
	if b.d.TLS.Enabled {
		r.URL = strings.Replace(r.URL, "http://", "https://", 1)
	}
	if b.d.Explain {
		r.Explain = r.URL + "/explain"
	}
	for _, c := range b.d.Behaviors {
		methods := c.Methods
		if len(methods) == 0 {
			methods = edge.AllMethods()[:2]
		}
		r.Behaviors = append(r.Behaviors, edgeBehavior{c.Path, c.Origin, c.KeyGroup, methods, c.ViewerProtocol})
	}
	return r
}

// announce prints what the edge does not do, then what it does, then where.
func (f *edgeFlags) announce(w io.Writer, r *edgeReady) error {
	if f.json {
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		return enc.Encode(r)
	}
	fmt.Fprint(w, "\n  This is a local CloudFront. Where it differs from the real one:\n\n")
	for _, d := range r.Differences {
		fmt.Fprintln(w, wrapped("  - ", d))
	}
	fmt.Fprintln(w)
	table := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, "  path\topen to\tmethods\tplain http\torigin")
	for _, b := range r.Behaviors {
		viewers := "everybody"
		if b.KeyGroup != "" {
			viewers = "signed by " + b.KeyGroup
		}
		fmt.Fprintf(table, "  %s\t%s\t%s\t%s\t%s\n", b.Path, viewers, strings.Join(b.Methods, " "), b.ViewerProtocol, b.Origin)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(w, "\n  The edge is at  %s\n", r.URL)
	if r.Site != "" {
		fmt.Fprintf(w, "  Policies are for  %s\n", r.Site)
	}
	if r.Fingerprint != "" {
		fmt.Fprintf(w, "  Its certificate has the SHA-256 fingerprint\n    %s\n", r.Fingerprint)
	}
	if r.Explain != "" {
		fmt.Fprintf(w, "  Why it refuses something is at  %s\n", r.Explain)
	}
	if r.Chaos != "" {
		fmt.Fprintf(w, "  Chaos is on: %s\n", r.Chaos)
	}
	fmt.Fprint(w, "  Stop with Ctrl-C.\n")
	return nil
}

// wrapped breaks text into lines of a terminal's width, the first after prefix.
func wrapped(prefix, text string) string {
	const width = 78
	var b strings.Builder
	b.WriteString(prefix)
	indent, column := strings.Repeat(" ", len(prefix)), len(prefix)
	for i, word := range strings.Fields(text) {
		if i > 0 && column+1+len(word) > width {
			b.WriteString("\n" + indent)
			column = len(indent)
		} else if i > 0 {
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += len(word)
	}
	return b.String()
}

// certificate returns the configured one, or makes one for the names by which
// viewers may come.
func (b *edgeBuilder) certificate(r *edgeReady) (tls.Certificate, error) {
	if b.d.TLS.Cert != "" {
		return tls.LoadX509KeyPair(b.d.TLS.Cert, b.d.TLS.Key)
	}
	certificate, err := edge.SelfSigned(time.Now(), certificateHosts(r)...)
	if err != nil {
		return certificate, err
	}
	r.Certificate, r.Fingerprint = string(edge.CertificatePEM(certificate)), edge.Fingerprint(certificate)
	return certificate, nil
}

func certificateHosts(r *edgeReady) []string {
	hosts := []string{"localhost", "127.0.0.1", "::1"}
	for _, address := range []string{r.URL, r.Site} {
		_, host, _ := strings.Cut(address, "://")
		if name, _, err := net.SplitHostPort(host); err == nil {
			host = name
		}
		if host = strings.Trim(host, "[]"); host != "" && !slices.Contains(hosts, host) {
			hosts = append(hosts, host)
		}
	}
	return hosts
}

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
