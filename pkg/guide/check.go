package guide

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// A checker collects what is wrong with one catalogue.
type checker struct {
	file     string
	root     yaml.Node
	problems []problem
}

// A problem is one finding; line 0 means the file as a whole.
type problem struct {
	line int
	text string
}

func (k *checker) report(line int, format string, args ...any) {
	k.problems = append(k.problems, problem{line, fmt.Sprintf(format, args...)})
}

// parsed tells whether there are nodes to look at.
func (k *checker) parsed() bool { return k.root.Kind != 0 }

// err returns the findings in the order of the file, nil if there are none.
func (k *checker) err() error {
	slices.SortStableFunc(k.problems, func(a, b problem) int { return cmp.Compare(a.line, b.line) })
	var errs []error
	for _, p := range k.problems {
		if p.line == 0 {
			errs = append(errs, fmt.Errorf("%s: %s", k.file, p.text))
		} else {
			errs = append(errs, fmt.Errorf("%s:%d: %s", k.file, p.line, p.text))
		}
	}
	return errors.Join(errs...)
}

// line finds the line of a value by its way from the top: keys and indexes. What
// is missing is reported where the nearest thing around it begins.
func (k *checker) line(way ...any) int {
	node := k.root.Content[0]
	line := node.Line
	for _, step := range way {
		if node = child(node, step); node == nil {
			return line
		}
		line = node.Line
	}
	return line
}

// child returns the value at a key or an index, nil if there is none.
func child(node *yaml.Node, step any) *yaml.Node {
	switch step := step.(type) {
	case int:
		if node.Kind == yaml.SequenceNode && step < len(node.Content) {
			return node.Content[step]
		}
	case string:
		for i := 0; node.Kind == yaml.MappingNode && i+1 < len(node.Content); i += 2 {
			if node.Content[i].Value == step {
				return node.Content[i+1]
			}
		}
	}
	return nil
}

func (k *checker) catalogue(c *Catalogue) {
	if strings.TrimSpace(c.Title) == "" {
		k.report(k.line("title"), "title is missing")
	}
	packages := map[string]bool{}
	for i, p := range c.Packages {
		k.pack(i, p, packages)
	}
	if c.Cover != "" {
		k.path(k.line("cover"), "cover", c.Cover)
		k.free(k.line("cover"), "cover", c.Cover, packages)
	}
	seen := map[string]bool{}
	for i, item := range c.Items {
		k.item(i, item, packages, seen)
	}
}

// slug is how an ID is written: it becomes part of a URL and of a page.
var slug = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

func (k *checker) id(line int, what, id string, seen map[string]bool) {
	switch {
	case id == "":
		k.report(line, "%s has no id", what)
	case !slug.MatchString(id):
		k.report(line, "%s: id %q, want lower-case letters, digits and single dashes", what, id)
	case seen[id]:
		k.report(line, "%s: id %q is used twice", what, id)
	}
	seen[id] = true
}

func (k *checker) pack(i int, p Package, seen map[string]bool) {
	k.id(k.line("packages", i, "id"), fmt.Sprintf("package %d", i+1), p.ID, seen)
	if strings.TrimSpace(p.Name) == "" {
		k.report(k.line("packages", i, "name"), "package %q has no name", p.ID)
	}
}

func (k *checker) item(i int, item Item, packages, seen map[string]bool) {
	at := func(key string) int { return k.line("items", i, key) }
	what := fmt.Sprintf("item %q", item.ID)
	k.id(at("id"), fmt.Sprintf("item %d", i+1), item.ID, seen)
	if strings.TrimSpace(item.Title) == "" {
		k.report(at("title"), "%s has no title", what)
	}
	if item.Stop < 0 {
		k.report(at("stop"), "%s: stop %d is negative", what, item.Stop)
	}
	if !item.Free() && !packages[item.Package] {
		k.report(at("package"), "%s: package %q is not under packages", what, item.Package)
	}
	k.kind(at, what, item)
	k.duration(i, what, item)
	k.files(at, what, item, packages)
}

func (k *checker) kind(at func(string) int, what string, item Item) {
	switch item.Kind {
	case Audio, Video:
	case Image, Map, Text:
		if item.Stream != "" {
			k.report(at("stream"), "%s: a stream is for audio and video, not %s", what, item.Kind)
		}
	case "":
		k.report(at("kind"), "%s has no kind, want audio, image, map, video or text", what)
	default:
		k.report(at("kind"), "%s: kind %q, want audio, image, map, video or text", what, item.Kind)
	}
	switch {
	case item.Kind != Text && item.File == "":
		k.report(at("file"), "%s has no file", what)
	case item.Kind == Text && strings.TrimSpace(item.Text) == "":
		k.report(at("text"), "%s has no text", what)
	}
}

// duration looks at the node as well: YAML would read a bare 12 as nanoseconds.
func (k *checker) duration(i int, what string, item Item) {
	node := child(child(child(k.root.Content[0], "items"), i), "duration")
	switch {
	case node == nil:
	case node.ShortTag() == "!!int":
		k.report(node.Line, "%s: duration %s has no unit, want for example 12s", what, node.Value)
	case item.Duration < 0:
		k.report(node.Line, "%s: duration %s is negative", what, item.Duration)
	}
}

// files checks the item's paths. What an item plays is where its package says;
// its image may be free as well, so that a locked stop can show it.
func (k *checker) files(at func(string) int, what string, item Item, packages map[string]bool) {
	for _, f := range []struct{ key, path string }{{"file", item.File}, {"stream", item.Stream}, {"image", item.Image}} {
		if f.path == "" || !k.path(at(f.key), what+": "+f.key, f.path) {
			continue
		}
		switch first, _, _ := strings.Cut(f.path, "/"); {
		case item.Free():
			k.free(at(f.key), what+": "+f.key, f.path, packages)
		case f.key == "image" && !packages[first]:
		case !strings.HasPrefix(f.path, item.Package+"/"):
			k.report(at(f.key), "%s: %s %q is not under %q", what, f.key, f.path, item.Package+"/")
		}
	}
}

// free reports a path that would need a ticket where none is asked for.
func (k *checker) free(line int, what, path string, packages map[string]bool) {
	if first, _, _ := strings.Cut(path, "/"); packages[first] {
		k.report(line, "%s %q is free, but lies in package %q", what, path, first)
	}
}

// path tells whether p names a file inside the prefix by one spelling only.
func (k *checker) path(line int, what, p string) bool {
	switch {
	case strings.HasPrefix(p, "/"):
		k.report(line, "%s %q is absolute, want it relative to the attraction's prefix", what, p)
	case p == "." || !fs.ValidPath(p):
		k.report(line, `%s %q is not a plain path: no ".", "..", empty segment or slash at the end`, what, p)
	case strings.ContainsFunc(p, func(r rune) bool { return r < ' ' || r == 0x7f || strings.ContainsRune(`\?*#%`, r) }):
		k.report(line, "%s %q has a character that means something else in a URL or a policy", what, p)
	default:
		return true
	}
	return false
}

// plainYAML says in our words what the YAML package says in Go's.
func plainYAML(message string) string {
	if key, ok := strings.CutPrefix(message, "field "); ok {
		if key, _, ok := strings.Cut(key, " not found in type "); ok {
			return fmt.Sprintf("unknown key %q", key)
		}
	}
	return message
}
