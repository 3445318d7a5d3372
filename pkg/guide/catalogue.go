package guide

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// FileName is what a catalogue is called in an attraction's folder.
const FileName = "guide.yaml"

// A Catalogue says what an attraction has to offer: its guide.yaml. All paths in
// it are relative to the attraction's prefix, with slashes, not URL-escaped.
type Catalogue struct {
	Title    string    `yaml:"title"`    // required
	Intro    string    `yaml:"intro"`    // a sentence or two
	Cover    string    `yaml:"cover"`    // a free image, wider than high; may be empty
	Packages []Package `yaml:"packages"` // in the order in which they are shown
	Items    []Item    `yaml:"items"`    // in the order of the visit
}

// A Package is what a ticket can buy. Its ID is the path segment under the
// prefix in which its files are, and the name of the package in the configuration.
type Package struct {
	ID   string `yaml:"id"`
	Name string `yaml:"name"`
	Text string `yaml:"text"` // a sentence for the visitor; may be empty
}

// An Item is one thing to hear, see or read.
type Item struct {
	ID       string        `yaml:"id"`       // unique in the catalogue; lower-case letters, digits, dashes
	Stop     int           `yaml:"stop"`     // number on the sign; 0 means that there is no sign
	Title    string        `yaml:"title"`    // required
	Kind     Kind          `yaml:"kind"`     // required
	Package  string        `yaml:"package"`  // empty means free
	File     string        `yaml:"file"`     // required, but for Text
	Stream   string        `yaml:"stream"`   // HLS playlist of the same sound or film; may be empty
	Image    string        `yaml:"image"`    // shown beside the title; may be empty
	Duration time.Duration `yaml:"duration"` // 0 means unknown
	Text     string        `yaml:"text"`     // what is said, or what is to be read; required for Text
}

// Free tells whether the item opens without a ticket.
func (i Item) Free() bool { return i.Package == "" }

// A Kind says how an item is presented.
type Kind string

// The kinds of items.
const (
	Audio Kind = "audio"
	Image Kind = "image"
	Map   Kind = "map"
	Video Kind = "video"
	Text  Kind = "text"
)

// LoadCatalogue reads the catalogue called name, a path in fsys such as
// "castle/guide.yaml". It is strict: an unknown key, a path that leaves the
// prefix, an item without title, a paid item whose file is not under its package
// and an ID used twice are errors, and the error lists all of them, one per
// line, each with file and line where it has one. That the files it names exist
// is not checked: they may be in a bucket.
func LoadCatalogue(fsys fs.FS, name string) (*Catalogue, error) {
	data, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, err
	}
	check := checker{file: name}
	var c Catalogue
	check.decode(data, &c)
	if check.parsed() {
		check.catalogue(&c)
	}
	if err := check.err(); err != nil {
		return nil, err
	}
	return &c, nil
}

// decode reads the one YAML document in data into c, and keeps its nodes for
// their line numbers.
func (k *checker) decode(data []byte, c *Catalogue) {
	if err := yaml.Unmarshal(data, &k.root); err != nil {
		k.yamlError(err)
		return
	}
	if k.root.Kind == 0 {
		k.report(0, "is empty, want a catalogue with a title")
		return
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	if err := dec.Decode(c); err != nil {
		k.yamlError(err)
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		k.report(0, "has more than one YAML document, want one")
	}
}

// yamlError reports what the YAML package found; a *yaml.TypeError is a list.
func (k *checker) yamlError(err error) {
	messages := []string{err.Error()}
	var list *yaml.TypeError
	if errors.As(err, &list) {
		messages = list.Errors
	}
	for _, message := range messages {
		message = strings.TrimPrefix(message, "yaml: ")
		var line int
		if _, err := fmt.Sscanf(message, "line %d: ", &line); err == nil {
			message = message[len(fmt.Sprintf("line %d: ", line)):]
		}
		k.report(line, "%s", plainYAML(message))
	}
}
