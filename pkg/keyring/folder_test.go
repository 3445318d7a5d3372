package keyring_test

import (
	"crypto"
	"crypto/rsa"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/handstamp/handstamp/pkg/keyring"
)

const (
	idA, idB = "KAAAAAAAAA", "KBBBBBBBBB"
	example  = "../../keys.example"
)

// folder writes files of mode 0600 into a new folder.
func folder(t *testing.T, files map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestLoad(t *testing.T) {
	dir := folder(t, map[string][]byte{
		idB + ".pem":                  sec1(ecKey()),
		idA + ".pem":                  pkcs8(rsaKey()),
		idA + ".pub.pem":              public(rsaKey()),
		"KCCCCCCCCC.pub.pem":          public(ecKey()),
		"README.md":                   []byte("not a key"),
		"unpublished-0123456789a.pem": []byte("not a key"),
		"kdddddddddd.pem":             []byte("not a key"),
		idA + ".pem.bak":              []byte("not a key"),
		".pem":                        []byte("not a key"),
		idA:                           []byte("not a key"),
	})
	for id, want := range map[string]crypto.Signer{idA: rsaKey(), idB: ecKey()} {
		ring, err := keyring.Load(dir, id, keyring.Options{})
		if err != nil {
			t.Fatalf("Load(%s) = %v", id, err)
		}
		active, signer, err := ring.Active()
		if k, ok := signer.(interface{ Equal(crypto.PrivateKey) bool }); err != nil || active != id || !ok || !k.Equal(want) {
			t.Errorf("Active = %q, %T, %v, want %s", active, signer, err, id)
		}
		var got []string
		for _, k := range ring.Keys() {
			got = append(got, k.String())
			if k.Example || (k.Private == nil) != (k.ID == "KCCCCCCCCC") {
				t.Errorf("key %v: example %v, private %v", k, k.Example, k.Private != nil)
			}
		}
		if want := "KAAAAAAAAA (RSA-2048), KBBBBBBBBB (ECDSA P-256), KCCCCCCCCC (ECDSA P-256)"; strings.Join(got, ", ") != want {
			t.Errorf("Keys = %v, want %s", got, want)
		}
	}
}

func TestLoadRefuses(t *testing.T) {
	other := must(keyring.Generate(keyring.ECDSA))
	good := pkcs8(ecKey())
	tests := []struct {
		name   string
		files  map[string][]byte
		active string
		want   error
		text   string // follows the folder's name
	}{
		{"empty folder", nil, idA, keyring.ErrNoKey, `: no such key: "KAAAAAAAAA" is not in the ring, which has no keys`},
		{"no active key", map[string][]byte{idA + ".pem": good}, idB, keyring.ErrNoKey, `: no such key: "KBBBBBBBBB" is not in the ring, which has KAAAAAAAAA`},
		{"public half only", map[string][]byte{idA + ".pub.pem": public(ecKey())}, idA, keyring.ErrNoKey, `: no such key: of "KAAAAAAAAA" only the public half is here, it cannot sign`},
		{"mismatched pair", map[string][]byte{idA + ".pem": good, idA + ".pub.pem": public(other)}, idA, keyring.ErrKey, `: unusable key: KAAAAAAAAA.pem and KAAAAAAAAA.pub.pem are not halves of one key`},
		{"halves of two kinds", map[string][]byte{idA + ".pem": good, idA + ".pub.pem": public(rsaKey())}, idA, keyring.ErrKey, `: unusable key: KAAAAAAAAA.pem and KAAAAAAAAA.pub.pem are not halves of one key`},
		{"private key in a public file", map[string][]byte{idA + ".pub.pem": good}, idA, keyring.ErrKey, `/KAAAAAAAAA.pub.pem: unusable key: want a PEM block "PUBLIC KEY"`},
		{"public key in a private file", map[string][]byte{idA + ".pem": public(ecKey())}, idA, keyring.ErrKey, `/KAAAAAAAAA.pem: unusable key: this is a public key, want the private key that belongs to it`},
		{"one bad key among good ones", map[string][]byte{idA + ".pem": good, idB + ".pem": {}}, idA, keyring.ErrKey, `/KBBBBBBBBB.pem: unusable key: no PEM block, want "PRIVATE KEY", "RSA PRIVATE KEY" or "EC PRIVATE KEY"`},
		{"2 MiB", map[string][]byte{idA + ".pem": append(make([]byte, 2<<20), good...)}, idA, keyring.ErrKey, `/KAAAAAAAAA.pem: unusable key: larger than 65536 bytes`},
		{"key behind 64 KiB of text", map[string][]byte{idA + ".pem": append([]byte(strings.Repeat(" ", 64<<10)), good...)}, idA, keyring.ErrKey, `/KAAAAAAAAA.pem: unusable key: larger than 65536 bytes`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := folder(t, tt.files)
			ring, err := keyring.Load(dir, tt.active, keyring.Options{})
			if ring != nil || !errors.Is(err, tt.want) || strings.TrimPrefix(err.Error(), dir) != tt.text {
				t.Fatalf("Load = %v, %v, want %s%s", ring, err, dir, tt.text)
			}
			noKeyBytes(t, err.Error(), good, pkcs8(other))
		})
	}
}

func TestLoadActiveID(t *testing.T) {
	dir := folder(t, map[string][]byte{idA + ".pem": pkcs8(ecKey())})
	for _, id := range []string{"", "kaaaaaaaaa", idA + ".pem", "../" + idA, idA + "\n"} {
		if ring, err := keyring.Load(dir, id, keyring.Options{}); ring != nil || !errors.Is(err, keyring.ErrKeyPair) || !strings.HasPrefix(err.Error(), "active key: ") {
			t.Errorf("Load(%q) = %v, %v, want ErrKeyPair", id, ring, err)
		}
	}
}

func TestLoadMissingFolder(t *testing.T) {
	ring, err := keyring.Load(filepath.Join(t.TempDir(), "keys"), idA, keyring.Options{})
	if ring != nil || !errors.Is(err, fs.ErrNotExist) || !strings.HasSuffix(err.Error(), `(hint: "handstamp keys new" makes a key)`) {
		t.Errorf("Load = %v, %v, want fs.ErrNotExist with a hint", ring, err)
	}
}

func TestLoadPrivate(t *testing.T) {
	dir := folder(t, map[string][]byte{"any name": pkcs8(ecKey()), "broken": []byte("?")})
	got, err := keyring.LoadPrivate(filepath.Join(dir, "any name"), keyring.Options{})
	if err != nil || !ecKey().Equal(got) {
		t.Errorf("LoadPrivate = %T, %v, want the key", got, err)
	}
	if got, err = keyring.LoadPrivate(filepath.Join(dir, "broken"), keyring.Options{}); got != nil || !errors.Is(err, keyring.ErrKey) {
		t.Errorf("LoadPrivate = %T, %v, want ErrKey", got, err)
	}
	if got, err = keyring.LoadPrivate(filepath.Join(dir, "missing"), keyring.Options{}); got != nil || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("LoadPrivate = %T, %v, want fs.ErrNotExist", got, err)
	}
}

// Whoever signs with the published key has opened their content to everybody,
// whatever the file is called, whoever may read it, and of either half.
func TestExampleKey(t *testing.T) {
	const id = "KEXAMPLE0001"
	allow := keyring.Options{InsecureAllowExample: true}
	ring, err := keyring.Load(example, id, allow)
	if err != nil {
		t.Fatalf("Load(keys.example), allowed = %v", err)
	}
	if keys := ring.Keys(); len(keys) != 1 || keys[0].ID != id || !keys[0].Example || keys[0].Private == nil {
		t.Errorf("Keys = %v, want the example and nothing else", keys)
	}
	private := must(os.ReadFile(filepath.Join(example, id+".pem")))
	half := must(os.ReadFile(filepath.Join(example, id+".pub.pem")))
	sec := pkcs1(must(keyring.LoadPrivate(filepath.Join(example, id+".pem"), allow)).(*rsa.PrivateKey))
	for name, files := range map[string]map[string][]byte{
		"as it is":          {idA + ".pem": private, idA + ".pub.pem": half},
		"private half":      {idA + ".pem": private},
		"another format":    {idA + ".pem": sec},
		"public half only":  {idA + ".pem": pkcs8(ecKey()), idB + ".pub.pem": half},
		"beside a real one": {idA + ".pem": pkcs8(ecKey()), idB + ".pem": private},
	} {
		dir := folder(t, files)
		ring, err := keyring.Load(dir, idA, keyring.Options{})
		if ring != nil || !errors.Is(err, keyring.ErrKey) || !strings.Contains(err.Error(), "this is the example key that everybody has") {
			t.Errorf("%s: Load = %v, %v, want a refusal of the example", name, ring, err)
		}
		noKeyBytes(t, err.Error(), private, sec)
		if _, err := keyring.Load(dir, idA, allow); err != nil {
			t.Errorf("%s: Load, allowed = %v", name, err)
		}
	}
	if _, err := keyring.LoadPrivate(filepath.Join(example, id+".pem"), keyring.Options{}); !errors.Is(err, keyring.ErrKey) {
		t.Errorf("LoadPrivate(example) = %v, want ErrKey", err)
	}
}
