package objects

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxKey is how long a key may be at S3, in bytes.
const maxKey = 1024

// CheckKey returns a *RequestError for a key that could be read in more than one
// way, by a URL library, a proxy or a file system, and nil for any other: with
// an empty, "." or ".." segment (so with a slash at either end), "?", "#", "\",
// ";", an escape like "%2e", a control character, what is not UTF-8, or more than
// 1,024 bytes. S3 itself would take them.
func CheckKey(key string) error {
	switch {
	case key == "":
		return badKey("is empty")
	case len(key) > maxKey:
		return badKey("is longer than 1,024 bytes")
	case !utf8.ValidString(key):
		return badKey("is not UTF-8")
	case strings.ContainsAny(key, `?#\;`) || strings.ContainsFunc(key, unicode.IsControl):
		return badKey(`has "?", "#", "\", ";" or a control character`)
	case hasEscape(key):
		return badKey("has a percent escape, want it decoded")
	}
	for segment := range strings.SplitSeq(key, "/") {
		if segment == "" || segment == "." || segment == ".." {
			return badKey(`has an empty, "." or ".." segment`)
		}
	}
	return nil
}

func badKey(detail string) error { return &RequestError{Field: "key", Detail: detail} }

// hasEscape reports whether a "%" and two hexadecimal digits are in s.
func hasEscape(s string) bool {
	for i := 0; i+2 < len(s); i++ {
		if s[i] == '%' && isHex(s[i+1]) && isHex(s[i+2]) {
			return true
		}
	}
	return false
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f'
}
