package awslambda

import (
	"maps"
	"net/url"
	"slices"
	"strings"
)

// target returns what the viewer asked for, path and query, as it was on the
// wire and without what leads to the handler: stage and base path.
func (e *event) target(base string) string {
	path := e.route(base)
	if query := e.query(); query != "" {
		return path + "?" + query
	}
	return path
}

// route returns the path that the handler knows, as it was on the wire.
//
// HTTP APIs put the stage in front of the path, whatever the domain. REST APIs
// do so only where a custom domain is mapped to all stages, and the path is
// then the same as in the request context; a mapping to one stage puts its base
// path there instead.
func (e *event) route(base string) string {
	path, stage := e.wirePath(), e.Context.Stage
	if !e.second() {
		if rest, ok := below(path, base); ok {
			return rest
		}
	}
	if e.staged() {
		if rest, ok := below(path, "/"+stage); ok {
			path = rest
		}
	}
	if rest, ok := below(path, base); ok {
		path = rest
	}
	return path
}

// staged reports whether the path may begin with the stage.
func (e *event) staged() bool {
	switch e.form {
	case httpAPI, httpAPI1:
		return e.Context.Stage != "" && e.Context.Stage != "$default"
	case restAPI:
		return e.Context.Stage != "" && e.Path == e.Context.Path
	}
	return false
}

// below returns what is left of path under prefix, which is empty or has a
// slash in front and none behind.
func below(path, prefix string) (rest string, ok bool) {
	rest, ok = strings.CutPrefix(path, prefix)
	switch {
	case prefix == "" || !ok:
		return path, false
	case rest == "":
		return "/", true
	}
	return rest, rest[0] == '/'
}

// wirePath returns the path as it was on the wire. HTTP APIs decode it once,
// which is undone here as far as it can be: an escaped slash is a slash now, and
// nobody behind an HTTP API can see that it was not. The others pass it on as it
// came.
func (e *event) wirePath() string {
	switch e.form {
	case httpAPI:
		return escaped.Replace(e.RawPath)
	case functionURL:
		return e.RawPath
	case httpAPI1:
		return escaped.Replace(e.Path)
	}
	return e.Path
}

// escaped escapes what cannot stand plainly in a path, but was decoded. What is
// refused in either spelling stays.
var escaped = strings.NewReplacer("%", "%25", " ", "%20", "?", "%3F", "#", "%23")

// query returns the query as it was on the wire, or an equal one: load balancers
// leave it as it was, and REST APIs decode it.
func (e *event) query() string {
	if e.second() {
		return e.RawQueryString
	}
	values := e.MultiValueQuery
	if values == nil {
		values = map[string][]string{}
		for name, value := range e.Query {
			values[name] = []string{value}
		}
	}
	if e.form != loadBalancer {
		return url.Values(values).Encode()
	}
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		for _, value := range values[name] {
			pairs = append(pairs, name+"="+value)
		}
	}
	return strings.Join(pairs, "&")
}
