package edge_test

import (
	"errors"
	"io/fs"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/handstamp/handstamp/pkg/edge"
)

func filesServer(t testing.TB, origin *edge.Files) *httptest.Server {
	t.Helper()
	return serve(t, newEdge(t, edge.Config{DefaultRootObject: "index.html", Behaviors: []edge.Behavior{{PathPattern: "*", Origin: origin}}}))
}

func TestContentTypes(t *testing.T) {
	want := map[string]string{
		"a.m4a": "audio/mp4", "a.M4A": "audio/mp4", "a.mp3": "audio/mpeg", "a.m3u8": "application/vnd.apple.mpegurl", "a.ts": "video/mp2t",
		"a.svg": "image/svg+xml", "a.webmanifest": "application/manifest+json", "a.vtt": "text/vtt; charset=utf-8", "a.html": "text/html; charset=utf-8",
		"a.unknown": "binary/octet-stream", "none": "binary/octet-stream", ".mp3": "audio/mpeg", "a.b/c": "binary/octet-stream",
	}
	files := map[string]string{}
	for name := range want {
		files[name] = "<html>" // is not sniffed
	}
	srv := filesServer(t, folder(t, tree(t, files)))
	for name, kind := range want {
		if got := ask(t, srv, "GET", "/"+name); got.Header.Get("Content-Type") != kind || got.body != "<html>" {
			t.Errorf("GET %s has Content-Type %q, want %q", name, got.Header.Get("Content-Type"), kind)
		}
	}
}

func TestDefaultRootObject(t *testing.T) {
	srv := filesServer(t, folder(t, tree(t, map[string]string{"index.html": freeText, "dir/index.html": freeText})))
	for target, want := range map[string]int{"/": 200, "/?a=b": 200, "/index.html": 200, "/dir/": 404, "/dir": 404} {
		wantStatus(t, "GET "+target, ask(t, srv, "GET", target), want)
	}
}

func TestETagFollowsFile(t *testing.T) {
	root := tree(t, map[string]string{"x": "first", "y": "first"})
	srv := filesServer(t, folder(t, root))
	etag := func(name string) string { return ask(t, srv, "HEAD", "/"+name).Header.Get("Etag") }
	first := etag("x")
	if !regexp.MustCompile(`^"[0-9a-f]+-5"$`).MatchString(first) || etag("x") != first {
		t.Errorf("ETag %s, again %s, want one strong validator", first, etag("x"))
	}
	path := filepath.Join(root, "x")
	if err := os.Chtimes(path, time.Time{}, noon); err != nil {
		t.Fatal(err)
	}
	second := etag("x")
	if err := os.WriteFile(path, []byte("longer than"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, time.Time{}, noon); err != nil {
		t.Fatal(err)
	}
	if third := etag("x"); first == second || second == third {
		t.Errorf("ETags %s, touched %s, longer %s, want three", first, second, third)
	}
	got := ask(t, srv, "GET", "/x", "Range: bytes=0-1", "If-Range: "+first)
	wantStatus(t, "If-Range with an old ETag", got, 200)
}

func TestHead(t *testing.T) {
	srv := filesServer(t, folder(t, tree(t, map[string]string{"x": "0123456789"})))
	get, head := ask(t, srv, "GET", "/x"), ask(t, srv, "HEAD", "/x")
	if head.body != "" || head.ContentLength != 10 || head.StatusCode != 200 {
		t.Errorf("HEAD = %d, length %d, %q, want 200, 10 and no body", head.StatusCode, head.ContentLength, head.body)
	}
	for _, name := range []string{"Etag", "Content-Type", "Last-Modified", "Accept-Ranges"} {
		if get.Header.Get(name) != head.Header.Get(name) || head.Header.Get(name) == "" {
			t.Errorf("%s is %q for GET and %q for HEAD", name, get.Header.Get(name), head.Header.Get(name))
		}
	}
}

// Embedded files have no time: their content is the validator.
func TestFSWithoutTimes(t *testing.T) {
	srv := filesServer(t, edge.FS(fstest.MapFS{
		"a.m4a": {Data: []byte("0123456789")}, "b.m4a": {Data: []byte("0123456789")}, "c.m4a": {Data: []byte("012345678X")},
		"dir/x": {Data: []byte("x")}, "index.html": {Data: []byte("home")},
	}))
	a, b, c := ask(t, srv, "GET", "/a.m4a"), ask(t, srv, "GET", "/b.m4a"), ask(t, srv, "GET", "/c.m4a")
	if a.Header.Get("Etag") != b.Header.Get("Etag") || a.Header.Get("Etag") == c.Header.Get("Etag") || len(a.Header.Get("Etag")) != 26 {
		t.Errorf("ETags %s, %s and %s, want the first two equal", a.Header.Get("Etag"), b.Header.Get("Etag"), c.Header.Get("Etag"))
	}
	if a.body != "0123456789" || a.Header.Get("Last-Modified") != "" {
		t.Errorf("GET = %q, Last-Modified %q", a.body, a.Header.Get("Last-Modified"))
	}
	again := ask(t, srv, "GET", "/a.m4a", "Range: bytes=1-2", "If-Range: "+a.Header.Get("Etag"))
	if again.StatusCode != 206 || again.body != "12" {
		t.Errorf("Range = %d %q, want 206 %q", again.StatusCode, again.body, "12")
	}
	wantStatus(t, "If-None-Match", ask(t, srv, "GET", "/a.m4a", "If-None-Match: "+a.Header.Get("Etag")), 304)
	wantStatus(t, "GET /", ask(t, srv, "GET", "/"), 200)
	wantStatus(t, "GET /dir", ask(t, srv, "GET", "/dir"), 404)
	if err := edge.FS(fstest.MapFS{}).Close(); err != nil {
		t.Errorf("Close = %v", err)
	}
}

// A brokenFS fails in the ways that a file system can.
type brokenFS struct{ open, stat, read error }

func (b brokenFS) Open(string) (fs.File, error) { return brokenFile{b}, b.open }
func (b brokenFile) Stat() (fs.FileInfo, error) { return brokenInfo{}, b.stat }
func (b brokenFile) Read([]byte) (int, error)   { return 0, b.read }
func (b brokenFile) Close() error               { return nil }

type brokenFile struct{ brokenFS }
type seekable struct{ brokenFile }
type brokenInfo struct{ fs.FileInfo }

func (brokenInfo) Mode() fs.FileMode  { return 0 }
func (brokenInfo) ModTime() time.Time { return time.Time{} }
func (brokenInfo) Size() int64        { return 1 }

func (s seekable) Seek(int64, int) (int64, error) { return 0, nil }

type seekableFS struct{ brokenFS }

func (s seekableFS) Open(string) (fs.File, error) { return seekable{brokenFile(s)}, s.open }

// "Nobody knows" is not "not found".
func TestFailures(t *testing.T) {
	for _, tt := range []struct {
		name string
		fsys fs.FS
		want int
	}{
		{"no such file", brokenFS{open: fs.ErrNotExist}, 404},
		{"not allowed", brokenFS{open: fs.ErrPermission}, 404},
		{"too many open files", brokenFS{open: &fs.PathError{Err: syscall.EMFILE}}, 503},
		{"bad disk", brokenFS{open: &fs.PathError{Err: syscall.EIO}}, 503},
		{"no status", seekableFS{brokenFS{stat: errors.New("gone")}}, 404},
		{"cannot seek", brokenFS{}, 404},
		{"cannot read", seekableFS{brokenFS{read: syscall.EIO}}, 503},
	} {
		got := ask(t, filesServer(t, edge.FS(tt.fsys)), "GET", "/x")
		if got.StatusCode != tt.want || got.Header.Get("Cache-Control") != "no-store" || got.Header.Get("Etag") != "" {
			t.Errorf("%s = %d %v, want %d, no-store", tt.name, got.StatusCode, got.Header, tt.want)
		}
	}
}

func TestFolderErrors(t *testing.T) {
	root := tree(t, map[string]string{"x": freeText})
	for _, name := range []string{filepath.Join(root, "missing"), filepath.Join(root, "x")} {
		if _, err := edge.Folder(name); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("Folder(%q) = %v, want an error that names it", name, err)
		}
	}
	f := folder(t, root)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	wantStatus(t, "after Close", ask(t, filesServer(t, f), "GET", "/x"), 503)
}

// The origin alone is safe as well, without an edge in front.
func TestFilesAlone(t *testing.T) {
	base := tree(t, map[string]string{"outside": outsideText, "root/x": freeText})
	f := folder(t, filepath.Join(base, "root"))
	for path, want := range map[string]int{"/x": 200, "x": 200, "/../outside": 404, "/./x": 404, "": 404, "/": 404, "//x": 404, "/x\x00": 404} {
		r := httptest.NewRequest("GET", "/", nil)
		r.URL.Path = path
		w := httptest.NewRecorder()
		if f.ServeHTTP(w, r); w.Code != want || strings.Contains(w.Body.String(), outsideText) {
			t.Errorf("Files at %q = %d %q, want %d", path, w.Code, w.Body, want)
		}
	}
	head := httptest.NewRequest("HEAD", "/x", nil)
	head.Header.Set("Range", "bytes=0-1")
	w := httptest.NewRecorder()
	if f.ServeHTTP(w, head); w.Code != 200 {
		t.Errorf("HEAD with Range = %d, want 200", w.Code)
	}
}

// A countingFS counts the files that are open.
type countingFS struct {
	fs.FS
	open *atomic.Int32
}

type countedFile struct {
	*os.File
	open *atomic.Int32
}

func (c countingFS) Open(name string) (fs.File, error) {
	f, err := c.FS.Open(name)
	if err != nil {
		return nil, err
	}
	c.open.Add(1)
	return countedFile{f.(*os.File), c.open}, nil
}

func (f countedFile) Close() error {
	f.open.Add(-1)
	return f.File.Close()
}

func TestFilesAreClosed(t *testing.T) {
	fsys := countingFS{os.DirFS(tree(t, map[string]string{"dir/x": freeText})), &atomic.Int32{}}
	srv := filesServer(t, edge.FS(fsys))
	for target, want := range map[string]int{"/dir/x": 200, "/dir": 404, "/none": 404} {
		wantStatus(t, "GET "+target, ask(t, srv, "GET", target), want)
		wantStatus(t, "GET with Range "+target, ask(t, srv, "GET", target, "Range: bytes=99-"), map[int]int{200: 416, 404: 404}[want])
	}
	if n := fsys.open.Load(); n != 0 {
		t.Errorf("%d files stay open", n)
	}
}
