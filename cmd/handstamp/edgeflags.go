package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/handstamp/handstamp/pkg/cloudfront"
	"github.com/handstamp/handstamp/pkg/config"
	"github.com/handstamp/handstamp/pkg/edge"
)

// build reads what --config or the other flags describe.
func (f *edgeFlags) build(cmd *cobra.Command, log *slog.Logger) (*edgeBuilder, error) {
	if err := f.check(cmd); err != nil {
		return nil, err
	}
	b := &edgeBuilder{slog: log, ctx: cmd.Context()}
	var err error
	if b.parity, err = f.parseParity(); err != nil {
		return nil, err
	}
	if f.config != "" {
		err = f.load(cmd, b)
	} else {
		err = f.assemble(b)
	}
	if err != nil {
		b.close()
		return nil, err
	}
	for _, w := range b.d.Warnings {
		fmt.Fprintln(cmd.ErrOrStderr(), "handstamp: warning:", w)
	}
	return b, nil
}

// check looks at which flags go together.
func (f *edgeFlags) check(cmd *cobra.Command) error {
	switch {
	case f.config == "" && f.root == "" && f.origin == "":
		return usagef("want either --config FILE, or --root FOLDER with --public-key ID=FILE (or --origin ADDRESS in the place of --root)")
	case f.config != "" && (f.root+f.origin+f.s3Endpoint+f.s3Region != "" || f.s3Anonymous || len(f.keys)+len(f.paid)+len(f.free) > 0):
		return usagef("--root, --origin, --s3-..., --public-key, --paid and --free are for an edge without --config; the file has them as origins, key_groups and behaviors")
	case f.root != "" && f.origin != "":
		return usagef("--root and --origin exclude each other: content comes from one place")
	case !strings.HasPrefix(f.origin, "s3:") && (f.s3Endpoint+f.s3Region != "" || f.s3Anonymous):
		return usagef("--s3-endpoint, --s3-region and --s3-anonymous want --origin s3://BUCKET")
	case f.config == "" && len(f.keys) == 0:
		return usagef("--public-key is missing: the key that may sign, ID=FILE (hint: \"handstamp keys new\" makes one)")
	case (f.tlsCert == "") != (f.tlsKey == ""):
		return usagef("--tls-cert and --tls-key go together")
	case cmd.Flags().Changed("chaos") && f.chaos == "":
		return usagef("--chaos is empty, want something like refuse=5%%,latency=0s-2s")
	}
	return nil
}

func (f *edgeFlags) parseParity() ([]config.ParitySetting, error) {
	var all []config.ParitySetting
	for _, text := range f.parity {
		name, value, ok := strings.Cut(text, "=")
		if !ok {
			return nil, usagef("--parity %q, want NAME=VALUE", text)
		}
		if err := setParity(name, value, new(cloudfront.Parity), new(edge.Parity)); err != nil {
			return nil, usagef("--parity: %v", err)
		}
		all = append(all, config.ParitySetting{Name: name, Value: value})
	}
	return all, nil
}

// load reads the file; flags go before it.
func (f *edgeFlags) load(cmd *cobra.Command, b *edgeBuilder) (err error) {
	overrides := map[string]string{}
	for key, text := range map[string]string{"site": f.site, "chaos": f.chaos, "access_log": f.accessLog, "tls.cert": f.tlsCert, "tls.key": f.tlsKey} {
		if text != "" {
			overrides[key] = text
		}
	}
	if cmd.Flags().Changed("addr") {
		overrides["listen"] = f.addr
	}
	if f.tls || f.tlsCert != "" {
		overrides["tls.enabled"] = "on"
	}
	b.d, err = config.LoadDistribution(f.config, config.DistributionOptions{Overrides: overrides, Check: b.check})
	var wrong *config.Error
	if errors.As(err, &wrong) && !slices.ContainsFunc(wrong.Problems, func(p config.Problem) bool { return p.File != "command line" }) {
		return usagef("%v", wrong)
	}
	return err
}

// contentOrigin returns the one that --root or --origin names. A store with an
// address of its own gets the bucket in the path.
func (f *edgeFlags) contentOrigin() (config.ContentOrigin, error) {
	if f.origin == "" {
		return config.ContentOrigin{ID: "folder", Kind: "folder", Root: f.root}, nil
	}
	u, err := url.Parse(f.origin)
	switch {
	case err != nil:
		return config.ContentOrigin{}, usagef("--origin: not an address, want s3://BUCKET/PREFIX or http://HOST")
	case u.Scheme == "http" || u.Scheme == "https":
		return config.ContentOrigin{ID: "server", Kind: "http", URL: f.origin}, nil
	case u.Scheme != "s3" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return config.ContentOrigin{}, usagef("--origin %q, want s3://BUCKET/PREFIX or http://HOST", u.Redacted())
	}
	return config.ContentOrigin{ID: "bucket", Kind: "s3", Bucket: u.Host, Prefix: strings.Trim(u.Path, "/"), Region: f.s3Region,
		Endpoint: f.s3Endpoint, PathStyle: f.s3Endpoint != "", Anonymous: config.Switch(f.s3Anonymous)}, nil
}

// assemble makes the configuration of one place and its keys.
func (f *edgeFlags) assemble(b *edgeBuilder) error {
	origin, err := f.contentOrigin()
	if err != nil {
		return err
	}
	d := config.DefaultDistribution()
	if production := os.Getenv("HANDSTAMP_ENVIRONMENT"); production != "" {
		d.Environment = production
	}
	d.Listen, d.Site, d.Chaos, d.AccessLog = f.addr, f.site, f.chaos, f.accessLog
	d.TLS = config.ServerTLS{Enabled: config.Switch(f.tls || f.tlsCert != ""), Cert: f.tlsCert, Key: f.tlsKey}
	d.Origins = []config.ContentOrigin{origin}
	group := config.KeyGroup{ID: "public-key"}
	for _, flag := range f.keys {
		id, file, ok := strings.Cut(flag, "=")
		if !ok || id == "" || file == "" {
			return usagef("--public-key %q, want ID=FILE", flag)
		}
		group.Keys = append(group.Keys, config.PublicKeySource{ID: id, File: file})
	}
	d.KeyGroups = []config.KeyGroup{group}
	add := func(path, keyGroup string) {
		d.Behaviors = append(d.Behaviors, config.CacheBehavior{Path: path, Origin: origin.ID, KeyGroup: keyGroup, ViewerProtocol: "allow-all"})
	}
	for _, path := range f.free {
		add(path, "")
	}
	for _, path := range f.paid {
		add(path, group.ID)
	}
	if rest := map[bool]string{true: group.ID, false: ""}[len(f.paid) == 0]; !f.hasDefault() {
		add("*", rest)
	}
	b.d = d
	if err := d.Validate(f.flagName, config.DistributionOptions{Check: b.check}); err != nil {
		return usagef("%v", err)
	}
	return nil
}

// hasDefault reports whether the last pattern covers everything by itself.
func (f *edgeFlags) hasDefault() bool {
	all := append(slices.Clone(f.free), f.paid...)
	return len(all) > 0 && (all[len(all)-1] == "*" || all[len(all)-1] == "/*")
}

// flagName returns the flag behind a key of the configuration.
func (f *edgeFlags) flagName(key string) string {
	if f.origin != "" && strings.HasPrefix(key, "origins") {
		return "--origin"
	}
	for _, f := range [][2]string{
		{"origins", "--root"}, {"key_groups", "--public-key"}, {"behaviors", "--paid or --free"}, {"site", "--site"}, {"listen", "--addr"},
		{"tls.cert", "--tls-cert"}, {"tls.key", "--tls-key"}, {"chaos", "--chaos"}, {"access_log", "--access-log"}, {"environment", "HANDSTAMP_ENVIRONMENT"},
	} {
		if strings.HasPrefix(key, f[0]) {
			return f[1]
		}
	}
	return key
}
