package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	base    = "../../deploy/kubernetes/base"
	overlay = "../../deploy/kubernetes/overlays/sqlite"
)

func TestManifests(t *testing.T) {
	for _, dir := range []string{base, overlay} {
		if kinds, faults := check(dir); len(kinds) != 8 || len(faults) > 0 {
			t.Errorf("check(%s) = %q, %q; want 8 manifests without faults", dir, kinds, faults)
		}
	}
}

// TestFaults: what must not get past the checks.
func TestFaults(t *testing.T) {
	for _, tt := range []struct{ file, old, new string }{
		{"deployment.yaml", "runAsNonRoot: true", "runAsNonRoot: false"},
		{"deployment.yaml", "runAsNonRoot", "runAsNonroot"},
		{"deployment.yaml", "drop: [ALL]", "drop: []"},
		{"deployment.yaml", "allowPrivilegeEscalation: false", "allowPrivilegeEscalation: true"},
		{"deployment.yaml", "type: RuntimeDefault", "type: Unconfined"},
		{"deployment.yaml", "readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false"},
		{"deployment.yaml", "periodSeconds: 10", "periodSeconds: ten"},
		{"deployment.yaml", "name: config, mountPath", "name: settings, mountPath"},
		{"deployment.yaml", "limits: {memory: 512Mi}", "limits: {}"},
		{"disruption.yaml", "{matchLabels: {app.kubernetes.io/name: handstamp}}", "{}"},
		{"network.yaml", "podSelector: {matchLabels: {app.kubernetes.io/name: handstamp}}", "podSelector: {}"},
		{"autoscaler.yaml", "minReplicas", "minimumReplicas"},
	} {
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(base)); err != nil {
			t.Fatal(err)
		}
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
