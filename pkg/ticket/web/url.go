package web

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// A target is the URL template of a request: everything up to the path is
// fixed, and a value is one segment of it or one value of the query.
type target struct {
	path  template // with scheme and host in front
	query template // what stands behind the question mark
	has   bool     // there is one
	base  *url.URL // with values that do no harm
}

func parseTarget(text string, names []string) (target, error) {
	path, query, has := strings.Cut(text, "?")
	t := target{has: has}
	var err error
	if t.path, err = parseTemplate(path, names); err != nil {
		return t, err
	}
	if t.query, err = parseTemplate(query, names); err != nil {
		return t, err
	}
	harmless := map[string]string{}
	for _, name := range names {
		harmless[name] = "x"
	}
	if t.base, err = url.Parse(t.fill(harmless)); err != nil {
		return t, errors.New("is no URL")
	}
	return t, t.check(path, query)
}

func (t target) check(path, query string) error {
	if err := checkURL(t.base); err != nil {
		return err
	}
	if t.base.Fragment != "" || strings.ContainsAny(path+query, "#\\{} ") && !onlyPlaces(path+query) {
		return errors.New(`has a "#", "\", brace or space`)
	}
	if len(t.path.names) > 0 && len(t.path.texts[0]) <= len(t.base.Scheme)+len("://")+len(t.base.Host) {
		return errors.New("has a placeholder in front of its path")
	}
	if !t.has {
		return nil
	}
	return checkForm(t.query)
}

// onlyPlaces reports whether braces stand around placeholders only.
func onlyPlaces(text string) bool {
	return !strings.ContainsAny(placeholder.ReplaceAllString(text, ""), "#\\{} ")
}

// checkURL returns an error for a URL that no API has.
func checkURL(u *url.URL) error {
	switch {
	case u.Scheme != "https" && u.Scheme != "http":
		return fmt.Errorf("has the scheme %.20q, want https", u.Scheme)
	case u.Hostname() == "" || u.Opaque != "":
		return errors.New("names no host")
	case u.User != nil:
		return errors.New("has a user in front of its host, want auth.basic")
	case dotted(u.Path):
		return errors.New(`has a path segment "." or ".."`)
	}
	return nil
}

func (t target) fill(values map[string]string) string {
	text := t.path.fill(values, escapeURL)
	if t.has {
		text += "?" + t.query.fill(values, escapeURL)
	}
	return text
}

// url returns the URL for values, or denies them as malformed: those that a
// server might take for a way out of its path.
func (t target) url(values map[string]string) (*url.URL, error) {
	for _, name := range t.path.names {
		if v := values[name]; v == "" || strings.ContainsAny(v, "\\%") || dotted(v) {
			return nil, malformed(fmt.Sprintf("{%s} cannot stand in a path", name))
		}
	}
	u, err := url.Parse(t.fill(values))
	if err != nil || !t.holds(u) {
		return nil, malformed("the URL would be another one")
	}
	return u, nil
}

// holds reports whether u differs from the template in values only.
func (t target) holds(u *url.URL) bool {
	return u.Scheme == t.base.Scheme && u.Host == t.base.Host && u.User == nil && u.Fragment == "" && !dotted(u.Path) &&
		strings.Count(u.EscapedPath(), "/") == strings.Count(t.base.EscapedPath(), "/") &&
		strings.Count(u.RawQuery, "&") == strings.Count(t.base.RawQuery, "&") &&
		strings.Count(u.RawQuery, "=") == strings.Count(t.base.RawQuery, "=") &&
		!strings.ContainsAny(u.RawQuery, "#;")
}

// dotted reports whether a path has a segment that a server takes for a step.
func dotted(path string) bool {
	for segment := range strings.FieldsFuncSeq(path, func(r rune) bool { return r == '/' || r == '\\' }) {
		if segment == "." || segment == ".." {
			return true
		}
	}
	return false
}
