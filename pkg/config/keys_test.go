package config_test

import (
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/handstamp/handstamp/pkg/config"
)

// TestDefaultFile holds the config.yaml of the project equal to Default.
func TestDefaultFile(t *testing.T) {
	t.Chdir("../..") // paths in the file are relative to its folder
	got, err := config.Load("config.yaml", config.Options{})
	if err != nil {
		t.Fatalf("Load(config.yaml) = %v", err)
	}
	if want := config.Default(); !reflect.DeepEqual(got, want) {
		t.Errorf("Load(config.yaml) = %+v, want Default() = %+v", got, want)
	}
	if err := config.Default().Validate(); err != nil {
		t.Errorf("Default().Validate() = %v, want nil", err)
	}
}

// TestDefaultFileMentionsEveryKey also finds keys that only the file has. Lists
// that are empty by default have an example in their comment.
func TestDefaultFileMentionsEveryKey(t *testing.T) {
	doc := examples(t)
	var got, want []string
	paths(doc, "", &got)
	for _, k := range config.Keys() {
		want = append(want, k.Path)
	}
	if !slices.Equal(got, want) {
		t.Errorf("config.yaml has the keys\n%s\nwant those of Keys, in their order\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestDefaultFileExamples loads config.yaml with the examples of its comments.
func TestDefaultFileExamples(t *testing.T) {
	t.Setenv("TICKET_DESK_KEY", "0123456789abcdef0123456789abcdef")
	t.Setenv("PASS_OFFICE_TOKEN", "123456789abcdef0123456789abcdef0")
	text, err := yaml.Marshal(examples(t))
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Parse("../../config.yaml", text, config.Options{})
	if err != nil {
		t.Fatalf("config.yaml with its examples: %v", err)
	}
	if o := cfg.Attractions[0].Opening; len(o.Weekly) != 2 || len(o.Exceptions) != 3 || len(cfg.Admin.Keys) != 1 || len(cfg.Objects.Rules) != 1 || len(cfg.Objects.Tokens) != 1 {
		t.Errorf("the examples make the opening hours %+v, the keys %+v and %+v", o, cfg.Admin.Keys, cfg.Objects)
	}
}

// examples returns config.yaml with an example in each empty list that has one
// in its comment: the lines that are indented.
func examples(t *testing.T) *yaml.Node {
	t.Helper()
	text, err := os.ReadFile("../../config.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	var fill func(n *yaml.Node)
	fill = func(n *yaml.Node) {
		for i, child := range n.Content {
			fill(child)
			if n.Kind == yaml.MappingNode && i%2 == 1 && child.Kind == yaml.SequenceNode && len(child.Content) == 0 {
				if list := example(t, n.Content[i-1].HeadComment); list != nil {
					n.Content[i] = list
				}
			}
		}
	}
	fill(&doc)
	return doc.Content[0]
}

// example returns the list that is in a comment, nil for none.
func example(t *testing.T, comment string) *yaml.Node {
	var lines []string
	for line := range strings.Lines(comment) {
		if code, ok := strings.CutPrefix(line, "#   "); ok {
			lines = append(lines, code)
		}
	}
	if lines == nil {
		return nil
	}
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(strings.Join(lines, "")), &doc); err != nil || doc.Content[0].Kind != yaml.SequenceNode {
		t.Fatalf("the example is no list: %v\n%s", err, comment)
	}
	return doc.Content[0]
}

// paths collects the keys of n as Keys spells them.
func paths(n *yaml.Node, prefix string, out *[]string) {
	for pair := range slices.Chunk(n.Content, 2) {
		key, v := prefix+pair[0].Value, pair[1]
		switch {
		case v.Kind == yaml.MappingNode:
			paths(v, key+".", out)
		case v.Kind == yaml.SequenceNode && len(v.Content) > 0 && v.Content[0].Kind == yaml.MappingNode:
			*out = append(*out, key)
			paths(v.Content[0], key+"[].", out)
		default:
			*out = append(*out, key)
		}
	}
}

func TestKeys(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range config.Keys() {
		if k.Doc == "" || strings.Contains(k.Doc, "\n") {
			t.Errorf("key %s has the doc %q, want one line", k.Path, k.Doc)
		}
		inList := strings.Contains(k.Path, "[]") || k.Type == "list of objects"
		if inList != (k.Env == "") {
			t.Errorf("key %s has the variable %q, want one exactly when it is outside lists of objects", k.Path, k.Env)
		}
		if k.Env != "" && seen[k.Env] {
			t.Errorf("two keys have the variable %s", k.Env)
		}
		seen[k.Env] = true
	}
	want := config.Key{
		Path: "http.drain", Type: "duration", Default: "3s", Env: "HANDSTAMP_HTTP_DRAIN",
		Doc: "on shutdown readiness answers 503 for this long before the listener closes; 0s closes at once",
	}
	if !slices.Contains(config.Keys(), want) {
		t.Errorf("Keys() = %+v, want among them %+v", config.Keys(), want)
	}
}

// TestReturnedConfigIsTheCallers guards reloads: nothing is shared.
func TestReturnedConfigIsTheCallers(t *testing.T) {
	changed := config.Default()
	changed.Attractions[0].Free[0] = "changed"
	changed.Attractions[0].ID = "changed"
	if got := config.Default().Attractions[0]; got.ID != "castle" || got.Free[0] != "free" {
		t.Errorf("Default() after a change to an earlier one = %+v", got)
	}
}
