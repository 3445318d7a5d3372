package edge

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// maxPattern is the length of the longest path pattern, in bytes (Developer
// Guide, "Path pattern").
const maxPattern = 255

// A pattern is a path pattern with its "/" at the beginning, or "*".
type pattern string

func newPattern(s string) (pattern, error) {
	switch i := strings.IndexFunc(s, notInPattern); {
	case s == "":
		return "", fmt.Errorf("the path pattern is missing")
	case len(s) > maxPattern:
		return "", fmt.Errorf("%d bytes, at most %d are allowed", len(s), maxPattern)
	case i >= 0:
		return "", fmt.Errorf("%q is not allowed in a path pattern", s[i])
	}
	if s == "/*" {
		s = "*"
	}
	if s[0] != '/' && s[0] != '*' {
		s = "/" + s
	}
	return pattern(s), nil
}

func notInPattern(c rune) bool {
	return (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && (c < '0' || c > '9') && !strings.ContainsRune(`_-.*?$/~"'@:+&`, c)
}

// match reports whether the pattern covers the whole of path, which is
// decoded. It goes on from the latest "*" when a character does not fit, so its
// time is at most the product of the lengths; patterns come from the operator.
func (p pattern) match(path string) bool {
	if p == "*" {
		return true
	}
	i, j := 0, 0         // next in p and in path
	star, retry := -1, 0 // the latest "*" and what it ends before
	for j < len(path) {
		switch {
		case i < len(p) && p[i] == '*':
			star, retry = i, j
			i++
		case i < len(p) && p[i] == '?':
			_, size := utf8.DecodeRuneInString(path[j:])
			i, j = i+1, j+size
		case i < len(p) && p[i] == path[j]:
			i, j = i+1, j+1
		case star >= 0:
			retry++
			i, j = star+1, retry
		default:
			return false
		}
	}
	return strings.Trim(string(p[i:]), "*") == ""
}
