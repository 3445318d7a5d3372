package guide_test

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/handstamp/handstamp/pkg/guide"
)

func parse(text string) (*guide.Catalogue, error) {
	return guide.LoadCatalogue(fstest.MapFS{"tower/guide.yaml": {Data: []byte(text)}}, "tower/guide.yaml")
}

const head = `title: Tower
packages:
  - {id: audio, name: Audio guide}
  - {id: extra, name: Extra}
items:
`

func TestLoadCatalogue(t *testing.T) {
	c, err := parse(head + `
  - id: gate
    stop: 1
    title: The Gate
    kind: audio
    package: audio
    file: audio/01 tor ä.m4a
    stream: audio/gate/index.m3u8
    image: free/gate.jpg
    duration: 1m15s
    text: Halt!
  - {id: hours, title: Hours, kind: text, text: Always open.}
`)
	if err != nil {
		t.Fatal(err)
	}
	gate := c.Items[0]
	if gate.Stop != 1 || gate.Kind != guide.Audio || gate.Free() || gate.Duration != 75*time.Second {
		t.Errorf("item 1 = %+v, want stop 1, audio, paid, 1m15s", gate)
	}
	if !c.Items[1].Free() {
		t.Errorf("item 2 = %+v, want it free", c.Items[1])
	}
}

func TestLoadCatalogueRefuses(t *testing.T) {
	tests := []struct {
		name, text string
		want       []string // each in the error
	}{
		{"empty", "", []string{"guide.yaml: is empty"}},
		{"not YAML", "title: [", []string{"guide.yaml:1:"}},
		{"no mapping", "- title", []string{"guide.yaml:1:", "title is missing"}},
		{"two documents", "title: a\n---\ntitle: b\n", []string{"more than one YAML document"}},
		{"no title", "intro: hello\n", []string{"guide.yaml:1: title is missing"}},
		{"unknown keys", "title: a\nsubtitle: b\nitems:\n  - {id: x, title: X, kind: text, text: T, colour: red}\n", []string{`guide.yaml:2: unknown key "subtitle"`, `guide.yaml:4: unknown key "colour"`}},
		{"key twice", "title: a\ntitle: b\n", []string{`guide.yaml:2: mapping key "title" already defined`}},
		{"wrong type", head + "  - {id: x, stop: one, title: X, kind: text, text: T}\n", []string{"guide.yaml:6: cannot unmarshal"}},
		{"package without name", "title: a\npackages:\n  - id: audio\n", []string{`guide.yaml:3: package "audio" has no name`}},
		{"package twice", "title: a\npackages:\n  - {id: a, name: A}\n  - {id: a, name: B}\n", []string{`guide.yaml:4: package 2: id "a" is used twice`}},
		{"package ID as path", "title: a\npackages:\n  - {id: a/b, name: A}\n", []string{`guide.yaml:3: package 1: id "a/b", want`}},
		{"paid cover", "title: a\ncover: audio/c.jpg\npackages:\n  - {id: audio, name: A}\n", []string{`guide.yaml:2: cover "audio/c.jpg" is free, but lies in package "audio"`}},
		{"ID twice", head + "  - {id: x, title: X, kind: text, text: T}\n  - {id: x, title: Y, kind: text, text: T}\n", []string{`guide.yaml:7: item 2: id "x" is used twice`}},
		{"no ID, title, kind, file", head + "  - stop: 1\n", []string{"item 1 has no id", "has no title", "has no kind", "has no file"}},
		{"unknown kind", head + "  - {id: x, title: X, kind: smell, file: free/x}\n", []string{`guide.yaml:6: item "x": kind "smell", want audio`}},
		{"text without text", head + "  - {id: x, title: X, kind: text}\n", []string{`guide.yaml:6: item "x" has no text`}},
		{"streamed map", head + "  - {id: x, title: X, kind: map, file: f/x.svg, stream: f/x.m3u8}\n", []string{"a stream is for audio and video, not map"}},
		{"unknown package", head + "  - {id: x, title: X, kind: audio, package: gold, file: gold/x.m4a}\n", []string{`package "gold" is not under packages`}},
		{"paid file outside", head + "  - id: x\n    title: X\n    kind: audio\n    package: audio\n    file: free/x.m4a\n    stream: audiobook/x.m3u8\n", []string{`guide.yaml:10: item "x": file "free/x.m4a" is not under "audio/"`, `guide.yaml:11: item "x": stream "audiobook/x.m3u8" is not under "audio/"`}},
		{"image of another package", head + "  - {id: x, title: X, kind: audio, package: audio, file: audio/x.m4a, image: extra/x.jpg}\n", []string{`image "extra/x.jpg" is not under "audio/"`}},
		{"free file in a package", head + "  - {id: x, title: X, kind: audio, file: audio/x.m4a}\n", []string{`file "audio/x.m4a" is free, but lies in package "audio"`}},
		{"absolute path", head + "  - {id: x, title: X, kind: audio, file: /free/x.m4a}\n", []string{`file "/free/x.m4a" is absolute`}},
		{"dots", head + "  - {id: x, title: X, kind: audio, package: audio, file: audio/../extra/x.m4a}\n", []string{`file "audio/../extra/x.m4a" is not a plain path`}},
		{"wildcard", head + "  - {id: x, title: X, kind: audio, package: audio, file: audio/*}\n", []string{"means something else in a URL"}},
		{"escape", head + "  - {id: x, title: X, kind: audio, package: audio, file: audio/%2e%2e/x}\n", []string{"means something else in a URL"}},
		{"duration without unit", head + "  - {id: x, title: X, kind: audio, file: free/x.m4a, duration: 12}\n", []string{"guide.yaml:6:", "duration 12 has no unit"}},
		{"negative", head + "  - {id: x, stop: -1, title: X, kind: audio, file: free/x.m4a, duration: -12s}\n", []string{"stop -1 is negative", "duration -12s is negative"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := parse(tt.text)
			if err == nil || c != nil {
				t.Fatalf("LoadCatalogue = %+v, %v, want an error", c, err)
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("LoadCatalogue: %v, want %q in it", err, want)
				}
			}
		})
	}
}

func TestLoadCatalogueWithoutFile(t *testing.T) {
	if _, err := guide.LoadCatalogue(guide.Sample(), "ship/guide.yaml"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("LoadCatalogue = %v, want fs.ErrNotExist", err)
	}
}

// Whatever the text, the answer is a catalogue or an error, and every path of a
// catalogue stays inside the prefix.
func FuzzLoadCatalogue(f *testing.F) {
	f.Add(head + "  - {id: x, title: X, kind: audio, package: audio, file: audio/x.m4a, duration: 1s}\n")
	f.Add("title: a\nitems: &a [*a]\n")
	f.Add("{title: a, items: {}, packages: 1}")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := parse(text)
		if (c == nil) == (err == nil) {
			t.Fatalf("LoadCatalogue = %v, %v, want one of both", c, err)
		}
		if err != nil {
			return
		}
		for _, item := range c.Items {
			if item.File != "" && (!fs.ValidPath(item.File) || !item.Free() && !strings.HasPrefix(item.File, item.Package+"/")) {
				t.Errorf("item %+v was accepted", item)
			}
		}
	})
}
