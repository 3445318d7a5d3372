// Package pkg_test holds the packages to who may know whom, docs/design.md.
package pkg_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const ours = "github.com/handstamp/handstamp/pkg/"

// small are the packages that everybody may import. They import no others.
var small = []string{"gate", "apikey", "byterange", "mediatype", "reply", "urlpath"}

// A pair is a package and one that it imports.
type pair struct{ who, whom string }

// free reports whether p needs no line in the list. app sees everybody.
func (p pair) free() bool {
	return p.who == "app" || slices.Contains(small, p.whom) || strings.HasPrefix(p.who, p.whom+"/")
}

func TestWhoKnowsWhom(t *testing.T) {
	found := imports(t)
	listed := list(t)
	if len(found) < 50 || len(listed) < 10 {
		t.Fatalf("%d imports, %d of them listed, want those of all packages", len(found), len(listed))
	}
	for p, file := range found {
		switch {
		case slices.Contains(small, p.who) && p.whom != "gate":
			t.Errorf("%s: %s imports %s, want none but gate, as everybody imports it", file, p.who, p.whom)
		case !p.free() && !slices.Contains(listed, p):
			t.Errorf("%s: %s imports %s. Let app bring them together, or give docs/design.md a reason", file, p.who, p.whom)
		}
	}
	for _, p := range listed {
		if found[p] == "" || p.free() {
			t.Errorf("docs/design.md lists that %s knows %s; it does not, or may without", p.who, p.whom)
		}
	}
}

// imports returns which of our packages import which, with a file that does.
// Tests may import whom they want.
func imports(t *testing.T) map[pair]string {
	t.Helper()
	found := map[pair]string{}
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == "testdata":
			return fs.SkipDir
		case !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range f.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			if whom, ok := strings.CutPrefix(imported, ours); ok {
				found[pair{path.Dir(filepath.ToSlash(name)), whom}] = name
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

var quoted = regexp.MustCompile("`([a-z/]+)`")

// list returns who may know whom beyond that: the first two columns of the
// table in docs/design.md.
func list(t *testing.T) (listed []pair) {
	t.Helper()
	text, err := os.ReadFile("../docs/design.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "| in `pkg/` | knows |")
	table, _, _ = strings.Cut(table, "\n\n")
	for row := range strings.Lines(table) {
		cells := strings.Split(row, "|")
		if len(cells) < 4 {
			continue
		}
		for _, who := range quoted.FindAllStringSubmatch(cells[1], -1) {
			for _, whom := range quoted.FindAllStringSubmatch(cells[2], -1) {
				listed = append(listed, pair{who[1], whom[1]})
			}
		}
	}
	return listed
}
