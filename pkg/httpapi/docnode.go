package httpapi

import (
	"encoding/json"
	"iter"
	"strings"

	"go.yaml.in/yaml/v3"
)

// A node is a part of openapi.yaml, which keeps its order. The zero node is one
// that is not there.
type node struct{ yaml *yaml.Node }

// get walks down by keys and follows references on the way. doc is the root.
func (n node) get(doc node, keys ...string) node {
	for _, key := range keys {
		next := node{}
		for name, value := range n.members() {
			if name == key {
				next = value.resolve(doc)
			}
		}
		n = next
	}
	return n
}

// resolve follows a reference.
func (n node) resolve(doc node) node {
	for name, value := range n.members() {
		if name == "$ref" {
			return doc.get(doc, strings.Split(strings.TrimPrefix(value.text(), "#/"), "/")...)
		}
	}
	return n
}

// ref returns the last name of a reference, or "".
func (n node) ref() string {
	for name, value := range n.members() {
		if name == "$ref" {
			return value.text()[strings.LastIndexByte(value.text(), '/')+1:]
		}
	}
	return ""
}

// members returns the members of an object, in their order.
func (n node) members() iter.Seq2[string, node] {
	return func(yield func(string, node) bool) {
		if n.yaml == nil || n.yaml.Kind != yaml.MappingNode {
			return
		}
		for i := 0; i+1 < len(n.yaml.Content); i += 2 {
			if !yield(n.yaml.Content[i].Value, node{n.yaml.Content[i+1]}) {
				return
			}
		}
	}
}

// items returns the entries of a list.
func (n node) items() (all []node) {
	if n.yaml != nil && n.yaml.Kind == yaml.SequenceNode {
		for _, item := range n.yaml.Content {
			all = append(all, node{item})
		}
	}
	return all
}

// text returns a value as it is written.
func (n node) text() string {
	if n.yaml == nil {
		return ""
	}
	return n.yaml.Value
}

func (n node) there() bool { return n.yaml != nil }

// json returns an example as it would be sent.
func (n node) json() string {
	var b strings.Builder
	n.writeJSON(&b, "")
	return b.String()
}

func (n node) writeJSON(b *strings.Builder, indent string) {
	switch inner := indent + "  "; n.yaml.Kind {
	case yaml.MappingNode:
		separator := "{\n"
		for name, value := range n.members() {
			b.WriteString(separator + inner + quoteJSON(name) + ": ")
			value.writeJSON(b, inner)
			separator = ",\n"
		}
		b.WriteString("\n" + indent + "}")
	case yaml.SequenceNode:
		separator := "["
		for _, item := range n.items() {
			b.WriteString(separator)
			item.writeJSON(b, indent)
			separator = ", "
		}
		b.WriteString("]")
	default:
		if n.yaml.Tag == "!!str" {
			b.WriteString(quoteJSON(n.yaml.Value))
			return
		}
		b.WriteString(n.yaml.Value)
	}
}

func quoteJSON(s string) string {
	text, err := json.Marshal(s)
	if err != nil { // a string can be
		panic(err)
	}
	return strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(string(text))
}
