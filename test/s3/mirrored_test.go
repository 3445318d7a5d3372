package s3_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// A mirrored folder is one that "content sync" puts into a store.
type mirrored struct {
	*store
	dir, prefix string
	key         keyPair
}

func (s *store) mirror(t *testing.T, dir, prefix string) *mirrored {
	t.Helper()
	m := &mirrored{store: s, dir: dir, prefix: prefix}
	m.key = newUser(t, m.printed(t))
	return m
}

func (m *mirrored) target() string { return "s3://" + m.bucket + "/" + m.prefix }

// printed returns the policy for "content sync --delete".
func (m *mirrored) printed(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	return run(t, dir, environment(keyPair{}, "DESK_TOKEN="+text(26)+text(26), "OFFICE_TOKEN="+text(26)+text(26)),
		"check", "--iam=content", "--to", m.target(), "--delete", "--config", m.write(t, dir, setup{}))
}

func (m *mirrored) args(endpoint string, more ...string) []string {
	return append([]string{"content", "sync", m.dir, m.target(), "--endpoint", endpoint, "--path-style", "--json"}, more...)
}

type syncReport struct {
	Put, Deleted, Unchanged int
	Bytes                   int64
	Failed, Held            []any
}

// sync runs the command to its end.
func (m *mirrored) sync(t *testing.T, endpoint string, more ...string) syncReport {
	t.Helper()
	var r syncReport
	out := run(t, t.TempDir(), environment(m.key), m.args(endpoint, more...)...)
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	return r
}

// files returns the names of all files in the folder, and their bytes.
func (m *mirrored) files(t *testing.T) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	err := filepath.WalkDir(m.dir, func(name string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		relative, err := filepath.Rel(m.dir, name)
		if err != nil {
			return err
		}
		all[filepath.ToSlash(relative)], err = os.ReadFile(name)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// equals fails the test unless the place in the bucket is the folder, with the
// content types and cache headers that are documented.
func (m *mirrored) equals(t *testing.T) {
	t.Helper()
	files := m.files(t)
	there := m.list(t)
	for key := range there {
		if name, ok := strings.CutPrefix(key, m.prefix+"/"); ok && files[name] == nil {
			t.Errorf("%s is in the bucket and not in the folder", key)
		}
	}
	for name, want := range files {
		got, out, ok := m.get(t, m.prefix+"/"+name)
		if !ok || !bytes.Equal(got, want) {
			t.Errorf("%s is there: %v, with %d bytes; want the %d of the file", name, ok, len(got), len(want))
			continue
		}
		kind, cache := shipped(name)
		if aws.ToString(out.ContentType) != kind || aws.ToString(out.CacheControl) != cache {
			t.Errorf("%s is %q and %q, want %q and %q", name, aws.ToString(out.ContentType), aws.ToString(out.CacheControl), kind, cache)
		}
	}
}

// shipped returns content type and Cache-Control as docs/content.md has them.
func shipped(name string) (kind, cache string) {
	kind = map[string]string{".m4a": "audio/mp4", ".mp4": "video/mp4", ".m3u8": "application/vnd.apple.mpegurl", ".ts": "video/mp2t", ".m4s": "video/iso.segment", ".vtt": "text/vtt; charset=utf-8",
		".jpg": "image/jpeg", ".png": "image/png", ".svg": "image/svg+xml", ".yaml": "application/yaml", ".js": "text/javascript; charset=utf-8"}[path.Ext(name)]
	switch {
	case strings.HasSuffix(name, ".m3u8"), path.Base(name) == "guide.yaml":
		return kind, "max-age=60"
	case strings.HasSuffix(name, ".3f2a9c1b.js"):
		return kind, "max-age=31536000, immutable"
	}
	return kind, "max-age=3600"
}

// generate fills a folder with 300 files, one of them of 64 MiB.
func generate(t *testing.T, dir string) {
	t.Helper()
	endings := []string{".m4a", ".jpg", ".ts", ".vtt", ".3f2a9c1b.js"}
	source := rand.NewChaCha8([32]byte{1})
	for i := range 300 {
		name, content := fmt.Sprintf("tours/%02d/%03d%s", i/30, i, endings[i%len(endings)]), io.LimitReader(source, int64(1+i*97%40_000))
		switch i {
		case 0:
			name, content = "film.mp4", io.LimitReader(source, film)
		case 299:
			name = "tours/list.m3u8"
		}
		name = filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o750); err != nil {
			t.Fatal(err)
		}
		f, err := os.Create(filepath.Clean(name))
		if err == nil {
			_, err = io.Copy(f, content)
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
