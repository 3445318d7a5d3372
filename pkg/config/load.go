package config

import (
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"

	"go.yaml.in/yaml/v3"
)

// maxFile is the most bytes that a configuration file may have.
const maxFile = 1 << 20

// commandLine is the File of problems with overrides.
const commandLine = "command line"

// Options tunes Load. The zero value is ready for use.
type Options struct {
	// Overrides are the values of flags by dotted key, like "http.listen". They
	// go before the environment and the file. Lists are separated by commas.
	Overrides map[string]string

	// OtherEnv names HANDSTAMP_ variables that are not keys and that the
	// program reads itself, like the one that says where the file is.
	OtherEnv []string
}

// Load reads the configuration file at path, at most 1 MiB, and lays the
// environment and opts.Overrides over it. Any error is an *Error with every
// problem that was found; if the file could not be read it wraps the reason.
func Load(path string, opts Options) (*Config, error) {
	text, err := readFile(path)
	if err != nil {
		return nil, &Error{Problems: []Problem{{File: path, Text: reason(err)}}, Err: err}
	}
	return Parse(path, text, opts)
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(text) > maxFile {
		err = fmt.Errorf("bigger than 1 MiB, which no configuration is")
	}
	return text, err
}

// Parse is Load for text that was read from a file called path; path is for
// messages, and its folder is where relative paths begin.
func Parse(path string, text []byte, opts Options) (*Config, error) {
	l, cfg := newLoader(path, schema, opts), new(Config)
	if err := l.load(cfg, text, schema); err != nil {
		return nil, err
	}
	l.strangers(cfg)
	c := newChecker(cfg, l.where, l.bad)
	c.run()
	if err := report(path, append(l.problems, c.problems...)); err != nil {
		return nil, err
	}
	return cfg, nil
}

func newLoader(path string, schema []*field, opts Options) *loader {
	return &loader{opts: opts, walker: walker{file: path, schema: schema, lines: map[string]int{}, bad: map[string]bool{}}}
}

// load fills the struct that cfg points to. The error is for text that cannot
// be read at all; other problems are noted. Variables may set the keys of
// fromEnv.
func (l *loader) load(cfg any, text []byte, fromEnv []*field) error {
	root, problems := readDocument(l.file, text)
	if problems != nil {
		return report(l.file, problems)
	}
	tree := l.tree(root)
	l.env = l.environment(fromEnv)
	l.overrides()
	if err := decode(cfg, l.schema, tree, l.env, l.set); err != nil {
		// Not the error itself: it may quote a secret.
		l.fail(0, "", "the file was found good but could not be decoded, please report this")
		return report(l.file, l.problems)
	}
	l.resolve(cfg)
	return nil
}

// A loader brings the file, the environment and the overrides together.
type loader struct {
	walker
	opts Options
	env  map[string]string // variable by key, of those that are set and parse
	set  map[string]string // overrides that parse
}

// tree returns what the file says, as nested maps of texts.
func (l *loader) tree(root *yaml.Node) map[string]any {
	switch {
	case root == nil || root.ShortTag() == "!!null":
	case !l.plain(root, ""):
	case root.Kind != yaml.MappingNode:
		l.fail(root.Line, "", "found %s, want keys like %q at the left margin", found(root), l.firstSection()+":")
	default:
		return l.section(root, l.schema, "")
	}
	return nil
}

func (l *loader) firstSection() string {
	i := slices.IndexFunc(l.schema, func(f *field) bool { return f.kind == section })
	return l.schema[max(i, 0)].name
}

// overrides takes over the overrides that are good.
func (l *loader) overrides() {
	l.set = map[string]string{}
	for _, key := range slices.Sorted(maps.Keys(l.opts.Overrides)) {
		value := l.opts.Overrides[key]
		if f := scalar(l.schema, key); f == nil {
			l.stray(commandLine, printable(key), unknownPath(key, l.schema))
		} else if _, err := parseText(f.typ, value); err != nil {
			l.stray(commandLine, key, err.Error())
		} else {
			l.set[key] = value
		}
	}
}

// stray notes a problem with key that does not come from the file.
func (l *loader) stray(source, key, text string) {
	l.bad[key] = true
	l.problems = append(l.problems, Problem{File: source, Key: key, Text: text})
}

// where says where the value of key comes from: a variable, a flag, or a line
// of the file, that of the nearest key above it if it has none itself.
func (l *loader) where(key string) Problem {
	base := key
	for base != "" {
		if _, ok := l.set[base]; ok {
			return Problem{File: commandLine, Key: key}
		}
		if name, ok := l.env[base]; ok {
			return Problem{File: name, Key: key}
		}
		if line, ok := l.lines[base]; ok {
			return Problem{File: l.file, Line: line, Key: key}
		}
		base = parent(base)
	}
	return Problem{File: l.file, Key: key}
}

// fromFile reports whether no variable or flag sets key.
func (l *loader) fromFile(key string) bool {
	_, flag := l.set[key]
	_, env := l.env[key]
	return !flag && !env
}

// resolve takes the relative paths of the file relative to its folder.
func (l *loader) resolve(cfg any) {
	dir := filepath.Dir(l.file)
	each(reflect.ValueOf(cfg).Elem(), l.schema, "", func(f *field, key string, v value) {
		if !l.fromFile(key) {
			return
		}
		switch p := v.Interface().(type) {
		case Secret:
			v.set(p.in(dir))
		case string:
			if f.isPath && p != "" && !filepath.IsAbs(p) {
				v.set(filepath.Join(dir, p))
			}
		}
	})
}
