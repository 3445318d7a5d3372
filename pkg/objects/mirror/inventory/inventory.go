// Package inventory holds what a catalogue promises against the files beside it:
// files that are missing, streams with holes, and files that nobody named.
package inventory

import (
	"fmt"
	"maps"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/handstamp/handstamp/pkg/objects/mirror"
)

// A Catalogue is what is promised about a folder.
type Catalogue struct {
	File     string   // name of the catalogue itself, with slashes: "castle/guide.yaml"
	Packages []string // folders beside it that tickets open
	Promises []Promise
}

// A Promise is a file that a catalogue names.
type Promise struct {
	By      string // where: `item "keep": file`
	File    string // from the catalogue's folder on
	Package string // that opens it; empty means that it is free
}

// A Finding is something about a file.
type Finding struct {
	File string // with slashes
	Text string
}

// A Report is what was found.
type Report struct {
	Problems []Finding // visitors would notice them
	Notes    []Finding // files that no catalogue names
}

// Check compares the catalogues with the files of a folder. Files outside the
// folders of catalogues are not its business. Of streams it reads playlists of
// HLS (RFC 8216), not manifests of DASH: all files beside one of those count as
// named.
func Check(root *os.Root, folder *mirror.Folder, catalogues []Catalogue) *Report {
	c := &checker{root: root, sizes: folder.Sizes, named: map[string]bool{}}
	for _, f := range folder.Failed {
		c.problem(f.Name, "%v", f.Err)
	}
	for _, catalogue := range catalogues {
		c.catalogue(catalogue)
	}
	c.unnamed(catalogues)
	return &c.report
}

type checker struct {
	root   *os.Root
	sizes  map[string]int64
	named  map[string]bool
	report Report
}

func (c *checker) problem(file, format string, args ...any) {
	f := Finding{file, fmt.Sprintf(format, args...)}
	if !slices.Contains(c.report.Problems, f) {
		c.report.Problems = append(c.report.Problems, f)
	}
}

func (c *checker) catalogue(in Catalogue) {
	c.named[in.File] = true
	home := path.Dir(in.File)
	for _, p := range in.Promises {
		name := path.Join(home, p.File)
		if !c.there(in.File, p.By, name) {
			continue
		}
		switch strings.ToLower(path.Ext(name)) {
		case ".m3u8":
			c.stream(&stream{checker: c, home: home, pkg: p.Package, packages: in.Packages, seen: map[string]bool{}}, name)
		case ".mpd":
			c.name(path.Dir(name))
		}
	}
}

// there reports whether a file is there that a list names, and notes that it is
// named.
func (c *checker) there(list, by, name string) bool {
	c.named[name] = true
	size, ok := c.sizes[name]
	switch {
	case ok && size > 0:
		return true
	case ok:
		c.problem(list, "%s: %q is empty", by, name)
	default:
		hint := ""
		if other := c.otherCase(name); other != "" {
			hint = fmt.Sprintf(" (hint: there is %q, and capitals count)", other)
		}
		c.problem(list, "%s: %q is missing%s", by, name, hint)
	}
	return false
}

func (c *checker) otherCase(name string) string {
	for other := range c.sizes {
		if strings.EqualFold(other, name) {
			return other
		}
	}
	return ""
}

// name notes that all files in a folder are named.
func (c *checker) name(folder string) {
	for name := range c.sizes {
		if within(folder, name) {
			c.named[name] = true
		}
	}
}

// unnamed notes the files in the folders of catalogues that none of them names.
func (c *checker) unnamed(catalogues []Catalogue) {
	for _, name := range slices.Sorted(maps.Keys(c.sizes)) {
		covered := slices.ContainsFunc(catalogues, func(in Catalogue) bool { return within(path.Dir(in.File), name) })
		if covered && !c.named[name] {
			c.report.Notes = append(c.report.Notes, Finding{name, "no catalogue names it"})
		}
	}
}

func within(folder, name string) bool { return folder == "." || strings.HasPrefix(name, folder+"/") }
