// Package kubernetes_test holds the configurations of the manifests to what the
// gateway takes. test/kubernetes builds the manifests and checks them against
// Kubernetes' own types and its restricted profile.
package kubernetes_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/handstamp/handstamp/pkg/config"
)

func load(t *testing.T, file string) *config.Config {
	t.Helper()
	pepper := filepath.Join(t.TempDir(), "pepper")
	if err := os.WriteFile(pepper, []byte("0123456789abcdef"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(file, config.Options{Overrides: map[string]string{"book.pepper": "file:" + pepper}})
	if err != nil {
		t.Fatal(err)
	}
	if len(cfg.Warnings) > 0 {
		t.Errorf("Load(%s) warns: %q", file, cfg.Warnings)
	}
	return cfg
}

func TestConfigurations(t *testing.T) {
	for file, book := range map[string]string{"base/config.yaml": "dynamodb", "overlays/sqlite/config.yaml": "sqlite"} {
		cfg := load(t, file)
		if !cfg.Production() || cfg.Book.Kind != book || !bool(cfg.Keys.GroupRead) {
			t.Errorf("%s: environment %s, book %s, allow_group_read %s; want production, %s, on", file, cfg.Environment, cfg.Book.Kind, cfg.Keys.GroupRead, book)
		}
	}
}

// A probe is what the manifests say of one, in seconds.
type probe struct {
	Period    int `yaml:"periodSeconds"`
	Timeout   int `yaml:"timeoutSeconds"`
	Threshold int `yaml:"failureThreshold"`
}

// gone is how long it takes until a pod that says no gets no visitors.
func (p probe) gone() time.Duration {
	return time.Duration(p.Period*p.Threshold+p.Timeout) * time.Second
}

// A deployment is what of it has to fit the gateway's times.
type deployment struct {
	Spec struct {
		Template struct {
			Spec struct {
				Grace      int `yaml:"terminationGracePeriodSeconds"`
				Containers []struct {
					Startup   probe `yaml:"startupProbe"`
					Readiness probe `yaml:"readinessProbe"`
				}
			}
		}
	}
}

func read(t *testing.T, file string, into any) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, into); err != nil {
		t.Fatal(err)
	}
}

// TestGrace: Kubernetes waits until the gateway has drained and answered.
func TestGrace(t *testing.T) {
	var d deployment
	read(t, "base/deployment.yaml", &d)
	const shutdown = 25 * time.Second // of app.Serve
	grace := time.Duration(d.Spec.Template.Spec.Grace) * time.Second
	if need := load(t, "base/config.yaml").HTTP.Drain + shutdown; grace <= need {
		t.Errorf("terminationGracePeriodSeconds is %s, want more than %s", grace, need)
	}
}

// TestProbes: /readyz may wait for the book, one slow answer is no failure, and a
// pod that drains is left alone before it stops listening.
func TestProbes(t *testing.T) {
	var d deployment
	read(t, "base/deployment.yaml", &d)
	drain := load(t, "base/config.yaml").HTTP.Drain
	const wait = 2 // seconds that the gateway may look at its book for, see readyTimeout of pkg/httpapi
	c := d.Spec.Template.Spec.Containers[0]
	if c.Startup.Timeout <= wait || c.Readiness.Timeout <= wait {
		t.Errorf("probes time out after %d and %d seconds, want more than %d", c.Startup.Timeout, c.Readiness.Timeout, wait)
	}
	if c.Readiness.Threshold < 2 || c.Readiness.gone() >= drain {
		t.Errorf("readiness %+v: out after %s, want more than one failure and less than http.drain, %s", c.Readiness, c.Readiness.gone(), drain)
	}
}

// TestNetwork: names can be looked up wherever that is done, the rest of what goes
// out does not reach the node's metadata addresses.
func TestNetwork(t *testing.T) {
	var policy struct {
		Spec struct {
			Egress []struct {
				To []struct {
					IPBlock struct {
						CIDR   string
						Except []string
					} `yaml:"ipBlock"`
				}
				Ports []struct{ Port int }
			}
		}
	}
	read(t, "base/network.yaml", &policy)
	open := map[int]bool{}
	for _, rule := range policy.Spec.Egress {
		for _, p := range rule.Ports {
			open[p.Port] = len(rule.To) == 0
		}
		for _, to := range rule.To {
			if to.IPBlock.CIDR == "0.0.0.0/0" && !slices.Contains(to.IPBlock.Except, "169.254.0.0/16") {
				t.Errorf("egress to %s reaches the metadata addresses", to.IPBlock.CIDR)
			}
		}
	}
	if len(open) != 2 || !open[53] || open[443] {
		t.Errorf("ports that go anywhere: %v, want 53 and not 443", open)
	}
}
