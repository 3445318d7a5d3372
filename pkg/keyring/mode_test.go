//go:build unix

package keyring_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/keyring"
)

func TestLoadModes(t *testing.T) {
	tests := []struct {
		mode          fs.FileMode
		strict, group bool // loads, and loads with AllowGroupRead
	}{
		{0o600, true, true},
		{0o400, true, true},
		{0o700, true, true},
		{0o440, false, true},
		{0o640, false, true},
		{0o644, false, false},
		{0o604, false, false},
		{0o660, false, false},
		{0o620, false, false},
		{0o602, false, false},
		{0o610, false, false},
		{0o777, false, false},
	}
	for _, tt := range tests {
		dir := folder(t, map[string][]byte{idA + ".pem": pkcs8(ecKey()), idA + ".pub.pem": public(ecKey())})
		path := filepath.Join(dir, idA+".pem")
		for _, err := range []error{os.Chmod(path, tt.mode), os.Chmod(filepath.Join(dir, idA+".pub.pem"), 0o666)} {
			if err != nil {
				t.Fatal(err)
			}
		}
		for group, want := range map[bool]bool{false: tt.strict, true: tt.group} {
			ring, err := keyring.Load(dir, idA, keyring.Options{AllowGroupRead: group})
			if want != (err == nil) || want != (ring != nil) || !want && !errors.Is(err, keyring.ErrMode) {
				t.Errorf("mode %04o, group %v: Load = %v, %v, want ok %v", tt.mode, group, ring, err, want)
			}
			if text := fmt.Sprintf("%s: key file is open to others: mode %04o, want 0600 (hint: chmod 600 %s)", path, tt.mode, path); !want && err.Error() != text {
				t.Errorf("Load = %v, want %s", err, text)
			}
			if _, err := keyring.LoadPrivate(path, keyring.Options{AllowGroupRead: group}); want != (err == nil) {
				t.Errorf("mode %04o, group %v: LoadPrivate = %v, want ok %v", tt.mode, group, err, want)
			}
		}
	}
}

// Whoever can write to the folder can put another key into it. In one with the
// sticky bit, as Kubernetes mounts secrets, everybody can replace their own files
// only.
func TestLoadFolderModes(t *testing.T) {
	tests := []struct {
		mode fs.FileMode
		ok   bool
	}{
		{0o700, true},
		{0o750, true},
		{0o755, true},
		{0o775, false},
		{0o757, false},
		{0o777, false},
		{0o777 | fs.ModeSticky, true},
	}
	for _, tt := range tests {
		dir := folder(t, map[string][]byte{idA + ".pem": pkcs8(ecKey())})
		if err := os.Chmod(dir, tt.mode); err != nil {
			t.Fatal(err)
		}
		_, err := keyring.Load(dir, idA, keyring.Options{AllowGroupRead: true})
		if tt.ok != (err == nil) || !tt.ok && !errors.Is(err, keyring.ErrMode) {
			t.Errorf("folder of mode %v: Load = %v, want ok %v", tt.mode, err, tt.ok)
		}
		if text := fmt.Sprintf("%s: key file is open to others: the folder has mode %04o and others can replace its files (hint: chmod go-w %s)", dir, tt.mode.Perm(), dir); !tt.ok && err != nil && err.Error() != text {
			t.Errorf("Load = %v, want %s", err, text)
		}
		_, err = (keyring.Files{Dir: dir}).Open(t.Context(), idA+".pem")
		if tt.ok != (err == nil) {
			t.Errorf("folder of mode %v: Open = %v, want ok %v", tt.mode, err, tt.ok)
		}
		if _, err := keyring.LoadPrivate(filepath.Join(dir, idA+".pem"), keyring.Options{InsecureAllowAnyMode: true}); err != nil {
			t.Errorf("folder of mode %v: LoadPrivate of any mode = %v", tt.mode, err)
		}
	}
}

// The example is published anyway, and a checkout gives it the mode 0644.
func TestExampleMayBeOpenToOthers(t *testing.T) {
	dir := folder(t, map[string][]byte{idA + ".pem": must(os.ReadFile(filepath.Join(example, "KEXAMPLE0001.pem")))})
	if err := os.Chmod(filepath.Join(dir, idA+".pem"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := keyring.Load(dir, idA, keyring.Options{InsecureAllowExample: true}); err != nil {
		t.Errorf("Load = %v, want the example in any mode", err)
	}
}

// Kubernetes mounts a secret as links to files in a folder "..data". The mode
// of the file counts, not that of the link.
func TestLoadFollowsLinks(t *testing.T) {
	dir := folder(t, nil)
	real := folder(t, map[string][]byte{"k": pkcs8(ecKey())})
	for _, err := range []error{
		os.Symlink(real, filepath.Join(dir, "..data")),
		os.Symlink(filepath.Join("..data", "k"), filepath.Join(dir, idA+".pem")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := keyring.Load(dir, idA, keyring.Options{}); err != nil {
		t.Errorf("Load through links = %v", err)
	}
	if err := os.Chmod(filepath.Join(real, "k"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := keyring.Load(dir, idA, keyring.Options{}); !errors.Is(err, keyring.ErrMode) {
		t.Errorf("Load through links to an open file = %v, want ErrMode", err)
	}
	if err := os.Remove(filepath.Join(real, "k")); err != nil {
		t.Fatal(err)
	}
	if _, err := keyring.Load(dir, idA, keyring.Options{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Load through a link to nothing = %v, want fs.ErrNotExist", err)
	}
}

func TestLoadRefusesWhatIsNoFile(t *testing.T) {
	kinds := map[string]func(path string) error{
		"FIFO":        func(path string) error { return syscall.Mkfifo(path, 0o600) },
		"folder":      func(path string) error { return os.Mkdir(path, 0o700) },
		"device link": func(path string) error { return os.Symlink("/dev/zero", path) },
		"FIFO link": func(path string) error {
			return errors.Join(syscall.Mkfifo(path+".fifo", 0o600), os.Symlink(path+".fifo", path))
		},
	}
	for name, makeOne := range kinds {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := makeOne(filepath.Join(dir, idA+".pem")); err != nil {
				t.Skip(err)
			}
			failed := make(chan error, 1)
			go func() {
				_, err := keyring.Load(dir, idA, keyring.Options{})
				failed <- err
			}()
			select {
			case err := <-failed:
				if !errors.Is(err, keyring.ErrKey) || !strings.HasSuffix(err.Error(), "not a regular file") {
					t.Errorf("Load = %v, want that it is not a regular file", err)
				}
			case <-time.After(10 * time.Second):
				t.Error("Load still waits for the file")
			}
		})
	}
}

func TestWriteModes(t *testing.T) {
	old := syscall.Umask(0) // the widest; no test of this package runs beside another
	defer syscall.Umask(old)
	dir := filepath.Join(t.TempDir(), "keys")
	pair, err := keyring.Write(dir, idA, ecKey())
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]fs.FileMode{dir: fs.ModeDir | 0o700, pair.PrivateFile: 0o600, pair.PublicFile: 0o644} {
		info, err := os.Stat(path)
		if err != nil || info.Mode() != want {
			t.Errorf("%s has mode %v, %v, want %v", path, info.Mode(), err, want)
		}
	}
	wide := t.TempDir()
	if err := os.Chmod(wide, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := keyring.Write(wide, idA, ecKey()); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(wide); err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("Write changed the mode of a folder that was there to %v, %v", info.Mode(), err)
	}
}
