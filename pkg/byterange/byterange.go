// Package byterange reads Range headers as CloudFront does, for everybody who
// sends parts of files: the edge, a bucket behind it and the proxy for private
// files, so that a player gets the same parts from all of them.
//
// CloudFront ignores what RFC 9110 lets a server ignore: a header that is
// malformed, has another unit, or has ranges that overlap or do not ascend
// (Developer Guide, "How CloudFront processes partial requests for an object").
// More than [Most] ranges are ignored as well, and so is a second Range header.
package byterange

import (
	"math"
	"strconv"
	"strings"
)

// Most is the largest number of ranges that are not ignored.
const Most = 10

// UnknownSize is the size of an object whose origin has not been asked.
const UnknownSize = -1

// Wanted returns the Range header by which an object of size bytes is served,
// or "" for the whole of it. Headers are the values of all Range headers of a
// request; the caller sees to it that the method is GET.
//
// What CloudFront ignores is "". Of the rest, those ranges that begin beyond the
// object fall away; when none is left, so that RFC 9110 wants a 416, the result
// is [Unsatisfiable]. In any other result each range has a first and a last byte
// of the object.
//
// Of an object of [UnknownSize] the header comes back as it was.
func Wanted(headers []string, size int64) string {
	if len(headers) != 1 {
		return ""
	}
	spans, ok := parse(headers[0])
	if !ok || !ascending(spans) {
		return ""
	}
	if size == UnknownSize {
		return headers[0]
	}
	spans = within(spans, size)
	if len(spans) == 0 {
		return Unsatisfiable(size)
	}
	if !ascending(spans) {
		return ""
	}
	return format(spans)
}

// Unsatisfiable returns a range that no object of size bytes has.
func Unsatisfiable(size int64) string { return "bytes=" + strconv.FormatInt(size, 10) + "-" }

// A Span is one range, of an object whose size is known.
type Span struct {
	First, Last int64 // inclusive
}

// Spans returns the ranges in a result of Wanted for an object of size bytes,
// none for the whole of it and for Unsatisfiable.
func Spans(wanted string, size int64) []Span {
	if wanted == Unsatisfiable(size) {
		return nil
	}
	parsed, _ := parse(wanted)
	var spans []Span
	for _, s := range parsed {
		spans = append(spans, Span{s.first, s.last})
	}
	return spans
}

// ascending reports whether each range begins after the one before it. Next to
// a suffix that cannot be told before the size is known; it must be the last.
func ascending(spans []span) bool {
	for i := 1; i < len(spans); i++ {
		if spans[i-1].suffix || !spans[i].suffix && spans[i].first <= spans[i-1].last {
			return false
		}
	}
	return true
}

// within cuts ranges down to an object of size bytes and drops those that
// begin beyond it.
func within(spans []span, size int64) []span {
	var cut []span
	for _, s := range spans {
		if s.suffix {
			s = span{first: max(0, size-s.last), last: size - 1}
		}
		if s.last = min(s.last, size-1); s.first <= s.last {
			cut = append(cut, s)
		}
	}
	return cut
}

// A span is one range as requested. A suffix is the last bytes of an object.
type span struct {
	first, last int64 // inclusive; last of an open range is the largest number
	suffix      bool  // last is a number of bytes, first means nothing
}

func parse(header string) ([]span, bool) {
	unit, list, ok := strings.Cut(header, "=")
	if !ok || !strings.EqualFold(unit, "bytes") {
		return nil, false
	}
	var spans []span
	for text := range strings.SplitSeq(list, ",") {
		s, ok := parseSpan(strings.Trim(text, " \t"))
		if !ok || len(spans) == Most {
			return nil, false
		}
		spans = append(spans, s)
	}
	return spans, true
}

func parseSpan(text string) (span, bool) {
	first, last, ok := strings.Cut(text, "-")
	if !ok || !digits(first) || !digits(last) || first == "" && last == "" {
		return span{}, false
	}
	s := span{first: number(first), last: math.MaxInt64, suffix: first == ""}
	if last != "" {
		s.last = number(last)
	}
	return s, s.suffix || s.first <= s.last
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// number reads digits; what is too large becomes the largest number.
func number(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil && s != "" {
		return math.MaxInt64
	}
	return n
}

func format(spans []span) string {
	text := []byte("bytes=")
	for i, s := range spans {
		if i > 0 {
			text = append(text, ',')
		}
		text = strconv.AppendInt(text, s.first, 10)
		text = append(text, '-')
		text = strconv.AppendInt(text, s.last, 10)
	}
	return string(text)
}
