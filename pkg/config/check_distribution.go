package config

import (
	"fmt"
	"net"
	"reflect"
	"slices"
	"strings"
)

// A distributionChecker holds the values of a Distribution against the rules.
type distributionChecker struct {
	findings
	d           *Distribution
	explainSaid bool // explicitly
}

func (c *distributionChecker) run(more func(*Distribution, func(key, text string))) {
	v := reflect.ValueOf(c.d).Elem()
	c.lists(distributionSchema, v)
	each(v, distributionSchema, "", c.value)
	c.server()
	c.explain()
	c.keyGroups()
	c.origins()
	c.behaviors()
	c.errors()
	c.production()
	if more != nil {
		more(c.d, func(key, text string) { c.fail(key, "%s", text) })
	}
	c.d.Warnings = c.warnings
}

func (c *distributionChecker) server() {
	if fault := listenFault(c.d.Listen); fault != "" {
		c.fail("listen", "%s", fault)
	}
	t := c.d.TLS
	switch {
	case t.Cert != "" && t.Key == "":
		c.fail("tls.key", "missing, want the private key of tls.cert")
	case t.Key != "" && t.Cert == "":
		c.fail("tls.cert", "missing, want the certificate of tls.key")
	case t.Cert != "" && !bool(t.Enabled):
		c.fail("tls.enabled", "off, though there is a certificate; want on, or no tls.cert")
	}
}

// explain keeps reasons from viewers who may be anybody.
func (c *distributionChecker) explain() {
	host, _, _ := net.SplitHostPort(c.d.Listen)
	switch here := loopback(host); {
	case !c.good("listen", "explain", "development") || !bool(c.d.Explain) || here || bool(c.d.Development):
	case c.explainSaid:
		c.fail("explain", "on, and %q can be reached from other machines, whose viewers would be told what CloudFront keeps to itself; want off, or development: on", c.d.Listen)
	default:
		c.d.Explain = false
	}
}

func (c *distributionChecker) keyGroups() {
	var ids []string
	for i, g := range c.d.KeyGroups {
		at := fmt.Sprintf("key_groups[%d]", i)
		ids = c.once(ids, at+".id", g.ID)
		if len(g.Keys) == 0 {
			c.fail(at+".keys", "none, so nobody could get in; want at least one")
		}
		var keys []string
		for j, k := range g.Keys {
			keys = c.once(keys, fmt.Sprintf("%s.keys[%d].id", at, j), k.ID)
		}
	}
}

// once checks that id is not among ids yet, and returns it with them.
func (c *distributionChecker) once(ids []string, key, id string) []string {
	if slices.Contains(ids, id) {
		c.fail(key, "%s is there already", quote(id))
	}
	return append(ids, id)
}

func (c *distributionChecker) origins() {
	var ids []string
	for i, o := range c.d.Origins {
		at := fmt.Sprintf("origins[%d]", i)
		ids = c.once(ids, at+".id", o.ID)
		if c.good(at + ".kind") {
			c.origin(at, o)
		}
	}
}

// origin checks that one has the keys of its kind and no others.
func (c *distributionChecker) origin(at string, o ContentOrigin) {
	const folder, http, s3 = "folder", "http", "s3"
	for _, key := range []struct {
		name, kind string
		set        bool
		want       string // empty if it may be left out
	}{
		{"root", folder, o.Root != "", "the folder with the files"},
		{"url", http, o.URL != "", "the address of the server"},
		{"bucket", s3, o.Bucket != "", "the name of the bucket"},
		{"region", s3, o.Region != "", ""},
		{"endpoint", s3, o.Endpoint != "", ""},
		{"path_style", s3, bool(o.PathStyle), ""},
		{"prefix", s3, o.Prefix != "", ""},
		{"anonymous", s3, bool(o.Anonymous), ""},
	} {
		switch {
		case key.kind != o.Kind && key.set:
			this := map[string]string{folder: "a folder", http: "http", s3: "s3"}[o.Kind]
			c.fail(at+"."+key.name, "it belongs to kind %s, this one is %s", key.kind, this)
		case key.kind == o.Kind && !key.set && key.want != "":
			c.fail(at+"."+key.name, "missing, want %s", key.want)
		}
	}
}

func (c *distributionChecker) behaviors() {
	var origins, groups []string
	for _, o := range c.d.Origins {
		origins = append(origins, o.ID)
	}
	for _, g := range c.d.KeyGroups {
		groups = append(groups, g.ID)
	}
	for i, b := range c.d.Behaviors {
		at := fmt.Sprintf("behaviors[%d]", i)
		if c.good("origins") {
			c.refers(at+".origin", b.Origin, origins)
		}
		if b.KeyGroup != "" && c.good("key_groups") {
			c.refers(at+".key_group", b.KeyGroup, groups)
		}
		c.protocol(at+".viewer_protocol", b.ViewerProtocol)
		c.cors(at+".cors", b.CORS)
	}
}

func (c *distributionChecker) refers(key, id string, ids []string) {
	if !slices.Contains(ids, id) {
		c.fail(key, "there is no %s%s", quote(id), didYouMean(id, ids))
	}
}

// protocol checks that https is there for those who are sent to it.
func (c *distributionChecker) protocol(key, policy string) {
	https := bool(c.d.TLS.Enabled) || strings.HasPrefix(c.d.Site, "https://")
	if policy != "allow-all" && !https && c.good(key, "tls", "tls.enabled", "site") {
		c.fail(key, "%s, but nothing here speaks https; want tls.enabled: on, or a site that begins with https://", policy)
	}
}

func (c *distributionChecker) cors(key string, k CrossOrigin) {
	if len(k.Origins) > 0 {
		c.wholeSeconds(key+".max_age", k.MaxAge)
		return
	}
	if bool(k.Credentials) || len(k.Methods)+len(k.Headers)+len(k.Expose) > 0 || k.MaxAge != 0 {
		c.fail(key+".origins", "missing, want the origins of the pages, like [https://app.example.org]")
	}
}

// errors warns of pages that players take for media.
func (c *distributionChecker) errors() {
	for i, e := range c.d.Errors {
		if e.Code == 403 && e.Response/100 == 2 {
			c.warn(fmt.Sprintf("errors[%d].response", i), "a refusal becomes %d: players take the page for media, browsers keep it, and the reason is hidden (S18); 403 keeps the status", e.Response)
		}
	}
}

// production refuses what is for tests.
func (c *distributionChecker) production() {
	if !c.d.Production() || !c.good("environment") {
		return
	}
	if c.d.Chaos != "" {
		c.fail("chaos", "it refuses viewers who may enter, want none in production")
	}
	if bool(c.d.Development) {
		c.fail("development", "on, want off in production")
	}
	if bool(c.d.Explain) && c.explainSaid {
		c.fail("explain", "on tells viewers what CloudFront keeps to itself, want off in production")
	}
	c.d.Explain = false
	if bool(c.d.TLS.Enabled) && c.d.TLS.Cert == "" {
		c.fail("tls.cert", "missing, want a certificate of your own in production")
	}
}
