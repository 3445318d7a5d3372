package config

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"
)

var (
	bucketName  = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)
	contentKind = regexp.MustCompile(`^[a-z0-9][a-z0-9!#$&^_.+-]*/(\*|[a-z0-9][a-z0-9!#$&^_.+-]*)$`)
	keySegment  = regexp.MustCompile(`^([A-Za-z0-9_.-]+|\{(admission|device|ticket|attraction)\})$`)
	whoMay      = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
)

// maxObject is the largest object that one upload can make at S3.
const maxObject = Size(5 << 30)

// objects checks what is said of private files.
func (c *checker) objects() {
	o := c.cfg.Objects
	c.objectTokens(o.Tokens)
	areas := map[string]string{}
	for i := range o.Rules {
		at := fmt.Sprintf("objects.rules[%d]", i)
		c.unique(areas, at+".area", o.Rules[i].Area)
		c.objectRule(at, &o.Rules[i])
	}
	if o.Bucket == "" {
		if len(o.Rules) > 0 && c.good("objects.rules") {
			c.warn("objects.bucket", "empty, so there are no private files, whatever objects.rules say")
		}
		return
	}
	if fault := bucketFault(o.Bucket); fault != "" {
		c.fail("objects.bucket", "%s %s", quote(o.Bucket), fault)
	}
	if len(o.Rules) == 0 {
		c.fail("objects.rules", "none, so nobody could read or write anything; want at least one")
	}
	c.objectStore(&o)
	c.objectTimes(&o)
}

func bucketFault(name string) string {
	if _, err := netip.ParseAddr(name); err == nil || !bucketName.MatchString(name) || strings.Contains(name, "..") {
		return "is not a bucket, want its name: 3 to 63 lower-case letters, digits, dots and hyphens"
	}
	return ""
}

func (c *checker) objectStore(o *Objects) {
	if o.Region != "" && !awsRegion.MatchString(o.Region) && o.Endpoint == "" {
		c.fail("objects.region", "%s is not an AWS region, want one like eu-west-1", quote(o.Region))
	}
	if o.Endpoint == "" {
		return
	}
	if fault := endpointFault(o.Endpoint); fault != "" {
		c.fail("objects.endpoint", "%s", fault)
	} else if c.cfg.Production() && !strings.HasPrefix(o.Endpoint, "https://") {
		c.fail("objects.endpoint", "%s is plain http, and browsers send private files there; want https in production", quote(o.Endpoint))
	}
}

func (c *checker) objectTimes(o *Objects) {
	for key, d := range map[string]time.Duration{"objects.lifetime": o.Lifetime, "objects.window": o.Window} {
		if d%time.Second != 0 {
			c.fail(key, "%s is not whole seconds", d)
		}
	}
	if o.Window > o.Lifetime/2 && c.good("objects.window", "objects.lifetime") {
		c.fail("objects.window", "%s is more than half of the lifetime %s, so a URL could be almost over when it is handed out", short(o.Window), short(o.Lifetime))
	}
}

func (c *checker) objectRule(at string, r *ObjectRule) {
	if fault := keysFault(r.Keys); fault != "" {
		c.fail(at+".keys", "%s %s", quote(r.Keys), fault)
	}
	for _, list := range []struct {
		key string
		who []string
	}{{at + ".read", r.Read}, {at + ".write", r.Write}} {
		for i, who := range list.who {
			c.objectRole(fmt.Sprintf("%s[%d]", list.key, i), who)
		}
	}
	if slices.Contains(r.Write, "everyone") {
		c.fail(at+".write", "everyone could fill the bucket, want visitor, owner or roles of tokens")
	}
	for i, t := range r.Types {
		if !contentKind.MatchString(t) {
			c.fail(fmt.Sprintf("%s.types[%d]", at, i), "%s is not a content type, want one like image/jpeg or image/*", quote(t))
		}
	}
	if len(r.Write) > 0 && len(r.Types) == 0 {
		c.fail(at+".types", "none, so nothing could be uploaded; want at least one, like image/jpeg")
	}
	if r.MaxSize < 1 || r.MaxSize > maxObject {
		c.fail(at+".max_size", "%s is not between 1B and %s", r.MaxSize, maxObject)
	}
}

// keysFault says what is wrong with the shape of keys.
func keysFault(keys string) string {
	segments := strings.Split(keys, "/")
	for _, s := range segments[:len(segments)-1] {
		if !keySegment.MatchString(s) || s == "." || s == ".." {
			return "has the segment " + quote(s) + ", want letters, digits, dots, hyphens, underscores, or {admission}, {device}, {ticket} or {attraction}"
		}
	}
	if len(segments) < 2 || segments[len(segments)-1] != "*" {
		return "does not end in /*, want a folder and all in it, like staff/*"
	}
	return ""
}

// objectRole checks that somebody can be who.
func (c *checker) objectRole(key, who string) {
	known := []string{"visitor", "owner", "everyone"}
	for _, t := range c.cfg.Objects.Tokens {
		known = append(known, t.Roles...)
	}
	if !slices.Contains(known, who) {
		c.fail(key, "nobody is %s: want visitor, owner, everyone or a role of one of objects.tokens%s", quote(who), didYouMean(who, known))
	}
}

func (c *checker) objectTokens(tokens []ObjectToken) {
	ids, secrets := map[string]string{}, map[string]string{}
	for i, t := range tokens {
		at := fmt.Sprintf("objects.tokens[%d]", i)
		c.unique(ids, at+".id", t.ID)
		if s := c.secret(at+".token", t.Token, minAdminKey); s != "" {
			if before, ok := secrets[s]; ok {
				c.fail(at+".token", "the same secret as that of %s, want one for each", before)
			}
			secrets[s] = at
		}
		for j, role := range t.Roles {
			if !whoMay.MatchString(role) || slices.Contains([]string{"visitor", "owner", "everyone"}, role) {
				c.fail(fmt.Sprintf("%s.roles[%d]", at, j), "%s is not a role, want lower-case letters, digits and inner hyphens, other than visitor, owner and everyone", quote(role))
			}
		}
	}
}
