package config

import "strings"

// A Key describes one key of the file.
type Key struct {
	Path    string // like cookies.lifetime; [] stands for an item of a list: attractions[].id
	Type    string // text, number, duration, switch, secret, date, time of day, list of texts, list of objects
	Default string // as one would write it; empty is an empty text or list
	Env     string // variable that sets it; empty when only the file can
	Doc     string // one line
}

// Keys lists every key that a configuration can have, in the order of the
// struct: a description to print or to test against.
func Keys() []Key { return list(schema, true) }

// list flattens fields; env is false below lists of objects.
func list(fields []*field, env bool) []Key {
	var keys []Key
	for _, f := range fields {
		k := Key{Path: f.path, Type: f.kind.String(), Default: f.def, Doc: f.doc}
		if env {
			k.Env = f.env()
		}
		switch f.kind {
		case section:
			keys = append(keys, list(f.children, env)...)
		case objects:
			k.Env = ""
			keys = append(append(keys, k), list(f.children, false)...)
		default:
			keys = append(keys, k)
		}
	}
	return keys
}

// String names k for Key.Type.
func (k kind) String() string {
	return [...]string{
		section: "section", objects: "list of objects", texts: "list of texts", text: "text",
		number: "number", span: "duration", toggle: "switch", size: "size", secret: "secret",
		day: "date", clock: "time of day",
	}[k]
}

// envPrefix begins the name of every environment variable that is ours.
const envPrefix = "HANDSTAMP_"

// env returns the environment variable that sets f.
func (f *field) env() string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(f.path, ".", "_"))
}
