package main

import (
	"os"
	"strings"
	"testing"

	"github.com/handstamp/handstamp/pkg/config"
)

// TestReferenceIsFresh holds docs/configuration.md to the program.
func TestReferenceIsFresh(t *testing.T) {
	const file = "../../docs/configuration.md"
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if want := configReference(config.Keys(), limitsOf[config.Config]()); string(page) != want {
		t.Errorf("%s is stale (hint: go run ./cmd/handstamp config reference >docs/configuration.md)", file)
	}
}

// TestLimits: every key is found in the struct, and no other.
func TestLimits(t *testing.T) {
	limits := limitsOf[config.Config]()
	for _, k := range config.Keys() {
		if _, ok := limits[k.Path]; !ok {
			t.Errorf("limitsOf has no %s", k.Path)
		}
	}
	for path, want := range map[string]string{
		"cookies.lifetime": "30s to 60m", "keys.dir": "required; a path", "book.kind": "memory, sqlite, dynamodb",
		"attractions[].packages[].seats": "0 to 1000", "http.public_url": "",
	} {
		if got, ok := limits[path]; !ok || got != want {
			t.Errorf("limits[%q] = %q, %v, want %q", path, got, ok, want)
		}
	}
}

// TestReferenceCells: a key's text cannot break its table.
func TestReferenceCells(t *testing.T) {
	page := keyTables([]config.Key{{Path: "a.b", Type: "text", Default: "x|y", Doc: "one | two"}}, nil)
	if want := "\n| `a.b` | text | `x\\|y` |  | one \\| two |\n"; !strings.HasSuffix(page, want) {
		t.Errorf("keyTables = %q, want it to end in %q", page, want)
	}
}
