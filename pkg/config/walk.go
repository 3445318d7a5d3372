package config

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

const (
	maxItems    = 1000 // in a list; checking them costs more than linear time
	maxProblems = 1000 // after which the walker does not look for more
)

// A walker reads the nodes of the file as strictly as the struct allows and
// remembers where each key stands. Values that are wrong are left out of what
// it returns, so that the rest can be checked too.
type walker struct {
	file     string
	schema   []*field        // of the whole file
	lines    map[string]int  // line of each key and list item
	bad      map[string]bool // keys with a problem
	problems []Problem
}

func (w *walker) fail(line int, key, format string, args ...any) {
	w.bad[key] = true
	w.problems = append(w.problems, Problem{File: w.file, Line: line, Key: key, Text: fmt.Sprintf(format, args...)})
}

// A mapping is what was read of one so far.
type mapping struct {
	key    string // that it is the value of
	fields []*field
	seen   map[string]*yaml.Node // keys in lower case
	out    map[string]any
}

// section reads the keys of mapping n. The result holds the text of each value
// in the shape that viper takes.
func (w *walker) section(n *yaml.Node, fields []*field, key string) map[string]any {
	m := &mapping{key: key, fields: fields, seen: map[string]*yaml.Node{}, out: map[string]any{}}
	for pair := range slices.Chunk(n.Content, 2) {
		w.pair(m, pair[0], pair[1])
	}
	return m.out
}

// pair reads key k with its value into m, unless it was seen before.
func (w *walker) pair(m *mapping, k, v *yaml.Node) {
	if len(w.problems) > maxProblems {
		return
	}
	if k.Kind != yaml.ScalarNode {
		w.fail(k.Line, m.key, "a key that is %s, want a word", found(k))
		return
	}
	full := join(m.key, printable(k.Value))
	before, again := m.seen[strings.ToLower(k.Value)]
	m.seen[strings.ToLower(k.Value)] = k
	f := lookup(m.fields, k.Value)
	switch {
	case k.Tag == "!!merge":
		w.fail(k.Line, full, "merge keys are not used here, write the keys out")
	case again && before.Value == k.Value:
		w.fail(k.Line, full, "the key is already on line %d", before.Line)
	case again:
		w.fail(k.Line, full, "differs only by case from %q on line %d", before.Value, before.Line)
	case f == nil:
		w.fail(k.Line, full, "%s", unknownKey(k.Value, m.fields, w.schema))
		if meant := nearest(k.Value, names(m.fields)); meant != "" {
			w.bad[join(m.key, meant)] = true // one slip is one problem
		}
	case w.plain(k, full) && w.plain(v, full):
		w.lines[full] = k.Line
		if value := w.value(v, f, full); value != nil {
			m.out[f.name] = value
		}
	}
}

// plain refuses the parts of YAML that make one value depend on another.
func (w *walker) plain(n *yaml.Node, key string) bool {
	switch {
	case n.Kind == yaml.AliasNode:
		w.fail(n.Line, key, "aliases (*name) are not used here, write the value out")
	case n.Anchor != "":
		w.fail(n.Line, key, "anchors (&name) are not used here; put a value that begins with & in quotes")
	case n.Style&yaml.TaggedStyle != 0:
		w.fail(n.Line, key, "tags (!type) are not used here; put a value that begins with ! in quotes")
	default:
		return true
	}
	return false
}

// value reads n as f wants it; nil means that a problem was noted.
func (w *walker) value(n *yaml.Node, f *field, key string) any {
	want := yaml.ScalarNode
	switch f.kind {
	case section:
		want = yaml.MappingNode
	case objects, texts:
		want = yaml.SequenceNode
	}
	if n.ShortTag() == "!!null" {
		w.fail(n.Line, key, "nothing is set, want %s; take the line out to get the default", f.wants())
		return nil
	}
	if n.Kind != want {
		w.fail(n.Line, key, "found %s, want %s", found(n), f.wants())
		return nil
	}
	if n.Kind == yaml.SequenceNode && len(n.Content) > maxItems {
		w.fail(n.Line, key, "the list has %d items, want at most %d", len(n.Content), maxItems)
		return nil
	}
	switch f.kind {
	case section:
		return w.section(n, f.children, key)
	case objects:
		return w.objects(n, f, key)
	case texts:
		return w.texts(n, f, key)
	}
	return w.scalar(n, f, key)
}

// objects reads a list of mappings. The defaults of absent keys are filled in
// here, for viper has none below a list.
func (w *walker) objects(n *yaml.Node, f *field, key string) any {
	var items []any // nil when empty, as texts are
	for i, item := range n.Content {
		at := fmt.Sprintf("%s[%d]", key, i)
		w.lines[at] = item.Line
		values := map[string]any{}
		if w.plain(item, at) {
			if item.Kind == yaml.MappingNode {
				values = w.section(item, f.children, at)
			} else {
				w.fail(item.Line, at, "found %s, want keys: %s", found(item), strings.Join(names(f.children), ", "))
			}
		}
		complete(values, f.children)
		items = append(items, values)
	}
	return items
}

// complete fills in the defaults of absent keys.
func complete(values map[string]any, fields []*field) {
	for _, f := range fields {
		value, ok := values[f.name]
		switch {
		case f.kind == section:
			below, _ := value.(map[string]any)
			if below == nil {
				below = map[string]any{}
			}
			complete(below, f.children)
			values[f.name] = below
		case !ok && f.def != "":
			values[f.name] = f.def
		}
	}
}

// texts reads a list of texts; a wrong item stays as an empty one, so that the
// others keep their index.
func (w *walker) texts(n *yaml.Node, f *field, key string) any {
	var items []string
	for i, item := range n.Content {
		at := fmt.Sprintf("%s[%d]", key, i)
		w.lines[at] = item.Line
		s := ""
		if w.plain(item, at) {
			s, _ = w.text(item, at, text.wants())
		}
		if bad := unprintable(s); bad != "" {
			w.fail(item.Line, at, "%s", bad)
		}
		items = append(items, s)
	}
	return items
}

// scalar reads one value and returns its text, once that is known to parse.
func (w *walker) scalar(n *yaml.Node, f *field, key string) any {
	s, tag := n.Value, n.ShortTag()
	takes := map[kind][]string{span: {"!!int", "!!float"}, number: {"!!int"}, size: {"!!int", "!!float"}, toggle: {"!!bool"}, day: {"!!timestamp"}}
	if f.kind == number && tag != "!!int" {
		w.fail(n.Line, key, "found %s, want %s", found(n), f.wants())
		return nil
	}
	if !slices.Contains(takes[f.kind], tag) {
		var ok bool
		if s, ok = w.text(n, key, f.wants()); !ok {
			return nil
		}
	}
	if _, err := parseText(f.typ, s); err != nil {
		w.fail(n.Line, key, "%s", err)
		return nil
	}
	return s
}

// text returns the value of n, which must be text.
func (w *walker) text(n *yaml.Node, key, wants string) (string, bool) {
	if n.Kind != yaml.ScalarNode || n.ShortTag() == "!!null" {
		w.fail(n.Line, key, "found %s, want %s", found(n), wants)
		return "", false
	}
	if n.ShortTag() != "!!str" {
		if wants == text.wants() {
			wants += " (hint: put it in quotes)"
		}
		w.fail(n.Line, key, "found %s, want %s", found(n), wants)
		return "", false
	}
	return n.Value, true
}

// join returns the path of name below key.
func join(key, name string) string {
	if key == "" {
		return name
	}
	return key + "." + name
}

var printableKey = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)

// printable returns a key of the file so that it can stand in a message.
func printable(key string) string {
	if printableKey.MatchString(key) {
		return key
	}
	if len(key) > 64 {
		return strconv.QuoteToASCII(key[:64]) + "..."
	}
	return strconv.QuoteToASCII(key)
}
