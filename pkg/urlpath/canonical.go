package urlpath

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// ErrAmbiguous is returned for a path that could be read in more than one way.
var ErrAmbiguous = errors.New("ambiguous path")

// Canonical returns the decoded form of raw, a path as it stands on the wire:
// escaped, beginning with "/", without query. It returns ErrAmbiguous, with what
// was found and what was wanted, for
//
//   - a "." or ".." segment, plain or escaped, and any other escaped dot;
//   - an empty segment ("//") and an escaped slash;
//   - a backslash, a ";" or a control character, plain or escaped;
//   - a plain space, "#" or "?", which cannot stand in a path;
//   - a broken escape, and one that decodes to a further escape ("%252e");
//   - text that is not UTF-8 once decoded.
//
// A slash at the end is kept. The escaped form of the result, as
// net/url writes it, has the same canonical form. Canonical does not allocate
// when there is nothing to decode.
func Canonical(raw string) (string, error) {
	if !strings.HasPrefix(raw, "/") {
		return "", ambiguous(raw, "a path that begins with /")
	}
	for i := range len(raw) {
		if neverPlain(raw[i]) {
			return "", ambiguous(raw[i:i+1], "it escaped or left out")
		}
	}
	path, err := unescape(raw)
	if err == nil {
		err = checkDecoded(path)
	}
	if err != nil {
		return "", err
	}
	return path, nil
}

// neverPlain reports whether c has no place in a path on the wire.
// The escaped "#", "?" and space are plain text and allowed.
func neverPlain(c byte) bool {
	return c <= ' ' || c == 0x7f || c == '\\' || c == ';' || c == '#' || c == '?'
}

// neverEscaped reports whether an escape of c would hide something: a
// separator, a dot segment, the end of a C string or of a log line.
func neverEscaped(c byte) bool {
	return c < ' ' || c == 0x7f || c == '\\' || c == ';' || c == '/' || c == '.'
}

func unescape(raw string) (string, error) {
	next := strings.IndexByte(raw, '%')
	if next < 0 {
		return raw, nil
	}
	var b strings.Builder
	b.Grow(len(raw))
	for ; next >= 0; next = strings.IndexByte(raw, '%') {
		if !escapeAt(raw, next) {
			return "", ambiguous(raw[next:min(next+3, len(raw))], "% and two hexadecimal digits")
		}
		c := nibble(raw[next+1])<<4 | nibble(raw[next+2])
		if neverEscaped(c) {
			return "", ambiguous(raw[next:next+3], "no such escape in a path")
		}
		b.WriteString(raw[:next])
		b.WriteByte(c)
		raw = raw[next+3:]
	}
	b.WriteString(raw)
	return b.String(), nil
}

// checkDecoded looks at what only shows once everything is decoded.
func checkDecoded(path string) error {
	for rest := path[1:]; rest != ""; {
		segment, after, more := strings.Cut(rest, "/")
		if segment == "." || segment == ".." || segment == "" && more {
			return ambiguous("/"+segment+"/", "no empty, . or .. segment")
		}
		rest = after
	}
	for i := range len(path) {
		if path[i] == '%' && escapeAt(path, i) {
			return ambiguous(path[i:i+3], "no escape left after decoding")
		}
	}
	if !utf8.ValidString(path) {
		return ambiguous(path, "UTF-8 after decoding")
	}
	return nil
}

// escapeAt reports whether a whole escape begins at s[i].
func escapeAt(s string, i int) bool {
	return i+2 < len(s) && nibble(s[i+1]) < 16 && nibble(s[i+2]) < 16
}

// nibble returns the value of a hexadecimal digit, or 255.
func nibble(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10
	}
	return 255
}

func ambiguous(found, want string) error {
	return fmt.Errorf("%w: found %.80q, want %s", ErrAmbiguous, found, want)
}
