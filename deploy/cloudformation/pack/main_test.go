package main

import (
	"archive/zip"
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// site makes a folder with files, and a binary beside it.
func site(t *testing.T, files map[string]string) (binary, folder string) {
	t.Helper()
	dir := t.TempDir()
	binary, folder = filepath.Join(dir, "binary"), filepath.Join(dir, "site")
	write(t, binary, "ELF")
	for name, text := range files {
		write(t, filepath.Join(folder, name), text)
	}
	return binary, folder
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o700), os.WriteFile(name, []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
}

// The same files make the same package, wherever they are and whenever they were
// written: a deployment that changes nothing changes nothing.
func TestPackIsReproducible(t *testing.T) {
	files := map[string]string{"config.yaml": "sources: []", "lists/b.csv": "code", "lists/a.csv": "code", ".git/config": "", ".DS_Store": ""}
	var packages [][]byte
	for i := range 2 {
		binary, folder := site(t, files)
		when := time.Date(2020+i, 1, 1, 0, 0, 0, 0, time.UTC)
		if err := errors.Join(os.Chtimes(binary, when, when), os.Chmod(filepath.Join(folder, "config.yaml"), 0o644)); err != nil {
			t.Fatal(err)
		}
		out := filepath.Join(t.TempDir(), "out.zip")
		if err := run(out, binary, folder); err != nil {
			t.Fatalf("run = %v", err)
		}
		text, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, text)
	}
	if !bytes.Equal(packages[0], packages[1]) {
		t.Error("two packages of the same files differ")
	}
	z, err := zip.NewReader(bytes.NewReader(packages[0]), int64(len(packages[0])))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range z.File {
		names = append(names, f.Mode().String()+" "+f.Name)
	}
	want := []string{"-rwxr-xr-x bootstrap", "-rw-r--r-- config.yaml", "-rw-r--r-- lists/a.csv", "-rw-r--r-- lists/b.csv"}
	if !slices.Equal(names, want) {
		t.Errorf("the package has %q, want %q", names, want)
	}
}

func TestPackRefuses(t *testing.T) {
	tests := []struct {
		name  string
		files map[string]string
		want  error
	}{
		{"a private key", map[string]string{"keys/K.pem": "-----BEGIN PRIVATE KEY-----\n"}, errKey},
		{"an RSA key in a text", map[string]string{"notes.txt": "see -----BEGIN RSA PRIVATE KEY-----"}, errKey},
		{"another bootstrap", map[string]string{"bootstrap": "#!/bin/sh"}, errTwice},
	}
	for _, tt := range tests {
		binary, folder := site(t, tt.files)
		out := filepath.Join(t.TempDir(), "out.zip")
		if err := run(out, binary, folder); !errors.Is(err, tt.want) {
			t.Errorf("run with %s = %v, want %v", tt.name, err, tt.want)
		}
		if _, err := os.Stat(out); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("run with %s left a package", tt.name)
		}
	}
}

func TestPackRefusesLinks(t *testing.T) {
	binary, folder := site(t, map[string]string{"config.yaml": ""})
	if err := os.Symlink("/etc/passwd", filepath.Join(folder, "list.csv")); err != nil {
		t.Fatal(err)
	}
	if err := run(filepath.Join(t.TempDir(), "out.zip"), binary, folder); err == nil {
		t.Error("run with a link = nil, want an error")
	}
}

func TestPackRefusesTooMuch(t *testing.T) {
	binary, folder := site(t, map[string]string{"config.yaml": "12345"})
	p := &pack{zip: zip.NewWriter(&bytes.Buffer{}), left: 4}
	if err := p.folder(folder); !errors.Is(err, errLarge) {
		t.Errorf("folder with more than is left = %v, want %v", err, errLarge)
	}
	_ = binary
}
