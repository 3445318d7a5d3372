package web

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"regexp"
	"strings"
)

// placeholder finds {code}, {factor.surname} and what looks like one.
var placeholder = regexp.MustCompile(`\{[a-z][a-z0-9_.-]*\}`)

// A template is text with places for values. Texts and names alternate, and
// texts are one more.
type template struct {
	texts []string
	names []string
}

// parseTemplate returns an error for a place that is for none of names.
func parseTemplate(text string, names []string) (template, error) {
	var t template
	rest := 0
	for _, at := range placeholder.FindAllStringIndex(text, -1) {
		name := text[at[0]+1 : at[1]-1]
		if !contains(names, name) {
			return t, fmt.Errorf("{%s} is not known, want one of {%s}", name, strings.Join(names, "}, {"))
		}
		t.texts, t.names = append(t.texts, text[rest:at[0]]), append(t.names, name)
		rest = at[1]
	}
	t.texts = append(t.texts, text[rest:])
	return t, nil
}

func contains(list []string, s string) bool {
	for _, one := range list {
		if one == s {
			return true
		}
	}
	return false
}

// fill puts values into their places, escaped.
func (t template) fill(values map[string]string, escape func(string) string) string {
	var b strings.Builder
	for i, name := range t.names {
		b.WriteString(t.texts[i])
		b.WriteString(escape(values[name]))
	}
	b.WriteString(t.texts[len(t.names)])
	return b.String()
}

// escapeURL escapes everything that RFC 3986 does not call unreserved, so that
// a value is one segment of a path and one value of a query.
func escapeURL(s string) string {
	const hexDigits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~", c) >= 0 {
			b.WriteByte(c)
		} else {
			b.Write([]byte{'%', hexDigits[c>>4], hexDigits[c&15]})
		}
	}
	return b.String()
}

// escapeJSON escapes what stands between the quotes of a string.
func escapeJSON(s string) string {
	text, err := json.Marshal(s)
	if err != nil { // of no string
		return ""
	}
	return string(text[1 : len(text)-1])
}

// escapeXML escapes a text or what stands between the quotes of an attribute.
func escapeXML(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a Builder does not fail
	return b.String()
}

func escaper(t BodyType) (func(string) string, error) {
	switch t {
	case "", JSON:
		return escapeJSON, nil
	case XML:
		return escapeXML, nil
	case Form:
		return escapeURL, nil
	}
	return nil, fmt.Errorf("%q is no type of body, want json, xml or form", t)
}

// probe is a value that breaks out of every place that is not escaped right.
const probe = `h"a'n<d&s>t{a}m\p=;,`

// checkBody returns an error if a place of t is not where a text of its own may
// stand: a string of JSON, a text or attribute of XML, a value of a form.
func checkBody(t template, kind BodyType) error {
	escape, err := escaper(kind)
	if err != nil {
		return err
	}
	text, found := t.fill(probes(t), escape), 0
	switch kind {
	case Form:
		found, err = probesInForm(text)
	case XML:
		found, err = probesInTree(parseXML([]byte(text)))
	default:
		found, err = probesInTree(parseJSON([]byte(text)))
	}
	if err != nil {
		return err
	}
	if found != len(t.names) {
		return fmt.Errorf("of %d placeholders %d stand where a text may stand", len(t.names), found)
	}
	return nil
}

// checkForm is checkBody for a form or a query.
func checkForm(t template) error { return checkBody(t, Form) }

func probes(t template) map[string]string {
	values := map[string]string{}
	for _, name := range t.names {
		values[name] = probe
	}
	return values
}

func probesInForm(text string) (int, error) {
	found := 0
	for part := range strings.SplitSeq(text, "&") {
		name, value, ok := strings.Cut(part, "=")
		if !ok || name == "" || strings.Contains(name, "%") {
			return 0, fmt.Errorf("%.20q is not like name=value", name)
		}
		found += strings.Count(value, escapeURL(probe))
	}
	return found, nil
}

// probesInTree counts the probes in the texts of a parsed body.
func probesInTree(tree any, err error) (int, error) {
	if err != nil {
		return 0, err
	}
	switch v := tree.(type) {
	case string:
		return strings.Count(v, probe), nil
	case []any:
		return sum(v)
	case map[string]any:
		var all []any
		for _, one := range v {
			all = append(all, one)
		}
		return sum(all)
	}
	return 0, nil
}

func sum(list []any) (found int, err error) {
	for _, one := range list {
		n, err := probesInTree(one, nil)
		if err != nil {
			return 0, err
		}
		found += n
	}
	return found, nil
}
