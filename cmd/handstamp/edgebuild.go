package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strings"

	"github.com/handstamp/handstamp/pkg/cloudfront"
	"github.com/handstamp/handstamp/pkg/config"
	"github.com/handstamp/handstamp/pkg/edge"
	"github.com/handstamp/handstamp/pkg/explain"
	"github.com/handstamp/handstamp/pkg/objects/bucket"
)

// An edgeBuilder turns a configuration into an edge. Everything that is wrong
// with what the configuration names is reported to fail, by key.
type edgeBuilder struct {
	d       *config.Distribution
	parity  []config.ParitySetting // of flags, after those of the file
	slog    *slog.Logger
	ctx     context.Context // of the command
	config  edge.Config
	origins map[string]http.Handler
	groups  map[string]*cloudfront.KeyGroup
	keys    [][]*cloudfront.PublicKey // of all groups
	closers []io.Closer
	log     *edge.AccessLog
	logFile *os.File
	fail    func(key, text string)
}

// check opens and reads what d names.
func (b *edgeBuilder) check(d *config.Distribution, fail func(key, text string)) {
	b.d, b.fail = d, fail
	b.config = edge.Config{Site: d.Site, DefaultRootObject: d.DefaultRootObject, Explain: bool(d.Explain), Log: b.slog}
	b.openOrigins()
	b.readKeyGroups()
	b.addBehaviors()
	b.addErrors()
	b.decideParity()
	if d.Chaos != "" {
		chaos, err := edge.ParseChaos(d.Chaos)
		b.note("chaos", err)
		b.config.Chaos = chaos
	}
	b.addExplainPage()
	_, err := edge.New(b.config)
	for _, fault := range edge.Faults(err) {
		b.note(fault.Where, fault)
	}
}

// note reports an error in one line that does not say the key twice.
func (b *edgeBuilder) note(key string, err error) {
	if err != nil {
		text := strings.ReplaceAll(err.Error(), "\n", "; ")
		b.fail(key, strings.TrimPrefix(text, key+": "))
	}
}

func (b *edgeBuilder) openOrigins() {
	b.origins = map[string]http.Handler{}
	for i, o := range b.d.Origins {
		at := fmt.Sprintf("origins[%d]", i)
		switch o.Kind {
		case "folder":
			files, err := edge.Folder(o.Root)
			b.note(at+".root", err)
			if err == nil {
				b.origins[o.ID] = files
				b.closers = append(b.closers, files)
			}
		case "http":
			proxy, err := edge.HTTP(o.URL, edge.ProxyOptions{Log: b.slog})
			b.note(at+".url", err)
			if err == nil {
				b.origins[o.ID] = proxy
				b.closers = append(b.closers, proxy)
			}
		case "s3":
			store, err := b.openBucket(o)
			b.note(at+".bucket", err)
			if err == nil {
				b.origins[o.ID] = store
				b.closers = append(b.closers, store)
			}
		}
	}
}

// openBucket asks the bucket nothing: credentials may come later.
func (b *edgeBuilder) openBucket(o config.ContentOrigin) (*bucket.Bucket, error) {
	prefix := o.Prefix
	if prefix != "" && !strings.HasSuffix(prefix, "/") {
		prefix += "/"
	}
	return bucket.Open(b.ctx, bucket.Config{Name: o.Bucket, Region: o.Region, Endpoint: o.Endpoint, PathStyle: bool(o.PathStyle),
		Anonymous: bool(o.Anonymous), Options: bucket.Options{Prefix: prefix, Log: b.slog}})
}

func (b *edgeBuilder) readKeyGroups() {
	b.groups = map[string]*cloudfront.KeyGroup{}
	for i, g := range b.d.KeyGroups {
		var keys []*cloudfront.PublicKey
		for j, k := range g.Keys {
			key, err := readPublicKey(k)
			b.note(fmt.Sprintf("key_groups[%d].keys[%d].file", i, j), err)
			if err == nil {
				keys = append(keys, key)
			}
		}
		b.keys = append(b.keys, keys)
		group := cloudfront.NewKeyGroup(keys...)
		b.groups[g.ID] = &group
	}
}

func readPublicKey(k config.PublicKeySource) (*cloudfront.PublicKey, error) {
	text, err := os.ReadFile(k.File)
	if err != nil {
		return nil, err
	}
	key, err := cloudfront.ParsePublicKey(k.ID, text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", k.File, err)
	}
	return key, nil
}

// addBehaviors puts a stand-in where an origin or a key could not be had, which
// was reported before.
func (b *edgeBuilder) addBehaviors() {
	for _, c := range b.d.Behaviors {
		behavior := edge.Behavior{
			PathPattern: c.Path, Origin: b.origins[c.Origin], AllowedMethods: c.Methods,
			ForwardCookies: bool(c.ForwardCookies), ViewerProtocol: edge.ViewerProtocol(c.ViewerProtocol),
		}
		_, behavior.Static = behavior.Origin.(*bucket.Bucket)
		if behavior.Origin == nil {
			behavior.Origin = http.NotFoundHandler()
		}
		if group := b.groups[c.KeyGroup]; c.KeyGroup != "" && group != nil && group.Len() > 0 {
			behavior.TrustedKeyGroup = group
		}
		if k := c.CORS; len(k.Origins) > 0 {
			behavior.CORS = &edge.CORS{Origins: k.Origins, Credentials: bool(k.Credentials), Methods: k.Methods, Headers: k.Headers,
				Expose: k.Expose, MaxAge: k.MaxAge, Override: bool(k.Override)}
		}
		for _, h := range c.Headers {
			behavior.Headers = append(behavior.Headers, edge.Header{Name: h.Name, Value: h.Value, Override: bool(h.Override)})
		}
		b.config.Behaviors = append(b.config.Behaviors, behavior)
	}
}

// addExplainPage puts the page that explains refusals before the default
// behavior, so that it hides nothing that a pattern names.
func (b *edgeBuilder) addExplainPage() {
	last := len(b.config.Behaviors) - 1
	if !b.config.Explain || last < 0 {
		return
	}
	var keys []*cloudfront.PublicKey
	for _, all := range b.keys {
		keys = append(keys, all...)
	}
	page := explain.Handler(keys, nil)
	for _, path := range []string{"/explain", "/explain/*"} {
		if slices.ContainsFunc(b.d.Behaviors, func(c config.CacheBehavior) bool { return "/"+strings.TrimPrefix(c.Path, "/") == path }) {
			continue
		}
		own := edge.Behavior{PathPattern: path, Origin: page, AllowedMethods: edge.AllMethods()}
		b.config.Behaviors = slices.Insert(b.config.Behaviors, last, own)
		last++
	}
}

func (b *edgeBuilder) addErrors() {
	for _, e := range b.d.Errors {
		b.config.Errors = append(b.config.Errors, edge.ErrorResponse{Code: e.Code, Page: e.Page, Response: e.Response, CacheTTL: e.CacheTTL})
	}
}

// decideParity applies the settings, those of flags last.
func (b *edgeBuilder) decideParity() {
	var deciding cloudfront.Parity
	for i, s := range slices.Concat(b.d.Parity, b.parity) {
		b.note(fmt.Sprintf("parity[%d]", i), setParity(s.Name, s.Value, &deciding, &b.config.Parity))
	}
	b.config.Decider = cloudfront.NewDecider(deciding, 4096)
}

// setParity sets the point called name, wherever it belongs.
func setParity(name, value string, deciding *cloudfront.Parity, serving *edge.Parity) error {
	var names []string
	for _, s := range edge.ParitySettings() {
		if s.Name == name {
			return serving.Set(name, value)
		}
		names = append(names, s.Name)
	}
	for _, s := range cloudfront.ParitySettings() {
		if s.Name == name {
			return deciding.Set(name, value)
		}
		names = append(names, s.Name)
	}
	slices.Sort(names)
	return fmt.Errorf("no setting %.40q, there are %s", name, strings.Join(names, ", "))
}

// chaosText returns what chaos does, empty if there is none.
func (b *edgeBuilder) chaosText() string {
	if b.d.Chaos == "" {
		return ""
	}
	return b.config.Chaos.String()
}

// serve returns the edge itself, with its access log.
func (b *edgeBuilder) serve(stdout io.Writer) (*edge.Edge, error) {
	var err error
	if b.log, err = b.openLog(stdout); err != nil {
		return nil, err
	}
	b.config.AccessLog = b.log
	return edge.New(b.config)
}

func (b *edgeBuilder) close() {
	for _, c := range b.closers {
		c.Close()
	}
}
