package config

import (
	"net/url"
	"regexp"
	"strings"
)

// minPepper is the fewest bytes that a pepper may have, minAdminKey those of a
// key that opens the administration.
const (
	minPepper   = 16
	minAdminKey = 32
)

func (c *checker) pepper() {
	const key = "book.pepper"
	if c.cfg.Book.Lasting() && c.cfg.Book.Pepper.IsZero() && !c.cfg.Production() {
		c.fail(key, "missing, want file:PATH or env:NAME: with another pepper at each start nobody in a book that lasts would be known again")
	}
	c.secret(key, c.cfg.Book.Pepper, minPepper)
}

// secret checks that s can be had and has at least so many bytes. It returns
// the secret, empty for none or one with a problem.
func (c *checker) secret(key string, s Secret, least int) string {
	if s.IsZero() || !c.good(key) {
		return ""
	}
	if s.kind == inline && c.cfg.Production() {
		c.fail(key, "the secret itself is in the configuration, want a reference, file:PATH or env:NAME")
		return ""
	}
	value, err := s.Resolve()
	switch {
	case err != nil:
		c.fail(key, "%s", err)
		return ""
	case len(value) < least:
		c.fail(key, "the secret has %d bytes, want at least %d (hint: openssl rand -hex 32)", len(value), least)
		return ""
	case s.kind == inline:
		c.warn(key, "the secret itself is in the configuration; production wants a reference, file:PATH or env:NAME")
	}
	return string(value)
}

var (
	tableName = regexp.MustCompile(`^[A-Za-z0-9_.-]{3,255}$`)
	tableARN  = regexp.MustCompile(`^arn:aws[a-z-]*:dynamodb:[a-z0-9-]+:[0-9]{12}:table/[A-Za-z0-9_.-]{3,255}$`)
	awsRegion = regexp.MustCompile(`^[a-z]{2,}(-[a-z]+)+-[0-9]{1,2}$`)
	storeARN  = regexp.MustCompile(`^arn:aws[a-z-]*:cloudfront::[0-9]{12}:key-value-store/[0-9a-f-]{36}$`)
)

// dynamo checks what belongs to a book in DynamoDB.
func (c *checker) dynamo() {
	b := c.cfg.Book
	if b.Kind != "dynamodb" || !c.good("book.kind") {
		return
	}
	if !tableName.MatchString(b.Table) && !tableARN.MatchString(b.Table) {
		c.fail("book.table", "%s is not a table, want its name (3 to 255 letters, digits, hyphens, dots and underscores) or its ARN", quote(b.Table))
	}
	if b.Region != "" && !awsRegion.MatchString(b.Region) {
		c.fail("book.region", "%s is not an AWS region, want one like eu-west-1", quote(b.Region))
	}
	if fault := endpointFault(b.Endpoint); fault != "" {
		c.fail("book.endpoint", "%s", fault)
	}
}

// endpointFault says what is wrong with text as the address of a DynamoDB
// Local. Not where it is: in a container it has any name.
func endpointFault(text string) string {
	if text == "" {
		return ""
	}
	if strings.Contains(text, "@") {
		return "the URL has a user name or password, want only scheme and host" // not quoted: it may be a secret
	}
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" || u.Opaque != "" {
		return quote(text) + " is not scheme://host:port, want one like http://127.0.0.1:8000"
	}
	if fault := shapeFault(u, text); fault != "" {
		return quote(text) + " " + fault
	}
	return ""
}

func (c *checker) denylist() {
	arn := c.cfg.Denylist.KeyValueStore
	if arn != "" && !storeARN.MatchString(arn) {
		c.fail("denylist.key_value_store", "%s is not the ARN of a CloudFront KeyValueStore, want one like arn:aws:cloudfront::123456789012:key-value-store/ and its id", quote(arn))
	}
}
