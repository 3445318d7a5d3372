// Package docker_test holds the container's files to what they promise. There
// is nothing to import: the program is cmd/handstamp.
package docker_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// An instruction is one line of a Dockerfile, with its continuations.
type instruction struct{ name, rest string }

// A stage is what follows a FROM.
type stage struct {
	base string // with arguments filled in
	body []instruction
}

// parse returns the stages of a Dockerfile. Arguments before the first FROM are
// filled into the bases.
func parse(text string) []stage {
	args := map[string]string{}
	var stages []stage
	text = regexp.MustCompile(`(?m)^\s*#.*\n`).ReplaceAllString(text, "")
	for line := range strings.Lines(regexp.MustCompile(`\\\n\s*`).ReplaceAllString(text, "")) {
		name, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch {
		case name == "":
		case name == "FROM":
			base := strings.Fields(regexp.MustCompile(`--\S+ `).ReplaceAllString(rest, ""))[0]
			stages = append(stages, stage{base: os.Expand(base, func(k string) string { return args[k] })})
		case len(stages) == 0:
			key, value, _ := strings.Cut(rest, "=")
			args[key] = value
		default:
			last := &stages[len(stages)-1]
			last.body = append(last.body, instruction{name, rest})
		}
	}
	return stages
}

// last returns the last instruction of s with that name, "" if there is none.
func (s stage) last(name string) string {
	rest := ""
	for _, i := range s.body {
		if i.name == name {
			rest = i.rest
		}
	}
	return rest
}

var (
	exactBase = regexp.MustCompile(`^[a-z0-9./-]+(:[0-9]+\.[0-9]+\.[0-9]+[a-z0-9.-]*(@sha256:[0-9a-f]{64})?|@sha256:[0-9a-f]{64})$`)
	nonRoot   = regexp.MustCompile(`^[1-9][0-9]*:[1-9][0-9]*$`)
	flags     = regexp.MustCompile(`^(--\S+ )*`)
)

// dockerfileFaults says what is wrong with a Dockerfile.
func dockerfileFaults(text string) []string {
	var faults []string
	add := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	stages := parse(text)
	for _, s := range stages {
		if s.base != "scratch" && !exactBase.MatchString(s.base) {
			add("base %q has neither an exact version nor a digest", s.base)
		}
		for _, i := range s.body {
			if i.name == "ADD" {
				add("ADD fetches and unpacks, want COPY")
			}
			if usesShell(i) {
				add("%s %s goes through a shell", i.name, i.rest)
			}
		}
	}
	final := stages[len(stages)-1]
	if final.base != "scratch" {
		add("the image is made of %q, want scratch", final.base)
	}
	if user := final.last("USER"); !nonRoot.MatchString(user) {
		add("USER %q, want a number that is not root's", user)
	}
	if final.last("HEALTHCHECK") == "" {
		add("no HEALTHCHECK")
	}
	if owner, user := owners(final)[state], final.last("USER"); owner != user {
		add("%s belongs to %q, want the USER %q", state, owner, user)
	}
	for _, i := range final.body {
		if i.name == "COPY" && !strings.Contains(i.rest, "--from=build") || i.name == "RUN" {
			add("%s %s puts something into the image that image.sh does not know", i.name, i.rest)
		}
	}
	return faults
}

// state is the folder that the program writes to.
const state = "/var/lib/handstamp"

// folders are those that image.sh makes, parents first.
var folders = []string{"/", "/etc", "/etc/ssl", "/etc/ssl/certs", "/etc/handstamp", "/tmp", "/var", "/var/lib", state}

// owners returns whose the folders of the image are. As BuildKit does it, the owner
// of a COPY is given to all that is in its source, and to its destination only if
// that was not there.
func owners(s stage) map[string]string {
	owner := map[string]string{"/": "0:0"}
	for _, i := range s.body {
		words := strings.Fields(flags.ReplaceAllString(i.rest, ""))
		if i.name != "COPY" || len(words) != 2 {
			continue
		}
		who := "0:0"
		if _, after, ok := strings.Cut(i.rest, "--chown="); ok {
			who = strings.Fields(after)[0]
		}
		from, to := path.Join("/", strings.TrimPrefix(words[0], "/image")), path.Clean(words[1])
		for _, folder := range folders {
			inside, err := filepath.Rel(from, folder)
			if err != nil || strings.HasPrefix(inside, "..") {
				continue
			}
			copied := path.Join(to, filepath.ToSlash(inside))
			if _, known := owner[copied]; inside != "." || !known {
				owner[copied] = who
			}
		}
	}
	return owner
}

// usesShell reports whether i runs a command that is not in exec form.
func usesShell(i instruction) bool {
	rest := i.rest
	switch i.name {
	case "HEALTHCHECK":
		_, rest, _ = strings.Cut(flags.ReplaceAllString(rest, ""), "CMD ")
	case "RUN", "CMD", "ENTRYPOINT":
	default:
		return i.name == "SHELL"
	}
	var words []string
	return json.Unmarshal([]byte(rest), &words) != nil || len(words) == 0 || words[0] == "sh" || words[0] == "/bin/sh"
}

func TestDockerfile(t *testing.T) {
	text, err := os.ReadFile("Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	if faults := dockerfileFaults(string(text)); len(faults) > 0 {
		t.Errorf("Dockerfile: %s", strings.Join(faults, "\n"))
	}
	for _, tt := range []struct{ old, new string }{ // what must not get past the check
		{"golang:1.26.8-bookworm", "golang:latest"},
		{"golang:1.26.8-bookworm", "golang:1.26"},
		{"FROM scratch", "FROM debian:12.5.0"},
		{"USER 65532:65532", "USER root"},
		{"USER 65532:65532", "USER 0:0"},
		{"USER 65532:65532", "USER nobody"},
		{"USER 65532:65532\n", ""},
		{"USER 65532:65532", "USER 65532:65532\nUSER 0"},
		{`CMD ["/handstamp", "health"]`, "CMD /handstamp health"},
		{`ENTRYPOINT ["/handstamp"]`, "ENTRYPOINT /handstamp"},
		{`RUN ["go", "mod", "download"]`, "RUN go mod download"},
		{"COPY --from=build /image /", "COPY config.yaml /etc/handstamp/"},
		{"/image/var/lib/ /var/lib/", "/image/var/lib/handstamp /var/lib/handstamp"},
		{"--chown=65532:65532 ", ""},
		{"--chown=65532:65532", "--chown=65532:0"},
		{"EXPOSE 8080", "RUN [\"/handstamp\", \"version\"]"},
	} {
		broken := strings.ReplaceAll(string(text), tt.old, tt.new)
		if broken == string(text) || len(dockerfileFaults(broken)) == 0 {
			t.Errorf("a Dockerfile with %q in the place of %q has no fault, want one", tt.new, tt.old)
		}
	}
}

// TestGoVersion: the image is built with the Go that go.mod asks for, or a newer
// one of the same minor version.
func TestGoVersion(t *testing.T) {
	module, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	minor := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindSubmatch(module)[1]
	if base := parse(string(text))[0].base; !strings.HasPrefix(base, "golang:"+string(minor)+".") {
		t.Errorf("the image is built with %s, and go.mod wants Go %s", base, minor)
	}
}

// TestFolders: image.sh makes the folders that owners knows, those of the program for
// it alone and /tmp for everybody.
func TestFolders(t *testing.T) {
	text, err := os.ReadFile("image.sh")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`(?m)^mkdir .*$`).FindAllString(string(text), -1) {
		for _, made := range regexp.MustCompile(`\$root(/[^"]+)`).FindAllStringSubmatch(m, -1) {
			if !slices.Contains(folders, made[1]) {
				t.Errorf("image.sh makes %s, and owners knows %q only", made[1], folders)
			}
		}
	}
	for _, line := range []string{`chmod 0700 "$root/var/lib/handstamp"`, `chmod 1777 "$root/tmp"`} {
		if !strings.Contains(string(text), line+"\n") {
			t.Errorf("image.sh has no line %s", line)
		}
	}
}
