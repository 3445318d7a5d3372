// Command pack makes the package of a Lambda function: the binary as bootstrap,
// and beside it the files of a folder, such as config.yaml. The same files make
// the same bytes, whenever and wherever that is done.
//
//	go run ./deploy/cloudformation/pack OUT.zip BINARY [FOLDER]
//
// It refuses what must not be in a package: private keys, links, and more than
// Lambda takes.
package main

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// maxUnpacked is what Lambda takes, unpacked (Lambda quotas).
const maxUnpacked = 250 << 20

// epoch is the oldest time that a zip can have.
var epoch = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

func main() {
	if len(os.Args) != 3 && len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: pack OUT.zip BINARY [FOLDER]")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2], os.Args[3:]...); err != nil {
		fmt.Fprintln(os.Stderr, "pack: error:", err)
		os.Exit(1)
	}
}

func run(out, binary string, folders ...string) error {
	var text bytes.Buffer
	p := &pack{zip: zip.NewWriter(&text), left: maxUnpacked}
	p.zip.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestCompression) })
	body, err := os.ReadFile(binary) // #nosec G703 -- whoever runs this names the files
	if err != nil {
		return err
	}
	if err := p.add("bootstrap", body, 0o755); err != nil {
		return err
	}
	for _, folder := range folders {
		if err := p.folder(folder); err != nil {
			return err
		}
	}
	if err := p.zip.Close(); err != nil {
		return err
	}
	return os.WriteFile(out, text.Bytes(), 0o644) // #nosec G306 G703 -- nothing secret is in it, and whoever runs this names the file
}

// A pack is a package that is being made.
type pack struct {
	zip  *zip.Writer
	left int // bytes that it may still have
}

// folder adds the files of a folder, in the order of their names.
func (p *pack) folder(dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	return fs.WalkDir(root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case name != "." && strings.HasPrefix(entry.Name(), "."):
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		case entry.IsDir():
			return nil
		case !entry.Type().IsRegular():
			return fmt.Errorf("%s: not an ordinary file", filepath.Join(dir, name))
		}
		body, err := root.ReadFile(name)
		if err == nil {
			err = p.add(name, body, 0o644)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", dir, err)
		}
		return nil
	})
}

var (
	errKey   = errors.New("has a private key, which whoever can read the function could take (hint: keys are kept in Secrets Manager or KMS)")
	errLarge = errors.New("is more than Lambda takes, 250 MB in all")
	errTwice = errors.New("would take the place of the binary")
)

func (p *pack) add(name string, body []byte, mode fs.FileMode) error {
	switch p.left -= len(body); {
	case mode != 0o755 && name == "bootstrap":
		return fmt.Errorf("%s %w", name, errTwice)
	case mode != 0o755 && bytes.Contains(body, []byte("PRIVATE KEY-----")):
		return fmt.Errorf("%s %w", name, errKey)
	case p.left < 0:
		return fmt.Errorf("%s %w", name, errLarge)
	}
	header := &zip.FileHeader{Name: name, Method: zip.Deflate, Modified: epoch}
	header.SetMode(mode)
	w, err := p.zip.CreateHeader(header)
	if err != nil {
		return err
	}
	_, err = w.Write(body)
	return err
}
