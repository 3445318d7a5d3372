package byterange_test

import (
	"context"
	"fmt"
	"math"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/handstamp/handstamp/pkg/byterange"
)

func many(n int) string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprintf("%d-%d", i, i))
	}
	return "bytes=" + strings.Join(list, ",")
}

func TestWanted(t *testing.T) {
	const unknown = byterange.UnknownSize
	for _, tt := range []struct {
		header string
		size   int64
		want   string
	}{
		{"bytes=0-0", 10, "bytes=0-0"},
		{"bytes=0-", 10, "bytes=0-9"},
		{"bytes=5-99", 10, "bytes=5-9"},
		{"bytes=0-100000000000000000000", 10, "bytes=0-9"},
		{"bytes=-1", 10, "bytes=9-9"},
		{"bytes=-11", 10, "bytes=0-9"},
		{"BYTES= 1-2 ,\t4-5", 10, "bytes=1-2,4-5"},
		{"bytes=0-0,-1", 10, "bytes=0-0,9-9"},
		{"bytes=0-0,20-", 10, "bytes=0-0"},
		{many(10), 10, many(10)},
		{fmt.Sprintf("bytes=%d-", int64(math.MaxInt64)), math.MaxInt64, fmt.Sprintf("bytes=%d-", int64(math.MaxInt64))},

		{"bytes=10-", 10, "bytes=10-"},
		{"bytes=100000000000000000000-", 10, "bytes=10-"},
		{"bytes=-0", 10, "bytes=10-"},
		{"bytes=0-0", 0, "bytes=0-"},
		{"bytes=-1", 0, "bytes=0-"},

		{"", 10, ""},
		{"bytes=", 10, ""},
		{"bytes=abc", 10, ""},
		{"bytes=--1", 10, ""},
		{"bytes=1-2,", 10, ""},
		{"items=0-1", 10, ""},
		{"bytes=4-2", 10, ""},
		{"bytes=5-6,0-1", 10, ""},
		{"bytes=0-5,5-6", 10, ""},
		{"bytes=-1,0-0", 10, ""},
		{"bytes=0-8,-5", 10, ""},
		{many(11), 20, ""},

		{"bytes=0-1", unknown, "bytes=0-1"},
		{"Bytes=0-1, -3", unknown, "Bytes=0-1, -3"},
		{"bytes=3-1", unknown, ""},
		{"bytes=-1,0-0", unknown, ""},
	} {
		if got := byterange.Wanted([]string{tt.header}, tt.size); got != tt.want {
			t.Errorf("Wanted(%.60q, %d) = %q, want %q", tt.header, tt.size, got, tt.want)
		}
	}
	for _, headers := range [][]string{nil, {"bytes=0-0", "bytes=0-0"}} {
		if got := byterange.Wanted(headers, 10); got != "" {
			t.Errorf("Wanted(%q, 10) = %q, want none", headers, got)
		}
	}
}

func TestSpans(t *testing.T) {
	for header, want := range map[string][]byterange.Span{
		"bytes=0-4":      {{First: 0, Last: 4}},
		"bytes=0-0,-2":   {{First: 0, Last: 0}, {First: 8, Last: 9}},
		"bytes=10-":      nil,
		"bytes=nonsense": nil,
	} {
		if got := byterange.Spans(byterange.Wanted([]string{header}, 10), 10); !slices.Equal(got, want) {
			t.Errorf("Spans of %q = %v, want %v", header, got, want)
		}
	}
}

func TestRequest(t *testing.T) {
	lenient := byterange.IgnoreUnsatisfiable(t.Context())
	for _, tt := range []struct {
		ctx            context.Context
		method, header string
		want           string
	}{
		{t.Context(), "GET", "", ""},
		{t.Context(), "GET", "bytes=5-", "bytes=5-9"},
		{t.Context(), "GET", "bytes=4-2", ""},
		{t.Context(), "GET", "bytes=10-", "bytes=10-"},
		{lenient, "GET", "bytes=10-", ""},
		{lenient, "GET", "bytes=5-", "bytes=5-9"},
		{t.Context(), "HEAD", "bytes=5-", ""},
	} {
		r := httptest.NewRequestWithContext(tt.ctx, tt.method, "/x", nil)
		if tt.header != "" {
			r.Header.Set("Range", tt.header)
		}
		r.Header.Set("If-Range", `"a"`)
		got := byterange.Request(r, 10)
		if got.Header.Get("Range") != tt.want || got.Header.Get("If-Range") != `"a"` {
			t.Errorf("Request(%s %q) has %v, want Range %q", tt.method, tt.header, got.Header, tt.want)
		}
		if r.Header.Get("Range") != tt.header {
			t.Errorf("Request(%s %q) changed its argument to %q", tt.method, tt.header, r.Header.Get("Range"))
		}
	}
}

// Of whatever a viewer sends comes a header that names ranges in order inside
// the object, or a single one beyond it, or nothing.
func FuzzWanted(f *testing.F) {
	for _, seed := range []string{"bytes=0-0", "bytes=-5", "bytes=5-", "bytes=0-1,3-4", "bytes=9-1", "bytes=99999999999999999999-", "items=1-2", "bytes=0-5,-3"} {
		f.Add(seed, int64(10))
	}
	f.Fuzz(func(t *testing.T, header string, size int64) {
		if size < 0 {
			return
		}
		got := byterange.Wanted([]string{header}, size)
		if again := byterange.Wanted([]string{got}, size); again != got {
			t.Errorf("Wanted(%q, %d) = %q, and of that %q", header, size, got, again)
		}
		spans := byterange.Spans(got, size)
		if len(spans) == 0 && got != "" && got != byterange.Unsatisfiable(size) || len(spans) > byterange.Most {
			t.Errorf("Wanted(%q, %d) = %q, which has %d ranges", header, size, got, len(spans))
		}
		next := int64(0)
		for _, s := range spans {
			if s.First < next || s.Last < s.First || s.Last >= size {
				t.Fatalf("Wanted(%q, %d) = %q, want ascending ranges inside", header, size, got)
			}
			next = s.Last + 1
		}
	})
}
