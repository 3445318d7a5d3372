package main

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"
)

// A packer takes the files of an archive in the order of their names.
type packer interface {
	add(name string, mode fs.FileMode, text []byte) error
	Close() error
}

// writeArchive writes the files below folder to out, as name/ and what follows.
func writeArchive(out, name, folder string, at time.Time) (err error) {
	f, err := os.Create(out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	var p packer
	switch {
	case strings.HasSuffix(out, ".zip"):
		p = &zipPacker{zip.NewWriter(f), at}
	case strings.HasSuffix(out, ".tar.gz"):
		p = newTarPacker(f, at)
	default:
		return fmt.Errorf("%s: want .tar.gz or .zip", out)
	}
	err = fs.WalkDir(os.DirFS(folder), ".", func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		return addFile(p, filepath.Join(folder, file), path.Join(name, file), d)
	})
	return errors.Join(err, p.Close())
}

func addFile(p packer, file, name string, d fs.DirEntry) error {
	info, err := d.Info()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s: want plain files only", file)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	mode := fs.FileMode(0o644)
	if info.Mode()&0o100 != 0 {
		mode = 0o755
	}
	return p.add(name, mode, text)
}

type tarPacker struct {
	gzip *gzip.Writer
	tar  *tar.Writer
	at   time.Time
}

func newTarPacker(w io.Writer, at time.Time) *tarPacker {
	z := gzip.NewWriter(w) // no name and no time in its header
	return &tarPacker{z, tar.NewWriter(z), at}
}

func (p *tarPacker) add(name string, mode fs.FileMode, text []byte) error {
	header := &tar.Header{Name: name, Mode: int64(mode), Size: int64(len(text)), ModTime: p.at, Uname: "root", Gname: "root", Format: tar.FormatPAX}
	if err := p.tar.WriteHeader(header); err != nil {
		return err
	}
	_, err := p.tar.Write(text)
	return err
}

func (p *tarPacker) Close() error { return errors.Join(p.tar.Close(), p.gzip.Close()) }

type zipPacker struct {
	*zip.Writer
	at time.Time
}

func (p *zipPacker) add(name string, mode fs.FileMode, text []byte) error {
	header := &zip.FileHeader{Name: name, Method: zip.Deflate, Modified: p.at}
	header.SetMode(mode)
	w, err := p.CreateHeader(header)
	if err != nil {
		return err
	}
	_, err = w.Write(text)
	return err
}
