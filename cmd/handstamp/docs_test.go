package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// fences returns the fenced blocks of a Markdown file in one language.
func fences(t *testing.T, file, language string) []string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var blocks []string
	for _, m := range regexp.MustCompile("(?ms)^( *)```"+language+"\n(.*?)^ *```").FindAllStringSubmatch(string(text), -1) {
		blocks = append(blocks, regexp.MustCompile(`(?m)^`+m[1]).ReplaceAllString(m[2], ""))
	}
	if len(blocks) == 0 {
		t.Fatalf("%s has no block of %s", file, language)
	}
	return blocks
}

// commands returns the command lines of a block, with continued lines joined.
func commands(block string) []string {
	joined := regexp.MustCompile(` *\\\n *`).ReplaceAllString(block, " ")
	return strings.Split(strings.TrimSpace(joined), "\n")
}

var exitComment = regexp.MustCompile(` # exit (\d+)$`)

// TestDocumentedCommands runs every handstamp command of the tutorials, in
// their order, in an empty folder. A comment "# exit N" says that one fails.
func TestDocumentedCommands(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"docs/cloudfront.md", "docs/keys.md"} {
		path := filepath.Join(root, file)
		blocks := fences(t, path, "sh")
		settings, list := "", ""
		if file == "docs/keys.md" {
			settings, list = fences(t, path, "yaml")[0], fences(t, path, "csv")[0]
		}
		t.Chdir(t.TempDir())
		for name, text := range map[string]string{"config.yaml": settings, "tickets.csv": list} {
			if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		for _, block := range blocks {
			for _, line := range commands(block) {
				runDocumented(t, file, line)
			}
		}
	}
}

func runDocumented(t *testing.T, file, line string) {
	t.Helper()
	want := "0"
	if m := exitComment.FindStringSubmatch(line); m != nil {
		want, line = m[1], strings.TrimSuffix(line, m[0])
	}
	words := shellWords(line)
	if words[0] != "handstamp" {
		t.Fatalf("%s: %q: only handstamp is run here", file, line)
	}
	var out bytes.Buffer
	if got := run(t.Context(), words[1:], &out, &out); fmt.Sprint(got) != want {
		t.Errorf("%s: %s\nended with %d, want %s\n%s", file, line, got, want, out.String())
	}
}

// shellWords splits a line at spaces outside of single quotes.
func shellWords(line string) []string {
	var words []string
	for _, m := range regexp.MustCompile(`(?:[^\s']|'[^']*')+`).FindAllString(line, -1) {
		words = append(words, strings.ReplaceAll(m, "'", ""))
	}
	return words
}

// TestReadmePath walks the five minutes of the README: its list, its folder,
// its configuration, its commands.
func TestReadmePath(t *testing.T) {
	readme, err := filepath.Abs("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	list, settings := fences(t, readme, "csv")[0], fences(t, readme, "yaml")[0]
	media := fences(t, readme, "text")[0]
	shell := strings.Join(fences(t, readme, "sh"), "\n")
	t.Chdir(t.TempDir())
	write := func(name, text string) {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("tickets.csv", list)
	write("config.yaml", settings)
	for _, name := range strings.Fields(media) {
		write(name, "sound of "+name)
	}
	runDocumented(t, "README.md", "handstamp keys new --id KMUSEUM00001")
	runDocumented(t, "README.md", "handstamp check")

	address := freePort(t)
	var log lockedBuffer
	ended := make(chan int, 1)
	ctx, stop := context.WithCancel(t.Context())
	go func() {
		ended <- run(ctx, []string{"serve", "--config", "config.yaml", "--set", "http.drain=0s,http.listen=" + address +
			",http.public_url=http://" + address + ",media.url=http://" + address}, &log, &log)
	}()
	defer func() {
		stop()
		<-ended
	}()
	waitFor(t, "http://"+address+"/readyz", &log)
	var curls []string
	for _, line := range commands(shell) {
		if strings.HasPrefix(strings.TrimSpace(line), "curl ") {
			curls = append(curls, line)
		}
	}
	if len(curls) != 3 {
		t.Fatalf("README has %d curl commands, want the three of the path", len(curls))
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Jar: jar}
	for i, want := range []int{403, 200, 200} {
		if got := curl(t, client, curls[i], address); got != want {
			t.Errorf("%s = %d, want %d\n%s", curls[i], got, want, log.String())
		}
	}
}

// curl does what a documented curl command does, with a jar for all of them.
func curl(t *testing.T, client *http.Client, line, address string) int {
	t.Helper()
	line, _, _ = strings.Cut(line, " # ")
	method, target, body := http.MethodGet, "", ""
	words := shellWords(strings.TrimSpace(line))
	for i := 1; i < len(words); i++ {
		switch words[i] {
		case "-d":
			i++
			method, body = http.MethodPost, words[i]
		case "-H", "-c", "-b", "-o":
			i++
		case "-i":
		default:
			target = strings.Replace(words[i], "127.0.0.1:8080", address, 1)
		}
	}
	req, err := http.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}

// TestSecurityNamesTests holds docs/security.md to the tests that it names.
func TestSecurityNamesTests(t *testing.T) {
	text, err := os.ReadFile("../../docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	declared := regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	err = filepath.WalkDir("../..", func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		for _, m := range declared.FindAllSubmatch(source, -1) {
			known[string(m[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile("`(Test\\w+)`").FindAllSubmatch(text, -1) {
		if !known[string(m[1])] {
			t.Errorf("docs/security.md names %s, and there is no such test", m[1])
		}
	}
}
