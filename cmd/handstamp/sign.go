package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/handstamp/handstamp/pkg/app"
	"github.com/handstamp/handstamp/pkg/cloudfront"
	"github.com/handstamp/handstamp/pkg/explain"
	"github.com/handstamp/handstamp/pkg/keyring"
)

// signFlags are shared by "sign cookies" and "sign url".
type signFlags struct {
	config                       configFlags
	keyFile, keyPairID, hash     string
	resource, url                string
	expires, starts, ip, policy  string
	json, asCurl, asNetscapeJars bool
}

func newSign() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "sign",
		Short: "Sign cookies or a URL by hand, for scripts and support",
		Args:  noSuchCommand,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newSignCookies(), newSignURL())
	return cmd
}

func newSignCookies() *cobra.Command {
	var f signFlags
	cmd := &cobra.Command{
		Use:   "cookies",
		Short: "Sign a cookie set",
		Long: `Sign the cookies that open a URL, or every URL that a pattern covers. A pattern,
a start time or an address makes it a custom policy, one exact URL a canned one.`,
		Example: `  handstamp sign cookies --private-key keys/K2JCJMDEHXQW5F.pem --key-pair-id K2JCJMDEHXQW5F \
    --resource 'https://media.example.org/castle/*' --expires 15m
  handstamp sign cookies --config config.yaml --resource 'https://media.example.org/castle/*' --expires 1h --json
  handstamp sign cookies --config config.yaml --resource 'https://media.example.org/castle/*' --expires 1h --netscape > jar`,
		Args: onlyFlags,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.cookies(cmd) },
	}
	f.add(cmd)
	cmd.Flags().BoolVar(&f.asCurl, "curl", false, "print a curl command")
	cmd.Flags().BoolVar(&f.asNetscapeJars, "netscape", false, "print a cookie jar in Netscape form, for curl -b and wget")
	cmd.MarkFlagsMutuallyExclusive("json", "curl", "netscape")
	return cmd
}

func newSignURL() *cobra.Command {
	var f signFlags
	cmd := &cobra.Command{
		Use:   "url",
		Short: "Sign a URL",
		Long: `Sign one URL. It is taken as it stands on the wire and not encoded again. With a
pattern as the resource, --url says which of its URLs to print.`,
		Example: `  handstamp sign url --private-key keys/K2JCJMDEHXQW5F.pem --key-pair-id K2JCJMDEHXQW5F \
    --resource https://media.example.org/castle/map.pdf --expires 2027-07-01T18:00:00Z
  handstamp sign url --config config.yaml --resource 'https://media.example.org/castle/*' \
    --url https://media.example.org/castle/audio/01.m4a --expires 10m --json`,
		Args: onlyFlags,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.signedURL(cmd) },
	}
	f.add(cmd)
	cmd.Flags().StringVar(&f.url, "url", "", "the URL to print, if the resource is a pattern")
	cmd.Flags().BoolVar(&f.asCurl, "curl", false, "print a curl command")
	cmd.MarkFlagsMutuallyExclusive("json", "curl")
	return cmd
}

func (f *signFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.config.file, "config", "", "sign with the active key of this configuration")
	flags.StringToStringVar(&f.config.set, "set", nil, "override a key of the configuration")
	flags.StringVar(&f.keyFile, "private-key", "", "PEM file of the private key")
	flags.StringVar(&f.keyPairID, "key-pair-id", "", "ID of its public key at CloudFront")
	flags.StringVar(&f.hash, "hash", "", "SHA1 or SHA256 (default: SHA1 for RSA, SHA256 for ECDSA)")
	flags.StringVar(&f.resource, "resource", "", "URL, or pattern with * and ? (required)")
	flags.StringVar(&f.expires, "expires", "", "end: RFC 3339, Unix seconds, or a duration from now like 15m (required)")
	flags.StringVar(&f.starts, "starts", "", "start, in the same forms")
	flags.StringVar(&f.ip, "ip", "", "IPv4 address or range of the viewer")
	flags.StringVar(&f.policy, "policy", "", "custom or canned (default: canned where it can be)")
	flags.BoolVar(&f.json, "json", false, "print JSON")
}

// sign returns the signature that the flags ask for.
func (f *signFlags) sign(cmd *cobra.Command) (*cloudfront.Signed, error) {
	policy, err := f.readPolicy(time.Now())
	if err != nil {
		return nil, err
	}
	signer, err := f.signer(cmd.Context(), cmd.ErrOrStderr())
	if err != nil {
		return nil, err
	}
	if !policy.DateLessThan.After(time.Now()) {
		fmt.Fprintf(cmd.ErrOrStderr(), "handstamp: warning: --expires %s is in the past, so CloudFront will refuse this\n", f.expires)
	}
	sign := signer.Sign
	if f.policy == "canned" || f.policy == "" && policy.Canned() {
		sign = signer.SignCanned
	}
	signed, err := sign(policy)
	if errors.Is(err, cloudfront.ErrCanned) {
		return nil, usagef("--policy canned: %v", err)
	}
	return signed, err
}

func (f *signFlags) readPolicy(now time.Time) (p cloudfront.Policy, err error) {
	if f.policy != "" && f.policy != "custom" && f.policy != "canned" {
		return p, usagef("--policy %q, want custom or canned", f.policy)
	}
	if f.resource == "" {
		return p, usagef("--resource is missing: a URL, or a pattern like 'https://media.example.org/castle/*'")
	}
	if p.Resource, err = cloudfront.ParseResource(f.resource); err != nil {
		return p, usagef("--resource: %v", err)
	}
	if f.expires == "" {
		return p, usagef("--expires is missing: RFC 3339, Unix seconds, or a duration from now like 15m")
	}
	if p.DateLessThan, err = parseWhen(f.expires, now); err != nil {
		return p, usagef("--expires %v", err)
	}
	if f.starts != "" {
		if p.DateGreaterThan, err = parseWhen(f.starts, now); err != nil {
			return p, usagef("--starts %v", err)
		}
	}
	if p.IPAddress, err = parseRange(f.ip); err != nil {
		return p, usagef("--ip %v", err)
	}
	if err := p.Check(); err != nil {
		return p, usagef("%v", err)
	}
	return p, nil
}

// parseWhen reads a time, or a duration from now. A time in milliseconds is
// told from one in seconds by its size.
func parseWhen(s string, now time.Time) (time.Time, error) {
	if d, err := time.ParseDuration(s); err == nil && strings.Trim(s, "0123456789-") != "" {
		return now.Add(d), nil
	}
	t, err := explain.ParseInstant(s)
	if err != nil {
		return t, fmt.Errorf("%w, or a duration from now like 15m", err)
	}
	if t.Unix() > 100_000_000_000 {
		return t, fmt.Errorf("%s is in milliseconds, want seconds", s)
	}
	return t, nil
}

func parseRange(s string) (netip.Prefix, error) {
	if s == "" {
		return netip.Prefix{}, nil
	}
	if ip, err := netip.ParseAddr(s); err == nil && ip.Is4() {
		return netip.PrefixFrom(ip, 32), nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil || !p.Addr().Is4() {
		return p, fmt.Errorf("%q, want an IPv4 address or range like 192.0.2.0/24 (CloudFront matches no IPv6)", s)
	}
	return p, nil
}

// signer returns the key of a file or of a configuration.
func (f *signFlags) signer(ctx context.Context, stderr io.Writer) (*cloudfront.Signer, error) {
	hash := cloudfront.Hash(f.hash)
	if f.hash != "" {
		if _, err := cloudfront.ParseHash(f.hash); err != nil {
			return nil, usagef("--hash: %v", err)
		}
	}
	if (f.config.file == "") == (f.keyFile == "") {
		return nil, usagef("want either --private-key with --key-pair-id, or --config")
	}
	if f.config.file != "" {
		return f.configured(ctx, stderr, hash)
	}
	if f.keyPairID == "" {
		return nil, usagef("--key-pair-id is missing: the ID of the public key at CloudFront, like K2JCJMDEHXQW5F")
	}
	key, err := keyring.LoadPrivate(f.keyFile, keyring.Options{InsecureAllowExample: true})
	if errors.Is(err, keyring.ErrMode) {
		fmt.Fprintln(stderr, "handstamp: warning:", err)
		key, err = keyring.LoadPrivate(f.keyFile, keyring.Options{InsecureAllowExample: true, InsecureAllowAnyMode: true})
	}
	if err != nil {
		return nil, fmt.Errorf("--private-key: %w", err)
	}
	signer, err := cloudfront.NewSigner(f.keyPairID, key, hash)
	if err != nil {
		return nil, usagef("%v", err)
	}
	return signer, nil
}

func (f *signFlags) configured(ctx context.Context, stderr io.Writer, hash cloudfront.Hash) (*cloudfront.Signer, error) {
	if f.keyPairID != "" {
		return nil, usagef("--key-pair-id goes with --private-key; a configuration has its active key")
	}
	cfg, err := f.config.load(stderr)
	if err != nil {
		return nil, err
	}
	ring, err := app.LoadRing(ctx, cfg)
	if err != nil {
		return nil, &setupError{err}
	}
	id, key, err := ring.Active()
	if err != nil {
		return nil, err
	}
	if hash == "" {
		hash = cloudfront.Hash(cfg.Cookies.Hash)
	}
	return cloudfront.NewSigner(id, key, hash)
}

func (f *signFlags) cookies(cmd *cobra.Command) error {
	signed, err := f.sign(cmd)
	if err != nil {
		return err
	}
	out := cmd.OutOrStdout()
	switch fields := signed.Cookies(); {
	case f.json:
		values := map[string]string{}
		for _, c := range fields {
			values[c.Name] = c.Value
		}
		return writeIndented(out, values)
	case f.asCurl:
		fmt.Fprintf(out, "curl --cookie '%s' '%s'\n", header(fields), quoted(strings.TrimSuffix(f.resource, "*")))
	case f.asNetscapeJars:
		writeJar(out, f.resource, signed.Policy.DateLessThan, fields)
	default:
		for _, c := range fields {
			fmt.Fprintf(out, "%s=%s\n", c.Name, c.Value)
		}
	}
	return nil
}

func (f *signFlags) signedURL(cmd *cobra.Command) error {
	signed, err := f.sign(cmd)
	if err != nil {
		return err
	}
	target := f.url
	if target == "" {
		target = f.resource
		if strings.Contains(target, "*") {
			return usagef("--url is missing: which of the URLs that %q covers to print", f.resource)
		}
	}
	address, err := signed.URL(target)
	if err != nil {
		return usagef("%v", err)
	}
	out := cmd.OutOrStdout()
	switch {
	case f.json:
		return writeIndented(out, map[string]string{"url": address})
	case f.asCurl:
		fmt.Fprintf(out, "curl '%s'\n", quoted(address))
	default:
		fmt.Fprintln(out, address)
	}
	return nil
}

func writeIndented(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

func header(fields []cloudfront.Field) string {
	pairs := make([]string, len(fields))
	for i, f := range fields {
		pairs[i] = f.Name + "=" + f.Value
	}
	return strings.Join(pairs, "; ")
}

// quoted makes s safe between single quotes of a shell.
func quoted(s string) string { return strings.ReplaceAll(s, "'", `'\''`) }

// writeJar prints cookies in the form that Netscape began and curl documents:
// domain, whether subdomains count, path, secure, expiry, name, value.
func writeJar(w io.Writer, resource string, expires time.Time, fields []cloudfront.Field) {
	scheme, rest, _ := strings.Cut(resource, "://")
	host, path, _ := strings.Cut(rest, "/")
	host, _, _ = strings.Cut(host, ":")
	path, _, _ = strings.Cut("/"+path, "?")
	path, _, _ = strings.Cut(path, "*")
	path = path[:strings.LastIndexByte(path, '/')+1]
	fmt.Fprintln(w, "# Netscape HTTP Cookie File")
	for _, f := range fields {
		fmt.Fprintf(w, "#HttpOnly_%s\tFALSE\t%s\t%s\t%d\t%s\t%s\n", host, path, strings.ToUpper(fmt.Sprint(scheme == "https")), expires.Unix(), f.Name, f.Value)
	}
}
