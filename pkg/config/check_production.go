package config

import (
	"path/filepath"
	"strings"
)

// production refuses what is only fit for trying out. Plain http is refused
// where URLs are checked.
func (c *checker) production() {
	if !c.cfg.Production() || !c.good("environment") {
		return
	}
	if example(c.cfg.Keys.Dir) {
		c.fail("keys.dir", "%q holds keys that everybody has, want your own in production", c.cfg.Keys.Dir)
	}
	if c.cfg.Keys.Manifest == "" && strings.HasPrefix(c.cfg.Keys.Active, "KEXAMPLE") {
		c.fail("keys.active", "%q is the example key, want your own in production", c.cfg.Keys.Active)
	}
	if c.cfg.Book.Kind == "memory" {
		c.fail("book.kind", "memory forgets every admission when the process ends, want a durable book in production")
	}
	if c.cfg.Book.Pepper.IsZero() {
		c.fail("book.pepper", "missing, want file:PATH or env:NAME in production")
	}
	if c.cfg.Book.Endpoint != "" {
		c.fail("book.endpoint", "DynamoDB Local is for development, want none in production")
	}
	if !bool(c.cfg.Throttle.Enabled) {
		c.fail("throttle.enabled", "off lets everybody guess at tickets, want on in production")
	}
	if c.cfg.Edge.Root != "" {
		c.fail("edge.root", "the local edge is for development, in production CloudFront serves the media")
	}
}

// example reports whether dir is the folder of the example keys or in it, also
// behind a symbolic link.
func example(dir string) bool {
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = dir + "/" + real
	}
	for segment := range strings.SplitSeq(filepath.ToSlash(dir), "/") {
		if strings.EqualFold(segment, "keys.example") {
			return true
		}
	}
	return false
}
