package authorizer

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/handstamp/handstamp/pkg/gate"
)

// An event has the members of all forms that are looked at.
type event struct {
	Version            string              `json:"version"` // empty for REST APIs
	Type               string              `json:"type"`
	MethodARN          string              `json:"methodArn"`
	RouteARN           string              `json:"routeArn"`           // payload format 2.0
	AuthorizationToken string              `json:"authorizationToken"` // TOKEN
	IdentitySource     any                 `json:"identitySource"`     // HTTP APIs: a list, in format 1.0 a text
	Cookies            []string            `json:"cookies"`
	Headers            map[string]string   `json:"headers"`
	MultiValueHeaders  map[string][]string `json:"multiValueHeaders"`
	RawQueryString     string              `json:"rawQueryString"`
	Query              map[string]string   `json:"queryStringParameters"`
	MultiValueQuery    map[string][]string `json:"multiValueQueryStringParameters"`
}

func (e *event) arn() string {
	if e.RouteARN != "" {
		return e.RouteARN
	}
	return e.MethodARN
}

func (e *event) rest() bool { return e.Version == "" }

// header returns the one value of a header, or nothing.
func (e *event) header(name string) string {
	var values []string
	for n, v := range e.MultiValueHeaders {
		if strings.EqualFold(n, name) {
			values = append(values, v...)
		}
	}
	if e.MultiValueHeaders == nil {
		for n, v := range e.Headers {
			if strings.EqualFold(n, name) {
				values = append(values, v)
			}
		}
	}
	if len(values) != 1 {
		return ""
	}
	return values[0]
}

// cookie returns the value of a cookie. Two that differ are none.
func (e *event) cookie(name string) string {
	lists := slices.Clone(e.Cookies)
	for n, v := range e.Headers {
		if e.MultiValueHeaders == nil && strings.EqualFold(n, "Cookie") {
			lists = append(lists, v)
		}
	}
	for n, v := range e.MultiValueHeaders {
		if strings.EqualFold(n, "Cookie") {
			lists = append(lists, v...)
		}
	}
	found := ""
	for _, c := range (&http.Request{Header: http.Header{"Cookie": lists}}).CookiesNamed(name) {
		if found != "" && found != c.Value {
			return ""
		}
		found = c.Value
	}
	return found
}

// query returns the one value of a parameter, or nothing.
func (e *event) query(name string) string {
	values := e.MultiValueQuery[name]
	switch {
	case e.RouteARN != "":
		all, err := url.ParseQuery(e.RawQueryString)
		if err != nil {
			return ""
		}
		values = all[name]
	case e.MultiValueQuery == nil && e.Query[name] != "":
		values = []string{e.Query[name]}
	}
	if len(values) != 1 {
		return ""
	}
	return values[0]
}

// remembers reports whether API Gateway would remember an answer by something
// that has no credential in it: then it would be another visitor's, too. Only
// HTTP APIs say by what they remember.
func (e *event) remembers(credential string) bool {
	var sources []string
	switch s := e.IdentitySource.(type) {
	case string:
		sources = []string{s}
	case []any:
		for _, one := range s {
			text, _ := one.(string)
			sources = append(sources, text)
		}
	}
	return len(sources) > 0 && !slices.ContainsFunc(sources, func(s string) bool { return strings.Contains(s, credential) })
}

// An origin is where the one credential of an event is.
type origin struct{ kind, name string }

func parseOrigin(from string) (origin, error) {
	kind, name, _ := strings.Cut(from, ":")
	switch {
	case from == "", from == "bearer":
		return origin{kind: "bearer"}, nil
	case (kind == "cookie" || kind == "header") && httpguts.ValidHeaderFieldName(name), kind == "query" && name != "":
		return origin{kind, name}, nil
	}
	return origin{}, fmt.Errorf("credential from %q, want bearer, cookie:NAME, header:NAME or query:NAME", from)
}

// ticket reports whether the credential is a ticket, and not a session.
func (o origin) ticket() bool { return o.kind == "header" || o.kind == "query" }

// errForgetful says that the authorizer is configured so that an answer for one
// visitor would be given to others.
var errForgetful = errors.New("the identity sources of the authorizer do not have the credential that is read (hint: see docs/lambda.md)")

// read returns the credential, or denies for want of one.
func (o origin) read(e *event) (string, error) {
	var shown string
	switch {
	case e.Type == "TOKEN": // the header is named at the authorizer
		shown = e.AuthorizationToken
		if !o.ticket() {
			shown, _ = strings.CutPrefix(shown, "Bearer ")
		}
		if o.kind == "cookie" || o.kind == "query" {
			return "", errForgetful
		}
	case o.kind == "bearer":
		var ok bool
		if shown, ok = strings.CutPrefix(e.header("Authorization"), "Bearer "); !ok {
			shown = ""
		}
	case o.kind == "cookie":
		shown = e.cookie(o.name)
	case o.kind == "header":
		shown = e.header(o.name)
	case o.kind == "query":
		shown = e.query(o.name)
	}
	switch {
	case shown == "":
		return "", gate.Deny(gate.ReasonNoSession, errors.New("nothing was shown"))
	case e.remembers(shown):
		return "", errForgetful
	}
	return shown, nil
}
