package mirror_test

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"github.com/handstamp/handstamp/pkg/objects/mirror"
	"github.com/handstamp/handstamp/pkg/objects/mirror/mirrortest"
)

// A bench is a folder and a bucket to put it into.
type bench struct {
	t      *testing.T
	dir    string
	bucket *mirrortest.Bucket
	opts   mirror.Options
	to     mirror.Target
	client mirror.Client
}

func newBench(t *testing.T, files map[string]string) *bench {
	t.Helper()
	b := &bench{t: t, dir: t.TempDir(), bucket: &mirrortest.Bucket{}, to: mirror.Target{Bucket: "media", Prefix: "site/castle"}}
	for name, text := range files {
		b.write(name, text)
	}
	b.serve(b.bucket)
	return b
}

// serve makes h the store that is asked.
func (b *bench) serve(h http.Handler) {
	server := httptest.NewServer(h)
	transport := &http.Transport{}
	b.t.Cleanup(func() { transport.CloseIdleConnections(); server.Close() })
	b.client = s3.New(s3.Options{BaseEndpoint: &server.URL, UsePathStyle: true, Region: "eu-west-1", RetryMaxAttempts: 1,
		HTTPClient: &http.Client{Transport: transport}, Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")})
}

func (b *bench) write(name, text string) {
	b.t.Helper()
	file := filepath.Join(b.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) mirror() *mirror.Mirror {
	b.t.Helper()
	root, err := os.OpenRoot(b.dir)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { root.Close() })
	return mirror.New(b.client, root, b.to, b.opts)
}

func (b *bench) plan() *mirror.Plan {
	b.t.Helper()
	p, err := b.mirror().Plan(b.t.Context())
	if err != nil {
		b.t.Fatalf("Plan: %v", err)
	}
	return p
}

// run plans and does, and returns what changed in the bucket.
func (b *bench) run() (*mirror.Report, []string) {
	b.t.Helper()
	m := b.mirror()
	p, err := m.Plan(b.t.Context())
	if err != nil {
		b.t.Fatalf("Plan: %v", err)
	}
	r, err := m.Do(b.t.Context(), p)
	if err != nil {
		b.t.Fatalf("Do: %v", err)
	}
	return r, b.bucket.Log()
}

// quiet runs and expects that nothing changes.
func (b *bench) quiet() {
	b.t.Helper()
	if r, log := b.run(); len(log) > 0 || len(r.Failed) > 0 {
		b.t.Errorf("another run did %q and failed with %v, want nothing", log, r.Failed)
	}
}

func failed(r *mirror.Report) []string {
	var names []string
	for _, f := range r.Failed {
		names = append(names, f.Name)
	}
	slices.Sort(names)
	return names
}

var castle = map[string]string{
	"guide.yaml":            "title: Castle",
	"free/welcome.m4a":      "welcome",
	"audio/01.m4a":          "one",
	"audio/hls/01.m3u8":     "#EXTM3U",
	"audio/hls/01-000.ts":   "segment",
	"img/hall.3f2a9c1b.jpg": "hall",
}

func TestFirstRun(t *testing.T) {
	b := newBench(t, castle)
	r, log := b.run()
	if r.Put != len(castle) || len(r.Failed) > 0 || len(r.Held) > 0 {
		t.Fatalf("Do = %+v, want %d files put", r, len(castle))
	}
	last := log[len(log)-2:]
	if want := []string{"PUT site/castle/audio/hls/01.m3u8", "PUT site/castle/guide.yaml"}; !slices.Equal(last, want) {
		t.Errorf("the last two were %q, want %q: lists after what they list", last, want)
	}
	want := map[string][2]string{
		"guide.yaml":            {"application/yaml", "max-age=60"},
		"free/welcome.m4a":      {"audio/mp4", "max-age=3600"},
		"audio/hls/01.m3u8":     {"application/vnd.apple.mpegurl", "max-age=60"},
		"audio/hls/01-000.ts":   {"video/mp2t", "max-age=3600"},
		"img/hall.3f2a9c1b.jpg": {"image/jpeg", "max-age=31536000, immutable"},
	}
	objects := b.bucket.Objects()
	for name, headers := range want {
		o := objects["site/castle/"+name]
		if got := [2]string{o.Type, o.Cache}; got != headers {
			t.Errorf("%s has %q, want %q", name, got, headers)
		}
		if string(o.Body) != castle[name] || o.Sum == "" {
			t.Errorf("%s is %q with checksum %q, want %q with one", name, o.Body, o.Sum, castle[name])
		}
	}
	b.quiet()
}

func TestSecondRun(t *testing.T) {
	b := newBench(t, castle)
	b.run()
	b.write("audio/01.m4a", "eno")        // the same size
	b.write("free/welcome.m4a", "longer") // another one
	b.write("audio/02.m4a", "two")
	if err := os.Chtimes(filepath.Join(b.dir, "guide.yaml"), farAway, farAway); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, s := range b.plan().Steps {
		got[s.Name] = s.Why
	}
	want := map[string]string{"audio/01.m4a": "other content", "free/welcome.m4a": "other size", "audio/02.m4a": "new"}
	if !maps.Equal(got, want) {
		t.Errorf("Plan = %v, want %v", got, want)
	}
	b.run()
	b.quiet()
}

func TestOtherHeaders(t *testing.T) {
	b := newBench(t, map[string]string{"a.jpg": "a", "b.pdf": "b"})
	b.run()
	b.opts.Cache = []mirror.CacheRule{{Pattern: "*.jpg", Control: "max-age=5"}}
	if p := b.plan(); len(p.Steps) != 1 || p.Steps[0].Why != "other caching" || p.Steps[0].Cache != "max-age=5" {
		t.Errorf("Plan with another cache rule = %+v, want a.jpg for that", p.Steps)
	}
	o := b.bucket.Objects()["site/castle/b.pdf"]
	o.Type = "binary/octet-stream"
	b.bucket.Put("site/castle/b.pdf", o)
	if p := b.plan(); len(p.Steps) != 2 || p.Steps[1].Why != "other type" {
		t.Errorf("Plan with another type = %+v, want b.pdf for that", p.Steps)
	}
	b.run()
	b.quiet()
}

func TestObjectOfAnotherProgram(t *testing.T) {
	b := newBench(t, map[string]string{"a.jpg": "a"})
	b.bucket.Put("site/castle/a.jpg", mirrortest.Object{Body: []byte("a"), Type: "image/jpeg", Cache: mirror.CacheOther})
	if p := b.plan(); len(p.Steps) != 1 || p.Steps[0].Why != "other content" {
		t.Errorf("Plan = %+v, want a.jpg again: nothing says what the object is", p.Steps)
	}
}

func TestStoreWithoutChecksums(t *testing.T) {
	b := newBench(t, map[string]string{"a.jpg": "a", "film.mp4": film(6 << 20)})
	b.opts.PartSize = 5 << 20
	b.bucket.NoChecksums = true
	if r, _ := b.run(); len(r.Failed) > 0 {
		t.Fatalf("Do = %+v", r)
	}
	b.quiet()
	b.write("a.jpg", "b")
	if p := b.plan(); len(p.Steps) != 1 || p.Steps[0].Why != "other content" {
		t.Errorf("Plan = %+v, want a.jpg for its content", p.Steps)
	}
}

func TestWrongChecksum(t *testing.T) {
	b := newBench(t, map[string]string{"a.jpg": "a", "film.mp4": film(6 << 20)})
	b.opts.PartSize = 5 << 20
	b.bucket.WrongChecksum = true
	r, _ := b.run()
	if len(r.Failed) != 2 || !errors.Is(r.Failed[0].Err, mirror.ErrChecksum) || !errors.Is(r.Failed[1].Err, mirror.ErrChecksum) {
		t.Errorf("Do = %+v, want ErrChecksum for both", r.Failed)
	}
}

// Uploads of other programs, and of other files, are not gone on with.
func TestForeignUploads(t *testing.T) {
	b := newBench(t, map[string]string{"film.mp4": film(6 << 20)})
	b.opts.PartSize = 5 << 20
	b.bucket.Begin("site/castle/film.mp4", false)
	b.bucket.Begin("site/castle/film.mp4.old", true)
	r, log := b.run()
	if len(r.Failed) > 0 || len(log) == 0 || log[0] != "CREATE site/castle/film.mp4" || b.bucket.Uploads() != 2 {
		t.Errorf("run = %q, failed %v, want an upload of its own", log, r.Failed)
	}
	b.quiet()
}

func TestDelete(t *testing.T) {
	b := newBench(t, castle)
	b.run()
	outside := []string{"site/castle2/a.jpg", "site/castle", "site/tower/a.jpg", "photos/1.jpg"}
	for _, key := range outside {
		b.bucket.Put(key, mirrortest.Object{Body: []byte("x")})
	}
	kept := []string{"site/castle/", "site/castle/audio/", "site/castle/.well-known/x", "site/castle/left.jpg~"}
	for _, key := range kept {
		b.bucket.Put(key, mirrortest.Object{})
	}
	for _, key := range []string{"site/castle/old/guide.yaml", "site/castle/old/a.m3u8", "site/castle/old/a.ts"} {
		b.bucket.Put(key, mirrortest.Object{Body: []byte("x")})
	}
	b.write(".well-known/x", "hidden")
	b.write("left.jpg~", "left")
	b.write("audio/03.m4a", "three")
	if r, log := b.run(); r.Deleted > 0 || !slices.Equal(log, []string{"PUT site/castle/audio/03.m4a"}) {
		t.Errorf("without Delete: %q, want nothing deleted", log)
	}
	b.write("audio/04.m4a", "four")
	b.opts.Delete = true
	r, log := b.run()
	want := []string{"PUT site/castle/audio/04.m4a", "DELETE site/castle/old/guide.yaml", "DELETE site/castle/old/a.m3u8", "DELETE site/castle/old/a.ts"}
	if r.Deleted != 3 || !slices.Equal(log, want) {
		t.Errorf("with Delete: %q, want %q", log, want)
	}
	objects := b.bucket.Objects()
	for _, key := range append(outside, kept...) {
		if _, ok := objects[key]; !ok {
			t.Errorf("%q was deleted", key)
		}
	}
}

func TestDeleteKeepsWhatCannotBeRead(t *testing.T) {
	b := newBench(t, map[string]string{"a.jpg": "a", "b.jpg": "b"})
	b.run()
	if err := os.Remove(filepath.Join(b.dir, "a.jpg")); err != nil {
		t.Fatal(err)
	}
	link(t, "/etc/passwd", filepath.Join(b.dir, "a.jpg"))
	b.opts.Delete = true
	r, log := b.run()
	if len(log) > 0 || !slices.Equal(failed(r), []string{"a.jpg"}) {
		t.Errorf("run = %q, failed %v, want a.jpg failed and left there", log, r.Failed)
	}
}

func TestDeleteOfEverything(t *testing.T) {
	b := newBench(t, map[string]string{"a.jpg": "a"})
	b.run()
	b.dir = t.TempDir()
	b.opts.Delete = true
	if _, err := b.mirror().Plan(t.Context()); !errors.Is(err, mirror.ErrEmpty) {
		t.Errorf("Plan of an empty folder = %v, want ErrEmpty", err)
	}
}

func link(t *testing.T, to, name string) {
	t.Helper()
	if err := os.Symlink(to, name); err != nil {
		t.Skip("no links here:", err)
	}
}

func TestFolder(t *testing.T) {
	b := newBench(t, map[string]string{"a.jpg": "a", "sub/b.jpg": "b", ".DS_Store": "x", "sub/Thumbs.db": "x", ".git/config": "x",
		"a.jpg~": "x", "__MACOSX/a.jpg": "x", "ünï/ć d+e.jpg": "u", "100%.jpg": "p", "semi;colon.jpg": "s", "back\\slash.jpg": "b", "new\nline.jpg": "n"})
	link(t, "sub/b.jpg", filepath.Join(b.dir, "inside.jpg"))
	link(t, "sub", filepath.Join(b.dir, "folder"))
	outside := filepath.Join(t.TempDir(), "secret.jpg")
	if err := os.WriteFile(outside, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	link(t, outside, filepath.Join(b.dir, "outside.jpg"))
	link(t, "nowhere.jpg", filepath.Join(b.dir, "dangling.jpg"))
	r, _ := b.run()
	var got []string
	for key := range b.bucket.Objects() {
		got = append(got, strings.TrimPrefix(key, "site/castle/"))
	}
	slices.Sort(got)
	want := []string{"100%.jpg", "a.jpg", "inside.jpg", "sub/b.jpg", "ünï/ć d+e.jpg"}
	if !slices.Equal(got, want) {
		t.Errorf("the bucket has %q, want %q", got, want)
	}
	wantFailed := []string{"back\\slash.jpg", "dangling.jpg", "folder", "new\nline.jpg", "outside.jpg", "semi;colon.jpg"}
	if got := failed(r); !slices.Equal(got, wantFailed) {
		t.Errorf("failed: %q, want %q", got, wantFailed)
	}
	for _, f := range r.Failed {
		wantErr := mirror.ErrLink
		if strings.ContainsAny(f.Name, "\\\n;") {
			wantErr = mirror.ErrName
		}
		if !errors.Is(f.Err, wantErr) {
			t.Errorf("%q failed with %v, want %v", f.Name, f.Err, wantErr)
		}
	}
	var skipped []string
	for _, s := range b.plan().Skipped {
		skipped = append(skipped, s.Name)
	}
	if want := []string{".DS_Store", ".git", "__MACOSX", "a.jpg~", "sub/Thumbs.db"}; !slices.Equal(skipped, want) {
		t.Errorf("skipped: %q, want %q", skipped, want)
	}
}

// A file that fails stops no other, but holds back the lists beside and above
// it, and every deletion.
func TestBadFile(t *testing.T) {
	files := map[string]string{"castle/guide.yaml": "c", "castle/audio/1.m4a": "1", "castle/audio/2.m4a": "2", "castle/audio/2.m3u8": "l",
		"castle/free/3.m3u8": "l", "zoo/guide.yaml": "z", "zoo/1.m4a": "1"}
	b := newBench(t, files)
	b.bucket.Put("site/castle/old.jpg", mirrortest.Object{Body: []byte("x")})
	b.opts.Delete = true
	bad := true
	b.bucket.Fail = func(r *http.Request) (int, string) {
		if bad && r.Method == http.MethodPut && strings.HasSuffix(r.URL.Path, "/castle/audio/2.m4a") {
			return http.StatusForbidden, "AccessDenied"
		}
		return 0, ""
	}
	r, log := b.run()
	var refused smithy.APIError
	if len(r.Failed) != 1 || !errors.As(r.Failed[0].Err, &refused) || refused.ErrorCode() != "AccessDenied" {
		t.Errorf("failed: %v, want castle/audio/2.m4a with AccessDenied", r.Failed)
	}
	if want := []string{"castle/audio/2.m3u8", "castle/guide.yaml", "old.jpg"}; !slices.Equal(r.Held, want) {
		t.Errorf("held: %q, want %q", r.Held, want)
	}
	slices.Sort(log)
	want := []string{"PUT site/castle/castle/audio/1.m4a", "PUT site/castle/castle/free/3.m3u8", "PUT site/castle/zoo/1.m4a", "PUT site/castle/zoo/guide.yaml"}
	if !slices.Equal(log, want) {
		t.Errorf("done: %q, want %q", log, want)
	}
	bad = false
	if r, log := b.run(); len(r.Failed)+len(r.Held) > 0 || len(log) != 4 || log[3] != "DELETE site/castle/old.jpg" {
		t.Errorf("the next run did %q with %+v, want the rest, and the deletion last", log, r)
	}
	b.quiet()
}

// film returns n bytes that differ from part to part.
func film(n int) string {
	return string(bytes.Repeat([]byte("a film of a castle, and no two of its parts are the same "), n/57+1)[:n])
}

func TestParts(t *testing.T) {
	text := film(11 << 20)
	b := newBench(t, map[string]string{"film.mp4": text})
	b.opts.PartSize = 5 << 20
	var sent int64
	b.opts.Sent = func(n int64) { sent += n }
	r, log := b.run()
	slices.Sort(log)
	if want := []string{"CREATE", "PART 1", "PART 2", "PART 3", "PUT"}; !slices.EqualFunc(log, want, strings.HasPrefix) || len(r.Failed) > 0 {
		t.Errorf("run = %q, failed %v, want %q", log, r.Failed, want)
	}
	o := b.bucket.Objects()["site/castle/film.mp4"]
	if string(o.Body) != text || o.Type != "video/mp4" || !strings.HasSuffix(o.Sum, "-3") {
		t.Errorf("the bucket has %d bytes of %s, checksum %q, want the film in 3 parts", len(o.Body), o.Type, o.Sum)
	}
	if sent != int64(len(text)) {
		t.Errorf("Sent was told %d bytes, want %d", sent, len(text))
	}
	b.quiet()
	b.write("film.mp4", text[1:]+"!")
	if p := b.plan(); len(p.Steps) != 1 || p.Steps[0].Why != "other content" {
		t.Errorf("Plan after a change of the film = %+v, want it for its content", p.Steps)
	}
}

// A run that is killed is gone on with by the next, without what has arrived.
func TestKilled(t *testing.T) {
	b := newBench(t, map[string]string{"film.mp4": film(20<<20 + 1), "a.jpg": "a", "z.jpg": "z", "guide.yaml": "g"})
	b.opts = mirror.Options{PartSize: 5 << 20, Parallel: 1}
	ctx, kill := context.WithCancel(t.Context())
	var parts atomic.Int32
	b.bucket.Fail = func(r *http.Request) (int, string) {
		if r.URL.Query().Has("partNumber") && parts.Add(1) == 4 {
			kill()
			return -1, ""
		}
		return 0, ""
	}
	m := b.mirror()
	p, err := m.Plan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if r, err := m.Do(ctx, p); !errors.Is(err, context.Canceled) || !slices.Equal(failed(r), []string{"film.mp4"}) {
		t.Fatalf("Do = %+v, %v, want it cancelled with the film under way", r, err)
	}
	want := []string{"PUT site/castle/a.jpg", "CREATE site/castle/film.mp4", "PART 1 site/castle/film.mp4", "PART 2 site/castle/film.mp4", "PART 3 site/castle/film.mp4"}
	if log := b.bucket.Log(); !slices.Equal(log, want) {
		t.Fatalf("before it was killed: %q, want %q", log, want)
	}
	b.write("b.jpg", "b")
	_, log := b.run()
	want = []string{"PUT site/castle/b.jpg", "PART 4 site/castle/film.mp4", "PART 5 site/castle/film.mp4", "PUT site/castle/film.mp4",
		"PUT site/castle/z.jpg", "PUT site/castle/guide.yaml"}
	if !slices.Equal(log, want) {
		t.Errorf("afterwards: %q, want %q", log, want)
	}
	if n := b.bucket.Uploads(); n != 0 {
		t.Errorf("%d uploads are left", n)
	}
	b.quiet()
}

// Parts of an older version of the file do not get into the new one, and
// neither do its headers.
func TestKilledThenChanged(t *testing.T) {
	old := film(11 << 20)
	b := newBench(t, map[string]string{"film.mp4": old})
	b.opts = mirror.Options{PartSize: 5 << 20, Parallel: 1}
	failing := true
	b.bucket.Fail = func(r *http.Request) (int, string) {
		if failing && r.URL.Query().Get("partNumber") == "3" {
			return http.StatusServiceUnavailable, "SlowDown"
		}
		return 0, ""
	}
	r, _ := b.run()
	if len(r.Failed) != 1 || b.bucket.Uploads() != 1 {
		t.Fatalf("failed: %v, uploads: %d, want one of each", r.Failed, b.bucket.Uploads())
	}
	failing = false
	changed := []byte(old)
	changed[6<<20] = '!'
	b.write("film.mp4", string(changed))
	b.opts.Cache = []mirror.CacheRule{{Control: "max-age=5"}}
	r, log := b.run()
	if len(r.Failed) > 0 || slices.Contains(log[:3], "PART 1 site/castle/film.mp4") {
		t.Errorf("run = %q, failed %v, want the first part taken as it is", log, r.Failed)
	}
	o := b.bucket.Objects()["site/castle/film.mp4"]
	if !bytes.Equal(o.Body, changed) || o.Cache != "max-age=5" {
		t.Errorf("the bucket has another film, or %q, want max-age=5", o.Cache)
	}
	b.quiet()
}

// A file that changes between the plan and the sending does not get there.
func TestChangedMeanwhile(t *testing.T) {
	b := newBench(t, map[string]string{"a.jpg": "a"})
	b.run()
	b.write("a.jpg", "b")
	m := b.mirror()
	p, err := m.Plan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b.write("a.jpg", "c")
	r, err := m.Do(t.Context(), p)
	if err != nil || len(r.Failed) != 1 {
		t.Errorf("Do = %+v, %v, want a.jpg failed", r, err)
	}
	if o := b.bucket.Objects()["site/castle/a.jpg"]; string(o.Body) != "a" {
		t.Errorf("the bucket has %q, want what it had", o.Body)
	}
}
