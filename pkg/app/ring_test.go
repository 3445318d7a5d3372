package app_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/handstamp/handstamp/pkg/app"
	"github.com/handstamp/handstamp/pkg/config"
	"github.com/handstamp/handstamp/pkg/keyring"
)

// Key files that their group can read are refused, unless that is said to be fine.
func TestKeysThatTheGroupReads(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	key, err := keyring.Generate(keyring.ECDSA)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := keyring.Write(dir, "KGROUP000001", key)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(pair.PrivateFile, 0o440); err != nil {
		t.Fatal(err)
	}
	for allowed, want := range map[config.Switch]error{false: keyring.ErrMode, true: nil} {
		cfg := config.Default()
		cfg.Keys.Dir, cfg.Keys.Active, cfg.Keys.GroupRead = dir, "KGROUP000001", allowed
		if _, err := app.LoadRing(t.Context(), cfg); !errors.Is(err, want) {
			t.Errorf("LoadRing with allow_group_read %s = %v, want %v", allowed, err, want)
		}
	}
}
