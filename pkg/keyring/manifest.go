package keyring

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/gofrs/flock"
)

// ManifestName is what the manifest of a folder is called.
const ManifestName = "keys.json"

// maxManifest is the largest manifest that is read, in bytes.
const maxManifest = 1 << 20

// lockEvery is how often a taken lock is tried again.
const lockEvery = 20 * time.Millisecond

// ErrManifest is returned for a manifest that cannot be used.
var ErrManifest = errors.New("unusable manifest")

// ErrConflict is returned for a manifest that somebody else has changed since
// it was read.
var ErrConflict = errors.New("the manifest was changed by somebody else meanwhile")

// A Store keeps a manifest.
type Store interface {
	// Load returns the manifest. One that is not there is an error that wraps
	// fs.ErrNotExist.
	Load(ctx context.Context) (*Manifest, error)
	// Save puts m in the place of the one with revision before, whole or not at
	// all, and returns ErrConflict if that is no longer the one.
	Save(ctx context.Context, m *Manifest, before int) error
}

// ParseManifest reads a manifest and checks it. Unknown members are errors: a
// manifest of a newer handstamp may mean something else. Every error is an
// ErrManifest.
func ParseManifest(text []byte) (*Manifest, error) {
	if len(text) > maxManifest {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrManifest, len(text), maxManifest)
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	var m Manifest
	if err := dec.Decode(&m); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrManifest, err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, fmt.Errorf("%w: something follows its end", ErrManifest)
	}
	if err := m.Check(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrManifest, err)
	}
	return &m, nil
}

// Text returns the manifest as it is stored.
func (m *Manifest) Text() ([]byte, error) {
	text, err := json.MarshalIndent(m, "", "  ")
	return append(text, '\n'), err
}

// A FileStore keeps a manifest in a file, such as keys/keys.json.
type FileStore string

// Load implements Store.
func (f FileStore) Load(context.Context) (*Manifest, error) {
	file, err := os.Open(string(f))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxManifest+1))
	if err != nil {
		return nil, err
	}
	m, err := ParseManifest(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", string(f), err)
	}
	return m, nil
}

// Save implements Store. The new file takes the old one's place in one step, so
// that whoever reads meanwhile, or after a crash, finds one or the other. Two
// programs that save at the same moment exclude each other by a lock file.
func (f FileStore) Save(ctx context.Context, m *Manifest, before int) error {
	if err := m.Check(); err != nil {
		return err
	}
	lock := flock.New(string(f) + ".lock")
	if _, err := lock.TryLockContext(ctx, lockEvery); err != nil {
		return fmt.Errorf("wait for %s.lock: %w", string(f), err)
	}
	defer lock.Close()
	switch old, err := f.Load(ctx); {
	case errors.Is(err, os.ErrNotExist):
		if before != 0 {
			return fmt.Errorf("%s: %w: it is gone", string(f), ErrConflict)
		}
	case err != nil:
		return err
	case old.Revision != before:
		return fmt.Errorf("%s: %w: revision %d, want %d (hint: try again)", string(f), ErrConflict, old.Revision, before)
	}
	text, err := m.Text()
	if err != nil {
		return err
	}
	return replaceFile(string(f), text)
}

// replaceFile puts text into the file at path, whole or not at all, on disk
// when it returns.
func replaceFile(path string, text []byte) (err error) {
	file, err := os.CreateTemp(filepath.Dir(path), ".keys-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(file.Name())
		}
	}()
	_, err = file.Write(text)
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	if err = os.Rename(file.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// syncDir makes a rename in dir last over a power cut.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil // has no such thing
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
