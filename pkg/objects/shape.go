package objects

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/handstamp/handstamp/pkg/gate"
)

// The placeholders of a shape.
const (
	placeAdmission  = "{admission}"
	placeDevice     = "{device}"
	placeTicket     = "{ticket}"
	placeAttraction = "{attraction}"
)

var placeholders = []string{placeAdmission, placeDevice, placeTicket, placeAttraction}

var (
	literal = regexp.MustCompile(`^[A-Za-z0-9_.-]+$`)
	name    = regexp.MustCompile(`^[A-Za-z0-9_-]{1,128}$`)
)

// isName reports whether s can stand for a placeholder. That of an attraction
// is a slug besides.
func isName(placeholder, s string) bool {
	if placeholder == placeAttraction {
		return gate.CheckSlug(s) == nil
	}
	return name.MatchString(s)
}

// places are what stands for the placeholders in one key. Those that it does
// not have are empty.
type places struct{ admission, device, ticket, attraction string }

func (p *places) at(placeholder string) *string {
	switch placeholder {
	case placeAdmission:
		return &p.admission
	case placeDevice:
		return &p.device
	case placeTicket:
		return &p.ticket
	}
	return &p.attraction
}

// A shape is that of all keys of a rule: segments, literal or a placeholder.
// Below them comes anything.
type shape []string

func isPlace(segment string) bool { return slices.Contains(placeholders, segment) }

// parseShape reads Rule.Keys.
func parseShape(keys string) (shape, error) {
	folder, ok := strings.CutSuffix(keys, "/*")
	if !ok {
		return nil, fmt.Errorf(`%q does not end in "/*", want a folder and all in it, like "staff/*"`, keys)
	}
	s := shape(strings.Split(folder, "/"))
	for i, segment := range s {
		switch {
		case isPlace(segment):
			if slices.Contains(s[:i], segment) {
				return nil, fmt.Errorf("%q has %s twice", keys, segment)
			}
		case !literal.MatchString(segment) || segment == "." || segment == "..":
			return nil, fmt.Errorf(`%q has the segment %q, want letters, digits, ".", "-", "_" or one of %s`, keys, segment, placeholders)
		}
	}
	if len(keys) > maxKey/2 {
		return nil, fmt.Errorf("%.40q... is longer than %d bytes", keys, maxKey/2)
	}
	return s, nil
}

// match reports whether a well-formed key has the shape, and what stands for the
// placeholders.
func (s shape) match(key string) (places, bool) {
	var found places
	for _, segment := range s {
		value, rest, more := strings.Cut(key, "/")
		switch {
		case !more:
			return places{}, false
		case !isPlace(segment):
			if value != segment {
				return places{}, false
			}
		case isName(segment, value):
			*found.at(segment) = value
		default:
			return places{}, false
		}
		key = rest
	}
	return found, true
}

// prefix returns what all keys with these values begin with, a slash at its end.
// It reports false if a value is missing.
func (s shape) prefix(values places) (string, bool) {
	var b strings.Builder
	for _, segment := range s {
		if isPlace(segment) {
			value := *values.at(segment)
			if !isName(segment, value) {
				return "", false
			}
			segment = value
		}
		b.WriteString(segment)
		b.WriteByte('/')
	}
	return b.String(), true
}

func (s shape) has(placeholder string) bool { return slices.Contains(s, placeholder) }

// named reports whether there is a placeholder in s at all.
func (s shape) named() bool { return slices.ContainsFunc(s, isPlace) }

// overlaps reports whether a key can have both shapes.
func (s shape) overlaps(t shape) bool {
	for i := range min(len(s), len(t)) {
		if !meet(s[i], t[i]) {
			return false
		}
	}
	return true
}

// meet reports whether one segment can be both.
func meet(a, b string) bool {
	switch {
	case isPlace(a) && isPlace(b):
		return true
	case isPlace(a):
		return isName(a, b)
	case isPlace(b):
		return isName(b, a)
	}
	return a == b
}
