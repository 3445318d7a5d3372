package edge

import (
	"math"
	"strconv"
	"strings"
)

// maxRanges is the largest number of ranges that are not ignored.
const maxRanges = 10

// unknownSize is the size of an object whose origin has not been asked.
const unknownSize = -1

// A span is one range as requested. A suffix is the last bytes of an object.
type span struct {
	first, last int64 // inclusive; last of an open range is the largest number
	suffix      bool  // last is a number of bytes, first means nothing
}

// wantedRange returns the Range header by which an object of size bytes is
// served, or "" for the whole of it. CloudFront ignores a header that is
// malformed, has another unit, or ranges that overlap or do not ascend
// (Developer Guide, "How CloudFront processes partial requests for an object");
// more than ten ranges are ignored too. Of the rest, those that begin beyond
// the object fall away; when none is left, so that RFC 9110 wants a 416, the
// result is a range that cannot be satisfied.
//
// Of an object of unknownSize the header comes back as it was.
func wantedRange(headers []string, size int64) string {
	if len(headers) != 1 {
		return ""
	}
	spans, ok := parseRange(headers[0])
	if !ok || !ascending(spans) {
		return ""
	}
	if size == unknownSize {
		return headers[0]
	}
	spans = within(spans, size)
	if len(spans) == 0 {
		return beyond(size)
	}
	if !ascending(spans) {
		return ""
	}
	return formatRange(spans)
}

// beyond returns a range that no object of size bytes has.
func beyond(size int64) string { return "bytes=" + strconv.FormatInt(size, 10) + "-" }

func parseRange(header string) ([]span, bool) {
	unit, list, ok := strings.Cut(header, "=")
	if !ok || !strings.EqualFold(unit, "bytes") {
		return nil, false
	}
	var spans []span
	for text := range strings.SplitSeq(list, ",") {
		s, ok := parseSpan(strings.Trim(text, " \t"))
		if !ok || len(spans) == maxRanges {
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

func formatRange(spans []span) string {
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
