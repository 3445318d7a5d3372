package bucket_test

import (
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/handstamp/handstamp/pkg/edge"
	"github.com/handstamp/handstamp/pkg/objects/bucket"
)

func many(n int) string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprintf("%d-%d", i, i))
	}
	return "bytes=" + strings.Join(list, ",")
}

// A folder and a bucket with the same files give the same answers, behind the
// edge, to every range (E-60 to E-63) and condition.
func TestAnswersAsFolder(t *testing.T) {
	files := map[string]string{"ten": "0123456789", "empty": "", "dir/one": "x"}
	folder, store := folderOf(t, files), newStore(t, map[string]stored{})
	for name, text := range files {
		store.objects[name] = stored{text: text}
	}
	over := store.open(t, bucket.Options{})
	a, b := edgeOver(t, folder, false), edgeOver(t, over, false)
	for _, target := range []string{"/ten", "/empty", "/dir/one", "/dir", "/none", "/"} {
		for _, method := range []string{"GET", "HEAD", "POST", "OPTIONS"} {
			compare(t, a, b, method, target, []string{"Origin: https://app.example.org", "Access-Control-Request-Method: GET"})
		}
	}
	for _, headers := range append(conditions(), rangeHeaders()...) {
		compare(t, a, b, "GET", "/ten", headers)
		compare(t, a, b, "HEAD", "/ten", headers)
	}
	a, b = edgeOver(t, folder, true), edgeOver(t, over, true)
	if got := ask(t, b, "GET", "/ten", "Range: bytes=10-"); got.StatusCode != 200 || got.body != files["ten"] {
		t.Errorf("a range beyond the object, to be ignored = %d %q, want 200", got.StatusCode, got.body)
	}
	for _, headers := range rangeHeaders() {
		compare(t, a, b, "GET", "/ten", headers)
		compare(t, a, b, "GET", "/empty", headers)
	}
}

func rangeHeaders() (all [][]string) {
	for _, h := range []string{
		"bytes=0-0", "bytes=0-4", "bytes=9-9", "bytes=0-", "bytes=5-", "bytes=5-99", "bytes=0-100000000000000000000", "bytes=-1", "bytes=-10",
		"bytes=-11", "Bytes=1-2", "bytes= 1-2 ", "bytes=10-", "bytes=10-20", "bytes=100000000000000000000-", "bytes=-0", "bytes=10-11,20-",
		"bytes=0-0,2-3", "bytes=0-0, 9-9", "bytes=0-0,1-1", "bytes=0-0,-1", "bytes=0-0,20-", many(10), many(11), many(1000),
		"bytes=abc", "bytes=", "bytes=-", "bytes=--1", "bytes=1-2,", "items=0-1", "bytes=4-2", "bytes=5-6,0-1", "bytes=0-5,3-6", "bytes=-1,0-0", "bytes=0-8,-5",
	} {
		all = append(all, []string{"Range: " + h})
	}
	return append(all, []string{"Range: bytes=0-0", "Range: bytes=1-1"})
}

// conditions has "ETAG" in the place of the ETag, which differs.
func conditions() (all [][]string) {
	const before, after = "Wed, 01 Jul 2026 11:59:59 GMT", "Wed, 01 Jul 2026 12:00:00 GMT"
	all = append(all, nil)
	for _, c := range []string{
		`If-None-Match: ETAG`, `If-None-Match: W/ETAG`, `If-None-Match: "x", ETAG`, `If-None-Match: *`, `If-None-Match: "x"`,
		`If-Match: ETAG`, `If-Match: "x"`, `If-Match: *`, `If-Match: W/ETAG`,
		"If-Modified-Since: " + before, "If-Modified-Since: " + after, "If-Modified-Since: nonsense",
		"If-Unmodified-Since: " + before, "If-Unmodified-Since: " + after,
	} {
		all = append(all, []string{c}, []string{c, "Range: bytes=2-3"}, []string{c, "Range: bytes=10-"})
	}
	for _, c := range []string{`If-Range: ETAG`, `If-Range: "x"`, `If-Range: W/ETAG`, "If-Range: " + before, "If-Range: " + after} {
		all = append(all, []string{c, "Range: bytes=2-3"}, []string{c, "Range: bytes=0-0,2-3"})
	}
	return all
}

func compare(t *testing.T, folder, bucket *httptest.Server, method, target string, headers []string) {
	t.Helper()
	var said [2]string
	for i, srv := range []*httptest.Server{folder, bucket} {
		etag := map[string]string{"/ten": `"0123456789abcdef"`}[target]
		if i == 0 {
			etag = ask(t, srv, "HEAD", target).Header.Get("Etag")
		}
		var own []string
		for _, h := range headers {
			own = append(own, strings.ReplaceAll(h, "ETAG", etag))
		}
		said[i] = describe(t, ask(t, srv, method, target, own...))
	}
	if said[0] != said[1] {
		t.Errorf("%s %s %.80q:\nfolder %s\nbucket %s", method, target, headers, said[0], said[1])
	}
}

// describe returns all of an answer but what differs by nature.
func describe(t *testing.T, a answer) string {
	t.Helper()
	if a.err != nil {
		t.Error(a.err)
	}
	text := fmt.Sprintf("%d %s", a.StatusCode, joined(t, a))
	kind, _, _ := strings.Cut(a.Header.Get("Content-Type"), ";")
	a.Header.Set("Content-Type", kind)
	if a.Header.Get("Etag") != "" {
		a.Header.Set("Etag", "there is one")
	}
	for _, name := range []string{"Date", "X-Amz-Cf-Id"} {
		a.Header.Del(name)
	}
	var names []string
	for name := range a.Header {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		text += fmt.Sprintf("\n  %s: %q", name, a.Header[name])
	}
	return text
}

// joined returns the parts of a multipart body, or the body.
func joined(t *testing.T, a answer) string {
	t.Helper()
	kind, params, err := mime.ParseMediaType(a.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/byteranges" || a.body == "" {
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
		parts = append(parts, fmt.Sprint(part.Header)+string(text))
	}
}

// edgeOver returns an edge with one public origin.
func edgeOver(t *testing.T, origin http.Handler, lenient bool) *httptest.Server {
	t.Helper()
	e, err := edge.New(edge.Config{Parity: edge.Parity{IgnoreUnsatisfiable: lenient},
		Behaviors: []edge.Behavior{{PathPattern: "*", Origin: origin, AllowedMethods: edge.AllMethods(), Static: true,
			CORS: &edge.CORS{Origins: []string{"https://app.example.org"}}}}})
	if err != nil {
		t.Fatal(err)
	}
	return serve(t, e)
}

func folderOf(t *testing.T, files map[string]string) *edge.Files {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		file := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(file, noon, noon); err != nil {
			t.Fatal(err)
		}
	}
	folder, err := edge.Folder(root)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { folder.Close() })
	return folder
}
