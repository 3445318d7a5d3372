package web

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
)

// parseXML returns the root element's content under its name. There is no
// document type, and so no entity but those of XML itself.
func parseXML(body []byte) (any, error) {
	d := xml.NewDecoder(bytes.NewReader(body))
	root := map[string]any{}
	for {
		token, err := d.Token()
		if err == io.EOF && len(root) == 1 {
			return root, nil
		}
		if err != nil {
			return nil, badXML()
		}
		switch v := token.(type) {
		case xml.Directive:
			return nil, fmt.Errorf("%w: it has a document type", ErrBody)
		case xml.StartElement:
			if len(root) > 0 {
				return nil, badXML()
			}
			if root[v.Name.Local], err = element(d, v, 0); err != nil {
				return nil, err
			}
		case xml.CharData:
			if len(bytes.TrimSpace(v)) > 0 {
				return nil, badXML()
			}
		}
	}
}

func badXML() error { return fmt.Errorf("%w: it is not XML, or not all of it", ErrBody) }

// element returns the text of an element, or its attributes and children.
func element(d *xml.Decoder, start xml.StartElement, depth int) (any, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("%w: nested more than %d deep", ErrBody, maxDepth)
	}
	content, err := attributes(start)
	if err != nil {
		return nil, err
	}
	var text strings.Builder
	for {
		token, err := d.Token()
		if err != nil {
			return nil, badXML()
		}
		switch v := token.(type) {
		case xml.EndElement:
			return whole(content, strings.TrimSpace(text.String())), nil
		case xml.CharData:
			text.Write(v)
		case xml.Directive:
			return nil, fmt.Errorf("%w: it has a document type", ErrBody)
		case xml.StartElement:
			child, err := element(d, v, depth+1)
			if err != nil {
				return nil, err
			}
			add(content, v.Name.Local, child)
		}
	}
}

func attributes(start xml.StartElement) (map[string]any, error) {
	content := map[string]any{}
	for _, a := range start.Attr {
		if a.Name.Space == "xmlns" || a.Name.Local == "xmlns" {
			continue
		}
		if _, twice := content["@"+a.Name.Local]; twice {
			return nil, fmt.Errorf("%w: an attribute occurs twice", ErrBody)
		}
		content["@"+a.Name.Local] = a.Value
	}
	return content, nil
}

// whole returns an element: nil if xsi:nil says so, its text if it has nothing else.
func whole(content map[string]any, text string) any {
	if len(content) == 0 {
		return text
	}
	if len(content) == 1 && content["@nil"] == "true" && text == "" {
		return nil
	}
	if text != "" {
		content["#text"] = text
	}
	return content
}

// add makes a list of elements that occur more than once, which then is no text,
// number or truth value any more.
func add(content map[string]any, name string, child any) {
	switch before := content[name].(type) {
	case nil:
		if _, there := content[name]; !there {
			content[name] = child
			return
		}
		content[name] = []any{nil, child}
	case []any:
		content[name] = append(before, child)
	default:
		content[name] = []any{before, child}
	}
}
