package guide_test

import (
	"bytes"
	"encoding/binary"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/guide"
)

var attractions = []string{"castle", "zoo"}

func load(t *testing.T, attraction string) *guide.Catalogue {
	t.Helper()
	c, err := guide.LoadCatalogue(guide.Sample(), path.Join(attraction, guide.FileName))
	if err != nil {
		t.Fatalf("LoadCatalogue(%q): %v", attraction, err)
	}
	return c
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	data, err := fs.ReadFile(guide.Sample(), name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// The files of the sample and what its catalogues name are the same set, by way
// of the playlists for segments.
func TestSampleHasWhatItNames(t *testing.T) {
	for _, attraction := range attractions {
		c := load(t, attraction)
		named := map[string]bool{guide.FileName: true, c.Cover: true}
		for _, item := range c.Items {
			for _, file := range []string{item.File, item.Stream, item.Image} {
				named[file] = true
			}
			if item.Stream != "" {
				for _, segment := range segments(t, path.Join(attraction, item.Stream)) {
					named[path.Join(path.Dir(item.Stream), segment)] = true
				}
			}
		}
		delete(named, "")
		for file := range named {
			if info, err := fs.Stat(guide.Sample(), path.Join(attraction, file)); err != nil || info.Size() == 0 {
				t.Errorf("%s names %s: %v, want a file with content", attraction, file, err)
			}
		}
		for _, file := range files(t, attraction) {
			if !named[file] {
				t.Errorf("%s/%s is named by no guide.yaml and no playlist", attraction, file)
			}
		}
	}
}

func TestSampleIsWhatItSeems(t *testing.T) {
	var size int
	for _, attraction := range attractions {
		for _, file := range files(t, attraction) {
			data := read(t, path.Join(attraction, file))
			size += len(data)
			var err error
			switch path.Ext(file) {
			case ".m4a":
				err = checkAudio(data)
			case ".svg":
				err = checkSVG(data)
			case ".mp4", ".m4s", ".m3u8", ".yaml":
			default:
				err = errors.New("no such type is expected")
			}
			if err != nil {
				t.Errorf("%s/%s: %v", attraction, file, err)
			}
		}
	}
	if limit := 1_500_000; size > limit {
		t.Errorf("the sample has %d bytes, want at most %d", size, limit)
	}
}

func TestSampleCatalogues(t *testing.T) {
	for _, attraction := range attractions {
		c := load(t, attraction)
		streams, stops := 0, map[string]int{}
		for _, item := range c.Items {
			if item.Kind != guide.Audio {
				continue
			}
			stops[item.Package]++
			if item.Stream != "" {
				streams++
			}
			if item.Text == "" {
				t.Errorf("%s: %s has no transcript", attraction, item.ID)
			}
			got := duration(read(t, path.Join(attraction, item.File)))
			if off := (item.Duration - got).Abs(); off > time.Second {
				t.Errorf("%s: %s says that it lasts %v, and lasts %v", attraction, item.ID, item.Duration, got)
			}
		}
		if stops[""] == 0 || streams == 0 {
			t.Errorf("%s has %d free stops and %d streams, want some of both", attraction, stops[""], streams)
		}
		for _, p := range c.Packages {
			if stops[p.ID] == 0 {
				t.Errorf("%s: nothing to hear in package %q", attraction, p.ID)
			}
		}
	}
}

func files(t *testing.T, attraction string) []string {
	t.Helper()
	var names []string
	err := fs.WalkDir(guide.Sample(), attraction, func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, strings.TrimPrefix(name, attraction+"/"))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// segments lists what a playlist names, the initialization segment included.
func segments(t *testing.T, playlist string) []string {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(string(read(t, playlist))), "\n")
	if lines[0] != "#EXTM3U" || lines[len(lines)-1] != "#EXT-X-ENDLIST" {
		t.Errorf("%s begins with %q and ends with %q, want a whole playlist", playlist, lines[0], lines[len(lines)-1])
	}
	var names []string
	for _, line := range lines {
		if uri, ok := strings.CutPrefix(line, `#EXT-X-MAP:URI="`); ok {
			names = append(names, strings.TrimSuffix(uri, `"`))
		} else if !strings.HasPrefix(line, "#") {
			names = append(names, line)
		}
	}
	if len(names) < 3 {
		t.Errorf("%s names %q, want several segments", playlist, names)
	}
	return names
}

// checkAudio looks for an MP4 file with AAC in it that plays before it is loaded whole.
func checkAudio(data []byte) error {
	if len(data) < 12 || string(data[4:8]) != "ftyp" {
		return fmt.Errorf("begins with %q, want an MP4 ftyp box", data[:min(12, len(data))])
	}
	moov, mdat := bytes.Index(data, []byte("moov")), bytes.Index(data, []byte("mdat"))
	if moov < 0 || mdat < moov {
		return fmt.Errorf("moov at %d, mdat at %d, want moov first", moov, mdat)
	}
	if !bytes.Contains(data[moov:mdat], []byte("mp4a")) || !bytes.Contains(data[moov:mdat], []byte("esds")) {
		return errors.New("no AAC track")
	}
	return nil
}

// duration reads an MP4 file's movie header, version 0 (ISO/IEC 14496-12, 8.2.2).
func duration(data []byte) time.Duration {
	header := data[bytes.Index(data, []byte("mvhd"))+4:]
	scale, ticks := binary.BigEndian.Uint32(header[12:]), binary.BigEndian.Uint32(header[16:])
	return time.Duration(ticks) * time.Second / time.Duration(scale)
}

// checkSVG wants an image that stands alone: no script, nothing from elsewhere,
// and a label for those who do not see it.
func checkSVG(data []byte) error {
	dec := xml.NewDecoder(bytes.NewReader(data))
	labelled := false
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		if slices.Contains([]string{"script", "foreignObject", "image", "style"}, start.Name.Local) {
			return fmt.Errorf("has an element %q", start.Name.Local)
		}
		for _, a := range start.Attr {
			labelled = labelled || a.Name.Local == "aria-label"
			if a.Name.Local == "href" && !strings.HasPrefix(a.Value, "#") || strings.HasPrefix(a.Name.Local, "on") {
				return fmt.Errorf("has an attribute %s=%q", a.Name.Local, a.Value)
			}
		}
	}
	if !labelled {
		return errors.New("has no aria-label")
	}
	return nil
}
