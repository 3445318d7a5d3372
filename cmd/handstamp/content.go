package main

import (
	"fmt"
	"maps"
	"os"
	"path"
	"slices"

	"github.com/spf13/cobra"

	"github.com/handstamp/handstamp/pkg/guide"
	"github.com/handstamp/handstamp/pkg/objects/mirror"
	"github.com/handstamp/handstamp/pkg/objects/mirror/inventory"
)

func newContent() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "content",
		Short: "Check media and put them into a bucket",
		Args:  noSuchCommand,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newContentCheck(), newContentSync())
	return cmd
}

// A contentFolder is a folder with media, open.
type contentFolder struct {
	dir  string
	root *os.Root
}

func openContent(dir string) (*contentFolder, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return &contentFolder{dir, root}, nil
}

func (c *contentFolder) Close() error { return c.root.Close() }

// A contentReport says how the catalogues of a folder and its files agree.
type contentReport struct {
	inventory.Report
	Catalogues []string // names of the catalogue files
	Items      int
	Files      int
	Skipped    []mirror.Skip
}

// check reads all catalogues in the folder and holds them against the files.
func (c *contentFolder) check() *contentReport {
	folder := mirror.Scan(c.root, mirror.Target{})
	r := &contentReport{Files: len(folder.Sizes), Skipped: folder.Skipped}
	var bad []inventory.Finding
	var good []inventory.Catalogue
	for _, name := range slices.Sorted(maps.Keys(folder.Sizes)) {
		if path.Base(name) != guide.FileName {
			continue
		}
		r.Catalogues = append(r.Catalogues, name)
		catalogue, err := guide.LoadCatalogue(c.root.FS(), name)
		if err != nil {
			bad = append(bad, inventory.Finding{Text: err.Error()}) // it names the file, and lines
			continue
		}
		r.Items += len(catalogue.Items)
		good = append(good, promises(name, catalogue))
	}
	r.Report = *inventory.Check(c.root, folder, good)
	r.Problems = append(bad, r.Problems...)
	return r
}

// promises returns what a catalogue names.
func promises(file string, c *guide.Catalogue) inventory.Catalogue {
	out := inventory.Catalogue{File: file}
	for _, p := range c.Packages {
		out.Packages = append(out.Packages, p.ID)
	}
	add := func(by, name, pkg string) {
		if name != "" {
			out.Promises = append(out.Promises, inventory.Promise{By: by, File: name, Package: pkg})
		}
	}
	add("cover", c.Cover, "")
	for _, item := range c.Items {
		by := fmt.Sprintf("item %q: ", item.ID)
		add(by+"file", item.File, item.Package)
		add(by+"stream", item.Stream, item.Package)
		add(by+"image", item.Image, item.Package)
	}
	return out
}
