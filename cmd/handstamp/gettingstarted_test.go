package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestGettingStarted walks docs/getting-started.md: its list, its configuration,
// and its commands in their order, in an empty folder.
func TestGettingStarted(t *testing.T) {
	const file = "docs/getting-started.md"
	path, err := filepath.Abs("../../" + file)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{"tickets.csv": fences(t, path, "csv")[0], "config.yaml": fences(t, path, "yaml")[0]}
	blocks, others := fences(t, path, "sh"), fences(t, path, "text")
	t.Chdir(t.TempDir())
	for _, block := range others { // those that make files
		if !strings.Contains(block, " > ") {
			continue
		}
		if out, err := exec.CommandContext(t.Context(), "sh", "-euc", block).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s%s", file, err, block, out)
		}
	}
	for name, text := range files {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, line := range commands(strings.Join(blocks, "")) {
		runDocumented(t, file, line)
	}
	for _, made := range []string{"keys/KMUSEUM00001.pem", "handstamp.db", "handstamp-copy.db", "pepper", "media/museum/audio/01.mp3", "media/museum/free/welcome.mp3"} {
		if _, err := os.Stat(made); err != nil {
			t.Errorf("after the commands of %s: %v", file, err)
		}
	}
}

// TestDocumentedFiles holds the pages about running it to the repository: what
// they link to is there.
func TestDocumentedFiles(t *testing.T) {
	for _, page := range []string{"getting-started", "concepts", "upgrading", "operations", "deploy", "configuration"} {
		file := "../../docs/" + page + ".md"
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, target := range links(string(text)) {
			if _, err := os.Stat(filepath.Join("../../docs", target)); err != nil {
				t.Errorf("%s links to %s: %v", file, target, err)
			}
		}
	}
}

// links returns the files that a page of Markdown links to.
func links(page string) []string {
	var files []string
	for _, part := range strings.Split(page, "](")[1:] {
		target, _, _ := strings.Cut(part, ")")
		target, _, _ = strings.Cut(target, "#")
		if target != "" && !strings.Contains(target, "://") {
			files = append(files, target)
		}
	}
	return files
}
