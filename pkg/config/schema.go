package config

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
)

// kind is how a value is written.
type kind int

const (
	section kind = iota // keys below
	objects             // a list with keys below each item
	texts
	text
	number
	span
	toggle
	size
	secret
	day
	clock
)

// A field is one key of the file, as the struct describes it.
type field struct {
	name     string // lifetime
	path     string // cookies.lifetime, attractions[].id
	kind     kind
	index    int // of the struct field
	typ      reflect.Type
	def, doc string
	min, max string
	enum     []string // nil allows everything
	required bool
	slug     bool
	isPath   bool
	children []*field
}

// schema describes Config. Nothing changes it.
var schema = describe(reflect.TypeFor[Config](), "")

// describe returns the keys of struct t, whose paths begin with prefix.
func describe(t reflect.Type, prefix string) []*field {
	var fields []*field
	for i := range t.NumField() {
		sf := t.Field(i)
		name := sf.Tag.Get("mapstructure")
		if name == "-" {
			continue
		}
		f := &field{
			name: name, path: prefix + name, kind: kindOf(sf.Type), index: i, typ: sf.Type,
			def: sf.Tag.Get("default"), doc: sf.Tag.Get("doc"),
			min: sf.Tag.Get("min"), max: sf.Tag.Get("max"),
			required: sf.Tag.Get("required") == "true",
			slug:     sf.Tag.Get("slug") == "true",
			isPath:   sf.Tag.Get("path") == "true",
		}
		if enum, ok := sf.Tag.Lookup("enum"); ok {
			f.enum = strings.Split(enum, ",")
		}
		switch f.kind {
		case section:
			f.children = describe(sf.Type, f.path+".")
		case objects:
			f.children = describe(sf.Type.Elem(), f.path+"[].")
		}
		fields = append(fields, f)
	}
	return fields
}

func kindOf(t reflect.Type) kind {
	switch t {
	case reflect.TypeFor[time.Duration]():
		return span
	case reflect.TypeFor[Switch]():
		return toggle
	case reflect.TypeFor[Size]():
		return size
	case reflect.TypeFor[Secret]():
		return secret
	case reflect.TypeFor[gate.Date]():
		return day
	case reflect.TypeFor[gate.Clock]():
		return clock
	}
	switch t.Kind() {
	case reflect.Struct:
		return section
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Struct {
			return objects
		}
		return texts
	case reflect.Int:
		return number
	case reflect.String:
		return text
	}
	panic(fmt.Sprintf("config: no way to write a %s", t))
}

// wants says how to write f.
func (f *field) wants() string {
	if f.enum != nil && f.kind == text {
		return oneOf(f.enum)
	}
	return f.kind.wants()
}

func (k kind) wants() string {
	return [...]string{
		section: "keys below it",
		objects: "a list of entries, each beginning with -",
		texts:   "a list, like [a, b]",
		text:    "text",
		number:  "a whole number",
		span:    "a duration with its unit, like 15m",
		toggle:  "on or off",
		size:    "a size with its unit, like 10MiB",
		secret:  "a reference, file:PATH or env:NAME",
		day:     "a date, like 2026-12-24",
		clock:   "a time of day, like 09:30",
	}[k]
}

// oneOf lists words for a sentence: `lax, strict or none`.
func oneOf(words []string) string {
	var shown []string
	for _, w := range words {
		if w == "" {
			w = `""`
		}
		shown = append(shown, w)
	}
	last := len(shown) - 1
	if last == 0 {
		return shown[0]
	}
	return strings.Join(shown[:last], ", ") + " or " + shown[last]
}

// scalars calls do for every key that one text can set: all but sections and
// what belongs to lists of objects.
func scalars(fields []*field, do func(*field)) {
	for _, f := range fields {
		switch f.kind {
		case section:
			scalars(f.children, do)
		case objects:
		default:
			do(f)
		}
	}
}

// fileOnly calls do for every list of objects outside of other lists.
func fileOnly(fields []*field, do func(*field)) {
	for _, f := range fields {
		switch f.kind {
		case section:
			fileOnly(f.children, do)
		case objects:
			do(f)
		}
	}
}

// lookup returns the field called name among fields, nil if there is none.
func lookup(fields []*field, name string) *field {
	for _, f := range fields {
		if f.name == name {
			return f
		}
	}
	return nil
}

// names returns the keys that fields describe.
func names(fields []*field) []string {
	var all []string
	for _, f := range fields {
		all = append(all, f.name)
	}
	return all
}

// scalar returns the field of a dotted key that one text can set, or nil.
func scalar(fields []*field, path string) *field {
	var found *field
	scalars(fields, func(f *field) {
		if f.path == path {
			found = f
		}
	})
	return found
}
