package inventory

import (
	"bufio"
	"fmt"
	"io"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
)

// maxPlaylist is the largest playlist that is read, in bytes.
const maxPlaylist = 8 << 20

// A stream is a playlist of HLS with all that it names.
type stream struct {
	*checker
	home     string // folder of the catalogue
	pkg      string // that opens it; empty means that it is free
	packages []string
	seen     map[string]bool
}

// stream checks a playlist that is there.
func (c *checker) stream(s *stream, name string) {
	if s.seen[name] {
		return
	}
	s.seen[name] = true
	references, err := s.read(name)
	if err != nil {
		c.problem(name, "%v", err)
		return
	}
	for _, ref := range references {
		s.reference(name, ref)
	}
}

// uri is an attribute that names another file (RFC 8216, section 4.2).
var uri = regexp.MustCompile(`[:,]URI="([^"]*)"`)

// read returns what a playlist refers to, each thing once.
func (s *stream) read(name string) ([]string, error) {
	f, err := s.root.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	lines := bufio.NewScanner(io.LimitReader(f, maxPlaylist))
	lines.Buffer(nil, maxPlaylist)
	var found []string
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(strings.TrimPrefix(lines.Text(), "\ufeff"))
		if n == 1 && line != "#EXTM3U" {
			return nil, fmt.Errorf("begins with %.20q, want #EXTM3U", line)
		}
		if line != "" && !strings.HasPrefix(line, "#") {
			found = append(found, line)
		}
		if m := uri.FindStringSubmatch(line); m != nil && strings.HasPrefix(line, "#EXT") {
			found = append(found, m[1])
		}
	}
	slices.Sort(found)
	return slices.Compact(found), lines.Err()
}

// reference checks one thing that a playlist refers to.
func (s *stream) reference(list, ref string) {
	u, err := url.Parse(ref)
	switch {
	case err != nil:
		s.problem(list, "%.80q is no address", ref)
		return
	case u.Scheme == "data" || u.Scheme == "skd": // in the list itself; a key of FairPlay
		return
	case u.Scheme != "" || u.Host != "" || strings.HasPrefix(u.Path, "/"):
		s.problem(list, "%.80q leads to another place: want a path from the playlist on, as the cookies are for that", ref)
		return
	}
	if strings.Contains(u.EscapedPath(), "+") {
		s.problem(list, `%.80q has a "+", which S3 reads as a space: want "%%2B" in the playlist, or another name`, ref)
	}
	name := path.Join(path.Dir(list), u.Path)
	if !s.open(name) {
		s.problem(list, "%.80q is not opened by what opens the playlist", ref)
	}
	if s.there(list, "playlist", name) && strings.EqualFold(path.Ext(name), ".m3u8") {
		s.stream(s, name)
	}
}

// open reports whether whoever may have the playlist may have a file too.
func (s *stream) open(name string) bool {
	if !within(s.home, name) {
		return false
	}
	below := strings.TrimPrefix(name, s.home+"/")
	first, _, _ := strings.Cut(below, "/")
	if s.pkg != "" {
		return first == s.pkg
	}
	return !slices.Contains(s.packages, first)
}
