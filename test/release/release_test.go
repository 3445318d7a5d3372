package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestBill compares the bill of this very test's program with what
// "go version -m" says of it. HANDSTAMP_PROGRAMS names more programs, in the
// form of PATH.
func TestBill(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, program := range append(filepath.SplitList(os.Getenv("HANDSTAMP_PROGRAMS")), self) {
		var out bytes.Buffer
		if err := writeBill(&out, program); err != nil {
			t.Fatal(err)
		}
		var b bill
		if err := json.Unmarshal(out.Bytes(), &b); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, c := range b.Components {
			got = append(got, c.Name+" "+c.Version)
		}
		if want := modules(t, program); !slices.Equal(got, want) {
			t.Errorf("the bill of %s has %q, want as go version -m: %q", program, got, want)
		}
		if !regexp.MustCompile(`^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(b.SerialNumber) {
			t.Errorf("serialNumber = %q, want a UUID", b.SerialNumber)
		}
	}
}

// modules returns what "go version -m" lists, Go itself first as std.
func modules(t *testing.T, program string) []string {
	t.Helper()
	text, err := exec.CommandContext(t.Context(), "go", "version", "-m", program).Output()
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		switch {
		case len(all) == 0:
			all = append(all, "std "+words[len(words)-1])
		case words[0] == "dep":
			all = append(all, words[1]+" "+words[2])
		case words[0] == "=>":
			all[len(all)-1] = words[1] + " " + words[2]
		}
	}
	return all
}

// TestArchive: the same files are the same archive, whatever their times, their
// owner and the rest of their modes.
func TestArchive(t *testing.T) {
	at := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	for _, ending := range []string{".tar.gz", ".zip"} {
		var archives [][]byte
		for i, mode := range []os.FileMode{0o755, 0o700} {
			dir := t.TempDir()
			folder := filepath.Join(dir, "f")
			if err := os.MkdirAll(filepath.Join(folder, "man"), 0o755); err != nil {
				t.Fatal(err)
			}
			for name, text := range map[string]string{"handstamp": "program", "man/handstamp.1": "manual"} {
				file := filepath.Join(folder, name)
				if err := os.WriteFile(file, []byte(text), mode); err != nil {
					t.Fatal(err)
				}
				when := at.Add(time.Duration(i) * time.Hour)
				if err := os.Chtimes(file, when, when); err != nil {
					t.Fatal(err)
				}
			}
			out := filepath.Join(dir, "out"+ending)
			if err := writeArchive(out, "handstamp-1", folder, at); err != nil {
				t.Fatal(err)
			}
			text, err := os.ReadFile(out)
			if err != nil {
				t.Fatal(err)
			}
			archives = append(archives, text)
		}
		if !bytes.Equal(archives[0], archives[1]) {
			t.Errorf("two %s archives of the same files differ", ending)
		}
	}
	if err := writeArchive(filepath.Join(t.TempDir(), "out.rar"), "x", t.TempDir(), at); err == nil {
		t.Error("writeArchive(out.rar) = nil, want an error")
	}
}
