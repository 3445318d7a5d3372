package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"slices"
	"strings"
	"unicode/utf8"
)

// ErrBody is in the error of an answer that is not of the format that is
// configured.
var ErrBody = errors.New("the answer cannot be read")

// maxDepth is how deep an answer may nest.
const maxDepth = 32

// parse reads a body into maps, lists, strings, bools, ints and float64s.
func parse(format BodyType, body []byte) (any, error) {
	if !utf8.Valid(body) {
		return nil, fmt.Errorf("%w: it is not UTF-8", ErrBody)
	}
	body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	switch format {
	case XML:
		return parseXML(body)
	case Text:
		return string(bytes.TrimSpace(body)), nil
	}
	return parseJSON(body)
}

// media reports whether a Content-Type belongs to a format.
func media(format BodyType, contentType string, more []string) bool {
	name, params, err := mime.ParseMediaType(contentType)
	if err != nil || params["charset"] != "" && !slices.Contains([]string{"utf-8", "utf8", "us-ascii"}, strings.ToLower(params["charset"])) {
		return false
	}
	if slices.Contains(more, name) {
		return true
	}
	switch format {
	case XML:
		return name == "application/xml" || name == "text/xml" || strings.HasSuffix(name, "+xml") && name != "application/xhtml+xml"
	case Text:
		return name == "text/plain"
	}
	return name == "application/json" || strings.HasSuffix(name, "+json")
}

// parseJSON refuses what readers of JSON take in different ways: names that
// occur twice, and more than one value.
func parseJSON(body []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	value, err := jsonValue(d, 0)
	if err == nil {
		if _, end := d.Token(); end != io.EOF {
			err = fmt.Errorf("%w: more than one JSON value", ErrBody)
		}
	}
	if err != nil {
		return nil, err
	}
	return value, nil
}

func jsonValue(d *json.Decoder, depth int) (any, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("%w: nested more than %d deep", ErrBody, maxDepth)
	}
	token, err := d.Token()
	if err != nil {
		return nil, badJSON()
	}
	switch v := token.(type) {
	case json.Delim:
		if v == '[' {
			return jsonList(d, depth)
		}
		return jsonObject(d, depth)
	case json.Number:
		return number(v), nil
	}
	return token, nil
}

// badJSON does not quote what is wrong.
func badJSON() error { return fmt.Errorf("%w: it is not JSON, or not all of it", ErrBody) }

func number(n json.Number) any {
	if i, err := n.Int64(); err == nil && int64(int(i)) == i {
		return int(i)
	}
	f, err := n.Float64()
	if err != nil {
		return nil
	}
	return f
}

func jsonList(d *json.Decoder, depth int) (any, error) {
	list := []any{}
	for d.More() {
		value, err := jsonValue(d, depth+1)
		if err != nil {
			return nil, err
		}
		list = append(list, value)
	}
	if _, err := d.Token(); err != nil {
		return nil, badJSON()
	}
	return list, nil
}

func jsonObject(d *json.Decoder, depth int) (any, error) {
	object := map[string]any{}
	for d.More() {
		token, err := d.Token()
		name, ok := token.(string)
		if err != nil || !ok {
			return nil, badJSON()
		}
		if _, twice := object[name]; twice {
			return nil, fmt.Errorf("%w: a name occurs twice in an object", ErrBody)
		}
		if object[name], err = jsonValue(d, depth+1); err != nil {
			return nil, err
		}
	}
	if _, err := d.Token(); err != nil {
		return nil, badJSON()
	}
	return object, nil
}
