package explain_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/handstamp/handstamp/pkg/cloudfront"
	"github.com/handstamp/handstamp/pkg/explain"
)

// documented reads the tables of docs/errors.md: what the last column says, by
// id.
func documented(t *testing.T) (text string, entries map[string]string) {
	t.Helper()
	data, err := os.ReadFile("../../docs/errors.md")
	if err != nil {
		t.Fatal(err)
	}
	entries = map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^\| ([TSE]\d+) \|.*\| ([^|]+) \|$`).FindAllStringSubmatch(string(data), -1) {
		if _, twice := entries[m[1]]; twice {
			t.Errorf("docs/errors.md has %s twice", m[1])
		}
		entries[m[1]] = m[2]
	}
	return string(data), entries
}

// The documents have an entry for every id there is, and those that the code
// names are the ones that the documents say it does.
func TestDocuments(t *testing.T) {
	text, entries := documented(t)
	for prefix, last := range map[string]int{"T": 48, "S": 18, "E": 3} {
		for n := 1; n <= last; n++ {
			if id := fmt.Sprint(prefix, n); entries[id] == "" {
				t.Errorf("docs/errors.md has no entry for %s", id)
			}
		}
	}
	for _, code := range []cloudfront.Code{missing, invalid, badSig, badText, denied, cloudfront.TooLarge} {
		if !strings.Contains(text, "| `"+string(code)+"` |") {
			t.Errorf("docs/errors.md has no entry for the code %s", code)
		}
		if code != cloudfront.TooLarge && !strings.Contains(text, "| "+code.Message()+" |") {
			t.Errorf("docs/errors.md lacks the message of %s", code)
		}
	}
	found := emitted()
	for id, says := range entries {
		if named := strings.HasPrefix(says, "named"); named != found[id] {
			t.Errorf("%s: docs/errors.md says %q, and the tests saw it: %v", id, says, found[id])
		}
	}
	for _, id := range written(t) {
		if !strings.HasPrefix(entries[id], "named") {
			t.Errorf("the code names %s, and docs/errors.md says %q", id, entries[id])
		}
	}
}

// emitted are the ids that the traps and risks of the tests give.
func emitted() map[string]bool {
	found := map[string]bool{}
	collect := func(in explain.Input) {
		r := explain.Explain(in)
		for _, id := range append(ids(r.Causes), ids(r.Warnings)...) {
			found[id] = true
		}
	}
	for _, tt := range traps {
		collect(tt.in())
	}
	for _, tt := range risks {
		collect(tt.in())
	}
	return found
}

// written are the ids that stand in the code.
func written(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`"([TSE]\d{1,2})"`).FindAllStringSubmatch(string(text), -1) {
			all = append(all, m[1])
		}
	}
	if len(all) < 60 {
		t.Fatalf("found only %d ids in the code", len(all))
	}
	return all
}
