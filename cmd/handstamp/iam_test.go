package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/keyring"
)

// Keys of a manifest on this machine are in the policy while they are of use.
func TestPolicyOfManifest(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "config.yaml", `keys: {dir: keys, manifest: folder, region: eu-west-1}
sources: [{id: list, kind: roll, file: tickets.csv}]
attractions: [{id: castle, timezone: Europe/Madrid, packages: [{id: audio}], sources: [list]}]
`)
	if out := handstamp(t, exitFailed, "check", "--iam"); !strings.Contains(out, "nothing at AWS") {
		t.Errorf("check --iam before there is a manifest says %s, want that nothing is needed", out)
	}
	if err := os.Mkdir("keys", 0o700); err != nil {
		t.Fatal(err)
	}
	m := &keyring.Manifest{Revision: 1}
	for id, from := range map[string]string{"KUPCOMING0001": "kms:upcoming", "KREVOKED00001": "kms:revoked"} {
		key, err := keyring.Generate(keyring.ECDSA)
		if err != nil {
			t.Fatal(err)
		}
		e, err := keyring.NewEntry(id, from, key.Public())
		if err == nil {
			err = m.Add(e, time.Now())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for i := range m.Keys {
		if m.Keys[i].ID == "KREVOKED00001" {
			m.Keys[i].State = keyring.StateRevoked
		}
	}
	if err := keyring.FileStore(filepath.Join("keys", keyring.ManifestName)).Save(t.Context(), m, 0); err != nil {
		t.Fatal(err)
	}
	out := handstamp(t, exitDone, "check", "--iam", "--account", "123456789012")
	if !strings.Contains(out, "arn:aws:kms:eu-west-1:123456789012:key/upcoming") || strings.Contains(out, "revoked") {
		t.Errorf("check --iam = %s, want the key that is upcoming and not the revoked one", out)
	}
}
