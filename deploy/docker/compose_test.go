package docker_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/handstamp/handstamp/pkg/config"
)

// A composition is what compose.yaml says about confinement.
type composition struct {
	Services map[string]service
	Secrets  map[string]struct{ File string }
}

type service struct {
	User        string
	ReadOnly    bool     `yaml:"read_only"`
	CapDrop     []string `yaml:"cap_drop"`
	CapAdd      []string `yaml:"cap_add"`
	SecurityOpt []string `yaml:"security_opt"`
	Privileged  bool
	MemLimit    string `yaml:"mem_limit"`
	PidsLimit   int    `yaml:"pids_limit"`
	Ports       []string
	Volumes     []string
	Environment map[string]string
	Ulimits     map[string]int
	NetworkMode string `yaml:"network_mode"`
	Restart     string
}

func composeFaults(text string) ([]string, error) {
	var c composition
	if err := yaml.Unmarshal([]byte(text), &c); err != nil {
		return nil, err
	}
	var faults []string
	for name, s := range c.Services {
		for _, fault := range s.faults() {
			faults = append(faults, name+": "+fault)
		}
	}
	if len(c.Services) == 0 || c.Secrets["pepper"].File == "" {
		faults = append(faults, "no service, or no secret")
	}
	return faults, nil
}

// faults says what s may do that it need not.
func (s service) faults() []string {
	var faults []string
	must := func(ok bool, format string, args ...any) {
		if !ok {
			faults = append(faults, fmt.Sprintf(format, args...))
		}
	}
	must(nonRoot.MatchString(s.User), "user %q", s.User)
	must(s.ReadOnly, "its root can be written")
	must(slices.Equal(s.CapDrop, []string{"ALL"}) && len(s.CapAdd) == 0, "capabilities: drop %v, add %v", s.CapDrop, s.CapAdd)
	must(slices.Contains(s.SecurityOpt, "no-new-privileges:true"), "it can get new privileges")
	must(!s.Privileged && s.NetworkMode != "host", "it is privileged")
	must(s.MemLimit != "" && s.PidsLimit > 0, "no limit of memory or processes")
	core, ok := s.Ulimits["core"]
	must(ok && core == 0, "it may leave core files")
	// a reboot ends it with status 0, after which on-failure leaves it alone
	must(len(s.Ports) == 0 || s.Restart == "unless-stopped", "restart %q, want unless-stopped", s.Restart)
	for _, port := range s.Ports {
		must(strings.HasPrefix(port, "127.0.0.1:"), "port %s is open to other machines", port)
	}
	for _, v := range s.Volumes {
		parts := strings.Split(v, ":")
		writable := parts[1] == "/var/lib/handstamp" || parts[1] == "/keys"
		must(writable || parts[len(parts)-1] == "ro", "%s can be written", v)
		must(!strings.Contains(v, "docker.sock"), "%s", v)
	}
	must(len(s.Environment) == 0, "settings in the environment, want them in the file and secrets as secrets")
	return faults
}

func TestCompose(t *testing.T) {
	text, err := os.ReadFile("compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if faults, err := composeFaults(string(text)); err != nil || len(faults) > 0 {
		t.Errorf("compose.yaml: %v %s", err, strings.Join(faults, "\n"))
	}
	for _, tt := range []struct{ old, new string }{ // what must not get past the check
		{`user: "65532:65532"`, `user: "0:0"`},
		{"read_only: true", "read_only: false"},
		{"cap_drop: [ALL]", "cap_drop: []"},
		{"cap_drop: [ALL]", "cap_drop: [ALL]\n  cap_add: [NET_ADMIN]"},
		{"no-new-privileges:true", "label:disable"},
		{"mem_limit: 256m", "privileged: true"},
		{"core: 0", "memlock: 0"},
		{`"127.0.0.1:8081:8081"`, `"8081:8081"`},
		{"/etc/handstamp/keys:ro", "/etc/handstamp/keys"},
		{"network_mode: none", "network_mode: host"},
		{"restart: unless-stopped", "restart: on-failure"},
		{"restart: unless-stopped", "restart: unless-stopped\n    environment: {HANDSTAMP_BOOK_PEPPER: hunter2}"},
	} {
		broken := strings.ReplaceAll(string(text), tt.old, tt.new)
		if faults, err := composeFaults(broken); broken == string(text) || err == nil && len(faults) == 0 {
			t.Errorf("a compose.yaml with %q in the place of %q has no fault, want one", tt.new, tt.old)
		}
	}
}

// TestConfigurations: the gateway and the edge take their files, with folders
// of this machine in the place of the container's.
func TestConfigurations(t *testing.T) {
	pepper := filepath.Join(t.TempDir(), "pepper")
	if err := os.WriteFile(pepper, []byte("0123456789abcdef"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load("config.yaml", config.Options{Overrides: map[string]string{"book.pepper": "file:" + pepper}})
	if err != nil {
		t.Fatal(err)
	}
	d, err := config.LoadDistribution("edge.yaml", config.DistributionOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Media.URL != d.Site {
		t.Errorf("media.url is %s, and the edge is %s: want the same", cfg.Media.URL, d.Site)
	}
	if id := d.KeyGroups[0].Keys[0].ID; id != cfg.Keys.Active {
		t.Errorf("the gateway signs with %s, and the edge trusts %s", cfg.Keys.Active, id)
	}
}
