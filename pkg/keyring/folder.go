package keyring

import (
	"crypto"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const (
	privateSuffix = ".pem"
	publicSuffix  = ".pub.pem"
	maxKeyFile    = 64 << 10 // bytes
)

// ErrMode is returned for a private key that others on the machine can read, or
// replace because they can write to its folder.
var ErrMode = errors.New("key file is open to others")

// Options says what a folder may hold. The zero value is the strict one.
type Options struct {
	// InsecureAllowExample accepts the keys of keys.example, which everybody
	// has. For development only.
	InsecureAllowExample bool
	// AllowGroupRead accepts files that their group can read, as Kubernetes
	// mounts secrets (0440).
	AllowGroupRead bool
	// InsecureAllowAnyMode accepts files that everybody can read. For tools that
	// sign once with a file that somebody names, never for a gateway.
	InsecureAllowAnyMode bool
}

// Load reads every key in the folder dir and returns the ring whose key named
// active signs. Files that are not named <key pair ID>.pem or .pub.pem, such as
// a README or an unpublished key, are left alone.
func Load(dir, active string, opts Options) (*Ring, error) {
	if err := CheckID(active); err != nil {
		return nil, fmt.Errorf("active key: %w", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf(`%w (hint: "handstamp keys new" makes a key)`, err)
	}
	var keys []Key
	for _, entry := range entries {
		id, public, ok := parseName(entry.Name())
		if !ok {
			continue
		}
		key, err := loadKey(filepath.Join(dir, entry.Name()), id, public, opts)
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	keys, err = join(keys)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	ring, err := New(keys, active)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	return ring, nil
}

func parseName(name string) (id string, public, ok bool) {
	if id, ok = strings.CutSuffix(name, publicSuffix); ok {
		return id, true, CheckID(id) == nil
	}
	id, ok = strings.CutSuffix(name, privateSuffix)
	return id, false, ok && CheckID(id) == nil
}

// LoadPrivate reads one private key file for Load and for people who name one.
func LoadPrivate(path string, opts Options) (crypto.Signer, error) {
	key, err := loadKey(path, "", false, opts)
	if err != nil {
		return nil, err
	}
	return key.Private, nil
}

func loadKey(path, id string, public bool, opts Options) (Key, error) {
	text, mode, err := readFile(path)
	if err != nil {
		return Key{}, err
	}
	key := Key{ID: id}
	if public {
		key.Public, err = ParsePublic(text)
	} else if key.Private, err = ParsePrivate(text); err == nil {
		key.Public = key.Private.Public()
	}
	if err != nil {
		return Key{}, fmt.Errorf("%s: %w", path, err)
	}
	if key.Example = isExample(key.Public); key.Example && !opts.InsecureAllowExample {
		return Key{}, fmt.Errorf(`%s: %w: this is the example key that everybody has, it signs in development only (hint: "handstamp keys new" makes one)`, path, ErrKey)
	}
	if !public && !key.Example {
		return key, checkMode(path, mode, opts)
	}
	return key, nil
}

// readFile reads a regular file of a sane size. Symbolic links are followed:
// that is how Kubernetes mounts a secret.
func readFile(path string) ([]byte, fs.FileMode, error) {
	info, err := os.Stat(path) // before opening, as opening a FIFO would wait
	if err != nil {
		return nil, 0, err
	}
	if !info.Mode().IsRegular() {
		return nil, 0, fmt.Errorf("%s: %w: not a regular file", path, ErrKey)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxKeyFile+1))
	if err != nil {
		return nil, 0, err
	}
	if len(text) > maxKeyFile {
		return nil, 0, fmt.Errorf("%s: %w: larger than %d bytes", path, ErrKey, maxKeyFile)
	}
	return text, info.Mode(), nil
}

func checkMode(path string, mode fs.FileMode, opts Options) error {
	forbidden := fs.FileMode(0o077)
	if opts.InsecureAllowAnyMode {
		return nil
	}
	if opts.AllowGroupRead {
		forbidden &^= 0o040
	}
	if mode.Perm()&forbidden != 0 {
		return fmt.Errorf(`%s: %w: mode %04o, want 0600 (hint: chmod 600 %s)`, path, ErrMode, mode.Perm(), path)
	}
	return checkFolder(filepath.Dir(path))
}

// checkFolder refuses a folder in which others could put another key into the
// place of the file, but for one with the sticky bit, such as the mounted
// secrets of Kubernetes, where everybody can replace their own files only.
func checkFolder(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if info.Mode().Perm()&0o022 != 0 && info.Mode()&fs.ModeSticky == 0 {
		return fmt.Errorf(`%s: %w: the folder has mode %04o and others can replace its files (hint: chmod go-w %s)`, dir, ErrMode, info.Mode().Perm(), dir)
	}
	return nil
}

// join brings the halves of each key together and refuses two that do not fit.
func join(halves []Key) ([]Key, error) {
	var keys []Key
	for _, half := range halves {
		i := slices.IndexFunc(keys, func(k Key) bool { return k.ID == half.ID })
		if i < 0 {
			keys = append(keys, half)
			continue
		}
		if !equal(keys[i].Public, half.Public) {
			return nil, fmt.Errorf("%w: %s%s and %s%s are not halves of one key", ErrKey, half.ID, privateSuffix, half.ID, publicSuffix)
		}
		if half.Private != nil {
			keys[i].Private = half.Private
		}
	}
	return keys, nil
}

func equal(a, b crypto.PublicKey) bool {
	k, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && k.Equal(b)
}
