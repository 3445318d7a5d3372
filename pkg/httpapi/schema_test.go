package httpapi_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/handstamp/handstamp/pkg/httpapi"
)

// An object is a node of openapi.yaml, with references followed by at.
type object = map[string]any

var document = sync.OnceValue(func() object {
	var doc object
	if err := yaml.Unmarshal(httpapi.OpenAPI(), &doc); err != nil {
		panic(err)
	}
	return doc
})

// at walks down from o by keys and follows references on the way. It returns
// nil if something is missing.
func at(o object, keys ...string) object {
	for _, key := range keys {
		o, _ = o[key].(object)
		o = resolve(o)
	}
	return o
}

func resolve(o object) object {
	ref, ok := o["$ref"].(string)
	if !ok {
		return o
	}
	return at(document(), strings.Split(strings.TrimPrefix(ref, "#/"), "/")...)
}

// validate is a small JSON Schema validator. It knows the keywords that the
// document uses, and complains about any other so that none is taken for checked.
func validate(schema object, v any, where string) (problems []string) {
	found := func(format string, args ...any) {
		problems = append(problems, where+": "+fmt.Sprintf(format, args...))
	}
	if schema = resolve(schema); schema == nil {
		found("there is no schema")
		return problems
	}
	for keyword, want := range schema {
		switch keyword {
		case "description", "default", "properties":
		case "type":
			if !isType(v, want.(string)) {
				found("is %T, want %v", v, want)
			}
		case "required":
			o, _ := v.(object)
			for _, name := range want.([]any) {
				if _, ok := o[name.(string)]; !ok {
					found("has no %q", name)
				}
			}
		case "additionalProperties":
			problems = append(problems, validateObject(schema, v, where)...)
		case "items":
			list, _ := v.([]any)
			for i, item := range list {
				problems = append(problems, validate(want.(object), item, fmt.Sprintf("%s[%d]", where, i))...)
			}
		case "minItems":
			if list, _ := v.([]any); len(list) < want.(int) {
				found("has %d items, want %v", len(list), want)
			}
		case "maxItems":
			if list, _ := v.([]any); len(list) > want.(int) {
				found("has %d items, want at most %v", len(list), want)
			}
		case "maxProperties":
			if o, _ := v.(object); len(o) > want.(int) {
				found("has %d members, want at most %v", len(o), want)
			}
		case "enum":
			if !slices.Contains(want.([]any), v) {
				found("is %v, want one of %v", v, want)
			}
		case "pattern":
			if s, _ := v.(string); !regexp.MustCompile(want.(string)).MatchString(s) {
				found("is %q, want %s", s, want)
			}
		case "minLength":
			if s, _ := v.(string); len(s) < want.(int) {
				found("has %d characters, want %v", len(s), want)
			}
		case "minimum":
			if n, err := number(v); err != nil || n < float64(want.(int)) {
				found("is %v, want at least %v", v, want)
			}
		case "format":
			if err := checkFormat(v, want.(string)); err != nil {
				found("%v", err)
			}
		case "oneOf":
			problems = append(problems, validateOneOf(want.([]any), v, where)...)
		default:
			found("the validator does not know %q", keyword)
		}
	}
	return problems
}

func validateObject(schema object, v any, where string) (problems []string) {
	o, _ := v.(object)
	known, _ := schema["properties"].(object)
	others, open := schema["additionalProperties"].(object)
	for name, member := range o {
		switch s, ok := known[name].(object); {
		case ok:
			problems = append(problems, validate(s, member, where+"."+name)...)
		case open:
			problems = append(problems, validate(others, member, where+"."+name)...)
		default:
			problems = append(problems, fmt.Sprintf("%s: has %q, which is not in the document", where, name))
		}
	}
	return problems
}

func validateOneOf(schemas []any, v any, where string) []string {
	var all []string
	fits := 0
	for _, s := range schemas {
		problems := validate(s.(object), v, where)
		if len(problems) == 0 {
			fits++
		}
		all = append(all, problems...)
	}
	if fits != 1 {
		return append(all, fmt.Sprintf("%s: fits %d of %d, want exactly one", where, fits, len(schemas)))
	}
	return nil
}

func isType(v any, want string) bool {
	switch v := v.(type) {
	case object:
		return want == "object"
	case []any:
		return want == "array"
	case string:
		return want == "string"
	case bool:
		return want == "boolean"
	case json.Number:
		n, err := v.Float64()
		return err == nil && (want == "number" || want == "integer" && n == math.Trunc(n))
	}
	return false
}

func number(v any) (float64, error) {
	n, _ := v.(json.Number)
	return n.Float64()
}

func checkFormat(v any, format string) (err error) {
	s, _ := v.(string)
	switch format {
	case "date-time":
		_, err = time.Parse(time.RFC3339, s)
	case "uri-reference":
		_, err = url.Parse(s)
	default:
		err = fmt.Errorf("the validator does not know the format %q", format)
	}
	return err
}

// decodeJSON reads one value the way validate wants it.
func decodeJSON(t *testing.T, text []byte) any {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil || dec.More() {
		t.Fatalf("%q is not one JSON value: %v", text, err)
	}
	return v
}

func TestValidator(t *testing.T) {
	schemas := at(document(), "components", "schemas")
	good := `{"type":"urn:handstamp:problem:not_found","title":"t","status":404,"detail":"d","code":"not_found","request_id":"3MLXVYB7N2KJ4M6T5WDHRFGCAQ"}`
	tests := []struct{ name, old, new string }{
		{"missing member", `"title":"t",`, ``},
		{"further member", `"title"`, `"extra":1,"title"`},
		{"wrong type", `"title":"t"`, `"title":1`},
		{"null", `"title":"t"`, `"title":null`},
		{"fraction", `404`, `404.5`},
		{"minimum", `404`, `200`},
		{"enum", `"code":"not_found"`, `"code":"not-found"`},
		{"pattern", `3MLX`, `3mlx`},
		{"list", good, `[]`},
	}
	if problems := validate(at(schemas, "Problem"), decodeJSON(t, []byte(good)), "problem"); problems != nil {
		t.Errorf("validate = %v, want none", problems)
	}
	for _, tt := range tests {
		bad := strings.Replace(good, tt.old, tt.new, 1)
		if problems := validate(at(schemas, "Problem"), decodeJSON(t, []byte(bad)), "problem"); problems == nil {
			t.Errorf("%s: validate(%s) found nothing", tt.name, bad)
		}
	}
	if problems := validate(at(schemas, "ServerTime"), "2026-07-01 12:00", "time"); problems == nil {
		t.Error("validate takes any text for a time")
	}
}
