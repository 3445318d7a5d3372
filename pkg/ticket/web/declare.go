package web

import (
	"fmt"
	"strings"
)

// maxShape is the longest declaration, in bytes.
const maxShape = 16 << 10

// parseShape reads a declaration like
//
//	{valid: bool, "units": [{id: string?}], slot?: {from: string}}
//
// Quotes and line breaks do not matter, so JSON will do.
func parseShape(text string) (*shape, error) {
	if len(text) > maxShape {
		return nil, fmt.Errorf("%d bytes, want at most %d", len(text), maxShape)
	}
	p := &declaration{rest: text}
	s, err := p.shape(0)
	if err != nil {
		return nil, err
	}
	if token := p.next(); token != "" {
		return nil, fmt.Errorf("%q behind the end", token)
	}
	return s, nil
}

// A declaration is what is left to read of one.
type declaration struct{ rest string }

// next takes a token: a sign, or a word without its quotes. It is "" at the end.
func (p *declaration) next() string {
	p.rest = strings.TrimLeft(p.rest, " \t\r\n")
	if p.rest == "" {
		return ""
	}
	n := strings.IndexAny(p.rest, "{}[]:, \t\r\n\"'")
	switch {
	case p.rest[0] == '"' || p.rest[0] == '\'':
		return p.quoted()
	case n < 0:
		n = len(p.rest)
	case n == 0:
		n = 1
	}
	token := p.rest[:n]
	p.rest = p.rest[n:]
	return token
}

func (p *declaration) quoted() string {
	word, rest, _ := strings.Cut(p.rest[1:], p.rest[:1])
	p.rest = rest
	return word
}

func (p *declaration) peek() string {
	ahead := *p
	return ahead.next()
}

func (p *declaration) want(sign string) error {
	if token := p.next(); token != sign {
		return fmt.Errorf("%q, want %q", token, sign)
	}
	return nil
}

func (p *declaration) shape(depth int) (*shape, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("nested more than %d deep", maxDepth)
	}
	switch token := p.next(); token {
	case "[":
		element, err := p.shape(depth + 1)
		if err != nil {
			return nil, err
		}
		return &shape{kind: kindList, element: element}, p.want("]")
	case "{":
		return p.object(depth)
	default:
		return plainShape(token)
	}
}

func plainShape(name string) (*shape, error) {
	plain, optional := strings.CutSuffix(name, "?")
	switch k := kind(plain); k {
	case kindBool, kindString, kindInt, kindNumber, kindID:
		return &shape{kind: k, optional: optional}, nil
	}
	return nil, fmt.Errorf("%q is no type, want bool, string, int, number, id, a list or an object", name)
}

func (p *declaration) object(depth int) (*shape, error) {
	s := &shape{kind: kindObject, fields: map[string]*shape{}}
	for p.peek() != "}" {
		if err := p.field(s, depth); err != nil {
			return nil, err
		}
		if p.peek() == "," {
			p.next()
		}
	}
	return s, p.want("}")
}

func (p *declaration) field(s *shape, depth int) error {
	name, optional := strings.CutSuffix(p.next(), "?")
	if name == "" || strings.ContainsAny(name, "{}[]:,") || s.fields[name] != nil {
		return fmt.Errorf("%q is no name of a field, or is there twice", name)
	}
	if err := p.want(":"); err != nil {
		return fmt.Errorf("behind %q: %w", name, err)
	}
	field, err := p.shape(depth + 1)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	field.optional = field.optional || optional
	s.fields[name] = field
	return nil
}
