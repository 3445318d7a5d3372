package edge

import (
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// E-54, as far as a file system that minds case can show it.
func TestSpelled(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "castle", "audio"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "castle", "audio", "01.m4a"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	for name, want := range map[string]bool{
		"castle": true, "castle/audio/01.m4a": true,
		"Castle/audio/01.m4a": false, "castle/Audio/01.m4a": false, "castle/audio/01.M4A": false, "castle/audio/01.m4a/x": false, "none/x": false,
	} {
		if got := spelled(root, name); got != want {
			t.Errorf("spelled(%q) = %v, want %v", name, got, want)
		}
	}
}

// A hard link under the other spelling looks like a file system that ignores case.
func TestIgnoresCase(t *testing.T) {
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	for _, step := range []struct {
		name, link string
		want       bool
	}{{"123", "", false}, {"abc", "", false}, {"ABC", "", false}, {"xyz", "XYZ", true}} {
		if err := os.WriteFile(filepath.Join(dir, step.name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
		if step.link != "" {
			if err := os.Link(filepath.Join(dir, step.name), filepath.Join(dir, step.link)); err != nil {
				t.Fatal(err)
			}
		}
		if got := ignoresCase(root); got != step.want {
			t.Errorf("ignoresCase with %s = %v, want %v", step.name, got, step.want)
		}
	}
}

// An exact folder serves a file by its own spelling.
func TestExactFolder(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"xyz", "file"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Link(filepath.Join(dir, "xyz"), filepath.Join(dir, "XYZ")); err != nil {
		t.Fatal(err)
	}
	f, err := Folder(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for name, want := range map[string]bool{"file": true, "File": false} {
		file, err := f.open(name)
		if err == nil {
			file.Close()
		}
		if (err == nil) != want {
			t.Errorf("open(%q) = %v, want found %v", name, err, want)
		}
	}
}

// The matcher equals a regular expression.
func TestPatternAgainstRegexp(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	word := func(letters []string, n int) string {
		var b strings.Builder
		for range random.IntN(n) {
			b.WriteString(letters[random.IntN(len(letters))])
		}
		return b.String()
	}
	for range 50_000 {
		p := pattern("/" + word([]string{"a", "b", "/", "*", "?"}, 8))
		path := "/" + word([]string{"a", "b", "/", "é"}, 10)
		slow := regexp.QuoteMeta(string(p))
		slow = strings.NewReplacer(`\*`, `(?s:.*)`, `\?`, `(?s:.)`).Replace(slow)
		if want := regexp.MustCompile("^" + slow + "$").MatchString(path); p.match(path) != want {
			t.Fatalf("pattern(%q).match(%q) = %v, want %v", p, path, !want, want)
		}
	}
}

// Whatever a viewer sends is one field of printable text, from which it can be
// read back.
func FuzzLogText(f *testing.F) {
	for _, seed := range []string{"", "-", "a b\tc\n", "é\xff%20", "<>\"#%{}|\\^~[]`'"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var line logLine
		line.text(s)
		field, ok := strings.CutSuffix(string(line), "\t")
		if !ok || field == "" || strings.IndexFunc(field, func(c rune) bool { return c <= ' ' || c >= 0x7f }) >= 0 {
			t.Fatalf("text(%q) = %q", s, line)
		}
		if back, err := url.PathUnescape(field); s != "" && (err != nil || back != s) {
			t.Errorf("text(%q) = %q, which reads as %q, %v", s, field, back, err)
		}
	})
}

// No value of a parameter that could be a signature is left, and every pair is.
func FuzzRedacted(f *testing.F) {
	for _, seed := range []string{"a=1&Signature=SECRET", "signature=SECRET;x", "%53ignature=SECRET", "Policy=SECRET&&Expires", ";Policy=SECRET"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		got := redacted(query)
		if strings.Count(got, "&") != strings.Count(query, "&") {
			t.Errorf("redacted(%q) = %q", query, got)
		}
		for pair := range strings.SplitSeq(got, "&") {
			name, value, ok := strings.Cut(pair, "=")
			if plain, err := url.QueryUnescape(name); ok && err == nil && likeSigning(plain) && value != "REDACTED" {
				t.Errorf("redacted(%q) = %q", query, got)
			}
		}
	})
}
