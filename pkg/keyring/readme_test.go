package keyring_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/handstamp/handstamp/pkg/keyring"
)

// The commands of keys.example/README.md make keys that load, of both kinds,
// and print the fingerprint.
func TestReadmeCommands(t *testing.T) {
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Skip(err)
	}
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip(err)
	}
	readme := must(os.ReadFile(filepath.Join(example, "README.md")))
	var blocks []string
	for _, m := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllSubmatch(readme, -1) {
		blocks = append(blocks, string(m[1]))
	}
	if len(blocks) != 6 {
		t.Fatalf("found %d blocks of commands, want 6", len(blocks))
	}
	for i, kind := range []string{"RSA-2048", "ECDSA P-256"} {
		cmd := exec.Command(shell, "-e")
		cmd.Dir = t.TempDir()
		cmd.Stdin = strings.NewReader(blocks[i] + strings.Join(blocks[2:], ""))
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", kind, err, out)
		}
		ring, err := keyring.Load(cmd.Dir, "K2JCJMDEHXQW5F", keyring.Options{})
		if err != nil || ring.Keys()[0].Kind() != kind {
			t.Fatalf("Load = %v, %v, want a ring with an %s key", ring, err, kind)
		}
		fingerprint := must(keyring.Fingerprint(ring.Keys()[0].Public))
		if strings.Count(string(out), fingerprint) != 2 {
			t.Errorf("the commands print %s, want the fingerprint %s twice", out, fingerprint)
		}
	}
}
