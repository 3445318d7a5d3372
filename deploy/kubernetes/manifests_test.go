// Package kubernetes_test holds the configurations of the manifests to what the
// gateway takes. test/kubernetes builds the manifests and checks them against
// Kubernetes' own types and its restricted profile.
package kubernetes_test

import (
	"os"
	"path/filepath"
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

// TestGrace: Kubernetes waits until the gateway has drained and answered.
func TestGrace(t *testing.T) {
	text, err := os.ReadFile("base/deployment.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var deployment struct {
		Spec struct {
			Template struct {
				Spec struct {
					Grace int `yaml:"terminationGracePeriodSeconds"`
				}
			}
		}
	}
	if err := yaml.Unmarshal(text, &deployment); err != nil {
		t.Fatal(err)
	}
	const shutdown = 25 * time.Second // of app.Serve
	grace := time.Duration(deployment.Spec.Template.Spec.Grace) * time.Second
	if need := load(t, "base/config.yaml").HTTP.Drain + shutdown; grace <= need {
		t.Errorf("terminationGracePeriodSeconds is %s, want more than %s", grace, need)
	}
}
