package deploy_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	quoted     = regexp.MustCompile(`"[^"]*\*[^"]*"`)
	wildAction = regexp.MustCompile(`Action\s*=.*\*`)
)

// Every "*" in a policy of the Terraform module has a reason beside it. What else
// has stars are path patterns.
func TestTerraformWildcardsAreArgued(t *testing.T) {
	files, err := filepath.Glob("../../deploy/terraform/*.tf")
	if err != nil || len(files) == 0 {
		t.Fatalf("Glob = %v, %v, want the files of the module", files, err)
	}
	found := 0
	for _, name := range files {
		base := filepath.Base(name)
		if base == "distribution.tf" || base == "variables.tf" || base == "main.tf" {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		before := ""
		for i, line := range strings.Split(string(text), "\n") {
			code, comment, _ := strings.Cut(line, " #")
			if quoted.MatchString(code) && !strings.HasPrefix(strings.TrimSpace(line), "#") && !strings.Contains(code, "fileset(") {
				found++
				if comment == "" && !strings.HasPrefix(strings.TrimSpace(before), "#") {
					t.Errorf("%s:%d: %s\nno comment says why", base, i+1, strings.TrimSpace(line))
				}
				if wildAction.MatchString(code) && !strings.Contains(comment, "a refusal") {
					t.Errorf("%s:%d: %s\nwant every action by its name", base, i+1, strings.TrimSpace(line))
				}
			}
			before = line
		}
	}
	if found < 8 {
		t.Errorf("found %d wildcards, want the 8 or more that there are: the test looks in the wrong places", found)
	}
}

// A pattern of what is free must not be one of everything, in neither template.
func TestFreePatterns(t *testing.T) {
	text, err := os.ReadFile("../../deploy/terraform/variables.tf")
	if err != nil {
		t.Fatal(err)
	}
	module := regexp.MustCompile(`p in var.free_patterns : can\(regex\("([^"]+)"`).FindStringSubmatch(string(text))
	if module == nil {
		t.Fatal("variables.tf does not look at free_patterns any more")
	}
	patterns := map[string]*regexp.Regexp{"free_patterns": regexp.MustCompile(strings.ReplaceAll(module[1], `\\`, `\`))}
	for _, name := range []string{"FreePattern", "FreePattern2", "FreePattern3"} {
		patterns[name] = regexp.MustCompile("^(?:" + at(template(t), "Parameters", name, "AllowedPattern").Value + ")$") // as CloudFormation reads it
	}
	for name, p := range patterns {
		for path, want := range map[string]bool{
			"/*/free/*": true, "/castle/free/*": true, "/a/*": true, "/*/free-*/*": true, "/caf%C3%A9/free/*": true,
			"/*": false, "/*/*": false, "/**/*": false, "/*/*/*": false, "/?*/*": false, "/??/*": false, "/./*": false, "//*": false,
			"*": false, "free/*": false, "/free*": false, "/castle/free/": false,
		} {
			if p.MatchString(path) != want {
				t.Errorf("%s takes %q: %v, want %v", name, path, !want, want)
			}
		}
		if empty := p.MatchString(""); empty != (name == "FreePattern2" || name == "FreePattern3") {
			t.Errorf("%s takes nothing: %v", name, empty)
		}
	}
}

// Both templates refuse who does not come through the distribution with the same
// lines.
func TestOriginGuardIsTheSame(t *testing.T) {
	text, err := os.ReadFile("../../deploy/terraform/origin_guard.py")
	if err != nil {
		t.Fatal(err)
	}
	inline := at(template(t), "Resources", "OriginGuard", "Properties", "Code", "ZipFile")
	if inline == nil || strings.TrimSpace(inline.Value) != strings.TrimSpace(string(text)) {
		t.Errorf("template.yaml has %v, want the text of deploy/terraform/origin_guard.py", inline)
	}
}
