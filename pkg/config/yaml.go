package config

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// readDocument returns the only YAML document in text, nil if there is none,
// and what is wrong with text as YAML.
func readDocument(file string, text []byte) (*yaml.Node, []Problem) {
	if !utf8.Valid(text) {
		return nil, []Problem{{File: file, Text: "not UTF-8 text"}}
	}
	if problems := blemishes(file, text); problems != nil {
		return nil, problems
	}
	dec := yaml.NewDecoder(bytes.NewReader(text))
	var doc, next yaml.Node
	if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
		return nil, nil
	} else if err != nil {
		return nil, []Problem{syntaxError(file, text, err)}
	}
	if err := dec.Decode(&next); !errors.Is(err, io.EOF) {
		return nil, []Problem{{File: file, Line: next.Line, Text: "a second document begins here (---), want one in the file"}}
	}
	return doc.Content[0], nil
}

// blemishes finds characters for which the YAML parser has no kind words.
func blemishes(file string, text []byte) []Problem {
	var problems []Problem
	for i, line := range strings.Split(string(text), "\n") {
		if blemish := blemish(strings.TrimSuffix(line, "\r")); blemish != "" {
			problems = append(problems, Problem{File: file, Line: i + 1, Text: blemish})
		}
	}
	return problems
}

func blemish(line string) string {
	bare := strings.TrimLeft(line, " \t")
	if strings.Contains(line[:len(line)-len(bare)], "\t") && bare != "" {
		return "a tab in the indentation, want spaces"
	}
	if bad := unprintable(strings.ReplaceAll(line, "\t", " ")); bad != "" {
		return bad
	}
	return ""
}

var (
	yamlError  = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)`)
	yamlAnchor = regexp.MustCompile(`^unknown anchor '(.*)'`)
	yamlQuoted = regexp.MustCompile("`.*")
)

// syntaxError says what the YAML parser said, without what it quotes from the
// file: that can be the beginning of a secret. The parser's lines can be one
// off, hence "around here".
func syntaxError(file string, text []byte, err error) Problem {
	p := Problem{File: file, Text: "not YAML"}
	m := yamlError.FindStringSubmatch(err.Error())
	if m == nil {
		return p
	}
	if a := yamlAnchor.FindStringSubmatch(m[2]); a != nil {
		before, _, _ := strings.Cut(string(text), "*"+a[1])
		p.Line = strings.Count(before, "\n") + 1
		p.Text = "a value begins with *, which makes it an alias; put it in quotes"
		return p
	}
	p.Line, _ = strconv.Atoi(m[1])
	p.Line = max(p.Line, 1) // the parser names no line for the first
	p.Text = "not YAML around here: " + yamlQuoted.ReplaceAllString(m[2], "...")
	return p
}

// found says what kind of thing n is, without quoting it.
func found(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "keys below it"
	case yaml.SequenceNode:
		return "a list"
	}
	switch n.ShortTag() {
	case "!!null":
		return "nothing"
	case "!!int":
		return "a whole number"
	case "!!float":
		return "a number"
	case "!!bool":
		return "true or false"
	case "!!timestamp":
		return "a date"
	}
	return "text"
}
