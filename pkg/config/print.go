package config

import (
	"bytes"
	"fmt"
	"path/filepath"
	"reflect"
	"strconv"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/handstamp/handstamp/pkg/gate"
)

// Redacted returns c as YAML with every key, secrets as references only. Parse
// reads it back as the same configuration from any folder of this machine, for
// its paths are absolute; an inline secret is printed as a text that it
// refuses.
func (c *Config) Redacted() ([]byte, error) {
	root, err := node(reflect.ValueOf(c).Elem(), schema)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	if err := enc.Encode(root); err != nil {
		return nil, err
	}
	return out.Bytes(), enc.Close()
}

// node returns v, whose keys fields describe, as a mapping.
func node(v reflect.Value, fields []*field) (*yaml.Node, error) {
	m := &yaml.Node{Kind: yaml.MappingNode}
	for _, f := range fields {
		n, err := f.node(v.Field(f.index))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.path, err)
		}
		m.Content = append(m.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: f.name}, n)
	}
	return m, nil
}

// node returns one value.
func (f *field) node(v reflect.Value) (*yaml.Node, error) {
	if f.kind == section {
		return node(v, f.children)
	}
	list := &yaml.Node{Kind: yaml.SequenceNode}
	switch x := v.Interface().(type) {
	case []string:
		list.Style = yaml.FlowStyle
		for _, s := range x {
			list.Content = append(list.Content, quoted(s))
		}
		return list, nil
	case time.Duration:
		return plainScalar(short(x)), nil
	case int:
		return plainScalar(strconv.Itoa(x)), nil
	case Switch:
		return quoted(x.String()), nil
	case Size:
		return quoted(x.String()), nil
	case Secret:
		return absolute(x)
	case gate.Clock:
		return quoted(x.String()), nil
	case gate.Date:
		if x.IsZero() {
			return quoted(""), nil
		}
		return quoted(x.String()), nil
	case string:
		if f.isPath && x != "" {
			abs, err := filepath.Abs(x)
			return quoted(abs), err
		}
		return quoted(x), nil
	}
	for i := range v.Len() {
		item, err := node(v.Index(i), f.children)
		if err != nil {
			return nil, err
		}
		list.Content = append(list.Content, item)
	}
	return list, nil
}

func absolute(s Secret) (*yaml.Node, error) {
	dir, err := filepath.Abs(".")
	return quoted(s.in(dir).String()), err
}

func plainScalar(s string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Value: s} }

// quoted returns s as text that nothing reads as anything else.
func quoted(s string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Style: yaml.DoubleQuotedStyle, Value: s}
}
