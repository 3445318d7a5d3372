package config

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Validate checks c as Load does, for a Config that was made or changed in
// code: it fills the names and prefixes that follow from ids, sets c.Warnings
// and returns an *Error with every problem. Secrets are resolved.
func (c *Config) Validate() error {
	k := newChecker(c, func(key string) Problem { return Problem{Key: key} }, map[string]bool{})
	k.run()
	return report("", k.problems)
}

// A checker holds the values of a Config against the rules.
type checker struct {
	findings
	cfg *Config
}

// findings is what a check has found, and what the tags of a field ask for.
type findings struct {
	where    func(key string) Problem // File, Line and Key for a problem with key
	bad      map[string]bool          // keys that have a problem already
	problems []Problem
	warnings []string
}

func newChecker(cfg *Config, where func(string) Problem, bad map[string]bool) *checker {
	return &checker{findings{where: where, bad: bad}, cfg}
}

func (c *checker) run() {
	c.cfg.fill()
	c.lists(schema, reflect.ValueOf(c.cfg).Elem())
	c.cfg.each(c.value)
	c.http()
	c.media()
	c.cookies()
	c.admission()
	c.keys()
	c.pepper()
	c.dynamo()
	c.denylist()
	c.sources()
	c.attractions()
	c.admin()
	c.telemetry()
	c.objects()
	c.production()
	c.look()
	c.cfg.Warnings = c.warnings
}

// fail notes a problem with key, unless it or what it is part of has one.
func (c *findings) fail(key, format string, args ...any) {
	if !c.good(key) {
		return
	}
	c.bad[key] = true
	p := c.where(key)
	p.Text = fmt.Sprintf(format, args...)
	c.problems = append(c.problems, p)
}

// warn notes what is allowed but deserves a look.
func (c *findings) warn(key, format string, args ...any) {
	p := c.where(key)
	p.Text = fmt.Sprintf(format, args...)
	c.warnings = append(c.warnings, p.String())
}

// good reports whether none of keys, nor what they are part of, has a problem.
// Rules that compare values ask it first: one slip is one problem.
func (c *findings) good(keys ...string) bool {
	for _, key := range keys {
		for ; key != ""; key = parent(key) {
			if c.bad[key] {
				return false
			}
		}
	}
	return !c.bad[""]
}

// parent returns the key that key is part of: a[0].b, a[0], a.
func parent(key string) string {
	return key[:max(0, strings.LastIndexAny(key, ".["))]
}

// lists checks that required lists of objects are there.
func (c *findings) lists(schema []*field, cfg reflect.Value) {
	for _, f := range schema {
		if f.kind == objects && f.required && cfg.Field(f.index).Len() == 0 {
			c.fail(f.name, "none is configured, want at least one")
		}
	}
}

// value checks what the tags of f ask for.
func (c *findings) value(f *field, key string, v value) {
	if f.required && isEmpty(v) {
		c.fail(key, "missing (%s)", f.doc)
		return
	}
	switch x := v.Interface().(type) {
	case string:
		c.text(f, key, x)
	case []string:
		c.texts(f, key, x)
	case time.Duration:
		c.span(f, key, x)
	case int:
		c.number(f, key, x)
	}
}

func isEmpty(v value) bool {
	if v.Kind() == reflect.Slice {
		return v.Len() == 0
	}
	return v.IsZero()
}

// slugged is a path segment and name that means the same in every spelling.
var slugged = regexp.MustCompile(`^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$`)

const slugRule = "lower-case letters, digits and inner hyphens, at most 63"

func (c *findings) text(f *field, key, s string) {
	if f.enum != nil && !slices.Contains(f.enum, s) {
		c.fail(key, "found %s, want %s", quote(s), oneOf(f.enum))
	}
	if f.slug && !slugged.MatchString(s) {
		c.fail(key, "%s is not a slug, want %s", quote(s), slugRule)
	}
}

func (c *findings) texts(f *field, key string, list []string) {
	for i, s := range list {
		at := fmt.Sprintf("%s[%d]", key, i)
		if f.enum != nil && !slices.Contains(f.enum, s) {
			c.fail(at, "found %s, want %s%s", quote(s), oneOf(f.enum), didYouMean(s, f.enum))
		}
		if f.slug && !slugged.MatchString(s) {
			c.fail(at, "%s is not a slug, want %s", quote(s), slugRule)
		}
		if slices.Contains(list[:i], s) && c.good(at) {
			c.fail(at, "%s is listed twice", quote(s))
		}
	}
}

func (c *findings) span(f *field, key string, d time.Duration) {
	low, _ := time.ParseDuration(f.min)
	high, _ := time.ParseDuration(f.max)
	if d < low || d > high {
		c.fail(key, "%s is out of range, want %s to %s", short(d), f.min, f.max)
	}
}

func (c *findings) number(f *field, key string, n int) {
	low, _ := parseNumber(f.min)
	high, _ := parseNumber(f.max)
	if n < low || n > high {
		c.fail(key, "%d is out of range, want %s to %s", n, f.min, f.max)
	}
}
