package mirror

import (
	"fmt"
	"io/fs"
	"regexp"
	"strings"
	"unicode/utf8"
)

// A Target is a place in a bucket.
type Target struct {
	Bucket string
	Prefix string // of all keys, without outer slashes; empty is the whole bucket
}

var bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

// ParseTarget reads a place like "s3://bucket/castle". A slash at the end says
// nothing.
func ParseTarget(s string) (Target, error) {
	const want = `want one like "s3://bucket/castle"`
	rest, ok := strings.CutPrefix(s, "s3://")
	if !ok {
		return Target{}, fmt.Errorf("%q is not a place in a bucket, %s", s, want)
	}
	var t Target
	t.Bucket, t.Prefix, _ = strings.Cut(strings.TrimSuffix(rest, "/"), "/")
	switch {
	case !bucketName.MatchString(t.Bucket):
		return Target{}, fmt.Errorf("%q: %q cannot name a bucket, %s", s, t.Bucket, want)
	case t.Prefix != "" && (!fs.ValidPath(t.Prefix) || t.Prefix == "." || checkText(t.Prefix) != nil):
		return Target{}, fmt.Errorf("%q: the prefix %q is no plain path, %s", s, t.Prefix, want)
	}
	return t, nil
}

// String returns t as ParseTarget reads it.
func (t Target) String() string { return strings.TrimSuffix("s3://"+t.Bucket+"/"+t.Prefix, "/") }

// Key returns the key of a file.
func (t Target) Key(name string) string { return t.below() + name }

// below is what the keys of all files begin with.
func (t Target) below() string {
	if t.Prefix == "" {
		return ""
	}
	return t.Prefix + "/"
}

func checkText(s string) error {
	if !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return fmt.Errorf("%w: %q is not plain UTF-8", ErrName, s)
	}
	return nil
}
