package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const home = "../../deploy/kubernetes"

func TestManifests(t *testing.T) {
	for dir, want := range map[string]int{"base": 8, "overlays/sqlite": 8, "overlays/sqlite-init": 9, "overlays/metrics": 9} {
		if kinds, faults := check(filepath.Join(home, dir)); len(kinds) != want || len(faults) > 0 {
			t.Errorf("check(%s) = %q, %q; want %d manifests without faults", dir, kinds, faults, want)
		}
	}
}

// TestFaults: what must not get past the checks.
func TestFaults(t *testing.T) {
	for _, tt := range []struct{ dir, file, old, new string }{
		{"base", "deployment.yaml", "runAsNonRoot: true", "runAsNonRoot: false"},
		{"base", "deployment.yaml", "runAsNonRoot", "runAsNonroot"},
		{"base", "deployment.yaml", "drop: [ALL]", "drop: []"},
		{"base", "deployment.yaml", "allowPrivilegeEscalation: false", "allowPrivilegeEscalation: true"},
		{"base", "deployment.yaml", "type: RuntimeDefault", "type: Unconfined"},
		{"base", "deployment.yaml", "readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false"},
		{"base", "deployment.yaml", "periodSeconds: 10", "periodSeconds: ten"},
		{"base", "deployment.yaml", "name: config, mountPath", "name: settings, mountPath"},
		{"base", "deployment.yaml", "limits: {memory: 512Mi}", "limits: {}"},
		{"base", "disruption.yaml", "{matchLabels: {app.kubernetes.io/name: handstamp}}", "{}"},
		{"base", "network.yaml", "podSelector: {matchLabels: {app.kubernetes.io/name: handstamp}}", "podSelector: {}"},
		{"base", "autoscaler.yaml", "minReplicas", "minimumReplicas"},
		{"base", "deployment.yaml", "livenessProbe", "startupProbe"},
		{"base", "service.yaml", "port: 8080", "port: 80"},
		{"base", "service.yaml", "targetPort: http", "targetPort: web"},
		{"base", "network.yaml", "port: http", "port: web"},
		{"overlays/sqlite", "deployment.yaml", "replicas: 1", "replicas: 2"},
		{"overlays/sqlite-init", "../../components/book-init/kustomization.yaml", "value: 0", "value: 1"},
		{"overlays/sqlite-init", "../../components/book-init/job.yaml", "name: handstamp-book-init}", "name: handstamp}"},
		{"overlays/sqlite-init", "../../components/book-init/job.yaml", "runAsNonRoot: true", "runAsNonRoot: false"},
		{"overlays/sqlite-init", "../../components/book-init/job.yaml", "claimName: handstamp-book", "claimName: book"},
		{"overlays/sqlite-init", "../../components/book-init/job.yaml", "image: handstamp:local", "image: handstamp:latest"},
		{"overlays/metrics", "../../components/metrics/network.yaml", "port: metrics", "port: 9090"},
		{"overlays/metrics", "../../components/metrics/kustomization.yaml", "name: metrics, c", "name: numbers, c"},
		{"overlays/metrics", "../../components/metrics/network.yaml", "name: handstamp}}", "name: gateway}}"},
	} {
		all := t.TempDir()
		if err := os.CopyFS(all, os.DirFS(home)); err != nil {
			t.Fatal(err)
		}
		dir := filepath.Join(all, tt.dir)
		file := filepath.Join(dir, tt.file)
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		broken := strings.ReplaceAll(string(text), tt.old, tt.new)
		if err := os.WriteFile(file, []byte(broken), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, faults := check(dir); broken == string(text) || len(faults) == 0 {
			t.Errorf("%s with %q in the place of %q has no fault, want one", tt.file, tt.new, tt.old)
		}
	}
}
