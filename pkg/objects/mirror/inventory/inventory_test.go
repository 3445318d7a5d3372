package inventory_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/handstamp/handstamp/pkg/objects/mirror"
	"github.com/handstamp/handstamp/pkg/objects/mirror/inventory"
)

const (
	master = `#EXTM3U
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="English",URI="en/list.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=128000,AUDIO="a"
low/list.m3u8
`
	list = `#EXTM3U
#EXT-X-MAP:URI="init.mp4",BYTERANGE="616@0"
#EXT-X-KEY:METHOD=AES-128,URI="data:text/plain;base64,AAAA"
#EXTINF:6.0,
000%20a.m4s?v=1
# a remark with URI="nothing.m4s"
#EXTINF:6.0,
001.m4s
#EXT-X-ENDLIST
`
)

func check(t *testing.T, files map[string]string, c inventory.Catalogue) (problems, notes []string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	r := inventory.Check(root, mirror.Scan(root, mirror.Target{}), []inventory.Catalogue{c})
	for _, f := range r.Problems {
		problems = append(problems, f.File+": "+f.Text)
	}
	for _, f := range r.Notes {
		notes = append(notes, f.File)
	}
	return problems, notes
}

func TestCheck(t *testing.T) {
	whole := map[string]string{"guide.yaml": "x", "free/a.m4a": "a", "audio/hls/a.m3u8": master,
		"audio/hls/en/list.m3u8": list, "audio/hls/en/init.mp4": "i", "audio/hls/en/000 a.m4s": "s", "audio/hls/en/001.m4s": "s",
		"audio/hls/low/list.m3u8": list, "audio/hls/low/init.mp4": "i", "audio/hls/low/000 a.m4s": "s", "audio/hls/low/001.m4s": "s"}
	with := func(changes map[string]string) map[string]string {
		files := map[string]string{}
		for name, text := range whole {
			files[name] = text
		}
		for name, text := range changes {
			if text == "-" {
				delete(files, name)
			} else {
				files[name] = text
			}
		}
		return files
	}
	tests := []struct {
		name     string
		changes  map[string]string
		problems []string // what each has in it
		notes    []string
	}{
		{"all is there", nil, nil, nil},
		{"a file is missing", map[string]string{"free/a.m4a": "-"}, []string{`guide.yaml: item "a": file: "free/a.m4a" is missing`}, nil},
		{"a file in capitals", map[string]string{"free/a.m4a": "-", "free/A.m4a": "a"}, []string{`there is "free/A.m4a"`}, []string{"free/A.m4a"}},
		{"an empty file", map[string]string{"free/a.m4a": ""}, []string{`"free/a.m4a" is empty`}, nil},
		{"a segment is missing", map[string]string{"audio/hls/low/001.m4s": "-"}, []string{`audio/hls/low/list.m3u8: playlist: "audio/hls/low/001.m4s" is missing`}, nil},
		{"a list is missing", map[string]string{"audio/hls/en/list.m3u8": "-"}, []string{`audio/hls/a.m3u8: playlist: "audio/hls/en/list.m3u8" is missing`},
			[]string{"audio/hls/en/000 a.m4s", "audio/hls/en/001.m4s", "audio/hls/en/init.mp4"}},
		{"a file that nobody names", map[string]string{"audio/b.m4a": "b"}, nil, []string{"audio/b.m4a"}},
		{"not a playlist", map[string]string{"audio/hls/a.m3u8": "<html>", "audio/hls/en/list.m3u8": "-", "audio/hls/low/list.m3u8": "-"},
			[]string{"audio/hls/a.m3u8: begins with"}, []string{"audio/hls/en/000 a.m4s", "audio/hls/en/001.m4s", "audio/hls/en/init.mp4",
				"audio/hls/low/000 a.m4s", "audio/hls/low/001.m4s", "audio/hls/low/init.mp4"}},
		{"a list of itself", map[string]string{"audio/hls/en/list.m3u8": "#EXTM3U\n../a.m3u8\n001.m4s\ninit.mp4\n000%20a.m4s\n"}, nil, nil},
		{"a segment in another package", map[string]string{"audio/hls/low/list.m3u8": list + "../../../film/x.m4s\n", "film/x.m4s": "x"},
			[]string{`"../../../film/x.m4s" is not opened`}, nil},
		{"a segment outside", map[string]string{"audio/hls/low/list.m3u8": list + "../../../../x.m4s\n"},
			[]string{"is not opened", `"../x.m4s" is missing`}, nil},
		{"a plus that S3 does not read", map[string]string{"audio/hls/low/list.m3u8": list + "a+b.m4s\nc%2Bd.m4s\n001.m4s?v=1+2\n", "audio/hls/low/a+b.m4s": "s", "audio/hls/low/c+d.m4s": "s"},
			[]string{`"a+b.m4s" has a "+", which S3 reads as a space: want "%2B"`}, nil},
		{"a segment elsewhere", map[string]string{"audio/hls/low/list.m3u8": list + "https://example.org/x.m4s\n//example.org/y.m4s\n/z.m4s\n"},
			[]string{"leads to another place", "leads to another place", "leads to another place"}, nil},
	}
	for _, tt := range tests {
		problems, notes := check(t, with(tt.changes), inventory.Catalogue{File: "guide.yaml", Packages: []string{"audio", "film"}, Promises: []inventory.Promise{
			{By: `item "a": file`, File: "free/a.m4a"}, {By: `item "b": stream`, File: "audio/hls/a.m3u8", Package: "audio"}}})
		if !slices.EqualFunc(problems, tt.problems, strings.Contains) || !slices.Equal(notes, tt.notes) {
			t.Errorf("%s: problems %q, notes %q\nwant %q, %q", tt.name, problems, notes, tt.problems, tt.notes)
		}
	}
}

func TestCheckBelow(t *testing.T) {
	files := map[string]string{"readme.txt": "x", "castle/guide.yaml": "x", "castle/free/a.m3u8": "#EXTM3U\n0.ts\n../audio/1.ts\n",
		"castle/free/0.ts": "0", "castle/audio/1.ts": "1", "castle/free/dash/a.mpd": "<MPD/>", "castle/free/dash/0.m4s": "0"}
	problems, notes := check(t, files, inventory.Catalogue{File: "castle/guide.yaml", Packages: []string{"audio"}, Promises: []inventory.Promise{
		{By: "item", File: "free/a.m3u8"}, {By: "other", File: "free/dash/a.mpd"}}})
	if len(problems) != 1 || !strings.Contains(problems[0], `"../audio/1.ts" is not opened`) || len(notes) > 0 {
		t.Errorf("problems %q, notes %q, want a paid segment in a free stream, and none", problems, notes)
	}
}
