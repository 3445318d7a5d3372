package sqlite_test

import (
	"bytes"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/handstamp/handstamp/pkg/book/sqlite"
)

// used is the path of a book that was used and closed.
func used(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "book.db")
	b := open(t, path)
	enter(t, b, entry("1"))
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// left is the path of a book whose machine stopped while it was used.
func left(t *testing.T) string {
	t.Helper()
	from, to := filepath.Join(t.TempDir(), "book.db"), filepath.Join(t.TempDir(), "book.db")
	enter(t, open(t, from), entry("1"))
	for _, end := range []string{"", "-wal"} {
		content, err := os.ReadFile(from + end)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to+end, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return to
}

func TestOpenCreates(t *testing.T) {
	t.Parallel()
	path := used(t)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != 0o600 {
		t.Errorf("mode %04o, want 0600", got)
	}
	for _, gone := range []string{"-wal", "-shm", "-journal"} {
		if _, err := os.Stat(path + gone); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s%s is left after Close", path, gone)
		}
	}
	finds(t, open(t, path), "1", noon, "")
}

func TestOpenAfterACrash(t *testing.T) {
	t.Parallel()
	finds(t, open(t, left(t)), "1", noon, "")
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	overwrite := func(at int64, with []byte) func(*testing.T, string) {
		return func(t *testing.T, path string) {
			f, err := os.OpenFile(path, os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := f.WriteAt(with, at); err != nil {
				t.Fatal(err)
			}
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	steps, err := sqlite.Migrations()
	if err != nil {
		t.Fatal(err)
	}
	replace := func(f func(path string) error) func(*testing.T, string) {
		return func(t *testing.T, path string) {
			if err := errors.Join(os.Remove(path), f(path)); err != nil {
				t.Fatal(err)
			}
		}
	}
	tests := []struct {
		name  string
		book  func(*testing.T) string
		spoil func(*testing.T, string)
		want  string
	}{
		{"missing", used, replace(func(string) error { return nil }), "there is no book, and none is made unasked"},
		{"a folder", used, replace(func(p string) error { return os.Mkdir(p, 0o700) }), "is a directory, want a regular file"},
		{"empty", used, replace(func(p string) error { return os.WriteFile(p, nil, 0o600) }), "the file is empty, and no book is made unasked"},
		{"a text", used, replace(func(p string) error { return os.WriteFile(p, bytes.Repeat([]byte("tickets\n"), 1000), 0o600) }), "it is not a book, or its beginning is damaged"},
		{"header zeroed", used, overwrite(0, make([]byte, 100)), "it is not a book, or its beginning is damaged"},
		{"read by everybody", used, func(t *testing.T, p string) { _ = os.Chmod(p, 0o644) }, "mode 0644 lets everybody in, want 0600 (hint: chmod 600 "},
		{"another program's", used, overwrite(68, []byte("geop")), "it belongs to another program: application id 0x67656f70, want 0x68737462"},
		{"of tomorrow", used, overwrite(60, []byte{0, 0, 0, 99}), "it has schema version 99, and this handstamp knows versions up to " + strconv.Itoa(len(steps))},
		{"damaged inside", used, overwrite(3*4096, bytes.Repeat([]byte{0xa5}, 20*4096)), "the file is damaged"},
		{"log gone", left, func(t *testing.T, p string) { _ = os.Remove(p + "-wal") }, "book.db-wal, which holds its last changes, is gone: file does not exist (hint: put it back"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := tt.book(t)
			tt.spoil(t, path)
			b, err := sqlite.Open(t.Context(), path, sqlite.Options{})
			if err == nil {
				t.Fatalf("Open = %v, want an error", b.Close())
			}
			if !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("Open = %q, want one line with %q", err, tt.want)
			}
		})
	}
}

func TestOpenAcceptsALostLog(t *testing.T) {
	t.Parallel()
	path := left(t)
	if err := os.Remove(path + "-wal"); err != nil {
		t.Fatal(err)
	}
	b, err := sqlite.Open(t.Context(), path, sqlite.Options{AcceptLostLog: true})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	finds(t, b, "1", noon, "no_session") // what was only there is lost
}

// The super-user may write everything, so another one has to try.
func TestOpenReadOnly(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 || runtime.GOOS != "linux" {
		t.Skip("needs another user to become")
	}
	folder, err := os.MkdirTemp("", "handstamp-read-only-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(folder)
	path, program := filepath.Join(folder, "book.db"), filepath.Join(folder, "program")
	binary, err := os.ReadFile(os.Args[0])
	if err := errors.Join(err, os.WriteFile(program, binary, 0o755), open(t, path).Close(), os.Chmod(folder, 0o755)); err != nil {
		t.Fatal(err)
	}
	attempt := func(file, dir os.FileMode) string {
		t.Helper()
		if err := errors.Join(os.Chmod(path, file), os.Chmod(folder, dir)); err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), program)
		cmd.Env = append(os.Environ(), childJob+"=open", childBook+"="+path)
		becomeGuest(t, cmd, path)
		out, _ := cmd.CombinedOutput()
		return string(out)
	}
	if got := attempt(0o440, 0o777); !strings.Contains(got, "the file is read-only") {
		t.Errorf("opening a read-only file said %q", got)
	}
	if got := attempt(0o660, 0o555); !strings.Contains(got, "the file or its folder is read-only") {
		t.Errorf("opening in a read-only folder said %q", got)
	}
	if got := attempt(0o000, 0o777); !strings.Contains(got, "cannot be opened") {
		t.Errorf("opening what is forbidden said %q", got)
	}
}

// A file that is taken away while the book is open is noticed before another
// admission is answered.
func TestFileTakenAway(t *testing.T) {
	t.Parallel()
	for _, end := range []string{"", "-wal"} {
		path := filepath.Join(t.TempDir(), "book.db")
		b := open(t, path)
		enter(t, b, entry("1"))
		if err := os.Rename(path+end, path+".elsewhere"); err != nil {
			t.Fatal(err)
		}
		_, err := b.Enter(t.Context(), entry("2"))
		if err == nil || !strings.Contains(err.Error(), path+end+" was deleted or replaced") {
			t.Errorf("Enter = %v, want that %s was deleted", err, path+end)
		}
		if err := os.Rename(path+".elsewhere", path+end); err != nil {
			t.Fatal(err)
		}
		enter(t, b, entry("3"))
	}
}

func TestNetworkFileSystems(t *testing.T) {
	t.Parallel()
	for magic, want := range map[uint32]string{0x6969: "NFS", 0xff534d42: "SMB", 0x01021997: "9p", 0x65735546: "FUSE",
		0xef53: "", 0x58465342: "", 0x01021994: "", 0x794c7630: ""} { // ext4, XFS, tmpfs, overlayfs
		if got := sqlite.NetworkName(magic); got != want {
			t.Errorf("NetworkName(%#x) = %q, want %q", magic, got, want)
		}
	}
	var out bytes.Buffer
	b, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "book.db"),
		sqlite.Options{Create: true, Log: slog.New(slog.NewTextHandler(&out, nil))})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil || out.Len() > 0 {
		t.Errorf("a local file: %v, log %q", err, out.String())
	}
}

func TestClose(t *testing.T) {
	t.Parallel()
	b := fresh(t)
	for range 2 {
		if err := b.Close(); err != nil {
			t.Errorf("Close = %v", err)
		}
	}
	if _, err := b.Enter(t.Context(), entry("1")); !errors.Is(err, sqlite.ErrClosed) {
		t.Errorf("Enter after Close = %v, want ErrClosed", err)
	}
	if _, err := b.Find(t.Context(), session("1"), noon); err == nil || isRevoked(err) {
		t.Errorf("Find after Close = %v, want a plain error", err)
	}
}
