package edge_test

import (
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"

	"github.com/handstamp/handstamp/pkg/edge"
)

// E-60 to E-63. The object is the ten digits.
func TestRanges(t *testing.T) {
	root := tree(t, map[string]string{"ten": "0123456789", "empty": "", "one": "x"})
	srv := serve(t, newEdge(t, edge.Config{Behaviors: []edge.Behavior{{PathPattern: "*", Origin: folder(t, root)}}}))
	many := func(n int) string {
		var list []string
		for i := range n {
			list = append(list, fmt.Sprintf("%d-%d", i, i))
		}
		return "bytes=" + strings.Join(list, ",")
	}
	const whole = "0123456789"
	tests := []struct {
		file, header string
		status       int
		body         string // of several parts, joined by "|"
		contentRange string
	}{
		{"ten", "bytes=0-0", 206, "0", "bytes 0-0/10"},
		{"ten", "bytes=0-4", 206, "01234", "bytes 0-4/10"},
		{"ten", "bytes=9-9", 206, "9", "bytes 9-9/10"},
		{"ten", "bytes=0-", 206, whole, "bytes 0-9/10"},
		{"ten", "bytes=5-", 206, "56789", "bytes 5-9/10"},
		{"ten", "bytes=9-", 206, "9", "bytes 9-9/10"},
		{"ten", "bytes=5-99", 206, "56789", "bytes 5-9/10"},
		{"ten", "bytes=0-100000000000000000000", 206, whole, "bytes 0-9/10"},
		{"ten", "bytes=-1", 206, "9", "bytes 9-9/10"},
		{"ten", "bytes=-10", 206, whole, "bytes 0-9/10"},
		{"ten", "bytes=-11", 206, whole, "bytes 0-9/10"},
		{"ten", "bytes=-100000000000000000000", 206, whole, "bytes 0-9/10"},
		{"ten", "Bytes=1-2", 206, "12", "bytes 1-2/10"},
		{"ten", "bytes= 1-2 ", 206, "12", "bytes 1-2/10"},
		{"ten", "bytes=01-002", 206, "12", "bytes 1-2/10"},
		{"one", "bytes=0-0", 206, "x", "bytes 0-0/1"},
		{"one", "bytes=-1", 206, "x", "bytes 0-0/1"},

		{"ten", "bytes=10-", 416, "", "bytes */10"},
		{"ten", "bytes=10-20", 416, "", "bytes */10"},
		{"ten", "bytes=100000000000000000000-", 416, "", "bytes */10"},
		{"ten", "bytes=-0", 416, "", "bytes */10"},
		{"ten", "bytes=10-11,20-", 416, "", "bytes */10"},

		{"ten", "bytes=0-0,2-3", 206, "0|23", ""},
		{"ten", "bytes=0-0, 9-9", 206, "0|9", ""},
		{"ten", "bytes=0-0,1-1", 206, "0|1", ""},
		{"ten", "bytes=0-0,-1", 206, "0|9", ""},
		{"ten", "bytes=0-0,20-", 206, "0", "bytes 0-0/10"},
		{"ten", many(10), 206, "0|1|2|3|4|5|6|7|8|9", ""},

		{"ten", "bytes=abc", 200, whole, ""},
		{"ten", "bytes=", 200, whole, ""},
		{"ten", "bytes", 200, whole, ""},
		{"ten", "bytes=-", 200, whole, ""},
		{"ten", "bytes=1", 200, whole, ""},
		{"ten", "bytes=--1", 200, whole, ""},
		{"ten", "bytes=+1-2", 200, whole, ""},
		{"ten", "bytes=1-2x", 200, whole, ""},
		{"ten", "bytes=0x1-2", 200, whole, ""},
		{"ten", "bytes=1-2,", 200, whole, ""},
		{"ten", "bytes=0-0,abc", 200, whole, ""},
		{"ten", "bytes=1.5-2", 200, whole, ""},
		{"ten", "items=0-1", 200, whole, ""},
		{"ten", "0-1", 200, whole, ""},
		{"ten", "bytes=4-2", 200, whole, ""},
		{"ten", "bytes=0-0,4-2", 200, whole, ""},
		{"ten", "bytes=5-6,0-1", 200, whole, ""},
		{"ten", "bytes=0-5,3-6", 200, whole, ""},
		{"ten", "bytes=0-5,5-6", 200, whole, ""},
		{"ten", "bytes=0-,5-6", 200, whole, ""},
		{"ten", "bytes=0-0,0-0", 200, whole, ""},
		{"ten", "bytes=20-,0-0", 200, whole, ""},
		{"ten", "bytes=-1,0-0", 200, whole, ""},
		{"ten", "bytes=-1,-1", 200, whole, ""},
		{"ten", "bytes=0-8,-5", 200, whole, ""},
		{"ten", "bytes=4-6,-5", 200, whole, ""},
		{"ten", many(11), 200, whole, ""},
		{"ten", many(1000), 200, whole, ""},
		{"ten", "bytes=0-0\nRange: bytes=1-1", 200, whole, ""},
		{"empty", "bytes=0-", 200, "", ""},
		{"empty", "bytes=-1", 200, "", ""},
	}
	for _, tt := range tests {
		got := ask(t, srv, "GET", "/"+tt.file, "Range: "+tt.header)
		if got.StatusCode == 416 {
			got.body = ""
		}
		if got.StatusCode != tt.status || joined(t, got) != tt.body || got.Header.Get("Content-Range") != tt.contentRange {
			t.Errorf("%s, Range: %.60s = %d %q, Content-Range %q, want %d %q, %q", tt.file, tt.header,
				got.StatusCode, joined(t, got), got.Header.Get("Content-Range"), tt.status, tt.body, tt.contentRange)
		}
		if head := ask(t, srv, "HEAD", "/"+tt.file, "Range: "+tt.header); head.StatusCode != 200 || head.Header.Get("Content-Range") != "" {
			t.Errorf("HEAD %s, Range: %.60s = %d, want 200 without Content-Range", tt.file, tt.header, head.StatusCode)
		}
	}
}

// joined returns the parts of a multipart body, or the body.
func joined(t testing.TB, a answer) string {
	t.Helper()
	kind, params, err := mime.ParseMediaType(a.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/byteranges" {
		return a.body
	}
	var parts []string
	for r := multipart.NewReader(strings.NewReader(a.body), params["boundary"]); ; {
		part, err := r.NextPart()
		if err == io.EOF {
			return strings.Join(parts, "|")
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(part)
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, string(text))
	}
}

// Every origin gets only a Range that counts.
func TestRangeTowardsOrigin(t *testing.T) {
	echo := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Got", strings.Join(r.Header["Range"], "&"))
	})
	srv := serve(t, newEdge(t, edge.Config{Behaviors: []edge.Behavior{{PathPattern: "*", Origin: echo}}}))
	for header, want := range map[string]string{
		"bytes=0-1":                   "bytes=0-1",
		"bytes=0-1,3-":                "bytes=0-1,3-",
		"bytes=-5":                    "bytes=-5",
		"bytes=3-1":                   "",
		"bytes=3-4,0-1":               "",
		"items=0-1":                   "",
		"bytes=0-1\nRange: bytes=2-3": "",
	} {
		if got := ask(t, srv, "GET", "/x", "Range: "+header).Header.Get("X-Got"); got != want {
			t.Errorf("Range %q came to the origin as %q, want %q", header, got, want)
		}
		if got := ask(t, srv, "HEAD", "/x", "Range: "+header).Header.Get("X-Got"); got != "" {
			t.Errorf("HEAD, Range %q came to the origin as %q, want none", header, got)
		}
	}
}
